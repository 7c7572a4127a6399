//! `tradepost refunds`: what has been given back to the buyer of an order.

use clap::Args;
use tradepost_runtime::contract::Refund;

use super::Context;
use crate::failure::Result;
use crate::output::{column, money, number, optional};

/// List what has been given back to the buyer of an order
#[derive(Debug, Args)]
#[command(after_help = "\
Where the platform tells no more than a sum, there is one line whose id is `sum`: everything given back so far.

Examples:
  tradepost refunds sandbox/wcfm 57
  tradepost refunds sandbox/wcfm 57 --json | jq .amount")]
pub(crate) struct Refunds {
    /// The account, as the table names it
    account: String,
    /// The order's id
    order: String,
}

impl Refunds {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let refunds = session.keep(session.account.list_refunds(&self.order).await).await?;
        let columns = [
            column("ID", 8),
            column("AT", 25),
            number("AMOUNT", 16),
            column("WHOLE ORDER", 11),
            column("LINES", 24),
            column("REASON", 40),
        ];
        context.output.list(&refunds, &columns, row)
    }
}

fn row(refund: &Refund) -> Vec<String> {
    let Refund { id, is_sum, amount, at, reason, is_whole_order, lines, extensions: _ } = refund;
    let id = if *is_sum { "sum".to_owned() } else { optional(id.as_ref()) };
    let is_whole = is_whole_order.map(|yes| if yes { "yes" } else { "no" }).unwrap_or_default();
    let lines: Vec<String> = lines
        .iter()
        .map(|line| match &line.quantity {
            Some(quantity) => format!("{} ({quantity})", line.line_id),
            None => line.line_id.clone(),
        })
        .collect();
    vec![
        id,
        optional(at.as_ref()),
        money(Some(&amount.amount), Some(&amount.currency)),
        is_whole.to_owned(),
        lines.join(", "),
        optional(reason.as_ref()),
    ]
}
