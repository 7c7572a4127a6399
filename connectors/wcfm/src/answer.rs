//! Reading an answer: JSON where the site speaks JSON, and one contract error for each of its six ways to fail.
//!
//! Besides HTTP errors there are refusals with status 200 (`success: false`, `status: false`, a serialised `WP_Error`, an
//! empty body), HTML pages where PHP crashed, and PHP notices in front of good JSON (protocol notes, section 3.3; recordings
//! 003-012, 302, 376, 410-418).

use std::borrow::Cow;

use tradepost_sdk::json::{PhpMap, Raw, Text};
use tradepost_sdk::prelude::*;

use crate::refusal::Refusal;
use crate::text;

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
        && let Some(refusal) = refusal_in(json, 200)
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

/// Whether the site crashed while it made this answer: WordPress' "critical error", as a page or as JSON.
#[must_use]
pub fn is_crash(answer: &Answer) -> bool {
    answer.status == 500
        && match answer.text().ok().map(str::trim_ascii) {
            Some(text) if text.starts_with('{') => {
                refusal_in(text, 500).is_some_and(|refusal| refusal.code == "internal_server_error")
            }
            Some(text) => text.starts_with('<'),
            None => false,
        }
}

/// The JSON in a text that may begin with notices of PHP, which sites show by mistake (recordings 416-418).
fn past_notices(text: &str) -> Option<&str> {
    if text.starts_with('<') { json::find_json(text).map(|start| &text[start..]) } else { Some(text) }
}

/// The error of an answer that is not a success.
fn failure(answer: &Answer) -> Error {
    if (300..400).contains(&answer.status) {
        return redirected(answer);
    }
    let text = answer.text().unwrap_or_default().trim_ascii();
    let refusal = past_notices(text).and_then(|json| refusal_in(json, answer.status));
    if let Some(error) = refusal.as_ref().and_then(Refusal::error) {
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
    if refusal.code == ROLE_CHECK {
        return error::forbidden(
            "The site does not allow this account to do that: it is not a seller's, or it is disabled.",
        )
        .with_detail(refusal.words());
    }
    refusal.error().unwrap_or_else(|| error::conflict(refusal.words()))
}

/// Stands for the code that WCFM's role check does not send (shape C).
const ROLE_CHECK: &str = "wcfm_role_check";

json::record! {
    /// Every member that any of the error shapes has.
    struct ErrorJson<'a> {
        id: Option<Raw<'a>>,
        code: Option<Raw<'a>>,
        message: Option<Raw<'a>>,
        data: Option<Raw<'a>>,
        success: Option<Raw<'a>>,
        status: Option<Raw<'a>>,
        errors: Option<Raw<'a>>,
        error_data: Option<Raw<'a>>,
        error: Option<Raw<'a>>,
    }

    /// `data` of shape A, and of a code in shape E.
    struct ErrorData<'a> {
        status: Option<Raw<'a>>,
        params: Option<Raw<'a>>,
    }
}

/// Reads an object as an error, if it is one (shapes A, C, D and E, and `{"error": ..}`).
fn refusal_in(json: &str, status: u16) -> Option<Refusal> {
    let shape: ErrorJson<'_> = json::decode(json).ok()?;
    if shape.id.is_some() {
        return None;
    }
    let string = |raw: &Option<Raw<'_>>| -> Option<String> {
        let text: Text<'_> = json::decode(raw.as_ref()?.0).ok()?;
        Some(text.into_string())
    };
    let is_false = |raw: &Option<Raw<'_>>| raw.as_ref().is_some_and(|raw| raw.0 == "false");
    if is_false(&shape.success) {
        let message = string(&shape.data).unwrap_or_default();
        return Some(Refusal { code: ROLE_CHECK.into(), message, status, ..Refusal::default() });
    }
    if is_false(&shape.status) && shape.message.is_some() {
        return Some(Refusal { message: string(&shape.message).unwrap_or_default(), status, ..Refusal::default() });
    }
    if let (Some(errors), Some(_)) = (&shape.errors, &shape.error_data) {
        return serialised_error(errors.0, shape.error_data.as_ref().map_or("{}", |data| data.0), status);
    }
    if let (Some(code), Some(message)) = (string(&shape.code), string(&shape.message)) {
        let data: Option<ErrorData<'_>> = shape.data.as_ref().and_then(|data| json::decode(data.0).ok());
        let without_status = data.as_ref().is_none_or(|data| data.status.is_none());
        let parameters = data.and_then(|data| data.params).map(|params| parameter_names(params.0)).unwrap_or_default();
        return Some(Refusal { code, message, status, parameters, without_status });
    }
    let message = string(&shape.error)?;
    Some(Refusal { message, status, ..Refusal::default() })
}

/// Shape E: PHP's `WP_Error` object, which names a status for each code.
fn serialised_error(errors: &str, data: &str, status: u16) -> Option<Refusal> {
    let errors: PhpMap<'_, Vec<Text<'_>>> = json::decode(errors).ok()?;
    let (code, messages) = errors.0.into_iter().next()?;
    let data: PhpMap<'_, ErrorData<'_>> = json::decode(data).unwrap_or_default();
    let named = data.get(&code).and_then(|data| data.status.as_ref()).and_then(|status| status.0.parse().ok());
    let message = messages.into_iter().next().map(Text::into_string).unwrap_or_default();
    Some(Refusal { code: code.into_owned(), message, status: named.unwrap_or(status), ..Refusal::default() })
}

/// The names in `params`: an object from name to text, or an array of names (protocol notes, section 3.3, shape A).
fn parameter_names(params: &str) -> Vec<String> {
    if let Ok(names) = json::decode::<Vec<Cow<'_, str>>>(params) {
        return names.into_iter().map(Cow::into_owned).collect();
    }
    let params: PhpMap<'_, Raw<'_>> = json::decode(params).unwrap_or_default();
    params.0.into_iter().map(|(name, _)| text::plain(&name).into_owned()).collect()
}
