//! Changing an order's status: `PUT /orders/{id}`.
//!
//! The server says 200 to much that it does not do: it drops `refunded`, everything under the marketplace's option "order
//! sync", and changes of orders that are another seller's. Version 1.5.3 answers nothing at all. So the status that the order
//! shows afterwards decides (protocol notes, section 3.9; recordings 370-378 and 450-467).

use std::borrow::Cow;

use tradepost_sdk::json::Reader;
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::{SiteDate, is_crash};

use crate::WcfmConnector;
use crate::account::Account;
use crate::answer::{self, Body};
use crate::orders;
use crate::status::{self, MoneyFacts};

json::record! {
    /// As much of an order as its status takes.
    struct StatusJson<'a> {
        status: Cow<'a, str>,
        date_paid: SiteDate,
        date_paid_gmt: SiteDate,
    }
}

impl<M> OrderStatus for WcfmConnector<M> {
    /// Sets the seller's own status. Fails with `conflict` where the order shows another afterwards, with `invalid-input` for
    /// a word that the shop does not have.
    fn set(id: String, target: Target) -> Result<Status, Error> {
        let account = Account::of_call()?;
        let word = status::word_for(&target)?;
        let path = format!("/orders/{}", orders::known_id(&id)?);
        let body = json::Object::new().text("status", &word).finish();
        let answer = http::put(path).json(body).send()?;
        if is_crash(&answer) {
            // So it answers for an order that does not exist, too (recording 376): reading tells the two apart.
            read(&account, &id)?;
        }
        let shown = match answer::read(&answer)? {
            Body::Json(_) => decode(&account, &answer)?,
            Body::Empty => read(&account, &id)?,
        };
        if shown.raw == word {
            return Ok(shown);
        }
        Err(error::conflict(format!("The shop kept the order at `{}` and did not change it to `{word}`.", shown.raw))
            .with_detail("the server accepted the request and changed nothing: it lets sellers set no refunds, and no status at all while the marketplace's option \"order sync\" is on"))
    }
}

/// The status that an order shows now.
pub(crate) fn read(account: &Account, id: &str) -> Result<Status, Error> {
    let request = http::get(format!("/orders/{id}")).query("_fields", "id,status,date_paid,date_paid_gmt");
    decode(account, &request.send()?)
}

/// The status in one answer: an order, or on old servers an array of one. Fails with `not-found` where the array is empty.
pub fn decode(account: &Account, answer: &Answer) -> Result<Status, Error> {
    let order: Option<StatusJson<'_>> = json::read(answer::json(answer)?, |reader: &mut Reader<'_>| {
        if reader.peek_kind()? != json::Kind::Array {
            return json::Decode::decode(reader).map(Some);
        }
        let mut orders: Vec<StatusJson<'_>> = json::Decode::decode(reader)?;
        Ok(orders.pop())
    })?;
    let order = order.ok_or_else(orders::no_such_order)?;
    let is_paid = order.date_paid.0.or(order.date_paid_gmt.0).is_some();
    Ok(status::status(&account.statuses, &order.status, MoneyFacts { is_paid, ..MoneyFacts::default() }))
}
