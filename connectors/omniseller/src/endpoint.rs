//! One POST for everything: the function's number in the body, and an envelope around each answer (seed 004).
//!
//! The shop answers 200 to all of it, so `status` decides. What goes wrong is told in words only, in no documented language,
//! and is read like this:
//!
//! | answer | error |
//! |---|---|
//! | words that name the token | `auth-expired`: the host logs in again, and repeats a call that only read |
//! | any other status than `OK` | `conflict`: the shop understood and said no; its words are the detail |
//! | HTML, half an answer, no envelope | `protocol`, or `outcome-unknown` for a write that must not be repeated |
//! | HTTP 404 | `unsupported`: the interface is not at this address. It is never a missing record |
//!
//! A notice of PHP in front of a whole envelope is passed over, with a line in the log: shops show notices by mistake and for
//! months, and the envelope behind them says by itself what became of the request.

use std::borrow::Cow;

use tradepost_sdk::http::Request;
use tradepost_sdk::json::{DecodeError, Kind, Reader};
use tradepost_sdk::prelude::*;

/// Where every function but the login is served (seed 004).
pub(crate) const SERVICE: &str = "/omniseller/HTKService4.php";

/// Function numbers, as they stand on the wire (seed 004).
pub(crate) mod function {
    pub(crate) const CATEGORIES: &str = "5";
    pub(crate) const ORDER: &str = "11";
    pub(crate) const ORDER_IDS: &str = "12";
}

/// How `data` is written where a function takes no input (seed 004).
pub(crate) const NO_DATA: &str = r#""""#;

/// What an operator should do about notices.
const NOTICE_HINT: &str = "PHP printed this in front of the data; set display_errors to off in the shop's PHP";

/// A request of a function that only reads. The host puts the token in front of the other members, as the documentation has it.
pub(crate) fn reading(route: &str, function: &str, data: &str) -> Request {
    request(route, function, data).effect(Effect::Read)
}

fn request(route: &str, function: &str, data: &str) -> Request {
    http::post(route).json(json::Object::new().text("function", function).raw("data", data).finish())
}

/// Sends a function that writes, and returns when the shop has said `OK`.
///
/// Call it after something was read: the host can renew an expired token only as long as nothing was written, so a write should
/// not be the first to find out.
pub(crate) fn write(function: &str, data: &str, effect: Effect) -> Result<(), Error> {
    let answer = request(SERVICE, function, data).effect(effect).send()?;
    let Err(fault) = read(&answer, function) else { return Ok(()) };
    let may_be_done =
        matches!(fault.kind, ErrorKind::Transient(_) | ErrorKind::Unavailable(_) | ErrorKind::Protocol(_));
    if effect == Effect::Once && may_be_done {
        let detail = format!("{}; HTTP {}: {}", fault.detail, answer.status, answer.excerpt());
        return Err(error::outcome_unknown("The shop failed while it answered: it may have carried the request out.")
            .with_detail(detail));
    }
    Err(fault)
}

/// What the shop said `OK` with.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    /// Free text, at OXID the name of the routine that answered.
    pub(crate) debug_message: Cow<'a, str>,
    data: Option<&'a str>,
}

impl<'a> Reply<'a> {
    /// Reads `data`. Errors point into the whole answer.
    pub(crate) fn data<T>(&self, decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>) -> Result<T, Error> {
        let data = self.data.ok_or_else(|| error::protocol("/data", "this key to be present", ""))?;
        json::read(data, decode).map_err(|fault| DecodeError::from(fault).in_key("data").into_error(data))
    }
}

/// The answer of a function, where the shop carried it out.
pub(crate) fn read<'a>(answer: &'a Answer, function: &str) -> Result<Reply<'a>, Error> {
    if matches!(answer.status, 404 | 410) {
        let message = "The shop has no OmniSeller interface at this address: check the setting `root-url`.";
        return Err(error::unsupported(message).with_detail(answer.error().detail));
    }
    if !answer.is_success() {
        return Err(answer.error());
    }
    let (status, reply) = envelope(past_notices(answer.text()?, function))?;
    if status == "OK" { Ok(reply) } else { Err(refusal(&status, &reply.debug_message, function)) }
}

fn envelope(text: &str) -> Result<(Cow<'_, str>, Reply<'_>), Error> {
    json::read(text, |reader| {
        let mut status = None;
        let mut reply = Reply { debug_message: Cow::Borrowed(""), data: None };
        reader.object(|key, reader| {
            match key {
                "status" => status = Some(reader.string()?),
                "debugMessage" => reply.debug_message = words(reader)?,
                "data" => reply.data = Some(reader.raw_value()?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let status = status.ok_or_else(|| DecodeError::missing("status", reader.position()))?;
        Ok((status, reply))
    })
}

/// Text, or whatever else a shop puts where operators look.
fn words<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, DecodeError> {
    if reader.peek_kind()? == Kind::String { reader.string() } else { reader.raw_value().map(Cow::Borrowed) }
}

/// The text behind PHP's notices; the whole text where no JSON stands in it, for the error's excerpt.
fn past_notices<'a>(text: &'a str, function: &str) -> &'a str {
    if !text.trim_ascii_start().starts_with('<') {
        return text;
    }
    let Some(start) = json::find_json(text) else { return text };
    let notice = error::excerpt(&text.as_bytes()[..start]);
    log::warn(NOTICE_HINT, &[("function", function), ("printed", &notice)]);
    &text[start..]
}

/// The error of a status other than `OK`.
fn refusal(status: &str, debug_message: &str, function: &str) -> Error {
    let refused = if names_token(status) || names_token(debug_message) {
        error::auth_expired("The shop does not accept the token any more.")
    } else {
        error::conflict("The shop refused the request.")
    };
    let status = error::excerpt(status.as_bytes());
    let words = error::excerpt(debug_message.as_bytes());
    refused.with_detail(format!("function {function} answered status `{status}`: {words}"))
}

/// Whether words are about the token, in German or English. An `unexpected token` is one of somebody's grammar.
fn names_token(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("token") && !words.contains("unexpected token")
}
