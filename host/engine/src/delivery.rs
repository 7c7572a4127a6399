//! A delivery: a request that a platform sent by itself, kept before it is read.

use sha2::{Digest, Sha256};
use tradepost_runtime::contract::{WebhookAnswer, WebhookRequest};
use tradepost_runtime::storage::StorageWrites;

use crate::stream::{Item, StreamKey};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The account whose address it was sent to.
    pub account: String,
    /// SHA-256 of method, path and body: the same delivery has the same. Headers are left out, because senders sign and date each try anew.
    pub fingerprint: [u8; 32],
    /// The request.
    pub request: WebhookRequest,
}

impl NewDelivery {
    /// A request that came in for an account.
    pub fn new(account: impl Into<String>, request: WebhookRequest) -> Self {
        let mut hash = Sha256::new();
        // Each part with its length in front, so that no two requests run together into the same bytes.
        for part in [request.method.as_bytes(), request.path.as_bytes(), &request.body] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self { account: account.into(), fingerprint: hash.finalize().into(), request }
    }
}

/// A delivery that is kept.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: u64,
    /// The account.
    pub account: String,
    /// Attempts to read it that failed on this side.
    pub attempts: u32,
    /// The request; none once it was read.
    pub request: Option<WebhookRequest>,
    /// The answer that was given, or is to be; none until it was read.
    pub answer: Option<WebhookAnswer>,
}

/// What is committed when a delivery was read: all of it or nothing, and for one delivery once.
#[derive(Clone, Debug)]
pub struct DeliveryCommit {
    /// Records that it brought, with the kind of each.
    pub items: Vec<(String, Item)>,
    /// Records of which it told that they changed: kind and id.
    pub readings: Vec<(String, String)>,
    /// Streams to be walked soon.
    pub due: Vec<StreamKey>,
    /// What the connector stored.
    pub writes: StorageWrites,
    /// The answer to give.
    pub answer: WebhookAnswer,
}

/// How many deliveries there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct DeliveryCounts {
    /// Kept and not read yet.
    pub unread: u64,
    /// Of the last days, those that the connector could not read.
    pub failed: u64,
    /// Of the last days, those that were read.
    pub read: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_the_same_whatever_its_headers_and_another_where_a_byte_differs() {
        let request = |method: &str, path: &str, body: &[u8], at: &str| WebhookRequest {
            method: method.into(),
            path: path.into(),
            headers: vec![("date".into(), at.into())],
            body: body.to_vec(),
        };
        let fingerprint = |request| NewDelivery::new("acme/hft71", request).fingerprint;
        let first = fingerprint(request("POST", "/hook", b"{}", "1"));
        assert_eq!(first, fingerprint(request("POST", "/hook", b"{}", "2")));
        for other in [
            request("PUT", "/hook", b"{}", "1"),
            request("POST", "/hook?", b"{}", "1"),
            request("POST", "/hook", b"{ }", "1"),
            request("POST", "/hoo", b"k{}", "1"),
        ] {
            assert_ne!(first, fingerprint(other));
        }
    }
}
