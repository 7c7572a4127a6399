//! Bodies of requests and answers as people and programs read them: text where they are text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// The field `body` with the text, or `body_base64` with the bytes of what is no UTF-8.
pub(crate) fn as_json(body: &[u8]) -> (String, Value) {
    match std::str::from_utf8(body) {
        Ok(text) => ("body".to_owned(), text.into()),
        Err(_) => ("body_base64".to_owned(), BASE64_STANDARD.encode(body).into()),
    }
}

/// The text, or how many bytes there are.
pub(crate) fn as_text(body: &[u8]) -> String {
    std::str::from_utf8(body).map_or_else(|_| format!("({} bytes that are no text)", body.len()), str::to_owned)
}
