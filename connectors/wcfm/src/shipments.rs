//! Reporting parcels: `POST /orders/shipment_tracking`, once for each line.
//!
//! The route needs a paid add-on (WCFM Ultimate or Delivery) and answers nothing without it. It has no place for the carrier
//! or the day of shipping, and none for a part of a line. The server glues the values into a query string unencoded
//! (protocol notes, section 3.9).

use std::cmp::Ordering;

use tradepost_sdk::json::Id;
use tradepost_sdk::prelude::*;

use crate::WcfmConnector;
use crate::account::Account;
use crate::answer::{self, Body};
use crate::order_json::{OrderJson, single_order};
use crate::order_mapping::NO_TRACKING_URL;
use crate::{order_status, orders};

/// A line to report.
struct Line {
    id: String,
    product_id: String,
    quantity: Decimal,
    /// Whether the order shows this parcel for it already.
    is_reported: bool,
}

impl<M> Shipments for WcfmConnector<M> {
    /// Lines that carry the tracking number already are not reported again.
    ///
    /// Fails with `invalid-input` without tracking number, for a line that the order does not have and for a part of a line;
    /// with `unsupported` where the site has not the add-on.
    fn ship(order_id: String, shipment: Shipment) -> Result<Status, Error> {
        let account = Account::of_call()?;
        let number = tracking_number(&shipment)?;
        let lines = wanted_lines(&shipment, lines(&order_id, number)?)?;
        let url = shipment.tracking_url.as_deref().filter(|url| !url.is_empty()).unwrap_or(NO_TRACKING_URL);
        for line in lines.iter().filter(|line| !line.is_reported) {
            report(&order_id, line, number, url)?;
        }
        order_status::read(&account, &order_id)
    }
}

fn tracking_number(shipment: &Shipment) -> Result<&str, Error> {
    shipment.tracking_number.as_deref().map(str::trim).filter(|number| !number.is_empty()).ok_or_else(|| {
        error::invalid("/tracking-number", "missing", "WCFM keeps a parcel under its tracking number: give one.")
    })
}

/// The order's lines, and which of them carry the tracking number.
fn lines(order_id: &str, number: &str) -> Result<Vec<Line>, Error> {
    let answer = http::get(format!("/orders/{}", orders::known_id(order_id)?)).send()?;
    let found = json::read(answer::json(&answer)?, single_order)?;
    let (order, _) = found.ok_or_else(orders::no_such_order)?;
    let OrderJson { line_items, shipment_tracking, .. } = order;
    let tracked = shipment_tracking.into_option().map(|tracking| tracking.each_data.0).unwrap_or_default();
    let is_reported = |id: &Id| {
        let mut entries = tracked.iter().filter(|entry| entry.item_id.as_ref() == Some(id));
        entries.any(|entry| *entry.tracking_code == *number || *entry.tracking_code == *query_safe(number))
    };
    let line = |line: crate::order_json::LineJson<'_>| Line {
        is_reported: is_reported(&line.id),
        id: line.id.0,
        quantity: line.quantity.0,
        product_id: line.product_id.map(String::from).unwrap_or_default(),
    };
    Ok(line_items.0.into_iter().map(line).collect())
}

/// The lines that the parcel holds: those it names, or all.
fn wanted_lines(shipment: &Shipment, mut lines: Vec<Line>) -> Result<Vec<Line>, Error> {
    if shipment.lines.is_empty() {
        return Ok(lines);
    }
    let mut issues = Vec::new();
    for (index, wanted) in shipment.lines.iter().enumerate() {
        let Some(line) = lines.iter().find(|line| line.id == wanted.line_id) else {
            let message = format!("The order has no line {}.", wanted.line_id);
            issues.push(error::issue(format!("/lines/{index}/line-id"), "unknown-line", message));
            continue;
        };
        if wanted.quantity.is_some_and(|part| decimal::compare(&part, &line.quantity) != Ordering::Equal) {
            let message = "WCFM tracks whole lines only: leave the quantity out and ship the line in one parcel.";
            issues.push(error::issue(format!("/lines/{index}/quantity"), "whole-line-only", message));
        }
    }
    if !issues.is_empty() {
        return Err(error::invalid_input(issues));
    }
    lines.retain(|line| shipment.lines.iter().any(|wanted| wanted.line_id == line.id));
    Ok(lines)
}

fn report(order_id: &str, line: &Line, number: &str, url: &str) -> Result<(), Error> {
    let body = json::Object::new()
        .text("order_id", order_id)
        .text("product_id", &line.product_id)
        .text("item_id", &line.id)
        .text("tracking_url", &query_safe(url))
        .text("tracking_code", &query_safe(number))
        .finish();
    // Each report sends the buyer a message: never twice by itself.
    let sent = http::post("/orders/shipment_tracking").json(body).effect(Effect::Once).send();
    let answer = match sent {
        Err(fault) if fault.kind == ErrorKind::OutcomeUnknown => {
            let lines = lines(order_id, number)?;
            let is_reported = lines.iter().any(|now| now.id == line.id && now.is_reported);
            return if is_reported { Ok(()) } else { Err(fault) };
        }
        sent => sent?,
    };
    match answer::read(&answer)? {
        Body::Json(_) => Ok(()),
        Body::Empty => Err(error::unsupported("This shop cannot take tracking numbers over its API.").with_detail(
            "POST /orders/shipment_tracking answered nothing: it needs the paid add-on WCFM Ultimate or WCFM Delivery",
        )),
    }
}

/// Text that survives being glued into a query string: only what would break it is encoded, so that servers which encode it
/// themselves show ordinary numbers and URLs unchanged.
fn query_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("%26"),
            '+' => safe.push_str("%2B"),
            '%' => safe.push_str("%25"),
            '#' if text.len() > 1 => safe.push_str("%23"),
            other => safe.push(other),
        }
    }
    safe
}
