//! A store that dies, as a process does: from one of its calls on nothing is answered any more, and whether that last call was carried out
//! is for the test to say. What was committed stays in the store behind it, for the next engine to find.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
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

/// When a store dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Before its call number so-and-so, from 0, is carried out.
    Before(usize),
    /// After that, and before anybody is told.
    After(usize),
}

/// A store that dies.
pub struct DyingStore {
    behind: Arc<dyn Store>,
    death: Option<Death>,
    calls: AtomicUsize,
}

impl DyingStore {
    /// Lives until `death`; for ever without one.
    pub fn new(behind: Arc<dyn Store>, death: Option<Death>) -> Self {
        Self { behind, death, calls: AtomicUsize::new(0) }
    }

    /// Calls so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Counts a call. Tells whether it may still be carried out, and whether it is the last.
    fn next(&self) -> Fate {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.death {
            Some(Death::Before(at)) if number >= at => Fate::Dead,
            Some(Death::After(at)) if number == at => Fate::Dies,
            Some(Death::After(at)) if number > at => Fate::Dead,
            _ => Fate::Lives,
        }
    }
}

enum Fate {
    Lives,
    Dies,
    Dead,
}

fn dead<T, E: From<StorageError>>() -> Result<T, E> {
    Err(StorageError::Unavailable("the process is dead".into()).into())
}

macro_rules! mortal {
    ($self:ident . $method:ident ( $($argument:expr),* )) => {
        match $self.next() {
            Fate::Lives => $self.behind.$method($($argument),*).await,
            Fate::Dies => {
                let _untold = $self.behind.$method($($argument),*).await;
                dead()
            }
            Fate::Dead => dead(),
        }
    };
}

#[async_trait]
impl Storage for DyingStore {
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        mortal!(self.get(account, key))
    }

    async fn list(
        &self,
        account: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        mortal!(self.list(account, prefix, after, limit))
    }

    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError> {
        mortal!(self.usage(account))
    }

    async fn commit(&self, account: &str, writes: StorageWrites) -> Result<(), StorageError> {
        mortal!(self.commit(account, writes))
    }
}

#[async_trait]
impl Store for DyingStore {
    async fn claim_stream(&self, key: &StreamKey, lease: Duration) -> Result<Option<StreamClaim>, StoreError> {
        mortal!(self.claim_stream(key, lease))
    }

    async fn commit_page(
        &self,
        claim: &StreamClaim,
        page: PageCommit,
        lease: Duration,
    ) -> Result<(Committed, StreamClaim), StoreError> {
        mortal!(self.commit_page(claim, page, lease))
    }

    async fn release_stream(
        &self,
        claim: &StreamClaim,
        due_in: Duration,
        failure: Option<String>,
    ) -> Result<(), StoreError> {
        mortal!(self.release_stream(claim, due_in, failure))
    }

    async fn add_streams(&self, keys: Vec<StreamKey>) -> Result<(), StoreError> {
        mortal!(self.add_streams(keys))
    }

    async fn due_streams(&self, limit: usize, skip: usize) -> Result<Vec<StreamKey>, StoreError> {
        mortal!(self.due_streams(limit, skip))
    }

    async fn streams(&self) -> Result<Vec<StreamState>, StoreError> {
        mortal!(self.streams())
    }

    async fn events(&self, after: u64, limit: usize, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        mortal!(self.events(after, limit, filter))
    }

    async fn last_position(&self) -> Result<u64, StoreError> {
        mortal!(self.last_position())
    }

    async fn records(&self, query: &RecordQuery) -> Result<Vec<StoredRecord>, StoreError> {
        mortal!(self.records(query))
    }

    async fn enqueue(&self, command: NewCommand) -> Result<Command, StoreError> {
        mortal!(self.enqueue(command))
    }

    async fn claim_command(&self, scope: &ClaimScope, lease: Duration) -> Result<Option<CommandClaim>, StoreError> {
        mortal!(self.claim_command(scope, lease))
    }

    async fn enter_requests(&self, claim: &CommandClaim, entries: Vec<JournalEntry>) -> Result<(), StoreError> {
        mortal!(self.enter_requests(claim, entries))
    }

    async fn forget_request(&self, claim: &CommandClaim, index: u32) -> Result<(), StoreError> {
        mortal!(self.forget_request(claim, index))
    }

    async fn end_attempt(
        &self,
        claim: &CommandClaim,
        end: AttemptEnd,
        writes: StorageWrites,
    ) -> Result<Command, StoreError> {
        mortal!(self.end_attempt(claim, end, writes))
    }

    async fn end_leases(&self) -> Result<(), StoreError> {
        mortal!(self.end_leases())
    }

    async fn command(&self, id: u64) -> Result<Option<Command>, StoreError> {
        mortal!(self.command(id))
    }

    async fn requests_of(&self, id: u64) -> Result<Vec<JournalEntry>, StoreError> {
        mortal!(self.requests_of(id))
    }

    async fn commands(&self, query: &CommandQuery) -> Result<Vec<Command>, StoreError> {
        mortal!(self.commands(query))
    }

    async fn command_counts(&self) -> Result<CommandCounts, StoreError> {
        mortal!(self.command_counts())
    }

    async fn resolve(&self, id: u64, resolution: Resolution) -> Result<Command, StoreError> {
        mortal!(self.resolve(id, resolution))
    }

    async fn keep_delivery(&self, delivery: NewDelivery) -> Result<Delivery, StoreError> {
        mortal!(self.keep_delivery(delivery))
    }

    async fn commit_delivery(
        &self,
        id: u64,
        commit: DeliveryCommit,
    ) -> Result<Option<(WebhookAnswer, Committed)>, StoreError> {
        mortal!(self.commit_delivery(id, commit))
    }

    async fn refuse_delivery(&self, id: u64) -> Result<(), StoreError> {
        mortal!(self.refuse_delivery(id))
    }

    async fn fail_delivery(&self, id: u64, failure: String, answer: Option<WebhookAnswer>) -> Result<(), StoreError> {
        mortal!(self.fail_delivery(id, failure, answer))
    }

    async fn unread_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        mortal!(self.unread_deliveries(limit))
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError> {
        mortal!(self.delivery_counts())
    }

    async fn ask_reading(&self, account: &str, kind: &str, id: &str) -> Result<(), StoreError> {
        mortal!(self.ask_reading(account, kind, id))
    }

    async fn due_readings(&self, limit: usize, skip: usize) -> Result<Vec<Reading>, StoreError> {
        mortal!(self.due_readings(limit, skip))
    }

    async fn commit_reading(
        &self,
        reading: &Reading,
        item: Option<Item>,
        again_in: Option<Duration>,
        writes: StorageWrites,
    ) -> Result<Committed, StoreError> {
        mortal!(self.commit_reading(reading, item, again_in, writes))
    }

    async fn put_off_reading(&self, reading: &Reading, wait: Duration) -> Result<(), StoreError> {
        mortal!(self.put_off_reading(reading, wait))
    }

    async fn standings(&self, account: Option<&str>) -> Result<Vec<Standing>, StoreError> {
        mortal!(self.standings(account))
    }

    async fn bind_identity(&self, account: &str, identity: &str) -> Result<String, StoreError> {
        mortal!(self.bind_identity(account, identity))
    }

    async fn set_standing(
        &self,
        account: &str,
        state: AccountState,
        reason: Option<String>,
        digest: Option<String>,
    ) -> Result<bool, StoreError> {
        mortal!(self.set_standing(account, state, reason, digest))
    }

    async fn keep_account(&self, account: StoredAccount) -> Result<(), StoreError> {
        mortal!(self.keep_account(account))
    }

    async fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        mortal!(self.accounts())
    }

    async fn account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError> {
        mortal!(self.account(id))
    }

    async fn remove_account(&self, id: &str) -> Result<bool, StoreError> {
        mortal!(self.remove_account(id))
    }

    async fn set_secrets(&self, id: &str, secrets: BTreeMap<String, Sealed>) -> Result<(), StoreError> {
        mortal!(self.set_secrets(id, secrets))
    }

    async fn remove_secret(&self, id: &str, name: &str) -> Result<bool, StoreError> {
        mortal!(self.remove_secret(id, name))
    }

    async fn keep_token(&self, account: &str, sealed: Sealed) -> Result<(), StoreError> {
        mortal!(self.keep_token(account, sealed))
    }

    async fn token(&self, account: &str) -> Result<Option<Sealed>, StoreError> {
        mortal!(self.token(account))
    }

    async fn remove_token(&self, account: &str) -> Result<bool, StoreError> {
        mortal!(self.remove_token(account))
    }

    async fn sealed_values(&self, limit: usize) -> Result<Vec<(Place, Sealed)>, StoreError> {
        mortal!(self.sealed_values(limit))
    }

    async fn reseal(&self, values: Vec<Reseal>) -> Result<(), StoreError> {
        mortal!(self.reseal(values))
    }
}

#[async_trait]
impl VersionStore for DyingStore {
    async fn versions(&self) -> Result<(u64, Option<String>), StoreError> {
        mortal!(self.versions())
    }

    async fn versions_generation(&self) -> Result<u64, StoreError> {
        mortal!(self.versions_generation())
    }

    async fn keep_versions(
        &self,
        generation: u64,
        document: String,
        notes: Vec<NewVersionNote>,
    ) -> Result<Option<u64>, StoreError> {
        mortal!(self.keep_versions(generation, document, notes))
    }

    async fn version_notes(&self, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError> {
        mortal!(self.version_notes(connector, limit))
    }

    async fn begun_commands(&self) -> Result<Vec<(String, String)>, StoreError> {
        mortal!(self.begun_commands())
    }

    async fn keep_shadow_page(&self, page: ShadowPage) -> Result<(), StoreError> {
        mortal!(self.keep_shadow_page(page))
    }

    async fn shadow_report(&self, digest: &str) -> Result<ShadowReport, StoreError> {
        mortal!(self.shadow_report(digest))
    }
}
