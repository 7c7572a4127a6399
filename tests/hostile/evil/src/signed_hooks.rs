//! The one honest part: webhooks verified as Standard Webhooks asks, with the host's HMAC. Senders attack it.
//!
//! `webhook-id`, `webhook-timestamp` and the body, joined by points, are signed with HMAC-SHA-256; `webhook-signature` lists
//! signatures as `v1,BASE64`, so that a key can be exchanged: `password` is the key, `api-key` the one before, if there is one.

use std::time::{SystemTime, UNIX_EPOCH};

use tradepost_sdk::prelude::*;
use tradepost_sdk::secrets::HmacAlgorithm;

/// How far a sender's clock may be from ours.
const TOLERANCE_SECONDS: u64 = 300;

/// Verifies and reads: the body is an order's id, a blank, and a status word.
pub(crate) fn receive(request: &WebhookRequest) -> Result<WebhookReading, Error> {
    verify(request)?;
    let text = std::str::from_utf8(&request.body).map_err(|_| error::protocol("", "UTF-8 text", &request.body))?;
    let (id, word) = text.split_once(' ').ok_or_else(|| error::protocol("", "an id and a status", text))?;
    let event = StatusEvent { id: id.into(), status: crate::status(word) };
    let answer = WebhookAnswer { status: 200, headers: Vec::new(), body: b"ok".to_vec() };
    Ok(WebhookReading { events: vec![WebhookEvent::OrderStatus(event)], answer })
}

fn verify(request: &WebhookRequest) -> Result<(), Error> {
    let header = |wanted: &str| {
        let found = request.headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| refused("a header is missing"))
    };
    let (id, at, signatures) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    // With a point in it, where the id ends and the time begins would be anybody's choice.
    if id.is_empty() || id.contains('.') {
        return Err(refused("the id is not one"));
    }
    let seconds: u64 = at.parse().map_err(|_| refused("the time is not a number"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if now.abs_diff(seconds) > TOLERANCE_SECONDS {
        return Err(refused("the time is too far from now"));
    }
    let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &request.body].concat();
    for key in ["password", "api-key"] {
        let Ok(expected) = secrets::hmac(key, HmacAlgorithm::Sha256, &signed) else { continue };
        let expected = base64(&expected);
        let given = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
        if given.fold(false, |found, given| same(given.as_bytes(), expected.as_bytes()) | found) {
            return Ok(());
        }
    }
    Err(refused("no signature is right"))
}

fn refused(reason: &str) -> Error {
    error::auth_rejected("The webhook is not genuine.").with_detail(reason.to_owned())
}

/// Compares in a time that does not depend on where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
