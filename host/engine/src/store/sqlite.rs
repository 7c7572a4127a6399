//! The store in SQLite: each function of [`Store`] is one job of the writer thread.

use std::time::Duration;

use async_trait::async_trait;
use tradepost_runtime::storage::StorageWrites;

use super::streams::signed;
use super::{SqliteStorage, Store, StoreError, commands, events, failed, streams};
use crate::command::{AttemptEnd, Command, CommandClaim, CommandQuery, JournalEntry, NewCommand, Resolution};
use crate::event::{Event, EventFilter};
use crate::record::{RecordQuery, StoredRecord};
use crate::stream::{Committed, PageCommit, StreamClaim, StreamKey, StreamState};

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

    async fn claim_command(
        &self,
        accounts: &[(String, String)],
        only: Option<u64>,
        lease: Duration,
    ) -> Result<Option<CommandClaim>, StoreError> {
        let accounts = accounts.to_vec();
        self.writer.run(move |connection| commands::claim(connection, &accounts, only, lease)).await
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

    async fn resolve(&self, id: u64, resolution: Resolution) -> Result<Command, StoreError> {
        self.writer.run(move |connection| commands::resolve(connection, id, &resolution)).await
    }
}
