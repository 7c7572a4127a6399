//! `POST /order/{id}/transition`: process and ship.
//!
//! Documented are the two bodies and the states. Undocumented, and decided here: success answers the order; a wrong state is 409;
//! an order may be shipped straight from READY, because nothing says that it must be processed first; the carrier must be one of
//! the list and the date, where given, must be written as the sample writes it (422 otherwise); the tracking number may be missing.

use http::StatusCode;
use serde_json::{Value, json};

use super::routes::{not_found, refusal};
use super::shop::{CARRIERS, Shop};
use crate::clock::{self, SYDNEY};
use crate::exchange::{Answer, Request};

/// Answers a transition of an order.
pub(super) fn answer(shop: &Shop, request: &Request, id: &str) -> Answer {
    let Ok(body) = request.json() else {
        return refusal(StatusCode::BAD_REQUEST, "The body is not JSON.");
    };
    let mut stores = shop.stores();
    let Some(status) = stores.orders.status(id).map(str::to_owned) else {
        return not_found();
    };
    let (effect, from, shipment): (_, &[&str], _) = match body["action"].as_str() {
        Some("process") => ("order.process", &["READY"], None),
        Some("ship") => match shipment(&body["data"], shop.clock.now()) {
            Ok(shipment) => ("order.ship", &["READY", "PROCESSED"], Some(shipment)),
            Err(reason) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, reason),
        },
        _ => return refusal(StatusCode::BAD_REQUEST, "Unknown action."),
    };
    if !from.contains(&status.as_str()) {
        return refusal(StatusCode::CONFLICT, &format!("Transition not allowed from status {status}."));
    }
    shop.ledger.enter(request, effect, id, body);
    stores.orders.change(id, shop.clock.tick(), |order| match shipment {
        None => order["status"] = "PROCESSED".into(),
        Some(shipment) => {
            order["status"] = "SHIPPED".into();
            if let Some(shipments) = order["shipments"].as_array_mut() {
                shipments.push(shipment);
            } else {
                order["shipments"] = json!([shipment]);
            }
        }
    });
    Answer::new(StatusCode::OK, "application/json", stores.orders.text(id).unwrap_or_default())
}

/// The shipment that the data of a `ship` describe, or why there is none.
fn shipment(given: &Value, now: i64) -> Result<Value, &'static str> {
    let carrier = given["shipping_provider_name"].as_str().unwrap_or_default();
    if !CARRIERS.contains(&carrier) {
        return Err("Unknown shipping_provider_name.");
    }
    let date = match &given["shipment_date"] {
        Value::Null => clock::offset_without_colon(now, SYDNEY),
        Value::String(date) if clock::parse_offset_without_colon(date).is_some() => date.clone(),
        _ => return Err("Malformed shipment_date."),
    };
    let tracking_number = match &given["tracking_number"] {
        Value::Null => "",
        Value::String(number) => number,
        _ => return Err("Malformed tracking_number."),
    };
    Ok(json!({"shipment_date": date, "tracking_number": tracking_number, "shipping_provider_name": carrier}))
}
