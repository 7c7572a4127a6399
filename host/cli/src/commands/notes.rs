//! `tradepost notes`: remarks on an order.

use clap::{Args, Subcommand};
use serde_json::json;
use tradepost_runtime::contract::{Audience, OrderNote};

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::Result;
use crate::output::{column, optional, word};

/// Read the remarks on an order, or add one
#[derive(Debug, Args)]
pub(crate) struct Notes {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the remarks on an order
    #[command(after_help = "Examples:\n  tradepost notes list sandbox/wcfm 139")]
    List {
        /// The account, as the table names it
        account: String,
        /// The order's id
        order: String,
    },
    /// Add a remark to an order, and list all there are then
    #[command(after_help = "\
Each call without --key adds one: after exit code 6, list the remarks before deciding (`tradepost parked`).

Examples:
  tradepost notes add sandbox/wcfm 139 'Packed on Monday'
  tradepost notes add sandbox/wcfm 139 'It is on its way.' --audience buyer")]
    Add {
        /// The account, as the table names it
        account: String,
        /// The order's id
        order: String,
        /// The remark
        text: String,
        /// Who may read it: internal (seller and marketplace) or buyer
        #[arg(long, default_value = "internal", value_parser = input::word::<Audience>)]
        audience: Audience,
        #[command(flatten)]
        write: WriteOptions,
    },
}

impl Notes {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let notes = match self.action {
            Action::List { account, order } => {
                let session = context.open(&account).await?;
                session.keep(session.account.list_order_notes(&order).await).await?
            }
            Action::Add { account, order, text, audience, write } => {
                let arguments = json!({ "order_id": order, "text": text, "audience": audience });
                let added = carry_out(context, &account, "order-notes.add", arguments, write).await?;
                let Some(notes): Option<Vec<OrderNote>> = added else { return Ok(()) };
                notes
            }
        };
        let columns = [column("ID", 8), column("AT", 25), column("AUTHOR", 16), column("FOR", 8), column("TEXT", 60)];
        context.output.list(&notes, &columns, row)
    }
}

fn row(note: &OrderNote) -> Vec<String> {
    let OrderNote { id, author, text, audience, at } = note;
    vec![id.clone(), optional(at.as_ref()), author.clone(), word(audience), text.clone()]
}
