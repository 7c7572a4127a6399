//! Reading orders: `GET /orders` and `GET /orders/{id}`.
//!
//! The list takes no filter that could be relied on (`after` and `before` compare days of the commission row, and only
//! together; `orderby` is raw SQL; `status` is ignored), so it is walked whole, newest first, and filtered here. See
//! [`list_page`] for why there is no watermark.

use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::Walk;
use tradepost_sdk::wordpress::record_id;

use crate::account::Account;
use crate::list_page::{self, Rows};
use crate::order_json::{OrderJson, single_order};
use crate::{WcfmConnector, answer, order_mapping};

impl<M> Orders for WcfmConnector<M> {
    /// Newest first. `updated_since` is not used, as no date of an order tells of every change: more comes than was asked
    /// for, which the contract allows. The source says no total.
    fn list(query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
        let account = Account::of_call()?;
        let orders = http::get("/orders");
        let walk = Walk::unfiltered().unsorted().rows_per_call(query.page_size);
        let mut step = walk.step(cursor.as_deref(), &mut |_: Option<&str>, page: u32| {
            list_page::read(&orders, page, |answer| decode_list(&account, query.include_raw, answer))
        })?;
        if !query.statuses.is_empty() {
            step.items.retain(|order| query.statuses.contains(&order.status.raw));
        }
        Ok(OrderPage { items: step.items, next: step.next, end: step.end, total: None })
    }

    /// It lacks what only lists tell: refunds and the seller's sums (recordings README, 20 and 21).
    fn get(id: String) -> Result<Order, Error> {
        let account = Account::of_call()?;
        let answer = http::get(format!("/orders/{}", known_id(&id)?)).send()?;
        decode_single(&account, &answer)
    }
}

/// The orders of one answer of `GET /orders`, each with its own JSON where `include_raw` asks for it.
pub fn decode_list(account: &Account, include_raw: bool, answer: &Answer) -> Result<Rows<Order>, Error> {
    let orders = json::map_array(answer::list(answer)?, |source: OrderJson<'_>, raw| {
        order_mapping::order(account, source, include_raw.then_some(raw))
    })?;
    Ok((orders, None))
}

/// The order of one answer of `GET /orders/{id}`.
pub fn decode_single(account: &Account, answer: &Answer) -> Result<Order, Error> {
    let found = json::read(answer::json(answer)?, single_order)?;
    let (source, raw) = found.ok_or_else(no_such_order)?;
    Ok(order_mapping::order(account, source, Some(raw)))
}

/// An id that can be asked for. The server crashes over 0 and knows no route for anything but digits (recordings 187, 188).
pub(crate) fn known_id(id: &str) -> Result<&str, Error> {
    record_id(id).ok_or_else(no_such_order)
}

/// Another seller's order is none to this one.
pub(crate) fn no_such_order() -> Error {
    error::not_found("The shop has no such order for this seller.")
}
