//! `tradepost get`: one record by its id.

use clap::{Args, ValueEnum};

use super::Context;
use crate::failure::Result;
use crate::views;

/// What can be read by its id.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Order,
    Product,
}

/// Read one order or product by its id
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost get sandbox/hardtofind order 123456\n  tradepost get sandbox/wcfm product 42 --json | jq -r .raw"
)]
pub(crate) struct Get {
    /// The account, as the table names it
    account: String,
    /// What it is
    #[arg(value_enum)]
    kind: Kind,
    /// The platform's id of it
    id: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        match self.kind {
            Kind::Order => {
                let order = session.keep(session.account.get_order(&self.id).await).await?;
                context.output.single(&order, views::order)
            }
            Kind::Product => {
                let product = session.keep(session.account.get_product(&self.id).await).await?;
                context.output.single(&product, views::product)
            }
        }
    }
}
