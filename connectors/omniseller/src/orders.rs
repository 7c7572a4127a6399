//! Reading orders: the heads by function 12, and the content of each by function 11.
//!
//! The list is complete and tells nothing of changes, so each walk reads everything. A page is the next heads by id; an order
//! that appears behind the walk's back is read by the next walk.
//!
//! What function 11 takes and answers is not documented: its sample is empty on both sides (seed 004, "GetOrder"). So nothing is
//! concluded from an empty answer alone. Only when the list, read again, no longer holds the order, it is gone; otherwise the
//! call fails and names the setting to look at, rather than report a shop without orders.

use tradepost_sdk::http::Request;
use tradepost_sdk::json::{Decode, DecodeError, Kind, Loose, Raw, Reader};
use tradepost_sdk::prelude::*;

use crate::OmniSeller;
use crate::account::Settings;
use crate::content::Content;
use crate::endpoint::{self, SERVICE, function};
use crate::heads::{self, Head};
use crate::order::Context;

/// Most orders of a page. Each takes a request, the list one or two, and a host allows 64 in a call.
const PAGE: u32 = 50;

/// Marks a cursor of this connector, and says how to read it.
const CURSOR_VERSION: &str = "omniseller-orders-1";

json::record! {
    struct CursorJson {
        version: String,
        /// The id of the last order that was read.
        after: String,
    }
}

impl Orders for OmniSeller {
    fn list(query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
        let after = cursor.as_deref().map(parse_cursor).transpose()?;
        let settings: Settings = settings::get()?;
        let form = RequestForm::of(&settings);
        let context = Context::new(settings)?;
        let mut heads = heads::fetch()?;
        heads.retain(|head| query.statuses.is_empty() || query.statuses.contains(&head.status));
        let total = u64::try_from(heads.len()).ok();
        let mut rest = heads.into_iter().filter(|head| after.as_ref().is_none_or(|after| head.id > *after));
        let size = query.page_size.unwrap_or(PAGE).clamp(1, PAGE);
        let page: Vec<Head> = rest.by_ref().take(size as usize).collect();
        let next = rest.next().and_then(|_| page.last()).map(|last| cursor_after(&last.id));

        let answers = http::send_all(page.iter().map(|head| form.request(&head.id)).collect());
        let (mut items, mut missing) = (Vec::new(), Vec::new());
        for (head, answer) in page.into_iter().zip(answers) {
            let answer = answer?;
            let id = head.id.clone();
            match content(&answer, &id) {
                Ok(Some(content)) => {
                    let order = context.order(head, &content, query.include_raw);
                    items.push(order.map_err(|fault| of_order(fault, &id))?);
                }
                Ok(None) => missing.push((id, None)),
                Err(refusal) if refusal.kind == ErrorKind::Conflict => missing.push((id, Some(refusal))),
                Err(fault) => return Err(of_order(fault, &id)),
            }
        }
        leave_out_gone(missing)?;
        Ok(OrderPage { items, end: next.is_none(), next, total })
    }

    fn get(id: String) -> Result<Order, Error> {
        let settings: Settings = settings::get()?;
        let form = RequestForm::of(&settings);
        let context = Context::new(settings)?;
        // The content first: an order that the list still holds afterwards cannot have gone meanwhile.
        let answer = form.request(&id).send()?;
        let content = match content(&answer, &id) {
            Err(fault) if fault.kind != ErrorKind::Conflict => return Err(of_order(fault, &id)),
            content => content,
        };
        let head = heads::fetch()?.into_iter().find(|head| head.id == id);
        match (content, head) {
            // The list may hold only orders that still want something; which it holds is not documented.
            (Ok(Some(content)), head) => {
                let head = head.unwrap_or_else(|| Head::unlisted(&id));
                context.order(head, &content, true).map_err(|fault| of_order(fault, &id))
            }
            (Ok(None), Some(_)) => Err(of_order(nothing_for_listed(), &id)),
            (Err(refusal), Some(_)) => Err(of_order(refusal, &id)),
            (Ok(None), None) => Err(not_found(&id)),
            (Err(refusal), None) => Err(not_found(&id).with_detail(refusal.detail)),
        }
    }
}

/// How this account asks for an order.
struct RequestForm {
    route: String,
    as_object: bool,
}

impl RequestForm {
    /// The documentation prints the login's route for GetOrder. It printed that route and the login's sample for the categories,
    /// too, until a revision corrected them (protocol notes, section 5.4), so it is taken as a slip; the setting `order-route`
    /// is for a shop where it is none.
    fn of(settings: &Settings) -> Self {
        Self {
            route: settings.order_route.clone().unwrap_or_else(|| SERVICE.into()),
            as_object: settings.order_data.as_deref() == Some("object"),
        }
    }

    fn request(&self, id: &str) -> Request {
        let data = if self.as_object { json::Object::new().text("ID", id).finish() } else { json::quote(id) };
        endpoint::reading(&self.route, function::ORDER, &data)
    }
}

/// The content of the order that was asked for: an object, or an array with one. None where the shop gives nothing.
fn content<'a>(answer: &'a Answer, id: &str) -> Result<Option<Content<'a>>, Error> {
    let found = endpoint::read(answer, function::ORDER)?.data(one_order)?;
    let Some(text) = found else { return Ok(None) };
    let content = Content { text, place: "/data".into() };
    // A shop that does not read `data` as it was written may answer with some other order.
    match content.text(Some("/ID"))? {
        Some(other) if other != id => {
            let expected = format!("the order {id}; see the setting `order-data`");
            Err(error::protocol("/data/ID", expected, other))
        }
        _ => Ok(Some(content)),
    }
}

fn one_order<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, DecodeError> {
    if reader.peek_kind()? != Kind::Array {
        return order_object(reader);
    }
    let mut found = None;
    reader.array(|reader| match (order_object(reader)?, found) {
        (Some(_), Some(_)) => Err(reader.expected("one order, not several")),
        (order, _) => {
            found = found.or(order);
            Ok(())
        }
    })?;
    Ok(found)
}

fn order_object<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, DecodeError> {
    let value = Loose::<Raw<'a>>::decode(reader)?.into_option();
    match value {
        Some(Raw(text)) if !text.starts_with('{') => {
            Err(DecodeError::refused("an order: an object, an array with one, or nothing", text))
        }
        value => Ok(value.map(|raw| raw.0)),
    }
}

/// Passes over orders that the shop gave nothing for, where it does not list them any more. Fails where it does.
fn leave_out_gone(missing: Vec<(String, Option<Error>)>) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let listed = heads::fetch()?;
    for (id, refusal) in missing {
        if listed.iter().any(|head| head.id == id) {
            return Err(of_order(refusal.unwrap_or_else(nothing_for_listed), &id));
        }
        log::info("an order disappeared while the list was read; it is left out", &[("order", &id)]);
    }
    Ok(())
}

fn nothing_for_listed() -> Error {
    let expected = "the content of an order that GetOrderIDs lists; see the settings `order-data` and `order-route`";
    error::protocol("/data", expected, "nothing")
}

fn not_found(id: &str) -> Error {
    error::not_found(format!("The shop has no order {id}."))
}

/// An error that says which order it is about.
fn of_order(fault: Error, id: &str) -> Error {
    let message = format!("Order {id}: {}", fault.message);
    fault.with_message(message)
}

fn cursor_after(id: &str) -> String {
    json::Object::new().text("version", CURSOR_VERSION).text("after", id).finish()
}

fn parse_cursor(text: &str) -> Result<String, Error> {
    let refused = |why: &str| {
        let message = format!("The cursor cannot be used: {why}.");
        error::invalid_input(vec![error::issue("/cursor", "invalid-cursor", message)])
            .with_detail("start a new walk without a cursor")
    };
    let cursor: CursorJson = json::decode(text).map_err(|_| refused("it is damaged, or was made by something else"))?;
    if cursor.version == CURSOR_VERSION {
        return Ok(cursor.after);
    }
    Err(refused(&format!("its version is `{}`, this connector reads `{CURSOR_VERSION}`", cursor.version)))
}
