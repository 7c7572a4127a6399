//! `tradepost gift-card`: issue, show, void.

use std::path::Path;

use clap::{Args, Subcommand};
use tradepost_runtime::Decimal;

use super::{Context, input};
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
Each call issues one, also with the same reference: after exit code 6, look at the platform before issuing it again.

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
    },
}

impl GiftCard {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let card = match self.action {
            Action::Issue { account, value, reference } => {
                let session = context.open(&account).await?;
                session.keep(session.account.issue_gift_card(value, &reference).await).await?
            }
            Action::Show { account, code } => {
                let code = read(code)?;
                let session = context.open(&account).await?;
                session.keep(session.account.get_gift_card(&code).await).await?
            }
            Action::Void { account, code, reference } => {
                let code = read(code)?;
                let session = context.open(&account).await?;
                session.keep(session.account.void_gift_card(&code, &reference).await).await?
            }
        };
        context.output.single(&card, views::gift_card)
    }
}

fn read(code: String) -> Result<String> {
    if code != "-" {
        return Ok(code);
    }
    let code = input::text(Path::new("-"))?.trim().to_owned();
    if code.is_empty() { Err(Failure::usage("stdin holds no gift card code").into()) } else { Ok(code) }
}
