//! Faults that are built in on purpose, to see whether the harness sees them: stores that pass everything on to a sound one but for one
//! mistake, each of which somebody could make.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use tradepost_engine::account::StoredAccount;
use tradepost_engine::command::{
    AttemptEnd, ClaimScope, Command, CommandClaim, CommandCounts, CommandQuery, JournalEntry, NewCommand, Resolution,
};
use tradepost_engine::delivery::{Delivery, DeliveryCommit, DeliveryCounts, NewDelivery};
use tradepost_engine::event::{Event, EventFilter};
use tradepost_engine::reading::Reading;
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_engine::standing::{AccountState, Standing};
use tradepost_engine::store::{Store, StoreError};
use tradepost_engine::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey, StreamState};
use tradepost_engine::vault::{Place, Reseal, Sealed};
use tradepost_engine::versions::{NewVersionNote, ShadowPage, ShadowReport, VersionNote, VersionStore};
use tradepost_runtime::contract::WebhookAnswer;
use tradepost_runtime::storage::{Storage, StorageError, StorageUsage, StorageWrites};

/// The failpoint between the two commits of [`Mutant::CursorBeforeEvents`].
pub(crate) const BETWEEN_COMMITS: &str = "mutant.cursor-committed";

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutant {
    /// None: the store as it is.
    None,
    /// A page's cursor is committed first and its records after it.
    CursorBeforeEvents,
    /// A request is entered in the journal when it is answered, not before it is sent.
    AttemptAfterSending,
    /// Work that somebody else has taken over is committed all the same.
    NoFence,
    /// A command that runs again does not look at what it has sent.
    JournalIgnored,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::None, Self::CursorBeforeEvents, Self::AttemptAfterSending, Self::NoFence, Self::JournalIgnored];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::CursorBeforeEvents => "cursor-before-events",
            Self::AttemptAfterSending => "attempt-after-sending",
            Self::NoFence => "no-fence",
            Self::JournalIgnored => "journal-ignored",
        }
    }

    /// What is wrong with it.
    pub fn what(self) -> &'static str {
        match self {
            Self::None => "the sound store in the mutants' scenarios",
            Self::CursorBeforeEvents => "a page's cursor committed before its records",
            Self::AttemptAfterSending => "a request journaled after it was sent",
            Self::NoFence => "commits of a process that was overtaken",
            Self::JournalIgnored => "a journal that nobody reads",
        }
    }
}

/// A store with a fault in front of a sound one.
pub(crate) struct Mutated {
    behind: Arc<dyn Store>,
    mutant: Mutant,
}

impl Mutated {
    pub(crate) fn new(behind: Arc<dyn Store>, mutant: Mutant) -> Self {
        Self { behind, mutant }
    }
}

/// Implements a trait by passing its functions on to the store behind, but for those that are written out.
macro_rules! passes_on {
    (impl $contract:ident { $($own:item)* } $(fn $name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl $contract for Mutated {
            $($own)*
            $(async fn $name(&self, $($argument: $kind),*) -> $result {
                self.behind.$name($($argument),*).await
            })*
        }
    };
}

passes_on! {
    impl Storage {}
    fn get(account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError>;
    fn list(account: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, StorageError>;
    fn usage(account: &str) -> Result<StorageUsage, StorageError>;
    fn commit(account: &str, writes: StorageWrites) -> Result<(), StorageError>;
}

passes_on! {
    impl Store {
        async fn commit_page(
            &self,
            claim: &StreamClaim,
            mut page: PageCommit,
            lease: Duration,
        ) -> Result<(Committed, StreamClaim), StoreError> {
            match self.mutant {
                Mutant::CursorBeforeEvents => {
                    let items = std::mem::take(&mut page.items);
                    let second = PageCommit { items, cursor: page.cursor.clone(), ..PageCommit::default() };
                    let (_, claim) = self.behind.commit_page(claim, page, lease).await?;
                    fail::fail_point!(BETWEEN_COMMITS);
                    self.behind.commit_page(&claim, second, lease).await
                }
                Mutant::NoFence => match self.behind.commit_page(claim, page.clone(), lease).await {
                    Err(StoreError::Fenced(who)) => match self.behind.claim_stream(&claim.key, lease).await? {
                        Some(anew) => self.behind.commit_page(&anew, page, lease).await,
                        None => Err(StoreError::Fenced(who)),
                    },
                    other => other,
                },
                _ => self.behind.commit_page(claim, page, lease).await,
            }
        }

        async fn enter_requests(&self, claim: &CommandClaim, entries: Vec<JournalEntry>) -> Result<(), StoreError> {
            match self.mutant {
                Mutant::AttemptAfterSending if entries.iter().any(|entry| entry.answer.is_none()) => Ok(()),
                Mutant::NoFence => match self.behind.enter_requests(claim, entries).await {
                    Err(StoreError::Fenced(_)) => Ok(()),
                    other => other,
                },
                _ => self.behind.enter_requests(claim, entries).await,
            }
        }

        async fn claim_command(&self, scope: &ClaimScope, lease: Duration) -> Result<Option<CommandClaim>, StoreError> {
            let mut claim = self.behind.claim_command(scope, lease).await?;
            if let Some(claim) = claim.as_mut().filter(|_| self.mutant == Mutant::JournalIgnored) {
                claim.journal.clear();
            }
            Ok(claim)
        }
    }
    fn claim_stream(key: &StreamKey, lease: Duration) -> Result<Option<StreamClaim>, StoreError>;
    fn release_stream(claim: &StreamClaim, due_in: Duration, failure: Option<String>) -> Result<(), StoreError>;
    fn add_streams(keys: Vec<StreamKey>) -> Result<(), StoreError>;
    fn due_streams(limit: usize, skip: usize) -> Result<Vec<StreamKey>, StoreError>;
    fn streams() -> Result<Vec<StreamState>, StoreError>;
    fn events(after: u64, limit: usize, filter: &EventFilter) -> Result<Vec<Event>, StoreError>;
    fn last_position() -> Result<u64, StoreError>;
    fn records(query: &RecordQuery) -> Result<Vec<StoredRecord>, StoreError>;
    fn enqueue(command: NewCommand) -> Result<Command, StoreError>;
    fn forget_request(claim: &CommandClaim, index: u32) -> Result<(), StoreError>;
    fn end_attempt(claim: &CommandClaim, end: AttemptEnd, writes: StorageWrites) -> Result<Command, StoreError>;
    fn end_leases() -> Result<(), StoreError>;
    fn command(id: u64) -> Result<Option<Command>, StoreError>;
    fn requests_of(id: u64) -> Result<Vec<JournalEntry>, StoreError>;
    fn commands(query: &CommandQuery) -> Result<Vec<Command>, StoreError>;
    fn command_counts() -> Result<CommandCounts, StoreError>;
    fn resolve(id: u64, resolution: Resolution) -> Result<Command, StoreError>;
    fn keep_delivery(delivery: NewDelivery) -> Result<Delivery, StoreError>;
    fn commit_delivery(id: u64, commit: DeliveryCommit) -> Result<Option<(WebhookAnswer, Committed)>, StoreError>;
    fn refuse_delivery(id: u64) -> Result<(), StoreError>;
    fn fail_delivery(id: u64, failure: String, answer: Option<WebhookAnswer>) -> Result<(), StoreError>;
    fn unread_deliveries(limit: usize) -> Result<Vec<Delivery>, StoreError>;
    fn delivery_counts() -> Result<DeliveryCounts, StoreError>;
    fn ask_reading(account: &str, kind: &str, id: &str) -> Result<(), StoreError>;
    fn due_readings(limit: usize, skip: usize) -> Result<Vec<Reading>, StoreError>;
    fn commit_reading(
        reading: &Reading,
        item: Option<Item>,
        again_in: Option<Duration>,
        writes: StorageWrites
    ) -> Result<Committed, StoreError>;
    fn put_off_reading(reading: &Reading, wait: Duration) -> Result<(), StoreError>;
    fn standings(account: Option<&str>) -> Result<Vec<Standing>, StoreError>;
    fn bind_identity(account: &str, identity: &str) -> Result<String, StoreError>;
    fn set_standing(
        account: &str,
        state: AccountState,
        reason: Option<String>,
        digest: Option<String>
    ) -> Result<bool, StoreError>;
    fn keep_account(account: StoredAccount) -> Result<(), StoreError>;
    fn accounts() -> Result<Vec<StoredAccount>, StoreError>;
    fn account(id: &str) -> Result<Option<StoredAccount>, StoreError>;
    fn remove_account(id: &str) -> Result<bool, StoreError>;
    fn set_secrets(id: &str, secrets: BTreeMap<String, Sealed>) -> Result<(), StoreError>;
    fn remove_secret(id: &str, name: &str) -> Result<bool, StoreError>;
    fn keep_token(account: &str, sealed: Sealed) -> Result<(), StoreError>;
    fn token(account: &str) -> Result<Option<Sealed>, StoreError>;
    fn remove_token(account: &str) -> Result<bool, StoreError>;
    fn sealed_values(limit: usize) -> Result<Vec<(Place, Sealed)>, StoreError>;
    fn reseal(values: Vec<Reseal>) -> Result<(), StoreError>;
}

passes_on! {
    impl VersionStore {}
    fn versions() -> Result<(u64, Option<String>), StoreError>;
    fn versions_generation() -> Result<u64, StoreError>;
    fn keep_versions(
        generation: u64,
        document: String,
        notes: Vec<NewVersionNote>
    ) -> Result<Option<u64>, StoreError>;
    fn version_notes(connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError>;
    fn begun_commands() -> Result<Vec<(String, String)>, StoreError>;
    fn keep_shadow_page(page: ShadowPage) -> Result<(), StoreError>;
    fn shadow_report(digest: &str) -> Result<ShadowReport, StoreError>;
}
