//! The store: what an engine needs of a database, and its implementation in one SQLite file with one writer thread.
//!
//! Database work never runs inside a future that a guest's deadline may drop. Callers hand a job to the writer thread and
//! wait for its answer; dropping the wait leaves the job untouched.

mod commands;
mod events;
mod schema;
mod sqlite;
mod storage;
mod streams;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tradepost_runtime::storage::{Storage, StorageError, StorageWrites};

pub use storage::SqliteStorage;

use crate::command::{AttemptEnd, Command, CommandClaim, CommandQuery, JournalEntry, NewCommand, Resolution};
use crate::event::{Event, EventFilter};
use crate::record::{RecordQuery, StoredRecord};
use crate::stream::{Committed, PageCommit, StreamClaim, StreamKey, StreamState};

/// Why the store did not do what it was asked. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the lease by now.
    #[error("{0} was taken over by somebody else; what was to be committed is dropped")]
    Fenced(String),
    /// There is no such command.
    #[error("there is no command {0}")]
    NoCommand(u64),
    /// The command is not parked, so there is nothing to decide.
    #[error("command {id} is {state} and not parked")]
    NotParked {
        /// The command.
        id: u64,
        /// How far it has come.
        state: &'static str,
    },
    /// A connector's value changed under the call.
    #[error("key {key:?} was changed by another call; run the call again")]
    Conflict {
        /// The key.
        key: String,
    },
    /// The database failed.
    #[error("the store failed: {0}")]
    Unavailable(String),
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict { key } => Self::Conflict { key },
            StorageError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

/// Every durable fact of an engine. Each function is one transaction, and runs to its end even if the caller stops waiting.
#[async_trait]
pub trait Store: Storage {
    /// Takes a stream, unless somebody holds it. The stream is made where there is none.
    async fn claim_stream(&self, key: &StreamKey, lease: Duration) -> Result<Option<StreamClaim>, StoreError>;

    /// Commits a page under a claim, and prolongs its lease. Gives the claim to go on with.
    async fn commit_page(
        &self,
        claim: &StreamClaim,
        page: PageCommit,
        lease: Duration,
    ) -> Result<(Committed, StreamClaim), StoreError>;

    /// Gives a stream back, to be walked again after a while. A failure is kept for people to see, and counted.
    async fn release_stream(
        &self,
        claim: &StreamClaim,
        due_in: Duration,
        failure: Option<String>,
    ) -> Result<(), StoreError>;

    /// How all streams stand.
    async fn streams(&self) -> Result<Vec<StreamState>, StoreError>;

    /// Events behind a position, oldest first.
    async fn events(&self, after: u64, limit: usize, filter: &EventFilter) -> Result<Vec<Event>, StoreError>;

    /// The position of the newest event; 0 where there is none.
    async fn last_position(&self) -> Result<u64, StoreError>;

    /// Records as they are now.
    async fn records(&self, query: &RecordQuery) -> Result<Vec<StoredRecord>, StoreError>;

    /// Records a command; the one with the same key where there is one.
    async fn enqueue(&self, command: NewCommand) -> Result<Command, StoreError>;

    /// Takes the oldest command that is due at one of these accounts and behind no other of its entity; or this one. `digest` is that of
    /// the account's component: a command of which another one has sent something is left alone.
    async fn claim_command(
        &self,
        accounts: &[(String, String)],
        only: Option<u64>,
        lease: Duration,
    ) -> Result<Option<CommandClaim>, StoreError>;

    /// Enters requests into a command's journal: durable when this returns.
    async fn enter_requests(&self, claim: &CommandClaim, entries: Vec<JournalEntry>) -> Result<(), StoreError>;

    /// Takes a request out of a command's journal: nothing of it was sent.
    async fn forget_request(&self, claim: &CommandClaim, index: u32) -> Result<(), StoreError>;

    /// Ends an attempt, and commits what the connector stored.
    async fn end_attempt(
        &self,
        claim: &CommandClaim,
        end: AttemptEnd,
        writes: StorageWrites,
    ) -> Result<Command, StoreError>;

    /// Ends every lease: for a process that knows that it is the only one, because the ones before it are gone.
    async fn end_leases(&self) -> Result<(), StoreError>;

    /// One command.
    async fn command(&self, id: u64) -> Result<Option<Command>, StoreError>;

    /// What a command has sent and received, in order.
    async fn requests_of(&self, id: u64) -> Result<Vec<JournalEntry>, StoreError>;

    /// Commands.
    async fn commands(&self, query: &CommandQuery) -> Result<Vec<Command>, StoreError>;

    /// Ends the waiting of a parked command.
    async fn resolve(&self, id: u64, resolution: Resolution) -> Result<Command, StoreError>;
}

/// Why the store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or file cannot be used.
    #[error("{path}: {reason}; check that the data directory exists and can be written")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Not a database, or a damaged one.
    #[error("{path} is not a usable database: {reason}; restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Written by a newer Tradepost.
    #[error("{path} has schema {found}, this program knows {known}; use the newer Tradepost that wrote it")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The linked SQLite has a known defect.
    #[error("SQLite {found} loses committed data under load (fixed in 3.51.3); build with the bundled SQLite")]
    OldSqlite {
        /// Its version.
        found: String,
    },
}

/// Opens, and where needed creates, the database file in a data directory.
pub fn open(data_directory: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&data_directory.join("tradepost.db"))
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
