//! `tradepost fulfilment`: an order at a producer or warehouse, from handing it over to the words for the buyer.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradepost_runtime::commerce::Address;
use tradepost_runtime::contract::{Change, FulfilmentOrder, Receipt};

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::{Failure, Result};
use crate::output::column;
use crate::views;

/// An order as `submit` takes it.
const EXAMPLE_ORDER: &str = r#"{"reference": "1001", "placed_at": "2024-05-01T10:00:00+02:00",
   "address": {"first_name": "Jan", "last_name": "Kowalski", "company": "", "lines": ["Prosta 1"],
               "city": "Warszawa", "postcode": "00-001", "country_code": "PL"},
   "items": [{"sku": "MUG-1", "quantity": "2"}]}"#;

/// Hand an order to a producer or warehouse, see how it stands, change it
#[derive(Debug, Args)]
pub(crate) struct Fulfilment {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Hand an order over
    #[command(after_help = format!("\
The order is one JSON object with the contract's names (`fulfilment-order`), such as:
  {EXAMPLE_ORDER}

Exit code 6 means that the producer may have taken it: the command is parked until somebody has looked there (`tradepost parked`).

Examples:
  tradepost fulfilment submit acme/hft71 --from order.json --key order-1001
  jq '.[0]' orders.json | tradepost fulfilment submit acme/hft71 --from -"))]
    Submit {
        /// The account, as the table names it
        account: String,
        /// The order as JSON, from a file or from stdin (-)
        #[arg(long, visible_alias = "file", value_name = "FILE|-")]
        from: PathBuf,
        #[command(flatten)]
        write: WriteOptions,
    },
    /// Show how an order stands, as a whole and by article
    #[command(after_help = "Examples:\n  tradepost fulfilment status acme/hft71 123456")]
    Status {
        /// The account, as the table names it
        account: String,
        /// The producer's id of the order
        id: String,
    },
    /// Change an order's status or address
    #[command(after_help = "\
The address is one JSON object with the contract's names, as it stands within an order (`tradepost fulfilment submit --help`).

Examples:
  tradepost fulfilment update acme/hft71 123456 --status Closed
  tradepost fulfilment update acme/hft71 123456 --address address.json")]
    Update {
        /// The account, as the table names it
        account: String,
        /// The producer's id of the order
        id: String,
        /// The new status, in the producer's own word
        #[arg(long, value_name = "WORD", conflicts_with = "address")]
        status: Option<String>,
        /// The new address as JSON, from a file or from stdin (-)
        #[arg(long, value_name = "FILE|-")]
        address: Option<PathBuf>,
        #[command(flatten)]
        write: WriteOptions,
    },
    /// Show the words for the buyer, by article
    #[command(after_help = "Examples:\n  tradepost fulfilment customer-status acme/hft71 123456")]
    CustomerStatus {
        /// The account, as the table names it
        account: String,
        /// The producer's id of the order
        id: String,
    },
}

impl Fulfilment {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self.action {
            Action::Submit { account, from, write } => {
                let order: FulfilmentOrder = input::object(&from)?;
                let arguments = json!({ "order": order });
                let submitted = carry_out(context, &account, "fulfilment.submit", arguments, write).await?;
                let Some(receipt): Option<Receipt> = submitted else { return Ok(()) };
                context.output.single(&receipt, |receipt| {
                    format!("order {} is handed over\n{}", order.reference, views::receipt(receipt))
                })
            }
            Action::Status { account, id } => {
                let session = context.open(&account).await?;
                let status = session.keep(session.account.fulfilment_status(&id).await).await?;
                context.output.single(&status, views::fulfilment)
            }
            Action::Update { account, id, status, address, write } => {
                let change = change(status, address)?;
                let arguments = json!({ "id": id, "change": change });
                let updated = carry_out(context, &account, "fulfilment-updates.update", arguments, write).await?;
                let Some(()) = updated else { return Ok(()) };
                context.output.single(&json!({ "id": id, "changed": change }), |_| format!("order {id} is changed"))
            }
            Action::CustomerStatus { account, id } => {
                let session = context.open(&account).await?;
                let words = session.keep(session.account.customer_status(&id).await).await?;
                context.output.list(&words, &[column("SKU", 24), column("WORDS", 60)], |one| {
                    vec![one.sku.clone(), one.text.clone()]
                })
            }
        }
    }
}

fn change(status: Option<String>, address: Option<PathBuf>) -> Result<Change> {
    match (status, address) {
        (Some(word), _) => Ok(Change::Status(word)),
        (None, Some(from)) => Ok(Change::Address(input::object::<Address>(&from)?)),
        (None, None) => Err(Failure::usage("nothing to change is given").advice("give --status or --address").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_the_help_is_one_of_the_contract() {
        let order: FulfilmentOrder = serde_json::from_str(EXAMPLE_ORDER).unwrap();
        assert_eq!((order.reference.as_str(), order.items[0].quantity.to_string().as_str()), ("1001", "2"));
    }
}
