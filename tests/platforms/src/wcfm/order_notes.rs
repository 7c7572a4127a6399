//! The notes of an order: what the shop noted when the order came in, and what the vendor wrote since, for the buyer or in private.
//! Writing one needs the paid add-on and crashes without it, as recorded.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::order_routes::invalid_vendor;
use super::shop::Shop;
use super::{Generation, reply};
use crate::clock::{self, KOLKATA};
use crate::exchange::{Answer, Request};

/// The notes that were written, by order, the newest first.
#[derive(Default)]
pub(super) struct Notes(BTreeMap<u64, Vec<Value>>);

/// A date as PHP dumps one.
fn note_date(text: &str) -> Value {
    json!({"date": format!("{text}.000000"), "timezone_type": 3, "timezone": "Asia/Kolkata"})
}

/// Answers `GET /orders/note/{id}`, the newest first. The newer generation also names the order in each.
pub(super) fn list(shop: &Shop, user: &User, id: u64) -> Answer {
    let stores = shop.stores();
    let order = stores.orders.json(id).filter(|_| user.id == VENDOR.id);
    let Some(order) = order else {
        return invalid_vendor();
    };
    let first = json!({
        "id": id * 1000,
        "date_created": note_date(order["vendor_order_details"]["created"].as_str().unwrap_or_default()),
        "content": "Order status changed from Pending payment to On hold.",
        "customer_note": false,
        "added_by": "system",
    });
    let written = stores.notes.0.get(&id).into_iter().flatten().cloned();
    let name_order = |mut note: Value| {
        if shop.behaviour.generation == Generation::V1_6 {
            note["order_id"] = id.into();
        }
        note
    };
    reply::ok(&written.chain([first]).map(name_order).collect())
}

/// Answers a write to `/orders/note/{id}` with the whole list.
pub(super) fn add(shop: &Shop, request: &Request, user: &User, id: u64, body: Value) -> Answer {
    if !shop.behaviour.tracking_add_on {
        return reply::crash(request);
    }
    let mut stores = shop.stores();
    if user.id != VENDOR.id || !stores.orders.contains(id) {
        return invalid_vendor();
    }
    let now = shop.clock.tick();
    let notes = stores.notes.0.entry(id).or_default();
    let note = json!({
        "id": id * 1000 + notes.len() as u64 + 1,
        "date_created": note_date(&clock::database(now, KOLKATA)),
        "content": with_attachments(&body),
        "customer_note": body["note_type"] == "customer",
        "added_by": user.credentials.username,
    });
    notes.insert(0, note);
    drop(stores);
    shop.ledger.enter(request, "order.note", id.to_string(), body);
    list(shop, user, id)
}

/// The text of a note with a link to each attachment behind it.
fn with_attachments(body: &Value) -> String {
    let mut content = body["note"].as_str().unwrap_or_default().to_owned();
    for attachment in body["attachments"].as_array().into_iter().flatten() {
        let text = attachment["attachmentText"].as_str().unwrap_or_default();
        if let Some(url) = attachment["attachmentData"]["source_url"].as_str() {
            content += &format!("<br /><a href=\"{url}\">{text}</a>");
        }
    }
    content
}
