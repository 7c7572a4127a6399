//! Requests through the host, and what to make of the answers.
//!
//! A path (`/orders`) is appended to the account's root URL; the host adds the credential. What a
//! lost answer means follows from the request's effect.
//! Sources differ in what their statuses mean, so an [`Answer`] is returned whatever its status; [`Answer::checked`] and
//! [`Answer::error`] apply the plain reading of HTTP where nothing better is known.

use crate::bindings::contract::errors::Error;
use crate::bindings::contract::http::{Effect, Method, Request as WireRequest, Response};
use crate::error::{self, ErrorExt};
use crate::json::{self, Decode};
use crate::{host, time};

/// The longest wait that a `Retry-After` header can ask for, in milliseconds (one day); longer ones are cut to it.
const LONGEST_RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1000;

/// A request in the making. Sent with the account's credential, and `accept: application/json`, unless told otherwise.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    authenticate: bool,
    effect: Option<Effect>,
}

/// `GET`. Effect `read`.
pub fn get(url: impl Into<String>) -> Request {
    Request::new(Method::Get, url)
}

/// `POST`. Effect `once` unless [`Request::effect`] says otherwise.
pub fn post(url: impl Into<String>) -> Request {
    Request::new(Method::Post, url)
}

/// `PUT`. Effect `repeatable`.
pub fn put(url: impl Into<String>) -> Request {
    Request::new(Method::Put, url)
}

/// `PATCH`. Effect `once` unless [`Request::effect`] says otherwise.
pub fn patch(url: impl Into<String>) -> Request {
    Request::new(Method::Patch, url)
}

/// `DELETE`. Effect `repeatable`.
pub fn delete(url: impl Into<String>) -> Request {
    Request::new(Method::Delete, url)
}

/// Sends several requests, a few at a time; the answers are in the order of the requests, one for each.
pub fn send_all(requests: Vec<Request>) -> Vec<Result<Answer, Error>> {
    let effects: Vec<Effect> = requests.iter().map(Request::effective_effect).collect();
    let requests: Vec<WireRequest> = requests.into_iter().map(Request::into_wire).collect();
    let mut answers = host::send_all(&requests);
    for effect in effects.get(answers.len()..).unwrap_or_default() {
        let message = "The host gave fewer answers than there were requests.";
        answers.push(Err(match effect {
            Effect::Once => error::outcome_unknown(message),
            Effect::Read | Effect::Repeatable => error::transient(message, None),
        }));
    }
    answers.into_iter().map(|answer| answer.map(Answer::from)).collect()
}

impl Request {
    /// A request with any method; the free functions [`get`], [`post`], ... read better.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: vec![("accept".into(), "application/json".into())],
            body: None,
            authenticate: true,
            effect: None,
        }
    }

    /// Adds a query parameter, percent-encoded.
    pub fn query(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        percent_encode(name, &mut self.url);
        self.url.push('=');
        percent_encode(&value.to_string(), &mut self.url);
        self
    }

    /// Sets a header; a second value for a name replaces the first. The host refuses names outside its allow-list and the
    /// manifest's `request-headers`.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Sets the body to JSON text, such as that of [`json::Object`].
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    /// Sets the body. Name its type with [`Request::header`].
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Says what sending it does to the source, where the method's default is wrong.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Leaves the account's credential out.
    pub fn anonymous(mut self) -> Self {
        self.authenticate = false;
        self
    }

    /// Sends it. Fails only where no answer came: `forbidden` (a grant is missing), `auth-rejected` (the login failed),
    /// `transient` (nothing was sent), `outcome-unknown` (a `once` request may have been carried out).
    pub fn send(self) -> Result<Answer, Error> {
        host::send(&self.into_wire()).map(Answer::from)
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The URL or path with its query, as it was built.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL or path without its query.
    pub fn path(&self) -> &str {
        self.url.split_once('?').map_or(self.url.as_str(), |(path, _)| path)
    }

    /// The decoded value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key) == name).then(|| percent_decode(value))
        })
    }

    /// A header's value.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body's bytes; empty where there is none.
    pub fn body_bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The body as text, for tests; empty where there is none or it is not UTF-8.
    pub fn body_text(&self) -> &str {
        std::str::from_utf8(self.body_bytes()).unwrap_or_default()
    }

    /// Whether the host adds the credential.
    pub fn is_authenticated(&self) -> bool {
        self.authenticate
    }

    /// What sending it does: as told, or the method's default (interface `http`, enum `method`).
    pub fn effective_effect(&self) -> Effect {
        self.effect.unwrap_or(match self.method {
            Method::Get | Method::Head => Effect::Read,
            Method::Put | Method::Delete => Effect::Repeatable,
            Method::Post | Method::Patch => Effect::Once,
        })
    }

    fn into_wire(self) -> WireRequest {
        let Self { method, url, headers, body, authenticate, effect } = self;
        WireRequest { method, url, headers, body, authenticate, effect }
    }

    /// The request as the scripted host sees it.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_wire(request: WireRequest) -> Self {
        let WireRequest { method, url, headers, body, authenticate, effect } = request;
        Self { method, url, headers, body, authenticate, effect }
    }
}

/// What a source answered, whatever its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let Response { status, headers, body } = response;
        Self { status, headers, body }
    }
}

impl Answer {
    /// An answer made by hand, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// An answer of JSON made by hand, for tests.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, body).with_header("content-type", "application/json")
    }

    /// Adds a header, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// A header's value; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer itself where its status is 200 to 299, else [`Answer::error`].
    pub fn checked(self) -> Result<Self, Error> {
        if self.is_success() { Ok(self) } else { Err(self.error()) }
    }

    /// The body as text. Fails with `protocol` where it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|fault| {
            let around = &self.body[fault.valid_up_to().saturating_sub(32)..];
            error::protocol("", format!("UTF-8 text (byte {} is not)", fault.valid_up_to()), around)
        })
    }

    /// The body as one JSON value.
    pub fn decode<'a, T: Decode<'a>>(&'a self) -> Result<T, Error> {
        json::decode(self.text()?)
    }

    /// The body's beginning for an error: at most 512 bytes, control characters escaped.
    pub fn excerpt(&self) -> String {
        error::excerpt(&self.body)
    }

    /// How long the source asks to wait, in milliseconds: `Retry-After` in seconds or as an HTTP date (RFC 9110 section
    /// 10.2.3), at most a day. A date that has passed is 0.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(seconds.saturating_mul(1000).min(LONGEST_RETRY_AFTER_MS));
        }
        let until = time::parse_http_date(value)?;
        let seconds = until.epoch_seconds.saturating_sub(time::now().epoch_seconds);
        Some(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000).min(LONGEST_RETRY_AFTER_MS))
    }

    /// The contract's error for this status, by the plain reading of HTTP: 400 and 422 `invalid-input`, 401
    /// `auth-expired`, 403 `forbidden`, 404 and 410 `not-found`, 409 and 412 `conflict`, 429 `rate-limited`, 503 with
    /// `Retry-After` `unavailable`, other 5xx and 408 `transient`, everything else `protocol`.
    ///
    /// The body's beginning goes into the detail. A source that says more in its body is read by its connector.
    pub fn error(&self) -> Error {
        let retry_after = self.retry_after_ms();
        let error = match self.status {
            400 | 422 => error::invalid_input(vec![error::issue(
                "",
                format!("http-{}", self.status),
                "The platform did not accept the request.",
            )]),
            401 => error::auth_expired("The platform asks to sign in again."),
            403 => error::forbidden("The platform does not allow this account to do that."),
            404 | 410 => error::not_found("The platform has no such record."),
            409 | 412 => error::conflict("The record is in a state that does not allow this."),
            429 => error::rate_limited("The platform asks to slow down.", retry_after),
            503 if retry_after.is_some() => error::unavailable("The platform is not available.", retry_after),
            408 | 500..=599 => error::transient("The platform has a passing problem.", retry_after),
            _ => {
                return error::protocol(
                    "",
                    format!("a successful answer, not HTTP status {}", self.status),
                    &self.body,
                )
                .with_detail(self.detail());
            }
        };
        error.with_detail(self.detail())
    }

    fn detail(&self) -> String {
        let excerpt = self.excerpt();
        if excerpt.is_empty() { format!("HTTP {}", self.status) } else { format!("HTTP {}: {excerpt}", self.status) }
    }

    /// The answer as the scripted host hands it over.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn into_wire(self) -> Response {
        let Self { status, headers, body } = self;
        Response { status, headers, body }
    }
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// One path segment, percent-encoded: ids are opaque and may hold anything.
pub fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    percent_encode(text, &mut encoded);
    encoded
}

/// Encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(DIGITS[usize::from(byte >> 4)]));
            into.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (*first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
                bytes.push(u8::try_from(digit(*high) * 16 + digit(*low)).unwrap_or(b'%'));
                rest = after;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
