//! Reading orders: `GET /orders` and `GET /orders/{id}`.
//!
//! The list takes no filter that could be relied on (`after` and `before` compare days of the commission row, and only
//! together; `orderby` is raw SQL; `status` is ignored), so it is walked whole, newest first, and filtered here. See
//! [`pages`](crate::pages) for why no watermark is kept.

use tradepost_sdk::prelude::*;

use crate::account::Account;
use crate::order_json::{OrderJson, single_order};
use crate::pages::{self, Attempt, Page};
use crate::{answer, order_mapping, record_id};

/// A page of the seller's orders, newest first. `updated_since` is not used, as no date of an order tells of every change:
/// more comes than was asked for, which the contract allows.
pub fn list(query: &ListQuery, cursor: Option<&str>) -> Result<OrderPage, Error> {
    let account = Account::of_call()?;
    let step = pages::step("orders", query.page_size, cursor, |page, size| {
        let answer = http::get("/orders").query("per_page", size).query("page", page).send()?;
        if answer::is_crash(&answer) {
            return Ok(Attempt::Crashed(answer.error()));
        }
        decode_page(&account, query, &answer).map(Attempt::Read)
    })?;
    Ok(OrderPage { items: step.items, next: step.next, end: step.end, total: None })
}

/// The orders of one answer of `GET /orders`, as far as `query` wants them.
pub fn decode_page(account: &Account, query: &ListQuery, answer: &Answer) -> Result<Page<Order>, Error> {
    let text = answer::list(answer)?;
    let mut page = Page { items: Vec::new(), rows: 0, first: None, total: None };
    json::decode_array(text, |source: OrderJson<'_>, raw| {
        page.rows += 1;
        page.first.get_or_insert_with(|| source.id.0.clone());
        if query.statuses.is_empty() || query.statuses.iter().any(|word| *word == *source.status) {
            page.items.push(order_mapping::order(account, source, query.include_raw.then_some(raw)));
        }
        Ok(())
    })?;
    Ok(page)
}

/// One order with its JSON. It lacks what only lists tell: refunds and the seller's sums (recordings README, 20 and 21).
pub fn get(id: &str) -> Result<Order, Error> {
    let account = Account::of_call()?;
    let answer = http::get(format!("/orders/{}", known_id(id)?)).send()?;
    decode_single(&account, &answer)
}

/// The order of one answer of `GET /orders/{id}`.
pub fn decode_single(account: &Account, answer: &Answer) -> Result<Order, Error> {
    let found = json::read(answer::json(answer)?, single_order)?;
    let (source, raw) = found.ok_or_else(no_such_order)?;
    Ok(order_mapping::order(account, source, Some(raw)))
}

/// An id that can be asked for. The server crashes over 0 and knows no route for anything but digits (recordings 187, 188).
pub(crate) fn known_id(id: &str) -> Result<&str, Error> {
    record_id::digits(id).ok_or_else(no_such_order)
}

fn no_such_order() -> Error {
    error::not_found("The shop has no such order for this seller.")
}
