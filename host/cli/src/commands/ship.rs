//! `tradepost ship`: report a parcel.

use clap::Args;
use serde_json::json;
use tradepost_runtime::Timestamp;
use tradepost_runtime::commerce::{Shipment, ShipmentLine, Status};

use super::Context;
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::Result;
use crate::views;

/// Report a parcel of an order
#[derive(Debug, Args)]
#[command(after_help = "\
Without --line the parcel holds the whole order. It is recorded before anything is sent: with a --key of yours the same command can be
given again at any time and ships once.

Examples:
  tradepost carriers sandbox/hardtofind
  tradepost ship sandbox/hardtofind 123456 --carrier 'Australia Post' --tracking 33XYZ --shipped-at 2024-05-01T10:00:00+10:00
  tradepost ship sandbox/wcfm 139 --carrier DHL --tracking 33XYZ --line 42 --line 43=2
  tradepost ship sandbox/hardtofind 123456 --carrier 'Australia Post' --tracking 33XYZ --key parcel-33XYZ
  tradepost ship sandbox/hardtofind 123456 --carrier 'Australia Post' --tracking 33XYZ --dry-run")]
pub(crate) struct Ship {
    /// The account, as the table names it
    account: String,
    /// The order's id
    order: String,
    /// The carrier, as the platform names it (`tradepost carriers`)
    #[arg(long)]
    carrier: Option<String>,
    /// The tracking number
    #[arg(long, value_name = "NUMBER")]
    tracking: Option<String>,
    /// Where the parcel can be tracked
    #[arg(long, value_name = "URL")]
    tracking_url: Option<String>,
    /// When it left (RFC 3339)
    #[arg(long, value_name = "TIME")]
    shipped_at: Option<Timestamp>,
    /// A line in the parcel by its id, with how many of it unless all; may be given several times
    #[arg(long = "line", value_name = "ID[=QTY]", value_parser = line)]
    lines: Vec<ShipmentLine>,
    #[command(flatten)]
    write: WriteOptions,
}

impl Ship {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let shipment = Shipment {
            id: None,
            carrier: self.carrier,
            tracking_number: self.tracking,
            tracking_url: self.tracking_url,
            shipped_at: self.shipped_at,
            lines: self.lines,
        };
        let arguments = json!({ "order_id": self.order, "shipment": shipment });
        let shipped = carry_out(context, &self.account, "shipments.ship", arguments, self.write).await?;
        let Some(status): Option<Status> = shipped else { return Ok(()) };
        context.output.single(&status, |status| format!("order {} is shipped: {}", self.order, views::status(status)))
    }
}

fn line(text: &str) -> std::result::Result<ShipmentLine, String> {
    let (id, quantity) = match text.rsplit_once('=') {
        Some((id, quantity)) => (id, Some(quantity.parse().map_err(|error| format!("{error}"))?)),
        None => (text, None),
    };
    if id.is_empty() {
        return Err("the line's id is missing: write ID or ID=QTY".into());
    }
    Ok(ShipmentLine { line_id: id.to_owned(), quantity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_id_with_or_without_a_quantity() {
        assert_eq!(line("42"), Ok(ShipmentLine { line_id: "42".into(), quantity: None }));
        assert_eq!(line("a=b=2.5"), Ok(ShipmentLine { line_id: "a=b".into(), quantity: Some("2.5".parse().unwrap()) }));
        for text in ["", "=2", "42=", "42=two"] {
            assert!(line(text).is_err(), "{text}");
        }
    }
}
