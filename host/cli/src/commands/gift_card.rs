//! `tradepost gift-card`: issue, show, void.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;
use tradepost_runtime::Decimal;
use tradepost_runtime::contract;

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::{Failure, Result};
use crate::views;

/// Issue a gift card, show how it stands, take it out of use
#[derive(Debug, Args)]
pub(crate) struct GiftCard {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Issue a card; its code is as good as money
    #[command(after_help = "\
Each call without --key issues one, also with the same reference: after exit code 6, look at the platform before deciding
(`tradepost parked`). The code stays in the data directory, which only you should be able to read.

Examples:
  tradepost gift-card issue sandbox/hardtofind 50 --reference SALE-1001 --json > card.json")]
    Issue {
        /// The account, as the table names it
        account: String,
        /// What it is worth, in the platform's currency
        value: Decimal,
        /// Your own number of the sale
        #[arg(long, value_name = "TEXT")]
        reference: String,
        #[command(flatten)]
        write: WriteOptions,
    },
    /// Show how a card stands
    #[command(
        after_help = "Examples:\n  tradepost gift-card show sandbox/hardtofind ABCD-1234\n  jq -r .code card.json | tradepost gift-card show sandbox/hardtofind -"
    )]
    Show {
        /// The account, as the table names it
        account: String,
        /// The card's code, or - to read it from stdin, where other users of this machine do not see it
        code: String,
    },
    /// Take a card out of use; one that is already void is a success
    #[command(
        after_help = "Examples:\n  jq -r .code card.json | tradepost gift-card void sandbox/hardtofind - --reference REFUND-1001"
    )]
    Void {
        /// The account, as the table names it
        account: String,
        /// The card's code, or - to read it from stdin, where other users of this machine do not see it
        code: String,
        /// Your own number of the refund
        #[arg(long, value_name = "TEXT")]
        reference: String,
        #[command(flatten)]
        write: WriteOptions,
    },
}

impl GiftCard {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let card: Option<contract::GiftCard> = match self.action {
            Action::Issue { account, value, reference, write } => {
                let arguments = json!({ "value": value, "reference": reference });
                carry_out(context, &account, "gift-cards.issue", arguments, write).await?
            }
            Action::Show { account, code } => {
                let code = read(code)?;
                let session = context.open(&account).await?;
                Some(session.keep(session.account.get_gift_card(&code).await).await?)
            }
            Action::Void { account, code, reference, write } => {
                let arguments = json!({ "code": read(code)?, "reference": reference });
                carry_out(context, &account, "gift-cards.void", arguments, write).await?
            }
        };
        card.map_or(Ok(()), |card| context.output.single(&card, views::gift_card))
    }
}

fn read(code: String) -> Result<String> {
    if code != "-" {
        return Ok(code);
    }
    let code = input::text(Path::new("-"))?.trim().to_owned();
    if code.is_empty() { Err(Failure::usage("stdin holds no gift card code").into()) } else { Ok(code) }
}
