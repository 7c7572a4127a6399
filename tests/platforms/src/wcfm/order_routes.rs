//! Reading orders: `GET /orders` and `GET /orders/{id}`.

use http::StatusCode;
use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::orders::Orders;
use super::paging::Page;
use super::shop::Shop;
use super::{Generation, reply};
use crate::clock::{self, KOLKATA};
use crate::exchange::{Answer, Request};

/// The length of a day in seconds.
const DAY: i64 = 86_400;

/// What someone who is no vendor gets.
fn refuse_role(shop: &Shop) -> Answer {
    match shop.behaviour.generation {
        Generation::V1_5 => reply::no_permission(),
        Generation::V1_6 => reply::forbidden(true),
    }
}

/// Answers `GET /orders`: no totals, the newest first, `status` and `offset` ignored.
pub(super) fn list(shop: &Shop, request: &Request, user: &User) -> Answer {
    let page = match Page::of(request) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    if !user.is_vendor {
        return refuse_role(shop);
    }
    let mut stores = shop.stores();
    let ids = if user.id == VENDOR.id { find(&stores.orders, request, page) } else { Vec::new() };
    if ids.iter().any(|id| stores.orders.is_ghost(*id)) {
        return reply::crash(request);
    }
    if let Some(fields) = request.parameter("_fields") {
        let orders: Value = ids.into_iter().filter_map(|id| stores.orders.json(id)).collect();
        return reply::ok(&reply::only_fields(orders, Some(&fields), &[]));
    }
    let mut text = vec![b'['];
    for id in ids {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(&stores.orders.text(id).unwrap_or_default());
    }
    text.push(b']');
    reply::text(StatusCode::OK, text)
}

/// The ids of the page that is asked for.
fn find(orders: &Orders, request: &Request, page: Page) -> Vec<u64> {
    let part = |ids: &mut dyn Iterator<Item = u64>| ids.skip(page.skipped()).take(page.size).collect();
    let ascending = request.parameter("order").as_deref() == Some("asc");
    let column = request.parameter("orderby").unwrap_or_default().to_lowercase();
    let by_id = ["", "order_id", "id", "created"].contains(&column.as_str());
    let search = request.parameter("search").filter(|search| !search.is_empty());
    let days = days(request);
    // The walk through all pages, which everyone makes, must not look at every order for each page.
    if by_id && search.is_none() && days.is_none() {
        return if ascending { part(&mut orders.ids().rev()) } else { part(&mut orders.ids()) };
    }
    let mut found: Vec<u64> = match (&search, days) {
        (Some(search), _) => {
            orders.ids().filter(|id| orders.json(*id).is_some_and(|order| matches(&order, search))).collect()
        }
        (None, Some((from, to))) => orders.ids_made(from, to),
        (None, None) => orders.ids().collect(),
    };
    if !by_id {
        found = sorted(orders, found, &column);
    }
    if ascending {
        found.reverse();
    }
    part(&mut found.into_iter())
}

/// The days that `after` and `before` name, as seconds from and to: only if both are given, without their time and zone.
fn days(request: &Request) -> Option<(i64, i64)> {
    let midnight = |text: String| {
        let day = text.get(..10).unwrap_or_default();
        // What PHP cannot read as a date becomes 1970.
        clock::parse_without_offset(&format!("{day}T00:00:00"), KOLKATA).unwrap_or_default()
    };
    let after = request.parameter("after").filter(|text| !text.is_empty())?;
    let before = request.parameter("before").filter(|text| !text.is_empty())?;
    Some((midnight(after), midnight(before) + DAY))
}

/// Whether the search finds its text in the number, the key or an address.
fn matches(order: &Value, search: &str) -> bool {
    let search = search.to_lowercase();
    let contains = |value: &Value| value.as_str().is_some_and(|text| text.to_lowercase().contains(&search));
    contains(&order["number"])
        || ["billing", "shipping"]
            .into_iter()
            .any(|address| order[address].as_object().is_some_and(|fields| fields.values().any(contains)))
}

/// Sorts by a column of the commission table, the highest first. A column that it has not is an SQL error: nothing.
fn sorted(orders: &Orders, ids: Vec<u64>, column: &str) -> Vec<u64> {
    let value = |id: &u64| {
        let order = orders.json(*id)?;
        let details = order["vendor_order_details"].as_object()?;
        let (_, value) = details.iter().find(|(name, _)| name.eq_ignore_ascii_case(column))?;
        let text = value.as_str().unwrap_or_default().to_owned();
        Some((text.parse::<f64>().unwrap_or_default(), text))
    };
    let mut rows: Vec<((f64, String), u64)> =
        ids.into_iter().filter_map(|id| value(&id).map(|value| (value, id))).collect();
    rows.sort_by(|(left, _), (right, _)| right.0.total_cmp(&left.0).then_with(|| right.1.cmp(&left.1)));
    rows.into_iter().map(|(_, id)| id).collect()
}

/// 404: not this vendor's order, or no order at all.
pub(super) fn invalid_vendor() -> Answer {
    reply::error(
        StatusCode::NOT_FOUND,
        "wcfmapi_rest_invalid_vendor",
        "Invalid Vendor - Order Id do not belong to the loggedin vendor",
    )
}

/// Answers `GET /orders/{id}`. The older generation shows any order to any customer.
pub(super) fn single(shop: &Shop, request: &Request, user: &User, id: u64) -> Answer {
    if id == 0 {
        return reply::crash(request);
    }
    if !user.is_vendor && shop.behaviour.generation == Generation::V1_6 {
        return reply::forbidden(true);
    }
    if user.is_vendor && user.id != VENDOR.id {
        return invalid_vendor();
    }
    match shown(shop, request, id) {
        Some(order) => reply::ok(&order),
        None => invalid_vendor(),
    }
}

/// An order as its own route shows it: without the row of the commission table.
pub(super) fn shown(shop: &Shop, request: &Request, id: u64) -> Option<Value> {
    let mut order = shop.stores().orders.json(id)?;
    if let Some(order) = order.as_object_mut() {
        order.remove("vendor_order_details");
    }
    let order = reply::only_fields(order, request.parameter("_fields").as_deref(), &[]);
    Some(if shop.behaviour.order_in_array { json!([order]) } else { order })
}
