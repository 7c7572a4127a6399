//! The connector's key-value storage: the trait that embedders implement, and the overlay that makes a call's writes
//! one unit.
//!
//! A call never writes to the store. It reads through an overlay, which collects its writes; when the call has
//! succeeded they are committed as one [`StorageWrites`], in the embedder's own transaction if it has one. A trap, a
//! deadline or an error drops the overlay, and nothing happened.

mod memory;
mod overlay;

use std::time::Duration;

use async_trait::async_trait;

pub use memory::MemoryStorage;
pub(crate) use overlay::{Overlay, Refusal};

/// How much an account may store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageLimits {
    /// Longest key, in bytes.
    pub key_bytes: usize,
    /// Longest value, in bytes.
    pub value_bytes: usize,
    /// Keys an account.
    pub keys: u64,
    /// Bytes of keys and values an account.
    pub bytes: u64,
    /// Most keys that one `list` returns.
    pub page_keys: usize,
}

impl Default for StorageLimits {
    fn default() -> Self {
        Self { key_bytes: 512, value_bytes: 256 << 10, keys: 10_000, bytes: 16 << 20, page_keys: 256 }
    }
}

/// What an account has stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageUsage {
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageWrite {
    /// The key.
    pub key: String,
    /// The new value; none removes the key.
    pub value: Option<Vec<u8>>,
    /// How long it lives from the commit on.
    pub time_to_live: Option<Duration>,
}

/// All writes of one call, to be committed together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageWrites {
    /// What the call based a compare-and-set on: these keys must still have these values.
    pub preconditions: Vec<(String, Option<Vec<u8>>)>,
    /// The writes, one a key, in key order.
    pub writes: Vec<StorageWrite>,
}

impl StorageWrites {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A precondition no longer holds: another call changed the key meanwhile. Run the call again.
    #[error("key {key:?} was changed by another call; run the call again")]
    Conflict {
        /// The key.
        key: String,
    },
    /// The store itself failed.
    #[error("{0}")]
    Unavailable(String),
}

/// Where connectors' values are kept. Rows of different accounts never meet: the account is the embedder's own id and no
/// text of the guest's is ever part of it.
///
/// Implementations must finish a write that was begun even if the future is dropped: a guest's deadline drops it.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// The value under a key, unless its time to live is over.
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// Live keys that begin with `prefix`, in byte order, behind `after`, at most `limit`.
    async fn list(
        &self,
        account: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError>;

    /// What the account has stored.
    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError>;

    /// Applies all writes, or none where a precondition does not hold.
    async fn commit(&self, account: &str, writes: StorageWrites) -> Result<(), StorageError>;
}
