//! Remarks on an order: `GET` and `PUT /orders/note/{id}`.
//!
//! The server keeps them as HTML. Dates are PHP's, dumped as they are, and adding needs the paid add-on WCFM Ultimate: a
//! site without it crashes (protocol notes, section 3.9; recordings 196, 379).

use tradepost_sdk::json::{Id, Raw, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::{DateTimeDump, Flag, SiteClock, is_crash};

use crate::account::Account;
use crate::{WcfmConnector, answer, orders, site};

/// The version that brought the route (protocol notes, section 3.5).
const SINCE: &str = "1.4.0";

json::record! {
    struct NoteJson<'a> {
        id: Id,
        date_created: Option<Raw<'a>>,
        content: Text<'a>,
        customer_note: Flag,
        added_by: Text<'a>,
    }
}

impl<M> OrderNotes for WcfmConnector<M> {
    fn list(order_id: String) -> Result<Vec<OrderNote>, Error> {
        let clock = Account::of_call()?.clock;
        let answer = http::get(path(&order_id)?).send()?;
        site::since(SINCE, &answer)?;
        decode(clock, &answer)
    }

    /// Fails with `unsupported` where the site has not the add-on, with `outcome-unknown` where one that may have it failed: it
    /// keeps the remark before it tells people of it.
    fn add(order_id: String, text: String, audience: Audience) -> Result<Vec<OrderNote>, Error> {
        let clock = Account::of_call()?.clock;
        if text.trim().is_empty() {
            return Err(error::invalid("/text", "missing", "A remark needs a text."));
        }
        let kind = if audience == Audience::Buyer { "customer" } else { "private" };
        let body = json::Object::new().text("note", &html::escape(&text)).text("note_type", kind).finish();
        let answer = http::put(path(&order_id)?).json(body).effect(Effect::Once).send()?;
        match site::since(SINCE, &answer).and_then(|()| decode(clock, &answer)) {
            // Trying again might add a second one.
            Err(fault) if matches!(fault.kind, ErrorKind::Transient(_)) => Err(failed(&answer, fault)),
            read => read,
        }
    }
}

fn failed(answer: &Answer, fault: Error) -> Error {
    if is_crash(answer) && site::has_ultimate() == Some(false) {
        return error::unsupported("This shop cannot take remarks over its API.")
            .with_detail("PUT /orders/note crashed: it needs the paid add-on WCFM Ultimate, which is not installed");
    }
    error::outcome_unknown("The shop failed over the remark: look whether it is there before adding it again.")
        .with_detail(fault.detail)
}

fn path(order_id: &str) -> Result<String, Error> {
    Ok(format!("/orders/note/{}", orders::known_id(order_id)?))
}

/// The remarks of one answer.
pub fn decode(clock: SiteClock, answer: &Answer) -> Result<Vec<OrderNote>, Error> {
    json::map_array(answer::list(answer)?, |source: NoteJson<'_>, _| OrderNote {
        id: source.id.0,
        author: source.added_by.into_plain(),
        text: source.content.into_plain(),
        audience: if source.customer_note.0 { Audience::Buyer } else { Audience::Internal },
        at: (source.date_created)
            .and_then(|raw| json::decode::<DateTimeDump<'_>>(raw.0).ok())
            .and_then(|date| clock.dumped(&date)),
    })
}
