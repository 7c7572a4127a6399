//! Broken promises: panics, exits, texts meant for somebody's terminal, pages that lead nowhere, memory kept from call to
//! call.

use std::sync::Mutex;

use tradepost_sdk::prelude::*;

use crate::{Findings, found};

fn text() -> Result<String, Error> {
    settings::required("text")
}

/// Writes to storage, then panics with the setting `text` as its message.
pub(crate) fn panics() -> Findings {
    storage::set("trace", b"written before the panic", None)?;
    panic!("{}", text()?)
}

/// Writes to storage, then aborts.
pub(crate) fn aborts() -> Findings {
    storage::set("trace", b"written before the abort", None)?;
    std::process::abort()
}

/// Writes to storage, then leaves as if all were well.
pub(crate) fn exits() -> Findings {
    storage::set("trace", b"written before the exit", None)?;
    std::process::exit(0)
}

/// An error with hostile text in every place that takes text.
pub(crate) fn hostile_error() -> Findings {
    storage::set("trace", b"written before the error", None)?;
    let text = text()?;
    let kind = match settings::required("kind")?.as_str() {
        "invalid-input" => ErrorKind::InvalidInput(vec![error::issue(&text, &text, &text)]),
        "partial" => ErrorKind::Partial(vec![error::item_failure(&text, &text, &text)]),
        "protocol" => ErrorKind::Protocol(UnexpectedAnswer {
            pointer: text.clone(),
            expected: text.clone(),
            excerpt: text.clone(),
        }),
        _ => ErrorKind::Conflict,
    };
    Err(Error { kind, message: text.clone(), detail: text })
}

/// Keeps the setting `text` in a static and says what was there before.
pub(crate) fn statics() -> Findings {
    static KEPT: Mutex<String> = Mutex::new(String::new());
    let mut kept = KEPT.lock().map_err(|_| error::conflict("the static is poisoned"))?;
    let before = std::mem::replace(&mut *kept, text()?);
    Ok(vec![found("before", before)])
}

/// A page that breaks the contract in a way that its type allows.
pub(crate) fn lying_page() -> Result<OrderPage, Error> {
    storage::set("trace", b"written before the page", None)?;
    let (next, end) = match settings::required("case")?.as_str() {
        "long-cursor" => (Some("c".repeat(4097)), false),
        "longest-cursor" => (Some("c".repeat(4096)), false),
        _ => (None, false),
    };
    Ok(OrderPage { items: Vec::new(), next, end, total: None })
}
