//! The routes: who may ask and which path leads where.
//!
//! Decided here because it is undocumented: errors are `{"message", "errors"}`; a change answers the order's id; an address cannot be
//! changed once the order is sent (409); any word is taken as `orderStatus`, for no list of them is known.

use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::CUSTOMER;
use super::order_form::{check_address, check_order};
use super::orders::Order;
use super::shop::{Shop, Stores};
use crate::clock;
use crate::exchange::{Answer, Request};

/// An error.
pub(super) fn error(status: StatusCode, message: &str, errors: &Value) -> Answer {
    Answer::json(status, &json!({"message": message, "errors": errors}))
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    error(status, message, &json!([]))
}

fn not_found() -> Answer {
    refusal(StatusCode::NOT_FOUND, "Not found.")
}

/// Answers any request.
pub(super) fn answer(shop: &Shop, request: &Request) -> Answer {
    let mut stores = shop.stores();
    if let Some(pace) = stores.pace.as_mut()
        && !pace.allows(Instant::now())
    {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
    }
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    if (&request.method, path.as_slice()) == (&Method::POST, &["authentication", "login"]) {
        return log_in(shop, &mut stores, request);
    }
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if stores.tokens.holder(token).is_none() {
        return refusal(StatusCode::UNAUTHORIZED, "The token is missing, unknown or expired.");
    }
    match (&request.method, path.as_slice()) {
        (&Method::POST, ["order"]) => submit(shop, &mut stores, request),
        (&Method::GET, ["order", id, "status"]) => read(&stores, id, Order::statuses),
        (&Method::GET, ["order", id, "customer-status"]) => read(&stores, id, Order::customer_statuses),
        (&Method::GET, ["order", id]) if shop.opening.order_route => read(&stores, id, Order::json),
        (&Method::PUT, ["order", id]) => change(shop, &mut stores, request, id),
        (&Method::GET, ["stock", "available"]) => stores.stock.page(request),
        _ => not_found(),
    }
}

fn log_in(shop: &Shop, stores: &mut Stores, request: &Request) -> Answer {
    let body = request.json().unwrap_or_default();
    if (body["username"].as_str(), body["password"].as_str()) != (Some(CUSTOMER.username), Some(CUSTOMER.password)) {
        return refusal(StatusCode::UNAUTHORIZED, "Wrong username or password.");
    }
    shop.ledger.count_login();
    let number = stores.tokens.count() + 1;
    let token = [
        r#"{"typ":"JWT","alg":"HS256"}"#.to_owned(),
        json!({"sub": CUSTOMER.username, "jti": number}).to_string(),
        format!("not a signature, token {number}"),
    ]
    .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part))
    .join(".");
    let expires_in = shop.opening.expires_in.unwrap_or(stores.tokens.life().as_secs());
    stores.tokens.issue(token.clone(), ());
    Answer::json(StatusCode::OK, &json!({"access_token": token, "expires_in": expires_in, "token_type": "Bearer"}))
}

fn read(stores: &Stores, id: &str, show: impl Fn(&Order) -> Value) -> Answer {
    let order = id.parse().ok().and_then(|id| stores.orders.get(id));
    order.map_or_else(not_found, |order| Answer::json(StatusCode::OK, &show(order)))
}

/// Takes an order over. Nothing looks whether its reference was there before.
fn submit(shop: &Shop, stores: &mut Stores, request: &Request) -> Answer {
    let Ok(body) = request.json() else {
        return refusal(StatusCode::BAD_REQUEST, "The body is not JSON.");
    };
    if let Some(refusal) = check_order(&body).refusal() {
        return refusal;
    }
    let unknown = |item: &&Value| !stores.stock.contains(item["sku"].as_str().unwrap_or_default());
    let items = body["items"].as_array().into_iter().flatten();
    if shop.opening.only_known_skus
        && let Some(item) = items.clone().find(unknown)
    {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "Unknown SKU.", &json!([item["sku"]]));
    }
    shop.ledger.enter(request, "order.submit", body["referenceId"].as_str().unwrap_or_default(), body.clone());
    let order = stores.orders.take_over(&body, clock::utc(shop.clock.tick()));
    Answer::json(StatusCode::OK, &order.receipt())
}

/// Changes an order's status, its address, or both.
fn change(shop: &Shop, stores: &mut Stores, request: &Request, id: &str) -> Answer {
    let Some((number, order)) = id.parse().ok().and_then(|id| Some((id, stores.orders.get_mut(id)?))) else {
        return not_found();
    };
    let Ok(body) = request.json() else {
        return refusal(StatusCode::BAD_REQUEST, "The body is not JSON.");
    };
    let (word, address) = (body.get("orderStatus"), body.get("address"));
    if word.is_none() && address.is_none() {
        return refusal(StatusCode::BAD_REQUEST, "orderStatus or address is required.");
    }
    let word = match word.map(Value::as_str) {
        Some(None | Some("")) => return refusal(StatusCode::BAD_REQUEST, "orderStatus must be a text."),
        Some(word) => word,
        None => None,
    };
    if let Some(address) = address {
        if let Some(refusal) = check_address(address).refusal() {
            return refusal;
        }
        if order.is_sent() {
            return refusal(StatusCode::CONFLICT, "The order is sent already.");
        }
    }
    let before = order.word().map(str::to_owned);
    shop.clock.tick();
    if let Some(address) = address {
        order.set_address(address.clone());
        shop.ledger.enter(request, "order.update-address", number.to_string(), body.clone());
    }
    if let Some(word) = word {
        order.set_status(word);
        shop.ledger.enter(request, "order.update-status", number.to_string(), body.clone());
    }
    if shop.opening.announces_changes_by_customer {
        shop.announce(number, before.as_deref(), order);
    }
    Answer::json(StatusCode::OK, &json!({"orderId": number}))
}
