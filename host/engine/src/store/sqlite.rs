//! The store in SQLite: each function of [`Store`] is one job of the writer thread.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tradepost_runtime::contract::WebhookAnswer;
use tradepost_runtime::storage::StorageWrites;

use super::streams::signed;
use super::{
    SqliteStorage, Store, StoreError, accounts, commands, deliveries, events, failed, readings, standings, streams,
};
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

#[async_trait]
impl Store for SqliteStorage {
    async fn claim_stream(&self, key: &StreamKey, lease: Duration) -> Result<Option<StreamClaim>, StoreError> {
        let key = key.clone();
        self.writer.run(move |connection| streams::claim(connection, &key, lease)).await
    }

    async fn commit_page(
        &self,
        claim: &StreamClaim,
        page: PageCommit,
        lease: Duration,
    ) -> Result<(Committed, StreamClaim), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| streams::commit(connection, &claim, &page, lease)).await
    }

    async fn release_stream(
        &self,
        claim: &StreamClaim,
        due_in: Duration,
        failure: Option<String>,
    ) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| streams::release(connection, &claim, due_in, failure.as_deref())).await
    }

    async fn add_streams(&self, keys: Vec<StreamKey>) -> Result<(), StoreError> {
        self.writer.run(move |connection| streams::add(connection, &keys)).await
    }

    async fn due_streams(&self, limit: usize, skip: usize) -> Result<Vec<StreamKey>, StoreError> {
        self.writer.run(move |connection| streams::due(connection, limit, skip)).await
    }

    async fn streams(&self) -> Result<Vec<StreamState>, StoreError> {
        self.writer.run(|connection| streams::all(connection)).await
    }

    async fn events(&self, after: u64, limit: usize, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        let filter = filter.clone();
        self.writer.run(move |connection| events::after(connection, after, limit, &filter)).await
    }

    async fn last_position(&self) -> Result<u64, StoreError> {
        self.writer.run(|connection| events::last_position(connection)).await
    }

    async fn records(&self, query: &RecordQuery) -> Result<Vec<StoredRecord>, StoreError> {
        let query = query.clone();
        self.writer.run(move |connection| events::records(connection, &query)).await
    }

    async fn enqueue(&self, command: NewCommand) -> Result<Command, StoreError> {
        self.writer.run(move |connection| commands::enqueue(connection, &command)).await
    }

    async fn claim_command(&self, scope: &ClaimScope, lease: Duration) -> Result<Option<CommandClaim>, StoreError> {
        let scope = scope.clone();
        self.writer.run(move |connection| commands::claim(connection, &scope, lease)).await
    }

    async fn enter_requests(&self, claim: &CommandClaim, entries: Vec<JournalEntry>) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| commands::enter(connection, &claim, &entries)).await
    }

    async fn forget_request(&self, claim: &CommandClaim, index: u32) -> Result<(), StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| commands::forget(connection, &claim, index)).await
    }

    async fn end_attempt(
        &self,
        claim: &CommandClaim,
        end: AttemptEnd,
        writes: StorageWrites,
    ) -> Result<Command, StoreError> {
        let claim = claim.clone();
        self.writer.run(move |connection| commands::end(connection, &claim, &end, &writes)).await
    }

    async fn end_leases(&self) -> Result<(), StoreError> {
        self.writer
            .run(|connection| {
                let statements =
                    "UPDATE stream SET lease_until = 0; UPDATE command SET lease_until = 0 WHERE state = 'running';";
                connection.execute_batch(&format!("BEGIN IMMEDIATE; {statements} COMMIT")).map_err(failed)
            })
            .await
    }

    async fn command(&self, id: u64) -> Result<Option<Command>, StoreError> {
        self.writer.run(move |connection| commands::get(connection, id)).await
    }

    async fn requests_of(&self, id: u64) -> Result<Vec<JournalEntry>, StoreError> {
        self.writer.run(move |connection| commands::requests(connection, signed(id))).await
    }

    async fn commands(&self, query: &CommandQuery) -> Result<Vec<Command>, StoreError> {
        let query = query.clone();
        self.writer.run(move |connection| commands::list(connection, &query)).await
    }

    async fn command_counts(&self) -> Result<CommandCounts, StoreError> {
        self.writer.run(|connection| commands::counts(connection)).await
    }

    async fn resolve(&self, id: u64, resolution: Resolution) -> Result<Command, StoreError> {
        self.writer.run(move |connection| commands::resolve(connection, id, &resolution)).await
    }

    async fn keep_delivery(&self, delivery: NewDelivery) -> Result<Delivery, StoreError> {
        self.writer.run(move |connection| deliveries::keep(connection, &delivery)).await
    }

    async fn commit_delivery(
        &self,
        id: u64,
        commit: DeliveryCommit,
    ) -> Result<Option<(WebhookAnswer, Committed)>, StoreError> {
        self.writer.run(move |connection| deliveries::commit(connection, id, &commit)).await
    }

    async fn refuse_delivery(&self, id: u64) -> Result<(), StoreError> {
        self.writer.run(move |connection| deliveries::refuse(connection, id)).await
    }

    async fn fail_delivery(&self, id: u64, failure: String, answer: Option<WebhookAnswer>) -> Result<(), StoreError> {
        self.writer.run(move |connection| deliveries::fail(connection, id, &failure, answer.as_ref())).await
    }

    async fn unread_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.writer.run(move |connection| deliveries::unread(connection, limit)).await
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError> {
        self.writer.run(|connection| deliveries::counts(connection)).await
    }

    async fn ask_reading(&self, account: &str, kind: &str, id: &str) -> Result<(), StoreError> {
        let (account, kind, id) = (account.to_owned(), kind.to_owned(), id.to_owned());
        self.writer.run(move |connection| readings::ask_one(connection, &account, &kind, &id)).await
    }

    async fn due_readings(&self, limit: usize, skip: usize) -> Result<Vec<Reading>, StoreError> {
        self.writer.run(move |connection| readings::due(connection, limit, skip)).await
    }

    async fn commit_reading(
        &self,
        reading: &Reading,
        item: Option<Item>,
        again_in: Option<Duration>,
        writes: StorageWrites,
    ) -> Result<Committed, StoreError> {
        let reading = reading.clone();
        self.writer
            .run(move |connection| readings::commit(connection, &reading, item.as_ref(), again_in, &writes))
            .await
    }

    async fn put_off_reading(&self, reading: &Reading, wait: Duration) -> Result<(), StoreError> {
        let reading = reading.clone();
        self.writer.run(move |connection| readings::put_off(connection, &reading, wait)).await
    }

    async fn standings(&self, account: Option<&str>) -> Result<Vec<Standing>, StoreError> {
        let account = account.map(str::to_owned);
        self.writer.run(move |connection| standings::list(connection, account.as_deref())).await
    }

    async fn bind_identity(&self, account: &str, identity: &str) -> Result<String, StoreError> {
        let (account, identity) = (account.to_owned(), identity.to_owned());
        self.writer.run(move |connection| standings::bind(connection, &account, &identity)).await
    }

    async fn set_standing(
        &self,
        account: &str,
        state: AccountState,
        reason: Option<String>,
        digest: Option<String>,
    ) -> Result<bool, StoreError> {
        let account = account.to_owned();
        let set = move |connection: &mut rusqlite::Connection| {
            standings::set(connection, &account, state, reason.as_deref(), digest.as_deref())
        };
        self.writer.run(set).await
    }

    async fn keep_account(&self, account: StoredAccount) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::keep(connection, &account)).await
    }

    async fn accounts(&self) -> Result<Vec<StoredAccount>, StoreError> {
        self.writer.run(accounts::all).await
    }

    async fn account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError> {
        let id = id.to_owned();
        self.writer.run(move |connection| accounts::get(connection, &id)).await
    }

    async fn remove_account(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.writer.run(move |connection| accounts::remove(connection, &id)).await
    }

    async fn set_secrets(&self, id: &str, secrets: BTreeMap<String, Sealed>) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.writer.run(move |connection| accounts::set_secrets(connection, &id, &secrets)).await
    }

    async fn remove_secret(&self, id: &str, name: &str) -> Result<bool, StoreError> {
        let (id, name) = (id.to_owned(), name.to_owned());
        self.writer.run(move |connection| accounts::remove_secret(connection, &id, &name)).await
    }

    async fn keep_token(&self, account: &str, sealed: Sealed) -> Result<(), StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| accounts::keep_token(connection, &account, &sealed)).await
    }

    async fn token(&self, account: &str) -> Result<Option<Sealed>, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| accounts::token(connection, &account)).await
    }

    async fn remove_token(&self, account: &str) -> Result<bool, StoreError> {
        let account = account.to_owned();
        self.writer.run(move |connection| accounts::remove_token(connection, &account)).await
    }

    async fn sealed_values(&self, limit: usize) -> Result<Vec<(Place, Sealed)>, StoreError> {
        self.writer.run(move |connection| accounts::sealed_values(connection, limit)).await
    }

    async fn reseal(&self, values: Vec<Reseal>) -> Result<(), StoreError> {
        self.writer.run(move |connection| accounts::reseal(connection, &values)).await
    }
}
