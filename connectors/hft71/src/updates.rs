//! `PUT /order/{id}`: changing an order that was handed over (seed 000, section 7). Values are absolute, so sending them
//! twice is the same as once.
//!
//! The answer is not documented. One that says something counts by its status alone, and so does a 204, which is empty on
//! purpose. Any other success without content is also what a server sends that broke off before it did anything, so it proves
//! nothing: the order is read back, and the change is sent again where it does not show.
//! * A status is there when every item has it, in upper or lower case: how the server writes a word it was given is not
//!   documented. While it does not show, the failure is a passing one, for the server may do it later.
//! * An address cannot be read back: no documented answer has it. So an answer that says something is asked for a few times, and
//!   then a person has to look: goods that go to the old address cost more than a look does.

use tradepost_sdk::prelude::*;

use crate::wire::{ItemJson, of_order, order_path};
use crate::{Hft71, address};

/// How often one call sends a change while the answers say nothing: where they broke off by chance, one of these gets through.
const SENDS: usize = 3;

impl FulfilmentUpdates for Hft71 {
    fn update(id: String, change: Change) -> Result<(), Error> {
        let path = order_path(&id)?;
        let body = body(&change)?;
        for _ in 0..SENDS {
            let answer = of_order(&id, http::put(path.as_str()).json(body.as_str()).send()?)?;
            // A page for people comes from another server or from a login form: nothing was changed.
            if answer.body.trim_ascii_start().starts_with(b"<") {
                return Err(error::protocol("", "an answer of the API, not a page", &answer.body));
            }
            if answer.status == 204 || says_something(&answer.body) {
                return Ok(());
            }
            if let Change::Status(word) = &change
                && shows(&id, &path, word)?
            {
                return Ok(());
            }
        }
        Err(unproven(&id, &change))
    }
}

/// Whether a body says something. Even `{}` does: a server that came to write it came to the end of its work.
fn says_something(body: &[u8]) -> bool {
    !matches!(body.trim_ascii(), b"" | b"null")
}

/// Whether every item of the order has the status.
///
/// Whatever the look itself is refused with says nothing about the change, so it is `transient` where the host would not look
/// again by itself.
fn shows(id: &str, path: &str, word: &str) -> Result<bool, Error> {
    let read = || {
        let answer = of_order(id, http::get(format!("{path}/status")).send()?)?;
        let items = answer.decode::<Vec<ItemJson<'_>>>()?;
        let has_it = |item: &ItemJson<'_>| folded(&item.status.0) == folded(word);
        Ok(!items.is_empty() && items.iter().all(has_it))
    };
    read().map_err(|failure: Error| match failure.kind {
        ErrorKind::AuthExpired
        | ErrorKind::AuthRejected
        | ErrorKind::RateLimited(_)
        | ErrorKind::Transient(_)
        | ErrorKind::Unavailable(_) => failure,
        _ => {
            let message =
                format!("HFT71 answered the change of order {id} with nothing, and its status cannot be read.");
            error::transient(message, None).with_detail(format!("{} {}", failure.message, failure.detail))
        }
    })
}

fn folded(word: &str) -> String {
    word.trim().to_lowercase()
}

/// The failure of a change that was answered with nothing each time.
fn unproven(id: &str, change: &Change) -> Error {
    match change {
        Change::Status(word) => {
            let message = format!("HFT71 answered the change of order {id} with nothing and does not show `{word}`.");
            error::transient(message, None).with_detail(format!("sent {SENDS} times; PUT answered without content"))
        }
        Change::Address(_) => {
            let message = format!(
                "HFT71 answered the new address of order {id} with nothing: look there whether the order has it now."
            );
            error::protocol("", "an answer that says something", "").with_message(message)
        }
    }
}

fn body(change: &Change) -> Result<String, Error> {
    let mut issues = Vec::new();
    let body = match change {
        Change::Status(word) => {
            if word.trim().is_empty() {
                issues.push(error::issue("/change/status", "missing", "HFT71 needs the new status in its own word."));
            }
            json::Object::new().text("orderStatus", word).finish()
        }
        Change::Address(address) => {
            let address = address::to_json(address, "/change/address", &mut issues);
            json::Object::new().raw("address", &address).finish()
        }
    };
    if issues.is_empty() { Ok(body) } else { Err(error::invalid_input(issues)) }
}
