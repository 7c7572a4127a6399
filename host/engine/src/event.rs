//! The event feed: what changed, in an order that never changes.

use serde::Serialize;
use serde_json::Value;

/// Something that happened to a record. Read on from the last `position`; none is ever missing in between,
/// but where a backup was put in place: the event that tells of it stands behind every position that was given away before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its place in the feed, from 1, without gaps.
    pub position: u64,
    /// The account.
    pub account: String,
    /// The kind of record: the interface that lists it, or `commands`.
    pub kind: String,
    /// The record's id at the source, or the command's.
    pub id: String,
    /// What happened.
    pub change: Change,
    /// Counts the record's versions, from 1.
    pub version: u64,
    /// When it was committed here, milliseconds since 1970.
    pub at: u64,
    /// The record as it is now; none where it is gone.
    pub record: Option<Value>,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is new.
    Created,
    /// It has changed.
    Updated,
    /// It is gone.
    Deleted,
}

impl Change {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Created, Self::Updated, Self::Deleted].into_iter().find(|change| change.as_str() == text)
    }
}

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
}
