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

use tradepost_sdk::json::{Amount, Id, Loose, Text};
use tradepost_sdk::prelude::*;

use crate::account::Account;
use crate::list_page::{self, Rows};
use crate::{WcfmConnector, answer, order_status, orders};

/// Everything of an order that is needed here: thousands of bytes less than the whole.
const FIELDS: &str = "id,status,currency,total,vendor_order_details";

/// Pages of finds that are looked through for the order. The search looks into addresses too, so a short number finds many.
const PAGES: u32 = 5;

/// What a line's refund status is once something of it has been given back.
const GIVEN_BACK: &str = "completed";

json::record! {
    struct OrderJson<'a> {
        id: Id,
        status: Text<'a>,
        currency: Text<'a>,
        total: Loose<Amount>,
        vendor_order_details: Loose<DetailsJson<'a>>,
    }

    /// Lists of the order's lines, separated by commas, the last line first.
    struct DetailsJson<'a> {
        refunded_amount: Loose<Amount>,
        order_item_ids: Text<'a>,
        refund_statuses: Text<'a>,
    }
}

impl<M> Refunds for WcfmConnector<M> {
    /// Looks for the order by its number, as no route asks for the list's row of one order. Of an order without a row, for which nothing
    /// was paid, nothing was given back. Fails with `unsupported` where the list does not show an order that was paid for, and for an
    /// administrator, whose lists have no such rows.
    fn list(order_id: String) -> Result<Vec<Refund>, Error> {
        let account = Account::of_call()?;
        let id = orders::known_id(&order_id)?;
        let found = http::get("/orders").query("search", id).query("_fields", FIELDS);
        for page in 1..=PAGES {
            let page = list_page::read(&found, page, decode)?;
            if let Some((_, refunds)) = page.rows.into_iter().find(|(found, _)| found == id) {
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
        Err(error::unsupported("The shop does not tell what was given back of this order.").with_detail(format!(
            "order {id} is there with status {}, GET /orders?search={id} does not show it, and only lists show refunds",
            status.raw
        )))
    }
}

/// An order's id and what was given back of it.
pub type OrderRefunds = (String, Result<Vec<Refund>, Error>);

/// The orders of one answer of `GET /orders`.
pub fn decode(answer: &Answer) -> Result<Rows<OrderRefunds>, Error> {
    let orders = json::map_array(answer::list(answer)?, |order: OrderJson<'_>, _| {
        let refunds = refunds(&order);
        (order.id.0, refunds)
    })?;
    Ok((orders, None))
}

fn refunds(order: &OrderJson<'_>) -> Result<Vec<Refund>, Error> {
    let Some(details) = &order.vendor_order_details.0 else {
        return Err(error::unsupported("The shop tells refunds to sellers only, and this login is not a seller's.")
            .with_detail("the list of orders has no vendor_order_details, as it is for administrators"));
    };
    let amount = details.refunded_amount.decimal().unwrap_or_else(decimal::zero);
    if decimal::compare(&amount, &decimal::zero()) != Ordering::Greater {
        return Ok(Vec::new());
    }
    let Some(currency) = order.currency.to_option() else {
        return Err(error::protocol("/currency", "an ISO 4217 code", ""));
    };
    let lines = lines(details);
    let is_all = order.total.decimal().is_some_and(|total| decimal::compare(&amount, &total) != Ordering::Less);
    let is_whole_order = if is_all || &*order.status == "refunded" {
        Some(true)
    } else if lines.iter().any(|(_, touched)| !touched) {
        Some(false)
    } else {
        // The total may be more sellers' than this one, and a line may have been given back in part.
        None
    };
    let touched = lines.into_iter().rev().filter(|(_, touched)| *touched);
    Ok(vec![Refund {
        id: None,
        is_sum: true,
        amount: Money { amount, currency },
        at: None,
        reason: None,
        is_whole_order,
        lines: touched.map(|(id, _)| RefundedLine { line_id: id.to_owned(), quantity: None, amount: None }).collect(),
        extensions: Vec::new(),
    }])
}

/// The order's lines, and whether something of each was given back. None where the two lists do not go together: databases cut them at
/// 1,024 characters (protocol notes, section 3.8).
fn lines<'d>(details: &'d DetailsJson<'_>) -> Vec<(&'d str, bool)> {
    let ids: Vec<&str> = details.order_item_ids.split(',').filter(|id| !id.is_empty()).collect();
    let statuses: Vec<&str> = details.refund_statuses.split(',').collect();
    if ids.len() != statuses.len() {
        return Vec::new();
    }
    ids.into_iter().zip(statuses).map(|(id, status)| (id, status == GIVEN_BACK)).collect()
}
