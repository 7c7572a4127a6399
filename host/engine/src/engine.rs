//! The engine: accounts and a store, and what is done with them.

use std::collections::{BTreeMap, btree_map};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::watch;
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, Capability, NamedCallError, WRITING_OPERATIONS};

use crate::command::{ClaimScope, Command, CommandQuery, CommandState, NewCommand};
use crate::event::{Event, EventFilter};
use crate::health::Health;
use crate::open_accounts::OpenAccounts;
use crate::pull::{PullError, Pulled, STREAMS, pull};
use crate::reading;
use crate::receive::Inbox;
use crate::record::RecordQuery;
use crate::standing::{AccountState, Standing};
use crate::store::{Store, StoreError};
use crate::stream::{Committed, StreamKey};
use crate::walks::Walks;
use crate::worker;

/// Events that are read from the store at a time.
const EVENTS_AT_ONCE: usize = 500;

/// How an engine works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How long after a complete walk a stream is walked again.
    pub every: Duration,
    /// How often a stream of changes is walked from its beginning, to find what the changes left out and what is gone.
    pub reconcile_every: Duration,
    /// How often the store is asked for work that is due.
    pub tick: Duration,
    /// Streams that are walked at the same time.
    pub pulls_at_once: usize,
    /// Commands that are carried out at the same time.
    pub commands_at_once: usize,
    /// How long a page or an attempt may take before another process may take its work over. Longer than any call.
    pub lease: Duration,
}

impl Default for EngineOptions {
    /// Every five minutes, from the beginning once a day; work is looked for every half second; eight walks and eight commands at a time; leases of
    /// two minutes.
    fn default() -> Self {
        Self {
            every: Duration::from_mins(5),
            reconcile_every: Duration::from_hours(24),
            tick: Duration::from_millis(500),
            pulls_at_once: 8,
            commands_at_once: 8,
            lease: Duration::from_mins(2),
        }
    }
}

/// What is to be done at a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Interface and function: `shipments.ship`.
    pub operation: String,
    /// The function's parameters by name in snake case, as the contract's JSON.
    pub arguments: Value,
    /// The caller's own key: a second command with the same key is the first one again, done or not.
    pub key: Option<String>,
}

/// Why a command was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such account here.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// The operation changes nothing, or does not exist.
    #[error("{0} is no command; commands are {all}", all = WRITING_OPERATIONS.join(", "))]
    NotACommand(String),
    /// The connector does not have it.
    #[error("{connector} does not offer {operation}")]
    NotOffered {
        /// The connector.
        connector: String,
        /// The operation.
        operation: String,
    },
    /// The arguments are not the operation's.
    #[error("{0}")]
    Arguments(String),
    /// It is to be done to a record that the platform does not have.
    #[error("the platform has nothing with the id {id:?} among its {kind}")]
    NoSuchRecord {
        /// The kind of record.
        kind: String,
        /// The id.
        id: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account was not put in the place of another.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// There is no such account here.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// The store failed. The account is in its place all the same.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Accounts whose streams are kept and whose commands are carried out, with the store that remembers it all. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    accounts: Arc<OpenAccounts>,
    options: EngineOptions,
    health: Arc<Health>,
    inbox: Arc<Inbox>,
    walks: Arc<Walks>,
    /// Commands of each account that are being carried out here.
    under_way: Arc<Mutex<BTreeMap<String, usize>>>,
    /// Moves when something was committed, so that readers of the feed wake up.
    committed: Arc<watch::Sender<u64>>,
}

impl Engine {
    /// An engine for these accounts.
    pub fn new(store: Arc<dyn Store>, accounts: impl IntoIterator<Item = Account>, options: EngineOptions) -> Self {
        Self {
            health: Arc::new(Health::new(Arc::clone(&store))),
            store,
            accounts: Arc::new(OpenAccounts::new(accounts)),
            options,
            inbox: Arc::default(),
            walks: Arc::default(),
            under_way: Arc::default(),
            committed: Arc::new(watch::Sender::new(0)),
        }
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The accounts, by id, each as calls begin on it now.
    pub fn accounts(&self) -> Vec<Account> {
        self.accounts.all()
    }

    /// The accounts that are open, and what is open beside them.
    pub(crate) fn open_accounts(&self) -> &OpenAccounts {
        &self.accounts
    }

    /// All streams of its accounts.
    pub fn streams(&self) -> Vec<StreamKey> {
        self.accounts().iter().flat_map(streams_of).collect()
    }

    /// The account of this id, as calls begin on it now.
    pub fn account(&self, id: &str) -> Option<Account> {
        self.accounts.get(id)
    }

    /// The account of this id on the component of this digest, where it is open on that: now, or before and for what was begun there.
    pub fn account_on(&self, id: &str, digest: &str) -> Option<Account> {
        self.accounts.on(id, digest)
    }

    /// Adds an account; where the engine runs, it is worked on from now on. False, and nothing is changed, where one with its id is open: see
    /// [`Engine::replace`].
    pub async fn add(&self, account: Account) -> Result<bool, StoreError> {
        let (id, streams) = (account.id().to_owned(), streams_of(&account));
        let digest = account.connector().digest().to_string();
        if !self.accounts.add(account) {
            return Ok(false);
        }
        self.store.add_streams(streams).await?;
        self.free_from_quarantine(&id, &digest).await?;
        self.wake();
        Ok(true)
    }

    /// Puts an account in the place of the one with its id, such as [the same one on another version](Account::on) of its connector. Calls
    /// that are under way end on the one before, which this gives; calls that begin from now on begin on this one. A command that has
    /// sent something goes on where it began. What was held back because of the connector works again. Fails where there is no account
    /// of this id.
    pub async fn replace(&self, account: Account) -> Result<Account, ReplaceError> {
        let (id, streams) = (account.id().to_owned(), streams_of(&account));
        let digest = account.connector().digest().to_string();
        let before = self.accounts.replace(account).ok_or_else(|| ReplaceError::NoAccount(id.clone()))?;
        self.health.begins_anew(&id);
        self.store.add_streams(streams).await?;
        self.free_from_quarantine(&id, &digest).await?;
        self.wake();
        Ok(before)
    }

    /// Sets an account to work again that was held back because of another version of its connector than this.
    pub(crate) async fn free_from_quarantine(&self, id: &str, digest: &str) -> Result<(), StoreError> {
        let standings = self.store.standings(Some(id)).await?;
        let is_freed = |standing: &Standing| {
            standing.state == AccountState::Quarantined && standing.digest.as_deref() != Some(digest)
        };
        if standings.iter().any(is_freed) {
            self.resume(id).await?;
        }
        Ok(())
    }

    /// What keeps senders of webhooks from taking more than their share.
    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Where its walks have been.
    pub(crate) fn walks(&self) -> &Walks {
        &self.walks
    }

    /// How its accounts do.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Whether it has this account and the account this stream.
    pub(crate) fn has_stream(&self, key: &StreamKey) -> bool {
        let has = |account: Account| {
            STREAMS.iter().any(|stream| stream.name() == key.kind && account.connector().has(*stream))
        };
        self.account(&key.account).is_some_and(has)
    }

    /// Walks a stream now, to the end of its walk. `seen` is told of each page that is kept.
    pub async fn pull(&self, key: &StreamKey, mut seen: impl FnMut(&Committed)) -> Result<Pulled, PullError> {
        self.pull_while(key, |committed| {
            seen(committed);
            true
        })
        .await
    }

    /// The same, until `go_on`, which is told of each page that is kept, says no.
    pub(crate) async fn pull_while(
        &self,
        key: &StreamKey,
        mut go_on: impl FnMut(&Committed) -> bool,
    ) -> Result<Pulled, PullError> {
        let account = self.account(&key.account).ok_or_else(|| PullError::NoAccount(key.account.clone()))?;
        let tell = |committed: &Committed| {
            self.wake();
            go_on(committed)
        };
        if !self.health.is_its_own(&account).await? {
            return Err(PullError::Foreign(key.account.clone()));
        }
        pull(self, key, account, tell).await
    }

    /// Records a command. It is carried out by [`Engine::run`], or at once by [`Engine::carry_out`].
    ///
    /// What cannot be done is refused before anything is recorded: an operation that the connector does not have, arguments that are not
    /// its own, an order or product that does not exist. For one that is not among the records, the platform is asked; where it cannot
    /// tell now, the command is recorded all the same.
    pub async fn enqueue(&self, account: &str, order: Order) -> Result<Command, CommandError> {
        let Order { operation, arguments, key } = order;
        let target = self.account(account).ok_or_else(|| CommandError::NoAccount(account.to_owned()))?;
        if !WRITING_OPERATIONS.contains(&operation.as_str()) {
            return Err(CommandError::NotACommand(operation));
        }
        let interface = operation.split('.').next().unwrap_or_default();
        let connector = target.connector();
        if connector.capabilities().all(|capability| capability.name() != interface) {
            return Err(CommandError::NotOffered { connector: connector.label().to_owned(), operation });
        }
        target.check_arguments(&operation, &arguments).map_err(|error| CommandError::Arguments(error.to_string()))?;
        let entity = entity(&operation, &arguments);
        if key.is_none() || !self.is_known(account, key.as_deref()).await? {
            self.must_exist(&target, &operation, &entity).await?;
        }
        let command = NewCommand { account: account.to_owned(), operation, arguments, entity, key };
        let recorded = self.store.enqueue(command).await?;
        self.wake();
        Ok(recorded)
    }

    /// Whether a command with this key was recorded.
    async fn is_known(&self, account: &str, key: Option<&str>) -> Result<bool, StoreError> {
        let query = CommandQuery {
            account: Some(account.to_owned()),
            key: key.map(str::to_owned),
            limit: 1,
            ..CommandQuery::default()
        };
        Ok(!self.store.commands(&query).await?.is_empty())
    }

    /// Refuses what is to be done to a record that does not exist.
    async fn must_exist(&self, account: &Account, operation: &str, entity: &str) -> Result<(), CommandError> {
        if !DONE_TO_A_RECORD.contains(&operation) {
            return Ok(());
        }
        let Some((kind, id)) = entity.split_once('/') else { return Ok(()) };
        let Some((operation, arguments)) = reading::operation(account, kind, id) else { return Ok(()) };
        let one = RecordQuery {
            account: Some(account.id().to_owned()),
            kind: Some(kind.to_owned()),
            id: Some(id.to_owned()),
            limit: 1,
            ..RecordQuery::default()
        };
        if !self.store.records(&one).await?.is_empty() {
            return Ok(());
        }
        match account.call_by_name(operation, &arguments).await {
            Err(NamedCallError::Call(error)) if matches!(error.kind(), Some(ErrorKind::NotFound)) => {
                Err(CommandError::NoSuchRecord { kind: kind.to_owned(), id: id.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Has an order followed that was handed to a producer: how it stands is read now and again until it is closed, and each change is an
    /// event of kind `fulfilment`. An order that a command handed over is followed by itself. Gives whether the connector can do that.
    pub async fn follow(&self, account: &str, id: &str) -> Result<bool, StoreError> {
        let can = self.account(account).is_some_and(|account| account.connector().has(Capability::Fulfilment));
        if can {
            self.store.ask_reading(account, reading::FULFILMENT, id).await?;
        }
        Ok(can)
    }

    /// Sets an account to work again that was held back: its credential is right now, its connector was looked at. Tells whether it was
    /// held back.
    pub async fn resume(&self, account: &str) -> Result<bool, StoreError> {
        self.store.set_standing(account, AccountState::Active, None, None).await
    }

    /// Holds an account back: its streams are not walked and its commands wait, until it is [resumed](Engine::resume). What is under way
    /// is finished. Tells whether that is a change.
    pub async fn pause(&self, account: &str, reason: impl Into<String>) -> Result<bool, StoreError> {
        self.store.set_standing(account, AccountState::Paused, Some(reason.into()), None).await
    }

    /// Makes one attempt at a command, if it is due and its turn. Gives it as it stands afterwards.
    pub async fn carry_out(&self, id: u64) -> Result<Command, StoreError> {
        self.attempt(Some(id), Vec::new()).await?;
        self.store.command(id).await?.ok_or(StoreError::NoCommand(id))
    }

    /// Waits until a command needs nobody any more: until it is done, refused or parked. Whatever carries it out may be another process.
    pub async fn settled(&self, id: u64) -> Result<Command, StoreError> {
        let mut committed = self.committed.subscribe();
        loop {
            committed.mark_unchanged();
            let command = self.store.command(id).await?.ok_or(StoreError::NoCommand(id))?;
            if Self::is_settled(&command) {
                return Ok(command);
            }
            // Commits of another process on the same store wake nobody here.
            let _woken = tokio::time::timeout(self.options.tick, committed.changed()).await;
        }
    }

    /// How it works.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Makes one attempt at the command that is due next, of an account that has not its share under way. Tells whether there was one.
    pub(crate) async fn attempt_next(&self) -> Result<bool, StoreError> {
        let share = (self.options.commands_at_once / 2).max(1);
        let busy = self.under_way().iter().filter(|(_, count)| **count >= share).map(|(id, _)| id.clone()).collect();
        self.attempt(None, busy).await
    }

    /// Makes one attempt at a command that is due. Tells whether there was one.
    async fn attempt(&self, only: Option<u64>, busy: Vec<String>) -> Result<bool, StoreError> {
        fail::fail_point!("command.about-to-be-claimed");
        let scope = ClaimScope { accounts: self.accounts.now(), before: self.accounts.before(), busy, only };
        let Some(claim) = self.store.claim_command(&scope, self.options.lease).await? else { return Ok(false) };
        let digest = claim.command.digest.as_deref().unwrap_or_default();
        let Some(account) = self.accounts.on(&claim.command.account, digest) else { return Ok(false) };
        *self.under_way().entry(account.id().to_owned()).or_default() += 1;
        let ended = worker::attempt(&self.store, &self.health, &account, claim).await;
        if let btree_map::Entry::Occupied(mut count) = self.under_way().entry(account.id().to_owned()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.wake();
        match ended {
            // Somebody else has it: what they find out counts.
            Ok(_) | Err(StoreError::Fenced(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events behind a position, for ever: waits for those to come. Dropping the stream ends it; another one may go on at any position.
    pub fn events(
        &self,
        after: u64,
        filter: EventFilter,
    ) -> impl Stream<Item = Result<Event, StoreError>> + Send + use<> {
        let state = (self.store.clone(), self.committed.subscribe(), filter, after, self.options.tick);
        let pages = stream::unfold(state, |(store, mut committed, filter, after, tick)| async move {
            loop {
                committed.mark_unchanged();
                match store.events(after, EVENTS_AT_ONCE, &filter).await {
                    Ok(events) if events.is_empty() => {
                        // Commits of another process on the same store wake nobody here.
                        let _woken = tokio::time::timeout(tick, committed.changed()).await;
                    }
                    Ok(events) => {
                        let last = events.last().map_or(after, |event| event.position);
                        let items: Vec<Result<Event, StoreError>> = events.into_iter().map(Ok).collect();
                        return Some((stream::iter(items), (store, committed, filter, last, tick)));
                    }
                    Err(error) => {
                        return Some((stream::iter(vec![Err(error)]), (store, committed, filter, after, tick)));
                    }
                }
            }
        });
        futures_util::StreamExt::flatten(pages)
    }

    pub(crate) fn wake(&self) {
        self.committed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether a command needs nobody any more.
    pub fn is_settled(command: &Command) -> bool {
        matches!(command.state, CommandState::Done | CommandState::Parked)
    }
}

fn streams_of(account: &Account) -> Vec<StreamKey> {
    let has = STREAMS.into_iter().filter(|stream| account.connector().has(*stream));
    has.map(|stream| StreamKey::new(account.id(), stream.name())).collect()
}

/// The operations that are done to a record that exists, named by the id in their entity.
const DONE_TO_A_RECORD: [&str; 7] = [
    "order-acceptance.acknowledge",
    "order-status.set",
    "shipments.ship",
    "order-notes.add",
    "fulfilment-updates.update",
    "product-writes.update",
    "product-writes.delete",
];

/// What a command is done to. Commands to the same thing are carried out in their order.
fn entity(operation: &str, arguments: &Value) -> String {
    let interface = operation.split('.').next().unwrap_or_default();
    let text = |pointer: &str| arguments.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    match operation {
        "order-acceptance.acknowledge" | "order-status.set" => format!("orders/{}", text("/id")),
        "shipments.ship" | "order-notes.add" => format!("orders/{}", text("/order_id")),
        "fulfilment.submit" => format!("fulfilment/reference/{}", text("/order/reference")),
        "fulfilment-updates.update" => format!("fulfilment/{}", text("/id")),
        "product-writes.create" => format!("products/new/{}{}", text("/fields/sku"), text("/fields/name")),
        "product-writes.update" | "product-writes.delete" => format!("products/{}", text("/id")),
        "gift-cards.issue" => format!("gift-cards/reference/{}", text("/reference")),
        // The code is as good as money: it stays where the arguments are.
        "gift-cards.void" => format!("gift-cards/void/{}", text("/reference")),
        // Levels are absolute: an older batch must not come after a newer one.
        _ => interface.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn commands_to_the_same_order_wait_for_each_other_whatever_they_do() {
        let order = entity("shipments.ship", &json!({"order_id": "7", "shipment": {}}));
        assert_eq!(order, entity("order-acceptance.acknowledge", &json!({"id": "7"})));
        assert_ne!(order, entity("shipments.ship", &json!({"order_id": "8", "shipment": {}})));
        assert_eq!(entity("stock-updates.set", &json!({"changes": []})), "stock-updates");
    }

    #[test]
    fn every_command_has_something_it_is_done_to() {
        for operation in WRITING_OPERATIONS {
            assert!(!entity(operation, &json!({})).is_empty(), "{operation}");
        }
    }
}
