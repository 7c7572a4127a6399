//! The vendor's orders, newest first. Generated ones are made when they are first asked for, and the text of each order is kept, so
//! that ten thousand of them cost nothing to start with and little to serve.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::recorded::Recordings;
use super::{generate, php_json};
use crate::clock::{self, KOLKATA};

/// Orders of other vendors, which are there and not this vendor's.
pub(super) const FOREIGN: [u64; 2] = [54, 61];

/// The recorded order that two vendors share. The shop's own status of such an order, and with it the date of its last change, does
/// not follow one vendor's.
const SHARED_RECORDED: u64 = 49;

/// The statuses under which nothing is shipped, so that an order has no tracking.
const WITHOUT_TRACKING: [&str; 4] = ["pending", "cancelled", "failed", "refunded"];

enum Content {
    Generated(u64),
    Held(Box<Value>),
    /// Gone but for its row in the commission table, which still takes a place in the list.
    Ghost,
}

struct Order {
    created: i64,
    shared: bool,
    content: Content,
    text: Option<Bytes>,
}

/// The orders by id.
pub(super) struct Orders {
    recorded: Vec<Value>,
    generated: u64,
    by_id: BTreeMap<u64, Order>,
}

impl Orders {
    /// `count` orders, the recorded ones first.
    pub(super) fn open(recordings: &Recordings, count: Option<u64>) -> Self {
        let recorded = recordings.orders();
        let count = count.unwrap_or(recorded.len() as u64);
        let generated = count.saturating_sub(recorded.len() as u64);
        let mut orders = Self { recorded: recorded.clone(), generated, by_id: BTreeMap::new() };
        for order in recorded.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
            orders.insert(order);
        }
        for index in 0..generated {
            let source = &orders.recorded[usize::try_from(index % orders.recorded.len() as u64).unwrap_or_default()];
            let order = Order {
                created: generate::order_created(index, generated),
                shared: source["id"] == SHARED_RECORDED,
                content: Content::Generated(index),
                text: None,
            };
            orders.by_id.insert(generate::order_id(index), order);
        }
        orders
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.by_id.values().filter(|order| !matches!(order.content, Content::Ghost)).count() as u64
    }

    /// The ids of all places in the list, newest first, those of ghosts among them.
    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.by_id.keys().rev().copied()
    }

    /// The ids of the orders made from one second up to another, newest first.
    pub(super) fn ids_made(&self, from: i64, to: i64) -> Vec<u64> {
        let made = |order: &Order| (from..to).contains(&order.created);
        self.by_id.iter().rev().filter(|(_, order)| made(order)).map(|(id, _)| *id).collect()
    }

    /// Whether there is one.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.by_id.contains_key(&id) && !self.is_ghost(id)
    }

    /// Whether only a ghost is left of an order.
    pub(super) fn is_ghost(&self, id: u64) -> bool {
        self.by_id.get(&id).is_some_and(|order| matches!(order.content, Content::Ghost))
    }

    /// Deletes an order and leaves its place in the list. Tells whether there was one.
    pub(super) fn leave_ghost(&mut self, id: u64) -> bool {
        let there = self.contains(id);
        if let Some(order) = self.by_id.get_mut(&id) {
            order.content = Content::Ghost;
            order.text = None;
        }
        there
    }

    /// An order in the shape of the list.
    pub(super) fn json(&self, id: u64) -> Option<Value> {
        match &self.by_id.get(&id)?.content {
            Content::Generated(index) => Some(generate::order(*index, self.generated, &self.recorded)),
            Content::Held(order) => Some((**order).clone()),
            Content::Ghost => None,
        }
    }

    /// An order as the text of the list.
    pub(super) fn text(&mut self, id: u64) -> Option<Bytes> {
        if self.by_id.get(&id)?.text.is_none() {
            let text = php_json::to_vec(&self.json(id)?);
            self.by_id.get_mut(&id)?.text = Some(text.into());
        }
        self.by_id.get(&id)?.text.clone()
    }

    /// Puts an order in as it is. Tells whether it has an id.
    pub(super) fn insert(&mut self, order: Value) -> bool {
        let Some(id) = order["id"].as_u64() else {
            return false;
        };
        let created = order["date_created"]
            .as_str()
            .and_then(|date| clock::parse_without_offset(date, KOLKATA))
            .unwrap_or_default();
        let shared = self.by_id.get(&id).map_or(id == SHARED_RECORDED, |before| before.shared);
        self.by_id.insert(id, Order { created, shared, content: Content::Held(Box::new(order)), text: None });
        true
    }

    /// Puts a copy of the newest recorded order in and answers its id.
    pub(super) fn insert_copy(&mut self, status: &str, now: i64) -> u64 {
        let id = self.by_id.keys().next_back().copied().unwrap_or_default().max(generate::order_id(0)) + 1;
        let order = generate::copy_order(&self.recorded[0], id, now);
        self.insert(order);
        self.set_status(id, status, now);
        id
    }

    /// Changes an order. Tells whether there is one.
    pub(super) fn change(&mut self, id: u64, change: impl FnOnce(&mut Value)) -> bool {
        let Some(mut order) = self.json(id) else {
            return false;
        };
        change(&mut order);
        self.insert(order)
    }

    /// Moves the date of an order's last change. Tells whether there is one.
    pub(super) fn touch(&mut self, id: u64, now: i64) -> bool {
        self.change(id, |order| generate::set_dates(order, "date_modified", now))
    }

    /// Gives an order a status, the shop's and the vendor's. Tells whether there is one.
    pub(super) fn set_status(&mut self, id: u64, status: &str, now: i64) -> bool {
        self.change(id, |order| {
            set_vendor_status(order, status);
            set_shop_status(order, status, now);
        })
    }

    /// Gives an order the vendor's status. The shop's follows, with its date, only if no other vendor has a part in the order and the
    /// order goes on: recorded is that `processing` and `completed` do that and that a step back does not.
    pub(super) fn set_status_by_vendor(&mut self, id: u64, status: &str, now: i64) {
        let shared = self.by_id.get(&id).is_some_and(|order| order.shared);
        self.change(id, |order| {
            set_vendor_status(order, status);
            if !shared && ["processing", "completed"].contains(&status) {
                set_shop_status(order, status, now);
            }
        });
    }

    /// Gives an amount of an order back, with something of each of these lines. Tells whether there is one. As recorded, the sum grows
    /// in the row of the commission table and the lines' refund statuses become `completed`; the columns that are one line's follow if
    /// it is among them. Once everything has been given back the order's status is `refunded`, and only then its date moves.
    pub(super) fn refund(&mut self, id: u64, amount: f64, lines: &[u64], now: i64) -> bool {
        let mut is_all = false;
        let there = self.change(id, |order| {
            let total = number(&order["total"]);
            let details = &mut order["vendor_order_details"];
            let sum = number(&details["refunded_amount"]) + amount;
            is_all = sum >= total;
            details["refunded_amount"] = sum.to_string().into();
            let ids: Vec<u64> = list(&details["order_item_ids"]).iter().filter_map(|id| id.parse().ok()).collect();
            let mut statuses = list(&details["refund_statuses"]);
            for (id, status) in ids.iter().zip(&mut statuses) {
                if lines.contains(id) {
                    "completed".clone_into(status);
                }
            }
            details["refund_statuses"] = statuses.join(",").into();
            if lines.iter().any(|line| details["item_id"] == line.to_string().as_str()) {
                details["refund_status"] = "completed".into();
                details["is_partially_refunded"] = "1".into();
            }
        });
        if there && is_all {
            self.set_status(id, "refunded", now);
        }
        there
    }

    /// Takes an order out. Tells whether there was one.
    pub(super) fn remove(&mut self, id: u64) -> bool {
        self.by_id.remove(&id).is_some()
    }
}

/// A number that the database or the shop wrote as text.
fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A list of the commission table.
fn list(value: &Value) -> Vec<String> {
    value.as_str().unwrap_or_default().split(',').map(str::to_owned).collect()
}

fn set_vendor_status(order: &mut Value, status: &str) {
    order["status"] = status.into();
    order["vendor_order_details"]["commission_status"] = status.into();
    if WITHOUT_TRACKING.contains(&status) {
        if let Some(order) = order.as_object_mut() {
            order.remove("shipment_tracking");
        }
    } else if order.get("shipment_tracking").is_none() {
        order["shipment_tracking"] =
            json!({"each_data": order["line_items"].as_array().into_iter().flatten().map(tracked).collect::<Vec<_>>()});
    }
}

fn tracked(line: &Value) -> Value {
    json!({
        "item_id": line["id"],
        "product_id": line["product_id"],
        "product_name": line["name"],
        "sku": line["sku"],
        "mark_shipped": true,
    })
}

fn set_shop_status(order: &mut Value, status: &str, now: i64) {
    generate::set_dates(order, "date_modified", now);
    order["vendor_order_details"]["order_status"] = status.into();
    if ["processing", "completed"].contains(&status) && order["date_paid"].is_null() {
        generate::set_dates(order, "date_paid", now);
    }
    if status == "completed" {
        generate::set_dates(order, "date_completed", now);
    }
}
