//! What has been given back, from the seller's row in the list of orders.
//!
//! The API has no route for refunds, no order shows them, and its total stays what it was. The one trace is `vendor_order_details`, which
//! stands in lists only: the sum of what was given back, taxes and shipping included, and which lines it touched. When, why and in how
//! many goes is not told, so all of it is one refund that says it is a sum (recordings README, 20, 21 and 29; recording 381, orders
//! 57 and 58).
//!
//! `is_refunded`, `is_partially_refunded` and `refund_status` are one arbitrary line's, and an order that was given back whole has
//! `is_refunded` 0; they are not read.

use std::cmp::Ordering;

use tradepost_sdk::prelude::*;

use crate::account::Account;
use crate::order_json::{OrderJson, VendorDetailsJson};
use crate::{WcfmConnector, answer, list_page, order_status, orders};

/// Everything of an order that is needed here: thousands of bytes less than the whole.
const FIELDS: &str = "id,status,currency,total,vendor_order_details";

/// Pages of finds that are looked through for the order. The search looks into addresses too, so a short number finds many.
const PAGES: u32 = 5;

impl<M> Refunds for WcfmConnector<M> {
    /// Looks for the order by its number, as no route asks for the list's row of one order. Of an order without a row, for which nothing
    /// was paid, nothing was given back. Fails with `unsupported` where the list does not show an order that was paid for, and for an
    /// administrator, whose lists have no such rows.
    fn list(order_id: String) -> Result<Vec<Refund>, Error> {
        let account = Account::of_call()?;
        let id = orders::known_id(&order_id)?;
        let found = http::get("/orders").query("search", id).query("_fields", FIELDS);
        for page in 1..=PAGES {
            let page = list_page::read(&found, page, |answer| {
                let of_order = |order: OrderJson<'_>, _: &str| (order.id.0 == id).then(|| refunds(order));
                Ok((json::map_array(answer::list(answer)?, of_order)?, None))
            })?;
            if let Some(refunds) = page.rows.into_iter().flatten().next() {
                return refunds;
            }
            if page.last {
                break;
            }
        }
        // Orders that were cancelled or failed before anybody was paid for them have no row and stand in no list (recordings 120 and
        // 177). Where there is no order at all, this is `not-found`.
        let status = order_status::read(&account, id)?;
        if matches!(status.payment, PaymentState::Unpaid | PaymentState::Failed | PaymentState::NotReported) {
            return Ok(Vec::new());
        }
        let why = format!("GET /orders?search={id} does not show order {id}, and only lists show refunds");
        Err(error::unsupported("The shop does not tell what was given back of this order.").with_detail(why))
    }
}

fn refunds(order: OrderJson<'_>) -> Result<Vec<Refund>, Error> {
    let Some(details) = order.vendor_order_details.into_option() else {
        let message = "The shop tells refunds to sellers only, and this login is not a seller's.";
        return Err(error::unsupported(message).with_detail("the list has no vendor_order_details"));
    };
    let amount = details.refunded_amount.decimal().unwrap_or_else(decimal::zero);
    if decimal::compare(&amount, &decimal::zero()) != Ordering::Greater {
        return Ok(Vec::new());
    }
    let currency = order.currency.into_option().ok_or_else(|| error::protocol("/currency", "an ISO 4217 code", ""))?;
    let (touched, untouched): (Vec<_>, Vec<_>) =
        lines(&details).into_iter().rev().partition(|(_, status)| *status == "completed");
    let is_all = &*order.status == "refunded" || decimal::compare(&amount, &order.total) != Ordering::Less;
    // Where every line was touched, nobody says how much of each; and the total may be more sellers' than this one.
    let is_whole_order = if is_all { Some(true) } else { (!untouched.is_empty()).then_some(false) };
    let line = |(id, _): (&str, _)| RefundedLine { line_id: id.to_owned(), quantity: None, amount: None };
    Ok(vec![Refund {
        id: None,
        is_sum: true,
        amount: Money { amount, currency },
        at: None,
        reason: None,
        is_whole_order,
        lines: touched.into_iter().map(line).collect(),
        extensions: Vec::new(),
    }])
}

/// The order's lines, each with its refund status. None where the two lists do not go together: databases cut them at 1,024
/// characters (protocol notes, section 3.8).
fn lines<'d>(details: &'d VendorDetailsJson<'_>) -> Vec<(&'d str, &'d str)> {
    let (ids, statuses) = (details.order_item_ids.split(','), details.refund_statuses.split(','));
    let is_whole = ids.clone().count() == statuses.clone().count();
    ids.zip(statuses).filter(|(id, _)| is_whole && !id.is_empty()).collect()
}
