//! What is done to an order beside shipping it: `acknowledge`, `order-status`; and the `carriers` that ship it.

use clap::Args;
use serde_json::json;
use tradepost_runtime::commerce::{OrderState, Status};
use tradepost_runtime::contract::Target;

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::Result;
use crate::output::{column, optional};
use crate::views;

/// Tell the platform that the seller has taken an order up
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost acknowledge sandbox/hardtofind 123456\n  tradepost acknowledge sandbox/hardtofind 123456 --dry-run"
)]
pub(crate) struct Acknowledge {
    /// The account, as the table names it
    account: String,
    /// The order's id
    order: String,
    #[command(flatten)]
    write: WriteOptions,
}

impl Acknowledge {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let arguments = json!({ "id": self.order });
        let acknowledged =
            carry_out(context, &self.account, "order-acceptance.acknowledge", arguments, self.write).await?;
        let Some(status): Option<Status> = acknowledged else { return Ok(()) };
        context
            .output
            .single(&status, |status| format!("order {} is acknowledged: {}", self.order, views::status(status)))
    }
}

/// Set an order's status
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tradepost order-status sandbox/wcfm 139 completed
  tradepost order-status sandbox/wcfm 139 --state on-hold
  tradepost order-status sandbox/wcfm 139 completed --dry-run")]
pub(crate) struct OrderStatus {
    /// The account, as the table names it
    account: String,
    /// The order's id
    order: String,
    /// The platform's own word
    #[arg(required_unless_present = "state", conflicts_with = "state")]
    word: Option<String>,
    /// A state of the contract in place of the platform's word, such as on-hold or completed
    #[arg(long, value_parser = input::word::<OrderState>)]
    state: Option<OrderState>,
    #[command(flatten)]
    write: WriteOptions,
}

impl OrderStatus {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let target = match (self.state, self.word) {
            (Some(state), _) => Target::State(state),
            (None, word) => Target::Word(word.unwrap_or_default()),
        };
        let arguments = json!({ "id": self.order, "target": target });
        let set = carry_out(context, &self.account, "order-status.set", arguments, self.write).await?;
        let Some(status): Option<Status> = set else { return Ok(()) };
        context.output.single(&status, |status| format!("order {} is now: {}", self.order, views::status(status)))
    }
}

/// List the carriers the platform knows
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost carriers sandbox/hardtofind")]
pub(crate) struct Carriers {
    /// The account, as the table names it
    account: String,
}

impl Carriers {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let carriers = session.keep(session.account.list_carriers().await).await?;
        context.output.list(&carriers, &[column("ID", 6), column("NAME", 30), column("TRACKING", 60)], |carrier| {
            vec![carrier.id.clone(), carrier.name.clone(), optional(carrier.tracking_url.as_ref())]
        })
    }
}
