//! `POST /orders/shipment_tracking`: the tracking of one line, with the paid add-on. Without it the answer is an empty 200.
//!
//! No recording of the add-on exists: the answer has the three fields that the server's source names, and the order shows the
//! tracking in `shipment_tracking` and in the line's `meta_data` under the add-on's keys.

use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::order_routes::invalid_vendor;
use super::reply;
use super::shop::Shop;
use crate::exchange::{Answer, Request};

/// Answers a tracking.
pub(super) fn post(shop: &Shop, request: &Request, user: &User, body: Value) -> Answer {
    if !shop.behaviour.tracking_add_on {
        return reply::nothing();
    }
    let (Some(id), Some(item)) = (number(&body["order_id"]), number(&body["item_id"])) else {
        return reply::nothing();
    };
    let mut stores = shop.stores();
    if user.id != VENDOR.id || !stores.orders.contains(id) {
        return invalid_vendor();
    }
    let url = body["tracking_url"].as_str().unwrap_or_default().to_owned();
    let code = body["tracking_code"].as_str().unwrap_or_default().to_owned();
    let mut marked = false;
    stores.orders.change(id, |order| marked = mark(order, item, &url, &code));
    if !marked {
        return reply::nothing();
    }
    let now = shop.clock.tick();
    stores.orders.touch(id, now);
    shop.ledger.enter(request, "order.tracking", id.to_string(), body);
    let order = stores.orders.json(id).unwrap_or_default();
    reply::ok(&json!({"order_id": id, "order_status": order["status"], "tracking_data": order["shipment_tracking"]}))
}

/// A number, also one in a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Writes the tracking of a line into its order. Tells whether the order has the line.
fn mark(order: &mut Value, item: u64, url: &str, code: &str) -> bool {
    let lines = order["line_items"].as_array_mut();
    let Some(line) = lines.into_iter().flatten().find(|line| line["id"] == item) else {
        return false;
    };
    let product =
        json!({"item_id": item, "product_id": line["product_id"], "product_name": line["name"], "sku": line["sku"]});
    if let Some(meta) = line["meta_data"].as_array_mut() {
        meta.retain(|entry| {
            !["wcfm_tracking_url", "wcfm_tracking_code"].contains(&entry["key"].as_str().unwrap_or_default())
        });
        meta.push(json!({"id": item * 10, "key": "wcfm_tracking_url", "value": url}));
        meta.push(json!({"id": item * 10 + 1, "key": "wcfm_tracking_code", "value": code}));
    }
    if order.get("shipment_tracking").is_none() {
        order["shipment_tracking"] = json!({"each_data": []});
    }
    if let Some(each) = order["shipment_tracking"]["each_data"].as_array_mut() {
        let place = each.iter().position(|entry| entry["item_id"] == item);
        let place = place.unwrap_or_else(|| {
            each.push(product);
            each.len() - 1
        });
        each[place]["tracking_url"] = url.into();
        each[place]["tracking_code"] = code.into();
        each[place]["mark_shipped"] = false.into();
    }
    order["vendor_order_details"]["shipping_status"] = "shipped".into();
    true
}
