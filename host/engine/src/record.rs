//! The latest state of every record that was read.

use serde::Serialize;
use serde_json::Value;

/// A record as it was last read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredRecord {
    /// The account.
    pub account: String,
    /// The interface that lists it.
    pub kind: String,
    /// The source's id.
    pub id: String,
    /// Counts its versions, from 1.
    pub version: u64,
    /// The event that brought this version.
    pub position: u64,
    /// When that was, milliseconds since 1970.
    pub changed_at: u64,
    /// The record, as the contract's JSON.
    pub record: Value,
}

/// Which records are wanted, the last changed first.
#[derive(Clone, Debug, Default)]
pub struct RecordQuery {
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only this id.
    pub id: Option<String>,
    /// Only with this word of the source as status: orders and what else has `status.raw`.
    pub status: Option<String>,
    /// Only with this in one of its texts or numbers, in any case.
    pub text: Option<String>,
    /// Only changed here at or after this, milliseconds since 1970.
    pub changed_since: Option<u64>,
    /// At most so many.
    pub limit: usize,
}
