//! The routes: who may ask, which path leads where, and the small answers.

use std::time::Instant;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::SELLER;
use super::packing_slip;
use super::shop::Shop;
use super::transition;
use crate::exchange::{Answer, Request};

/// The documentation's carrier, verbatim; the others are made in its shape.
const CARRIERS: &str = include_str!("../../../fixtures/seeds/hardtofind-shipping-providers.json");

/// An error. The documentation shows none, so a connector can only go by the status.
pub(super) fn refusal(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"status": status.as_u16(), "message": message}}))
}

/// 404.
pub(super) fn not_found() -> Answer {
    refusal(StatusCode::NOT_FOUND, "Not found.")
}

/// Answers any request.
pub(super) fn answer(shop: &Shop, request: &Request) -> Answer {
    if let Some(pace) = shop.stores().pace.as_mut()
        && !pace.allows(Instant::now())
    {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "More than the allowed requests per second.");
    }
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    if (&request.method, path.as_slice()) == (&Method::POST, &["authenticate"]) {
        return authenticate(shop, request);
    }
    let token = request.header("x-auth-token").unwrap_or_default();
    let Some(claims) = shop.stores().tokens.claims(token).cloned() else {
        return refusal(StatusCode::UNAUTHORIZED, "The token is missing, unknown or expired.");
    };
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["info"]) => Answer::json(StatusCode::OK, &claims),
        (&Method::GET, ["orders"]) => list_orders(shop, request),
        (&Method::GET, ["order", id]) => match shop.stores().orders.text(id) {
            Some(order) => Answer::new(StatusCode::OK, "application/json", order),
            None => not_found(),
        },
        (&Method::POST, ["order", id, "transition"]) => transition::answer(shop, request, id),
        (&Method::GET, ["order", id, "packing-slip"]) => match shop.stores().orders.status(id) {
            Some(_) => Answer::new(StatusCode::OK, "application/pdf", packing_slip::pdf(id)),
            None => not_found(),
        },
        (&Method::GET, ["shipping-providers"]) => Answer::json(StatusCode::OK, &carriers()),
        (&Method::POST, ["batch"]) => batch(shop, request),
        (_, ["gift_card", ..]) if !shop.gift_cards => {
            refusal(StatusCode::FORBIDDEN, "The account may not sell gift cards.")
        }
        (&Method::POST, ["gift_card"]) => issue_gift_card(shop, request),
        (&Method::POST, ["gift_card", "void"]) => void_gift_card(shop, request),
        (&Method::GET, ["gift_card", code]) => match shop.stores().gift_cards.json(code, true) {
            Some(card) => Answer::json(StatusCode::OK, &json!({"giftcard": card})),
            None => not_found(),
        },
        _ => not_found(),
    }
}

fn authenticate(shop: &Shop, request: &Request) -> Answer {
    let body = request.json().unwrap_or_default();
    if (body["username"].as_str(), body["password"].as_str()) != (Some(SELLER.username), Some(SELLER.password)) {
        return refusal(StatusCode::UNAUTHORIZED, "Bad credentials.");
    }
    shop.ledger.count_login();
    let token = shop.stores().tokens.issue(shop.clock.now());
    Answer::json(StatusCode::OK, &json!({"person": {"id": "111", "role": "ROLE_SELLER"}, "token": token}))
}

fn list_orders(shop: &Shop, request: &Request) -> Answer {
    // PENDING is the documented default and not one of the documented states: the list is empty.
    let status = request.parameter("status").unwrap_or_else(|| "PENDING".to_owned());
    let number = request.parameter("page_number").and_then(|number| number.parse().ok()).unwrap_or(1_u64).max(1);
    Answer::new(StatusCode::OK, "application/json", shop.stores().orders.page(&status, number))
}

fn carriers() -> Value {
    let mut carriers: Value = serde_json::from_str(CARRIERS).expect("the sample carriers are JSON");
    if let Some(carriers) = carriers.as_array_mut() {
        carriers.push(json!({
            "id": "1",
            "provider_name": "Australia Post",
            "tracking_url": "https://auspost.com.au/mypost/track/#/details/",
            "accepts_tracking_id_in_url": true,
        }));
        carriers.push(json!({
            "id": "12",
            "provider_name": "Sendle",
            "tracking_url": "https://track.sendle.com/tracking?ref=",
            "accepts_tracking_id_in_url": true,
        }));
    }
    carriers
}

/// Takes changes of inventory and price. The real job runs in the background; as nothing shows when, this one runs at once. Each
/// variant that changes is an entry in the ledger; unknown and shared SKUs are passed over in silence.
fn batch(shop: &Shop, request: &Request) -> Answer {
    let Ok(body) = request.json() else {
        return refusal(StatusCode::BAD_REQUEST, "The body is not JSON.");
    };
    let wanted = (body["action"].as_str(), body["entity_type"].as_str(), body["entities"].as_array());
    let (Some("update"), Some("variant"), Some(entities)) = wanted else {
        return refusal(StatusCode::BAD_REQUEST, "Unknown action or entity_type, or no entities.");
    };
    let mut stores = shop.stores();
    for entity in entities {
        let sku = entity["sku"].as_str().unwrap_or_default();
        let rrp = Some(&entity["rrp"]).filter(|rrp| rrp.is_number());
        if stores.catalogue.update(sku, entity["inventory"].as_i64(), rrp) {
            shop.clock.tick();
            shop.ledger.enter(request, "variant.update", sku, entity.clone());
        }
    }
    Answer::json(StatusCode::ACCEPTED, &json!({"status": "accepted"}))
}

fn issue_gift_card(shop: &Shop, request: &Request) -> Answer {
    let body = request.json().unwrap_or_default();
    let value = body["value"].as_u64().filter(|value| (10..=1000).contains(value));
    let (Some(value), Some(transaction)) = (value, body["transaction_id"].as_str()) else {
        return refusal(StatusCode::BAD_REQUEST, "value must be 10 to 1000 and transaction_id is required.");
    };
    let mut stores = shop.stores();
    let code = stores.gift_cards.issue(transaction, value, shop.clock.tick());
    shop.ledger.enter(request, "gift-card.issue", transaction, body.clone());
    let card = stores.gift_cards.json(&code, false);
    Answer::json(StatusCode::CREATED, &json!({"transaction_id": transaction, "giftcard": card}))
}

fn void_gift_card(shop: &Shop, request: &Request) -> Answer {
    let body = request.json().unwrap_or_default();
    let code = body["code"].as_str().unwrap_or_default();
    let mut stores = shop.stores();
    match stores.gift_cards.void(code) {
        None => not_found(),
        Some(false) => refusal(StatusCode::CONFLICT, "The gift card is void already."),
        Some(true) => {
            shop.clock.tick();
            // The sample shows a transaction here too, and the list of required fields does not have it.
            let issued = stores.gift_cards.transaction(code).unwrap_or_default();
            let transaction = body["transaction_id"].as_str().unwrap_or(issued);
            shop.ledger.enter(request, "gift-card.void", transaction, body.clone());
            let card = stores.gift_cards.json(code, true);
            Answer::json(StatusCode::OK, &json!({"transaction_id": transaction, "giftcard": card}))
        }
    }
}
