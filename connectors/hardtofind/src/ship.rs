//! `ship`: reporting a parcel (seed 001, "Ship transition"). An order is shipped as a whole: there is no partial state.

use tradepost_sdk::prelude::*;

use crate::HardToFind;
use crate::acknowledge::{refuse_ended, transition};
use crate::manifest::word;
use crate::order::Context;
use crate::orders::read;

impl Shipments for HardToFind {
    fn ship(order_id: String, shipment: Shipment) -> Result<Status, Error> {
        let (carrier, tracking_number) = required(&shipment)?;
        let context = Context::for_account()?;
        let order = read(&context, &order_id)?;
        if carries(&order, tracking_number) {
            return Ok(order.status);
        }
        refuse_ended(&order)?;
        refuse_other_parcel(&order)?;
        refuse_part(&order, &shipment)?;
        let shipped_at = shipment.shipped_at.unwrap_or(context.now);
        let data = json::Object::new()
            .text("tracking_number", tracking_number)
            .text("shipping_provider_name", carrier)
            .text("shipment_date", &time::to_compact_offset(&shipped_at))
            .finish();
        let body = json::Object::new().text("action", "ship").raw("data", &data).finish();
        transition(&context, &order_id, body, |order| carries(order, tracking_number))
    }
}

/// Carrier and tracking number, or `invalid-input` that names what is missing.
fn required(shipment: &Shipment) -> Result<(&str, &str), Error> {
    let given = |value: &'_ Option<String>| value.as_deref().map(str::trim).is_some_and(|text| !text.is_empty());
    let mut issues = Vec::new();
    if !given(&shipment.carrier) {
        let message = "hardtofind needs the carrier's name; `carriers` lists those it knows.";
        issues.push(error::issue("/carrier", "missing", message));
    }
    if !given(&shipment.tracking_number) {
        let message = "hardtofind needs a tracking number.";
        issues.push(error::issue("/tracking-number", "missing", message));
    }
    match (&shipment.carrier, &shipment.tracking_number) {
        (Some(carrier), Some(tracking)) if issues.is_empty() => Ok((carrier.trim(), tracking.trim())),
        _ => Err(error::invalid_input(issues)),
    }
}

fn carries(order: &Order, tracking_number: &str) -> bool {
    order.shipments.iter().any(|parcel| parcel.tracking_number.as_deref().map(str::trim) == Some(tracking_number))
}

/// A shipped order is shipped in full: a second number would be a correction that the platform does not offer.
fn refuse_other_parcel(order: &Order) -> Result<(), Error> {
    if order.status.raw != word::SHIPPED {
        return Ok(());
    }
    let numbers: Vec<&str> = order.shipments.iter().filter_map(|parcel| parcel.tracking_number.as_deref()).collect();
    Err(error::conflict(format!("Order {} is already shipped with another tracking number.", order.id))
        .with_detail(format!("tracking numbers at hardtofind: {}", numbers.join(", "))))
}

/// Lines may be named as long as they are all of the order.
fn refuse_part(order: &Order, shipment: &Shipment) -> Result<(), Error> {
    if shipment.lines.is_empty() {
        return Ok(());
    }
    let is_whole = order.lines.iter().all(|line| {
        shipment.lines.iter().any(|part| {
            let complete = part.quantity.is_none_or(|quantity| decimal::compare(&quantity, &line.quantity).is_ge());
            part.line_id == line.id && complete
        })
    });
    if is_whole {
        return Ok(());
    }
    let message = "hardtofind ships an order as a whole: leave the lines out, or name all of them in full.";
    Err(error::invalid_input(vec![error::issue("/lines", "partial-shipment", message)]))
}
