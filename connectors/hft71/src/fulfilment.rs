//! `POST /order`: handing an order over (seed 000, section 2).
//!
//! It has no idempotency and no lookup: sent twice, it makes two orders and nobody can tell (protocol notes, section 2.7).
//! So everything is checked before it is sent, and whatever leaves open whether an order was made is `outcome-unknown`:
//! * a success whose answer has no readable `orderId`: the order most likely exists, without an id to follow it by;
//! * a 5xx or 408: gateways write these, also 503 with `Retry-After`, when the server behind them took the order and was slow.

use tradepost_sdk::json::DecodeError;
use tradepost_sdk::prelude::*;

use crate::wire::{ReceiptJson, of_service};
use crate::{Hft71, address, order_status};

impl Fulfilment for Hft71 {
    fn submit(order: FulfilmentOrder) -> Result<Receipt, Error> {
        let answer = http::post("/order").json(body(&order)?).effect(Effect::Once).send()?;
        if matches!(answer.status, 408 | 500..=599) {
            let failure = answer.error();
            return Err(in_doubt("HFT71 failed while it was given the order").with_detail(failure.detail));
        }
        let answer = of_service(answer)?;
        receipt(&answer).map_err(|unreadable| {
            let detail = format!("{}; HTTP {}: {}", unreadable.detail, answer.status, answer.excerpt());
            in_doubt("HFT71 accepted the order and its answer cannot be read").with_detail(detail)
        })
    }

    fn status(id: String) -> Result<FulfilmentStatus, Error> {
        order_status::read(&id)
    }
}

fn in_doubt(what: &str) -> Error {
    error::outcome_unknown(format!("{what}: look there whether it exists before it is sent again."))
}

/// The order as HFT71 takes it, or `invalid-input` with everything that is wrong with it.
fn body(order: &FulfilmentOrder) -> Result<String, Error> {
    let mut issues = Vec::new();
    if order.reference.trim().is_empty() {
        issues.push(error::issue("/reference", "missing", "HFT71 needs the shop's order number."));
    }
    // A date before 2000 is a mistake, such as a zero.
    if time::plausible_at(order.placed_at, &order.placed_at).is_err() {
        issues.push(error::issue("/placed-at", "implausible", "The order's date lies before 2000."));
    }
    let address = address::to_json(&order.address, "/address", &mut issues);
    if order.items.is_empty() {
        issues.push(error::issue("/items", "missing", "There is nothing to make: the order has no items."));
    }
    let mut items = json::Array::new();
    for (index, item) in order.items.iter().enumerate() {
        if item.sku.trim().is_empty() {
            let message = "HFT71 knows articles by SKU only.";
            issues.push(error::issue(format!("/items/{index}/sku"), "missing", message));
        }
        let quantity = decimal::to_int(&item.quantity).filter(|quantity| *quantity > 0);
        if let Some(quantity) = quantity {
            items = items.raw(&json::Object::new().text("sku", &item.sku).integer("quantity", quantity).finish());
        } else {
            let message = format!("HFT71 makes whole pieces, at least one, not {}.", decimal::to_text(&item.quantity));
            issues.push(error::issue(format!("/items/{index}/quantity"), "not-a-whole-number", message));
        }
    }
    if !issues.is_empty() {
        return Err(error::invalid_input(issues));
    }
    Ok(json::Object::new()
        .text("referenceId", &order.reference)
        .text("orderDate", &date(&order.placed_at))
        .raw("address", &address)
        .raw("items", &items.finish())
        .finish())
}

/// The day the order was placed on, by the clock of its own offset: that is the date on the shop's invoice.
fn date(placed_at: &Timestamp) -> String {
    let mut text = time::to_rfc3339(placed_at);
    text.truncate(text.find('T').unwrap_or(text.len()));
    text
}

fn receipt(answer: &Answer) -> Result<Receipt, Error> {
    let receipt: ReceiptJson<'_> = answer.decode()?;
    let id = receipt.order_id.nonzero().ok_or_else(|| error::protocol("/orderId", "an order's id", &answer.body))?;
    let at = receipt.send_date.and_then(|date| {
        let at = send_date(date.0).ok();
        if at.is_none() {
            log::warn("the order was taken, but its sendDate is no date", &[("order", &id), ("sendDate", date.0)]);
        }
        at
    });
    Ok(Receipt { id, at })
}

/// It may lie in the future: the documentation does not say whether it is a plan.
fn send_date(json: &str) -> Result<Timestamp, Error> {
    json::read(json, |reader| {
        let at = time::parse_zoned(&reader.string()?)?;
        time::plausible_at(at, &at).map_err(DecodeError::from)
    })
}
