//! Reading an answer: JSON where the site speaks JSON, and one contract error for each of its six ways to fail.
//!
//! Besides HTTP errors there are refusals with status 200 (`success: false`, `status: false`, a serialised `WP_Error`, an
//! empty body), HTML pages where PHP crashed, and PHP notices in front of good JSON (protocol notes, section 3.3; recordings
//! 003-012, 302, 376, 410-418).

use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::{Refusal, WITHOUT_CODE, past_notices};

use crate::refusal;

/// What a successful answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// Nothing: how version 1.5.3 answers a change of status, and every version a refused write.
    Empty,
    /// One JSON value.
    Json(&'a str),
}

/// The body of an answer that is neither an error nor a refusal.
pub fn read(answer: &Answer) -> Result<Body<'_>, Error> {
    if !answer.is_success() {
        return Err(failure(answer));
    }
    let text = answer.text()?.trim_ascii();
    if text.is_empty() {
        return Ok(Body::Empty);
    }
    let json = past_notices(text).ok_or_else(|| not_json(text))?;
    if json.starts_with('{')
        && let Some(refusal) = Refusal::read(json, 200)
    {
        return Err(refused(&refusal));
    }
    Ok(Body::Json(json))
}

/// The body of an answer that must hold something.
pub fn json(answer: &Answer) -> Result<&str, Error> {
    match read(answer)? {
        Body::Json(json) => Ok(json),
        Body::Empty => Err(error::protocol("", "a JSON value", "an empty body")),
    }
}

/// The body of an answer that must be a list. `{}` with numeric keys is left to the decoder; any other object is an error.
pub fn list(answer: &Answer) -> Result<&str, Error> {
    let json = json(answer)?;
    if json.starts_with('[') { Ok(json) } else { Err(error::protocol("", "a list", json)) }
}

/// The error of an answer that is not a success.
fn failure(answer: &Answer) -> Error {
    if (300..400).contains(&answer.status) {
        return redirected(answer);
    }
    let text = answer.text().unwrap_or_default().trim_ascii();
    let refusal = past_notices(text).and_then(|json| Refusal::read(json, answer.status));
    if let Some(error) = refusal.as_ref().and_then(refusal::contract_error) {
        return error;
    }
    match answer.status {
        // Neither Basic nor application passwords run out; a token that did is told by its code.
        401 => error::auth_rejected("The site does not take the login.")
            .with_detail(format!("HTTP 401: {}", answer.excerpt())),
        _ => answer.error(),
    }
}

/// A site that sends API requests elsewhere: another spelling of its address, or no permalinks (recording 414).
fn redirected(answer: &Answer) -> Error {
    let target = answer.header("location").unwrap_or("nowhere");
    error::protocol("", "an answer of the API, not a redirect", target)
        .with_message("The site sends requests to another address. Enter the site's address exactly as it shows itself.")
        .with_detail(format!(
            "HTTP {} to {target}; where only a slash was added, the site uses plain permalinks: choose another structure under Settings > Permalinks, or set api-prefix to index.php/wp-json",
            answer.status
        ))
}

fn not_json(text: &str) -> Error {
    error::protocol("", "JSON", text)
        .with_message("The site answered with a web page in place of data.")
        .with_detail("the answer is HTML; a firewall, a maintenance page or a login page may stand in front of the API")
}

/// A refusal inside a success is a lack of rights where the site's role check made it, else a matter of state.
fn refused(refusal: &Refusal) -> Error {
    if refusal.code == WITHOUT_CODE {
        return error::forbidden(
            "The site does not allow this account to do that: it is not a seller's, or it is disabled.",
        )
        .with_detail(refusal.words());
    }
    refusal::contract_error(refusal).unwrap_or_else(|| error::conflict(refusal.words()))
}
