//! `PUT /orders/{id}`: the vendor's status of an order, with everything that answers 200 and does nothing.

use http::StatusCode;
use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::order_routes::{invalid_vendor, shown};
use super::orders::FOREIGN;
use super::shop::Shop;
use super::{Generation, reply};
use crate::exchange::{Answer, Request};

/// The bare slugs. One with the prefix `wc-` is refused: the server's own test for the prefix never matches.
const STATUSES: [&str; 7] = ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"];

/// Answers `PUT`, `POST` and `PATCH` of an order.
pub(super) fn put(shop: &Shop, request: &Request, user: &User, id: u64, body: Value) -> Answer {
    let status = match &body["status"] {
        Value::Null => {
            return reply::error_with(
                StatusCode::BAD_REQUEST,
                "rest_missing_callback_param",
                "Missing parameter(s): status",
                json!({"params": ["status"]}),
            );
        }
        status => status.as_str().unwrap_or_default().to_owned(),
    };
    if !user.is_vendor {
        return reply::forbidden(true);
    }
    if !STATUSES.contains(&status.as_str()) {
        return reply::error(StatusCode::NOT_FOUND, "wcfmapi_rest_invalid_shop_order_status", "Order status not valid");
    }
    let held = shop.stores().orders.contains(id);
    if !held && !FOREIGN.contains(&id) {
        return reply::crash(request);
    }
    let is_own = held && user.id == VENDOR.id;
    // Refused in silence: `refunded`, anything under "order sync", and another vendor's order.
    if is_own && status != "refunded" && !shop.behaviour.order_sync {
        shop.ledger.enter(request, "order.status", id.to_string(), body);
        let now = shop.clock.tick();
        shop.stores().orders.set_status_by_vendor(id, &status, now);
    }
    match shop.behaviour.generation {
        Generation::V1_5 => reply::nothing(),
        Generation::V1_6 if !is_own => invalid_vendor(),
        Generation::V1_6 => shown(shop, request, id).map_or_else(invalid_vendor, |order| reply::ok(&order)),
    }
}
