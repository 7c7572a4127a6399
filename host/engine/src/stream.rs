//! A stream: one list of one account, walked page by page, each page kept in one transaction.

use std::fmt;

use serde::Serialize;
use tradepost_runtime::storage::StorageWrites;

/// Which stream: an account and the interface that lists it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct StreamKey {
    /// The embedder's id of the account.
    pub account: String,
    /// The interface: `orders`, `products`, `categories`, `stock`, `notifications` or `sellers`.
    pub kind: String,
}

impl StreamKey {
    /// The stream of this kind at this account.
    pub fn new(account: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { account: account.into(), kind: kind.into() }
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account, self.kind)
    }
}

/// The right to walk a stream, until the lease runs out or somebody else takes it over. Its `epoch` is the fence: a commit under an
/// older one changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamClaim {
    /// The stream.
    pub key: StreamKey,
    /// Counts claims of the stream.
    pub epoch: u64,
    /// Where to go on; none = from the beginning.
    pub cursor: Option<String>,
    /// Counts walks of the stream; moves on when a walk ends.
    pub walk: u64,
    /// Counts pages that were committed.
    pub pages: u64,
    /// Those of the walk that is under way.
    pub walk_pages: u64,
    /// Whether the walk that is under way reads everything.
    pub walk_is_whole: bool,
    /// When such a walk came to its end last, milliseconds since 1970.
    pub whole_at: Option<u64>,
}

/// A record as a page brought it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The source's id.
    pub id: String,
    /// The record, as the contract's JSON. Equal records have equal texts: keys in alphabetical order, as [`serde_json::Value`] writes them.
    pub record: String,
}

/// What is committed together: a page's records, the cursor behind them, and what the connector stored while it read them.
#[derive(Clone, Debug, Default)]
pub struct PageCommit {
    /// The records, in the source's order.
    pub items: Vec<Item>,
    /// The cursor behind them.
    pub cursor: Option<String>,
    /// Whether the walk is complete.
    pub end: bool,
    /// Whether its walk reads everything: what nothing has brought since before the last such walk is gone.
    pub whole: bool,
    /// What the connector stored.
    pub writes: StorageWrites,
}

/// What a commit brought about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Committed {
    /// Records that were not known.
    pub created: u64,
    /// Records that have changed.
    pub updated: u64,
    /// Records that are as they were.
    pub unchanged: u64,
    /// Records that are gone.
    pub deleted: u64,
}

impl std::ops::AddAssign for Committed {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
    }
}

/// How a stream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamState {
    /// The stream.
    #[serde(flatten)]
    pub key: StreamKey,
    /// Walks that were completed.
    pub walks: u64,
    /// Pages that were committed.
    pub pages: u64,
    /// Records that the source holds, as far as is known.
    pub records: u64,
    /// When the last walk was completed, milliseconds since 1970.
    pub walked_at: Option<u64>,
    /// Why the last attempt failed; none since a page was committed.
    pub failure: Option<String>,
    /// Failed attempts since then.
    pub failures: u32,
    /// When the stream is to be walked again, milliseconds since 1970.
    pub due_at: u64,
}
