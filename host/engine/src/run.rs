//! The daemon's loop: what is due is done, a few things at a time, until it is told to stop; then what is under way is finished.
//!
//! Nobody waits for ever behind somebody with more to do: what has been due longest goes first, an account has at most a share of what
//! runs at a time, and a long walk lets others go first after some pages.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tradepost_runtime::NamedCallError;
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::storage::StorageWrites;

use crate::engine::Engine;
use crate::failure::Remedy;
use crate::pull::{PAGES_A_TURN, PullError, Pulled};
use crate::reading::{self, Reading};
use crate::receive::{LEFT_AT_ONCE, LOOK_FOR_LEFT};
use crate::store::StoreError;
use crate::stream::{Item, StreamKey};

/// How many streams that are due are looked at together.
const DUE_AT_ONCE: usize = 128;

/// Something that a running engine has to tell.
#[derive(Debug)]
pub enum Happening {
    /// A walk has come to its end, or lets others go first.
    Pulled(Pulled),
    /// A walk broke off; it is tried again.
    PullFailed(StreamKey, PullError),
    /// An attempt at a command was made.
    CommandAttempted,
    /// The store failed; the engine goes on trying.
    StoreFailed(StoreError),
}

/// What is under way.
#[derive(Default)]
struct Work {
    pulls: JoinSet<(StreamKey, Result<Pulled, PullError>)>,
    walking: BTreeSet<StreamKey>,
    commands: JoinSet<Result<bool, StoreError>>,
    readings: JoinSet<(Reading, Result<(), StoreError>)>,
    being_read: BTreeSet<Reading>,
    deliveries: JoinSet<Result<(), StoreError>>,
    /// When deliveries that were left behind were looked for last.
    looked: Option<Instant>,
}

impl Engine {
    /// Keeps every stream and carries every command out until `stop` is ready, then finishes what is under way. `tell` hears what happens.
    pub async fn run(&self, stop: impl Future<Output = ()>, mut tell: impl FnMut(Happening)) {
        tokio::pin!(stop);
        let mut work = Work::default();
        let stopping = Arc::new(AtomicBool::new(false));
        let mut ready = self.prepare().await;
        let mut tick = tokio::time::interval(self.options().tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = tick.tick() => {
                    if ready.is_err() {
                        ready = self.prepare().await;
                    }
                    let begun = match ready.clone() {
                        Ok(()) => self.begin(&mut work, &stopping).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = begun {
                        tell(Happening::StoreFailed(error));
                    }
                }
                Some(pulled) = work.pulls.join_next() => told(pulled, &mut work.walking, &mut tell),
                Some(read) = work.readings.join_next() => match read {
                    Ok((reading, result)) => {
                        work.being_read.remove(&reading);
                        if let Err(error) = result {
                            tell(Happening::StoreFailed(error));
                        }
                    }
                    // One that panicked is nobody's any more.
                    Err(_) => work.being_read.clear(),
                },
                Some(read) = work.deliveries.join_next() => if let Ok(Err(error)) = read {
                    tell(Happening::StoreFailed(error));
                },
                Some(attempted) = work.commands.join_next() => match attempted {
                    Ok(Ok(true)) => {
                        tell(Happening::CommandAttempted);
                        let engine = self.clone();
                        work.commands.spawn(async move { engine.attempt_next().await });
                    }
                    Ok(Ok(false)) | Err(_) => {}
                    Ok(Err(error)) => tell(Happening::StoreFailed(error)),
                },
            }
        }
        // Walks end behind the page that they are at; another run goes on there.
        stopping.store(true, Ordering::Relaxed);
        while let Some(attempted) = work.commands.join_next().await {
            if let Ok(Ok(true)) = attempted {
                tell(Happening::CommandAttempted);
            }
        }
        while let Some(pulled) = work.pulls.join_next().await {
            told(pulled, &mut work.walking, &mut tell);
        }
        while work.readings.join_next().await.is_some() {}
        while work.deliveries.join_next().await.is_some() {}
    }

    /// What is done before anything else: streams that are new are known to the store, and accounts that were held back because of a
    /// version of their connector that is gone are set to work again.
    async fn prepare(&self) -> Result<(), StoreError> {
        self.store().add_streams(self.streams()).await?;
        for standing in self.store().standings(None).await? {
            if let Some(account) = self.account(&standing.account) {
                self.free_from_quarantine(account.id(), &account.connector().digest().to_string()).await?;
            }
        }
        Ok(())
    }

    /// Begins what is due, as far as there is room.
    async fn begin(&self, work: &mut Work, stopping: &Arc<AtomicBool>) -> Result<(), StoreError> {
        self.begin_pulls(work, stopping).await?;
        if work.commands.len() < self.options().commands_at_once {
            // One more looks whether there is work; each that finds some looks for more.
            let engine = self.clone();
            work.commands.spawn(async move { engine.attempt_next().await });
        }
        self.begin_readings(work).await?;
        if work.deliveries.is_empty() && work.looked.is_none_or(|looked| looked.elapsed() >= LOOK_FOR_LEFT) {
            work.looked = Some(Instant::now());
            let engine = self.clone();
            work.deliveries.spawn(async move { engine.read_left_deliveries(LEFT_AT_ONCE).await });
        }
        Ok(())
    }

    async fn begin_pulls(&self, work: &mut Work, stopping: &Arc<AtomicBool>) -> Result<(), StoreError> {
        let most = self.options().pulls_at_once;
        let share = (most / 4).max(1);
        let mut skip = 0;
        while work.pulls.len() < most {
            let due = self.store().due_streams(DUE_AT_ONCE, skip).await?;
            let is_last = due.len() < DUE_AT_ONCE;
            skip += due.len();
            for key in due {
                let of_account = work.walking.iter().filter(|walking| walking.account == key.account).count();
                // Streams of accounts that are not this engine's stay due.
                if work.pulls.len() >= most
                    || of_account >= share
                    || work.walking.contains(&key)
                    || !self.has_stream(&key)
                {
                    continue;
                }
                work.walking.insert(key.clone());
                let (engine, stopping) = (self.clone(), Arc::clone(stopping));
                work.pulls.spawn(async move {
                    let mut pages = 0;
                    let pulled = engine.pull_while(&key, |_| {
                        pages += 1;
                        pages < PAGES_A_TURN && !stopping.load(Ordering::Relaxed)
                    });
                    let pulled = pulled.await;
                    (key, pulled)
                });
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn begin_readings(&self, work: &mut Work) -> Result<(), StoreError> {
        let most = self.options().pulls_at_once;
        let share = (most / 4).max(1);
        let mut skip = 0;
        while work.readings.len() < most {
            let due = self.store().due_readings(DUE_AT_ONCE, skip).await?;
            let is_last = due.len() < DUE_AT_ONCE;
            skip += due.len();
            for reading in due {
                let of_account = work.being_read.iter().filter(|other| other.account == reading.account).count();
                let is_free = !work.being_read.iter().any(|other| same_record(other, &reading));
                // Readings of accounts that are not this engine's stay due.
                let is_ours = self.account(&reading.account).is_some();
                if work.readings.len() < most && of_account < share && is_free && is_ours {
                    work.being_read.insert(reading.clone());
                    let engine = self.clone();
                    work.readings.spawn(async move {
                        let result = engine.read(&reading).await;
                        (reading, result)
                    });
                }
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Reads one record by its id and keeps it.
    async fn read(&self, reading: &Reading) -> Result<(), StoreError> {
        let Some(account) = self.account(&reading.account) else { return Ok(()) };
        let Some((operation, arguments)) = reading::operation(&account, &reading.kind, &reading.id) else {
            return self.store().commit_reading(reading, None, None, StorageWrites::default()).await.map(drop);
        };
        let began = Instant::now();
        match account.call_by_name(operation, &arguments).await {
            Ok(reply) => {
                self.health().well(&account, began.elapsed());
                // What is not final yet is looked at again.
                let again_in = (!reading::is_final(&reading.kind, &reply.value)).then_some(self.options().every);
                let item = Item { id: reading.id.clone(), record: reply.value.to_string() };
                self.store().commit_reading(reading, Some(item), again_in, reply.writes).await?;
                self.wake();
                Ok(())
            }
            Err(NamedCallError::Call(error)) if matches!(error.kind(), Some(ErrorKind::NotFound)) => {
                self.store().commit_reading(reading, None, None, StorageWrites::default()).await.map(drop)
            }
            Err(NamedCallError::Call(error)) => {
                self.health().failed(&account, &error, began.elapsed()).await?;
                self.store().put_off_reading(reading, Remedy::of(&error).wait(reading.attempts + 1)).await
            }
            Err(NamedCallError::NoSuchOperation(_) | NamedCallError::Arguments { .. }) => {
                self.store().commit_reading(reading, None, None, StorageWrites::default()).await.map(drop)
            }
        }
    }
}

fn same_record(one: &Reading, other: &Reading) -> bool {
    (&one.account, &one.kind, &one.id) == (&other.account, &other.kind, &other.id)
}

fn told(
    pulled: Result<(StreamKey, Result<Pulled, PullError>), JoinError>,
    walking: &mut BTreeSet<StreamKey>,
    tell: &mut impl FnMut(Happening),
) {
    let Ok((key, result)) = pulled else {
        // A walk that panicked is nobody's any more; its lease runs out by itself.
        walking.clear();
        return;
    };
    walking.remove(&key);
    match result {
        Ok(pulled) => tell(Happening::Pulled(pulled)),
        // Another process walks it.
        Err(PullError::Busy(_)) => {}
        Err(error) => tell(Happening::PullFailed(key, error)),
    }
}
