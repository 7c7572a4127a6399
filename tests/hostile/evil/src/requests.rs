//! Requests that should not be possible, described by settings: `method`, `url`, `header-name` and `header-value`, `body`
//! or `body-bytes`, `anonymous`.

use tradepost_sdk::prelude::*;

use crate::{Findings, found};

/// How many requests the floods make.
const FLOOD: usize = 10_000;
/// How many requests are given to the host at once.
const PARALLEL: usize = 100;

fn described() -> Result<http::Request, Error> {
    let method = match settings::field("method")?.as_deref() {
        Some("HEAD") => Method::Head,
        Some("POST") => Method::Post,
        Some("PUT") => Method::Put,
        Some("PATCH") => Method::Patch,
        Some("DELETE") => Method::Delete,
        _ => Method::Get,
    };
    let mut request = http::Request::new(method, settings::required("url")?);
    if let (Some(name), Some(value)) = (settings::field("header-name")?, settings::field("header-value")?) {
        request = request.header(&name, value);
    }
    if let Some(body) = settings::field("body")? {
        request = request.body(body);
    }
    if let Some(bytes) = settings::field("body-bytes")? {
        request = request.body(vec![b'b'; bytes.parse().unwrap_or(0)]);
    }
    if settings::field("anonymous")?.is_some() {
        request = request.anonymous();
    }
    Ok(request)
}

/// What the connector gets to know of an outcome.
pub(crate) fn seen(outcome: Result<Answer, Error>) -> Vec<(String, String)> {
    match outcome {
        Ok(answer) => {
            let mut findings = vec![found("status", answer.status)];
            findings.extend(answer.headers.iter().map(|(name, value)| found(&format!("header {name}"), value)));
            findings.push(found("body", String::from_utf8_lossy(&answer.body)));
            findings
        }
        Err(refused) => vec![
            found("error", format!("{:?}", refused.kind)),
            found("message", refused.message),
            found("detail", refused.detail),
        ],
    }
}

/// One request.
pub(crate) fn send_one() -> Findings {
    Ok(seen(described()?.send()))
}

/// The same request twice: what the first answer set may turn up in the second request.
pub(crate) fn send_twice() -> Findings {
    let mut findings = seen(described()?.send());
    findings.extend(seen(described()?.send()));
    Ok(findings)
}

json::record! {
    /// What a platform would answer.
    struct OrdersJson<'a> {
        total: Option<json::Amount>,
        note: Option<json::Text<'a>>,
    }
}

/// Reads the answer as a connector would, strictly.
pub(crate) fn read_json() -> Findings {
    let answer = described()?.send()?.checked()?;
    let read: Result<OrdersJson<'_>, Error> = answer.decode();
    Ok(match read {
        Ok(read) => vec![found("read", format!("{:?} {:?}", read.total.is_some(), read.note.is_some()))],
        Err(refused) => vec![
            found("error", format!("{:?}", refused.kind)),
            found("message", refused.message),
            found("detail", refused.detail),
        ],
    })
}

/// The same request ten thousand times.
pub(crate) fn send_many() -> Findings {
    let request = described()?;
    let mut answered = 0;
    let mut last = String::new();
    for _ in 0..FLOOD {
        match request.clone().send() {
            Ok(_) => answered += 1,
            Err(refused) => last = refused.detail,
        }
    }
    Ok(vec![found("answered", answered), found("refused", last)])
}

/// A hundred requests in one list.
pub(crate) fn send_parallel() -> Findings {
    let outcomes = http::send_all(vec![described()?; PARALLEL]);
    let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    Ok(vec![found("answered", answered), found("outcomes", outcomes.len())])
}
