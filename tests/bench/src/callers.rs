//! Callers who call again as soon as they have their answer, and what became of their calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tradepost_engine::Engine;

use crate::two_versions;

/// Callers on the accounts of an engine. They call until they are stopped.
pub(crate) struct Callers {
    shared: Arc<Shared>,
    tasks: JoinSet<anyhow::Result<Calls>>,
}

struct Shared {
    engine: Engine,
    /// The part of the time in which calls begin now.
    part: AtomicUsize,
    stop: AtomicBool,
}

/// What became of calls.
#[derive(Default)]
pub(crate) struct Calls {
    /// The part of the time in which each began, and its seconds. Those of part 0 are not kept.
    pub(crate) times: Vec<(usize, f64)>,
    /// How many failed, by their errors.
    pub(crate) failed: BTreeMap<String, u32>,
    /// How many were answered by each of the two versions.
    pub(crate) answered: [u32; 2],
    /// How many were answered by another version than the one that they began on.
    pub(crate) mixed: u32,
}

impl Callers {
    /// So many callers, as many on each account.
    pub(crate) fn start(engine: &Engine, count: usize) -> Self {
        let accounts: Vec<String> = engine.accounts().iter().map(|account| account.id().to_owned()).collect();
        let shared =
            Arc::new(Shared { engine: engine.clone(), part: AtomicUsize::new(0), stop: AtomicBool::new(false) });
        let tasks = accounts.into_iter().cycle().take(count).map(|account| Arc::clone(&shared).call(account)).collect();
        Self { shared, tasks }
    }

    /// Another part of the time begins. The first is 0, in which callers only warm up.
    pub(crate) fn begin_part(&self, part: usize) {
        self.shared.part.store(part, Ordering::Relaxed);
    }

    /// Has each end with the call that it is at.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Calls> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut all = Calls::default();
        while let Some(caller) = self.tasks.join_next().await {
            all.add(caller??);
        }
        ensure!(all.count() > 0, "nobody called");
        Ok(all)
    }
}

impl Shared {
    async fn call(self: Arc<Self>, id: String) -> anyhow::Result<Calls> {
        let mut calls = Calls::default();
        while !self.stop.load(Ordering::Relaxed) {
            let part = self.part.load(Ordering::Relaxed);
            let account = self.engine.account(&id).context("the account is open")?;
            let version = two_versions::version_of(&account)?;
            let began = Instant::now();
            let answered_by = two_versions::call(&account).await;
            if part > 0 {
                calls.times.push((part, began.elapsed().as_secs_f64()));
            }
            match answered_by {
                Ok(by) if by == Some(version) => calls.answered[version] += 1,
                Ok(_) => calls.mixed += 1,
                Err(error) => *calls.failed.entry(error.to_string()).or_default() += 1,
            }
        }
        Ok(calls)
    }
}

impl Calls {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        for (error, count) in other.failed {
            *self.failed.entry(error).or_default() += count;
        }
        for (all, count) in self.answered.iter_mut().zip(other.answered) {
            *all += count;
        }
        self.mixed += other.mixed;
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u32 {
        self.answered.iter().sum::<u32>() + self.mixed + self.failures()
    }

    /// How many failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failed.values().sum()
    }

    /// The error that most of those that failed had.
    pub(crate) fn usual_failure(&self) -> Option<&str> {
        self.failed.iter().max_by_key(|(_, count)| **count).map(|(error, _)| error.as_str())
    }
}
