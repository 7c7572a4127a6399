//! One request and one answer, as the marketplaces see them: whole bodies in memory, because that is all they ever handle.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};
use serde_json::Value;

use crate::body::Cut;

/// The largest body a marketplace reads; nothing a connector sends comes near it.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A request whose body has arrived.
#[derive(Debug)]
pub(crate) struct Request {
    /// The method as sent.
    pub(crate) method: Method,
    /// The path as sent, still percent-encoded.
    pub(crate) path: String,
    /// The query as sent, without the question mark.
    pub(crate) query: String,
    /// The headers as sent.
    pub(crate) headers: HeaderMap,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Request {
    /// Waits for the body. Fails when the client goes away first or sends too much.
    pub(crate) async fn read(request: hyper::Request<Incoming>) -> Result<Self, Cut> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|_| Cut::Close)?.to_bytes();
        Ok(Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
        })
    }

    /// The query's parameters in order, decoded.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The last value of a query parameter, as PHP and most frameworks take it.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The path with the query, as it stood in the request line.
    pub(crate) fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// An answer before a fault touches it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers; the length and the date are added on the way out.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer of some media type.
    pub(crate) fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(media_type))];
        Self { status, headers, body: body.into() }
    }

    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// The same with a header more, or with another value in it. A value that no header can hold is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.retain(|(other, _)| *other != name);
            self.headers.push((name, value));
        }
        self
    }
}
