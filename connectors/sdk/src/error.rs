//! Constructors of the contract's errors, and the mapping from plain HTTP statuses to them.
//!
//! A connector says what happened; the host decides what follows. These functions keep the sentences that a merchant
//! sees alike across connectors, and put the source's own words where operators look for them.

use crate::bindings::contract::errors::{Error, ErrorKind, FieldIssue, ItemFailure, RetryHint, UnexpectedAnswer};

/// The longest excerpt of an answer that an error carries, in bytes (interface `errors`, record `unexpected-answer`).
pub const EXCERPT_BYTES: usize = 512;

/// What can be added to an error.
pub trait ErrorExt {
    /// Adds what an operator needs to find the cause. Never put a secret here.
    #[must_use]
    fn with_detail(self, detail: impl Into<String>) -> Self;
    /// Replaces the sentence that a merchant may see.
    #[must_use]
    fn with_message(self, message: impl Into<String>) -> Self;
}

impl ErrorExt for Error {
    fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

/// An error of a kind, with the sentence a merchant may see.
pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into(), detail: String::new() }
}

/// The credential ran out; the host renews it and repeats the call.
pub fn auth_expired(message: impl Into<String>) -> Error {
    new(ErrorKind::AuthExpired, message)
}

/// The credential is wrong or revoked; the account waits for a new one.
pub fn auth_rejected(message: impl Into<String>) -> Error {
    new(ErrorKind::AuthRejected, message)
}

/// The credential may not do this.
pub fn forbidden(message: impl Into<String>) -> Error {
    new(ErrorKind::Forbidden, message)
}

/// The source asks to slow down, for so many milliseconds where it said.
pub fn rate_limited(message: impl Into<String>, retry_after_ms: Option<u64>) -> Error {
    new(ErrorKind::RateLimited(RetryHint { retry_after_ms }), message)
}

/// The record does not exist for this account.
pub fn not_found(message: impl Into<String>) -> Error {
    new(ErrorKind::NotFound, message)
}

/// What was asked for cannot be accepted. The message lists the issues.
pub fn invalid_input(issues: Vec<FieldIssue>) -> Error {
    let mut message = String::new();
    for issue in &issues {
        if !message.is_empty() {
            message.push_str("; ");
        }
        message.push_str(&issue.message);
    }
    new(ErrorKind::InvalidInput(issues), message)
}

/// One issue of [`invalid_input`]: an RFC 6901 pointer into the contract's record, a stable code, words for people.
pub fn issue(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> FieldIssue {
    FieldIssue { pointer: pointer.into(), code: code.into(), message: message.into() }
}

/// [`invalid_input`] with one [`issue`].
pub fn invalid(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Error {
    invalid_input(vec![issue(pointer, code, message)])
}

/// The record is in a state that does not allow this.
pub fn conflict(message: impl Into<String>) -> Error {
    new(ErrorKind::Conflict, message)
}

/// The source has no such operation.
pub fn unsupported(message: impl Into<String>) -> Error {
    new(ErrorKind::Unsupported, message)
}

/// A passing failure, safe to try again, after so many milliseconds where the source said.
pub fn transient(message: impl Into<String>, retry_after_ms: Option<u64>) -> Error {
    new(ErrorKind::Transient(RetryHint { retry_after_ms }), message)
}

/// The source is down for everybody, for so many milliseconds where it said.
pub fn unavailable(message: impl Into<String>, retry_after_ms: Option<u64>) -> Error {
    new(ErrorKind::Unavailable(RetryHint { retry_after_ms }), message)
}

/// A request that must not be repeated may or may not have been carried out.
pub fn outcome_unknown(message: impl Into<String>) -> Error {
    new(ErrorKind::OutcomeUnknown, message)
}

/// Some items of a batch did not go through.
pub fn partial(message: impl Into<String>, failures: Vec<ItemFailure>) -> Error {
    new(ErrorKind::Partial(failures), message)
}

/// One item of [`partial`].
pub fn item_failure(item: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> ItemFailure {
    ItemFailure { item: item.into(), code: code.into(), message: message.into() }
}

/// The source answered with something its protocol does not allow: where (RFC 6901 pointer into its answer), what the
/// protocol promises there, and what stood there. The excerpt is cut and escaped here.
pub fn protocol(pointer: impl Into<String>, expected: impl Into<String>, found: impl AsRef<[u8]>) -> Error {
    let (pointer, expected) = (pointer.into(), expected.into());
    let place = if pointer.is_empty() { "the answer" } else { pointer.as_str() };
    let detail = format!("expected {expected} at {place}");
    Error {
        kind: ErrorKind::Protocol(UnexpectedAnswer { pointer, expected, excerpt: excerpt(found.as_ref()) }),
        message: "The platform answered in a way this connector does not understand.".into(),
        detail,
    }
}

/// Text of at most [`EXCERPT_BYTES`] for an error: control characters escaped, bytes that are not UTF-8 replaced.
pub fn excerpt(found: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(&found[..found.len().min(EXCERPT_BYTES)]).chars() {
        let mut piece = String::new();
        if character.is_control() {
            piece.extend(character.escape_default());
        } else {
            piece.push(character);
        }
        if text.len() + piece.len() > EXCERPT_BYTES {
            break;
        }
        text.push_str(&piece);
    }
    text
}
