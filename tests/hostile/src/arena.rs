//! The arena of one case: makes its stages, and watches what the five invariants speak of while the attack runs.
//!
//! * I1: the process lives, and nothing panicked.
//! * I2: the bystander's calls succeed. Its latency is shown and not judged: it depends on the neighbours.
//! * I3: memory, threads, tasks and open files come back. Judged loosely, and only where nothing else runs.
//! * I4: nothing that a failed call wrote is in storage.
//! * I5: no secret is in a log line, a stored value, a result, an error, or a request to somebody else.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::FutureExt as _;
use serde::Serialize;
use tempfile::TempDir;
use tradepost_runtime::{CodeCache, Connector, Limits, MemoryStorage, Runtime, RuntimeBuilder, Storage};

use crate::canary::clean;
use crate::case::{Case, Run};
use crate::core_module::TRACE_KEY;
use crate::listening::{Mark, heard_since, listen};
use crate::process::{Held, count_panics, last_panic};
use crate::server::{Ledger, Server};
use crate::stage::{ATTACKER, BYSTANDER, Stage};

/// How long a case may take before it counts as a hang.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long what a case held may take to be given back: Tokio keeps idle threads for ten seconds.
const SETTLING: Duration = Duration::from_secs(12);
/// Characters that are shown of why a case does not hold: it may quote a bomb.
const MOST_SHOWN: usize = 1_000;
/// What may be held more after a case than before it: allocators keep memory, and pools keep a thread or two.
const SPARE_RESIDENT_KIB: u64 = 256 << 10;
const SPARE_OTHERS: usize = 8;

/// How thoroughly cases are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As tests: repetitions are cut short, and cases share the process.
    Quick,
    /// As the reference has it, one case at a time.
    Full,
}

/// Where one case happens.
pub struct Arena {
    effort: Effort,
    compiled: OnceLock<TempDir>,
    record: Arc<Record>,
}

/// What was watched.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) served: Mutex<Vec<Duration>>,
    pub(crate) unserved: Mutex<Vec<String>>,
    storages: Mutex<Vec<Arc<MemoryStorage>>>,
    strangers: Mutex<Vec<Arc<Ledger>>>,
    leaks: Mutex<Vec<String>>,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Record {
    /// Notes where this text holds a secret.
    pub(crate) fn scan(&self, place: &str, bytes: &[u8]) {
        if let Err(leak) = clean(place, bytes) {
            locked(&self.leaks).push(leak.to_string());
        }
    }
}

impl Arena {
    /// How thoroughly to try.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// One number for tests, another for the command.
    pub fn scaled<T>(&self, quick: T, full: T) -> T {
        match self.effort {
            Effort::Quick => quick,
            Effort::Full => full,
        }
    }

    /// A stage with these limits that keeps compiled code: for cases that load the same component again and again.
    pub async fn stage_keeping_code(&self, limits: Limits) -> anyhow::Result<Stage> {
        self.stage_with(Runtime::builder().limits(limits).code_cache(self.code_cache()?)).await
    }

    /// Compiled code that all runtimes of this case may share.
    pub fn code_cache(&self) -> anyhow::Result<CodeCache> {
        if self.compiled.get().is_none() {
            // Another task may have been faster; then this one is removed again.
            let _ = self.compiled.set(tempfile::tempdir()?);
        }
        let directory = self.compiled.get().context("it was made")?;
        Ok(CodeCache::open(directory.path())?)
    }

    /// A stage with these limits.
    pub async fn stage(&self, limits: Limits) -> anyhow::Result<Stage> {
        self.stage_with(Runtime::builder().limits(limits)).await
    }

    /// A stage with a runtime of the case's own settings. The pool is kept small: cases may run side by side.
    pub async fn stage_with(&self, builder: RuntimeBuilder) -> anyhow::Result<Stage> {
        self.stage_of(builder, 16).await
    }

    /// The same with so many instances at a time.
    pub async fn stage_of(&self, builder: RuntimeBuilder, calls: u32) -> anyhow::Result<Stage> {
        let runtime = builder.concurrent_calls(calls).build().context("the runtime starts")?;
        let stage = Stage::of(runtime, Arc::clone(&self.record)).await?;
        locked(&self.record.storages).push(Arc::clone(&stage.storage));
        Ok(stage)
    }

    /// A stage with the evil connector.
    pub async fn evil(&self, limits: Limits) -> anyhow::Result<(Stage, Connector)> {
        let stage = self.stage(limits).await?;
        let evil = stage.load_evil().await?;
        Ok((stage, evil))
    }

    /// Looks for secrets in what an attack brought about by another way than [`Stage::during`].
    pub fn scan(&self, place: &str, bytes: &[u8]) {
        self.record.scan(place, bytes);
    }

    /// A server that nobody's secret is for.
    pub async fn stranger(&self) -> Server {
        let server = Server::start().await;
        locked(&self.record.strangers).push(server.ledger());
        server
    }
}

/// How one invariant came out.
#[derive(Clone, Debug, Serialize)]
pub struct Invariant {
    /// Whether it holds; none where it was not judged.
    pub holds: Option<bool>,
    /// In words.
    pub found: String,
}

/// How a case came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The host stood it.
    Holds,
    /// It did not.
    DoesNotHold,
    /// It was not tried.
    NotRun,
}

/// One row, filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The case's id.
    pub id: &'static str,
    /// Whether it has to hold.
    pub starred: bool,
    /// What is attacked.
    pub title: &'static str,
    /// What is expected.
    pub expected: &'static str,
    /// What was found.
    pub measured: String,
    /// How it came out.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub took_ms: u128,
    /// I1 to I5; empty where it was not run.
    pub invariants: Vec<Invariant>,
}

/// Runs one case on a runtime of its own with two worker threads, and judges it.
///
/// # Panics
/// If the machine gives no threads.
pub fn run(case: &Case, effort: Effort) -> Report {
    let report = |verdict, measured, took: Duration, invariants| Report {
        id: case.id,
        starred: case.starred,
        title: case.title,
        expected: case.expected,
        measured,
        verdict,
        took_ms: took.as_millis(),
        invariants,
    };
    let attack = match case.run {
        Run::Attack(attack) => attack,
        Run::NotRun(reason) => return report(Verdict::NotRun, reason.to_owned(), Duration::ZERO, Vec::new()),
    };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let tokio = tokio.expect("the machine gives two threads");
    tokio.block_on(async {
        let (mark, panics, held) = (listen(), count_panics(), Held::now());
        let record = Arc::new(Record::default());
        let arena = Arena { effort, compiled: OnceLock::new(), record: Arc::clone(&record) };
        let started = Instant::now();
        let tried = tokio::time::timeout(PATIENCE, AssertUnwindSafe(attack(&arena)).catch_unwind()).await;
        let took = started.elapsed();
        drop(arena);
        let (mut verdict, mut measured) = match tried {
            Ok(Ok(Ok(measured))) => (Verdict::Holds, measured),
            Ok(Ok(Err(error))) => (Verdict::DoesNotHold, format!("{error:#}").chars().take(MOST_SHOWN).collect()),
            Ok(Err(_)) => (Verdict::DoesNotHold, format!("panicked: {}", last_panic())),
            Err(_) => (Verdict::DoesNotHold, format!("no end after {PATIENCE:?}")),
        };
        let invariants = judge(&record, mark, panics, held, effort).await;
        for (invariant, number) in invariants.iter().zip(1..) {
            if invariant.holds == Some(false) {
                verdict = Verdict::DoesNotHold;
                measured.push_str(&format!("; I{number}: {}", invariant.found));
            }
        }
        report(verdict, measured, took, invariants)
    })
}

async fn judge(record: &Record, mark: Mark, panics: usize, before: Held, effort: Effort) -> Vec<Invariant> {
    let new_panics = count_panics() - panics;
    let alive = Invariant {
        holds: Some(new_panics == 0),
        found: if new_panics == 0 { "alive".into() } else { format!("{new_panics} panics: {}", last_panic()) },
    };
    vec![alive, bystander(record), given_back(before, effort).await, rows(record).await, secrets(record, mark).await]
}

fn bystander(record: &Record) -> Invariant {
    let (mut served, unserved) = (locked(&record.served).clone(), locked(&record.unserved).clone());
    if served.is_empty() && unserved.is_empty() {
        return Invariant { holds: None, found: "no stage".into() };
    }
    served.sort_unstable();
    let late = served.get(served.len() * 99 / 100).copied().unwrap_or_default();
    let first = unserved.first().map(|error| format!(" ({error})")).unwrap_or_default();
    let found = format!("{} calls, {} errors{first}, p99 {late:.0?}", served.len(), unserved.len());
    Invariant { holds: Some(unserved.is_empty()), found }
}

async fn given_back(before: Held, effort: Effort) -> Invariant {
    let judged = effort == Effort::Full;
    let excessive = |now: &Held| {
        now.resident_kib > before.resident_kib + SPARE_RESIDENT_KIB
            || now.threads > before.threads + SPARE_OTHERS as u64
            || now.files > before.files + SPARE_OTHERS
            || now.tasks > before.tasks + SPARE_OTHERS
    };
    let mut now = Held::now();
    let deadline = Instant::now() + SETTLING;
    while judged && excessive(&now) && Instant::now() < deadline {
        // Connections and threads end by themselves, a little later than what they served.
        tokio::time::sleep(Duration::from_millis(20)).await;
        now = Held::now();
    }
    let found = format!(
        "{} -> {} MiB, {} -> {} threads, {} -> {} tasks, {} -> {} files",
        before.resident_kib >> 10,
        now.resident_kib >> 10,
        before.threads,
        now.threads,
        before.tasks,
        now.tasks,
        before.files,
        now.files
    );
    Invariant { holds: judged.then(|| !excessive(&now)), found }
}

/// Whether a value is one that attacks write before they fail.
fn is_trace(value: &[u8]) -> bool {
    value == TRACE_KEY.as_bytes() || value.starts_with(b"written before")
}

async fn rows(record: &Record) -> Invariant {
    let storages = locked(&record.storages).clone();
    let (mut kept, mut traces) = (0, 0);
    for storage in &storages {
        kept += storage.usage(ATTACKER).await.map_or(0, |usage| usage.keys);
        let trace = storage.get(ATTACKER, TRACE_KEY).await.ok().flatten();
        traces += usize::from(trace.is_some_and(|value| is_trace(&value)));
    }
    if storages.is_empty() {
        return Invariant { holds: None, found: "no stage".into() };
    }
    Invariant { holds: Some(traces == 0), found: format!("{traces} rows of failed calls, {kept} committed") }
}

async fn secrets(record: &Record, mark: Mark) -> Invariant {
    let storages = locked(&record.storages).clone();
    for storage in &storages {
        for account in [ATTACKER, BYSTANDER] {
            let mut after: Option<String> = None;
            loop {
                let keys = storage.list(account, "", after.as_deref(), 1000).await.unwrap_or_default();
                let Some(last) = keys.last() else { break };
                after = Some(last.clone());
                for key in keys {
                    record.scan("a key in storage", key.as_bytes());
                    let value = storage.get(account, &key).await.ok().flatten().unwrap_or_default();
                    record.scan("a value in storage", &value);
                }
            }
        }
    }
    for stranger in locked(&record.strangers).iter() {
        for seen in stranger.seen() {
            record.scan("a request to somebody else", seen.text().as_bytes());
        }
    }
    let (heard, logged) = heard_since(mark);
    let leaks = [locked(&record.leaks).clone(), logged].concat();
    let found = match leaks.first() {
        None => format!("clean, {} KiB of log", heard >> 10),
        Some(leak) => format!("{} leaks, the first: {leak}", leaks.len()),
    };
    Invariant { holds: Some(leaks.is_empty()), found }
}
