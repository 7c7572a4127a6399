//! The store: what an engine needs of a database, and its implementation in one SQLite file with one writer thread.
//!
//! Database work never runs inside a future that a guest's deadline may drop. Callers hand a job to the writer thread and
//! wait for its answer; dropping the wait leaves the job untouched.

mod accounts;
mod backup;
mod commands;
mod deliveries;
mod events;
mod machine;
mod readings;
mod schema;
mod sqlite;
mod standings;
mod storage;
mod streams;
mod versions;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tradepost_runtime::contract::WebhookAnswer;
use tradepost_runtime::storage::{Storage, StorageError, StorageWrites};

pub use backup::{BackupError, BackupFacts, Restored, backup, restore};
pub use machine::check_machine;
pub use storage::SqliteStorage;

use crate::account::StoredAccount;
use crate::command::{
    AttemptEnd, ClaimScope, Command, CommandClaim, CommandCounts, CommandQuery, JournalEntry, NewCommand, Resolution,
};
use crate::delivery::{Delivery, DeliveryCommit, DeliveryCounts, NewDelivery};
use crate::event::{Event, EventFilter};
use crate::reading::Reading;
use crate::record::{RecordQuery, StoredRecord};
use crate::standing::{AccountState, Standing};
use crate::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey, StreamState};
use crate::vault::{Place, Reseal, Sealed};
use crate::versions::VersionStore;

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
    /// An account of this id is kept already.
    #[error("an account {0} is kept already")]
    AccountExists(String),
    /// No account of this id is kept.
    #[error("no account {0} is kept here")]
    NoAccount(String),
    /// What is sealed here is sealed with another key than the value that was to be kept. The key was changed, or another one is given.
    #[error(
        "{0} is sealed with another key than this; take the key that is in use, or run it again if the key was just changed"
    )]
    OtherKey(Place),
    /// Something was sealed or removed while everything was being sealed anew.
    #[error("secrets or tokens changed while their key was being changed; run it again while nothing else is at work")]
    SealedChanged,
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
pub trait Store: Storage + VersionStore {
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

    /// Makes the streams that there are not yet; they are due at once.
    async fn add_streams(&self, keys: Vec<StreamKey>) -> Result<(), StoreError>;

    /// Streams that are due, held by nobody, and of accounts that are active, longest due first, behind the first so many.
    async fn due_streams(&self, limit: usize, skip: usize) -> Result<Vec<StreamKey>, StoreError>;

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

    /// Takes the oldest command in this scope that is due, of an active account, and behind no other of its entity. A command of which
    /// another component than the account's has sent something is left alone.
    async fn claim_command(&self, scope: &ClaimScope, lease: Duration) -> Result<Option<CommandClaim>, StoreError>;

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

    /// How many commands there are in each state.
    async fn command_counts(&self) -> Result<CommandCounts, StoreError>;

    /// Ends the waiting of a parked command.
    async fn resolve(&self, id: u64, resolution: Resolution) -> Result<Command, StoreError>;

    /// Keeps a request that came in, before anybody reads it. The same delivery again, within ten minutes, is the first one, with its
    /// answer where it has one.
    async fn keep_delivery(&self, delivery: NewDelivery) -> Result<Delivery, StoreError>;

    /// Commits what a delivery told, and its answer. Where that was done before, nothing happens, and the answer is that of then. None where
    /// it is not kept any more: the one that was kept was not genuine.
    async fn commit_delivery(
        &self,
        id: u64,
        commit: DeliveryCommit,
    ) -> Result<Option<(WebhookAnswer, Committed)>, StoreError>;

    /// Forgets a delivery that is not genuine.
    async fn refuse_delivery(&self, id: u64) -> Result<(), StoreError>;

    /// Notes that a delivery could not be read: it stays to be read again, or is done with where there is an answer.
    async fn fail_delivery(&self, id: u64, failure: String, answer: Option<WebhookAnswer>) -> Result<(), StoreError>;

    /// Deliveries that were kept and not read, oldest first.
    async fn unread_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError>;

    /// How many deliveries there are.
    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError>;

    /// Asks for a record to be read anew by its id.
    async fn ask_reading(&self, account: &str, kind: &str, id: &str) -> Result<(), StoreError>;

    /// Readings that are due, of accounts that are active, longest due first, behind the first so many.
    async fn due_readings(&self, limit: usize, skip: usize) -> Result<Vec<Reading>, StoreError>;

    /// Commits what a reading brought (none: the source has no such record any more, and the next walk tells), and what the connector
    /// stored. The reading is done, or due again after a while, unless it was asked for again meanwhile.
    async fn commit_reading(
        &self,
        reading: &Reading,
        item: Option<Item>,
        again_in: Option<Duration>,
        writes: StorageWrites,
    ) -> Result<Committed, StoreError>;

    /// Puts a reading off that failed.
    async fn put_off_reading(&self, reading: &Reading, wait: Duration) -> Result<(), StoreError>;

    /// How the accounts stand that were ever held back; all or one.
    async fn standings(&self, account: Option<&str>) -> Result<Vec<Standing>, StoreError>;

    /// Binds an account to whom its credential belongs to at the platform, unless it is bound. Gives whom it is bound to. The binding ends
    /// when an account that is [`AccountState::Foreign`] is set active.
    async fn bind_identity(&self, account: &str, identity: &str) -> Result<String, StoreError>;

    /// Sets how an account stands, and why; `digest` is that of its component. Tells whether that is a change, and one event tells of it.
    async fn set_standing(
        &self,
        account: &str,
        state: AccountState,
        reason: Option<String>,
        digest: Option<String>,
    ) -> Result<bool, StoreError>;

    /// Keeps a new account with its secrets.
    async fn keep_account(&self, account: StoredAccount) -> Result<(), StoreError>;

    /// The accounts that are kept, by id.
    async fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError>;

    /// An account that is kept.
    async fn account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError>;

    /// Removes an account with its secrets and its token. Its streams, records, events and commands stay, and what its connector stored.
    /// Tells whether there was one.
    async fn remove_account(&self, id: &str) -> Result<bool, StoreError>;

    /// Sets secrets of an account that is kept; others stay as they are.
    async fn set_secrets(&self, id: &str, secrets: BTreeMap<String, Sealed>) -> Result<(), StoreError>;

    /// Removes one secret of an account. Tells whether there was one.
    async fn remove_secret(&self, id: &str, name: &str) -> Result<bool, StoreError>;

    /// Keeps the token of an account's login, in the place of the one before. The account need not be kept here.
    async fn keep_token(&self, account: &str, sealed: Sealed) -> Result<(), StoreError>;

    /// The token of an account's login.
    async fn token(&self, account: &str) -> Result<Option<Sealed>, StoreError>;

    /// Removes the token of an account's login. Tells whether there was one.
    async fn remove_token(&self, account: &str) -> Result<bool, StoreError>;

    /// Everything that is sealed, secrets and tokens, at most so many. All of it names the same key: a value under another key than the
    /// others is not kept ([`StoreError::OtherKey`]).
    async fn sealed_values(&self, limit: usize) -> Result<Vec<(Place, Sealed)>, StoreError>;

    /// Replaces everything that is sealed. Fails with [`StoreError::SealedChanged`] unless this is what is sealed, and all of it.
    async fn reseal(&self, values: Vec<Reseal>) -> Result<(), StoreError>;
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
    /// The disk is as good as full.
    #[error("{path}: {room} MiB are free on the disk, at least {least} are needed; make room")]
    NoRoom {
        /// The data directory.
        path: PathBuf,
        /// What is free, in MiB.
        room: u64,
        /// What is needed.
        least: u64,
    },
    /// The clock cannot be right.
    #[error(
        "this machine's clock shows {shows} s since 1970, which was before {newest} s, when the store was written last; set the clock"
    )]
    WrongClock {
        /// What it shows, in seconds since 1970.
        shows: u64,
        /// What it cannot be behind.
        newest: u64,
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
    SqliteStorage::open(&file_in(data_directory))
}

fn file_in(data_directory: &Path) -> PathBuf {
    data_directory.join("tradepost.db")
}

/// A store that is gone when it is dropped: for trials and tests.
pub fn in_memory() -> Result<SqliteStorage, OpenError> {
    SqliteStorage::in_memory()
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
