//! Thousands of swaps in one process, with calls going on: what is left of them in memory, open handles and threads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tradepost_engine::store::{Store, open};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::Connector;

use crate::callers::{Callers, Calls};
use crate::process::{mib, open_handles, resident_bytes, threads};
use crate::setup::{Canned, Delayed};
use crate::{Figure, normalise, setup, two_versions};

/// What the process may grow by, of the memory that it had.
const MOST_GROWTH: f64 = 0.05;
/// Who call, each again as soon as it has its answer.
const CALLERS: usize = 8;
/// How long the platform takes to answer: each swap finds calls under way.
const PLATFORM: Duration = Duration::from_millis(1);
/// The account.
const ACCOUNT: &str = "bench/wcfm";

pub(crate) fn measure(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let swaps = if quick { 500 } else { 10_000 };
    let directory = setup::directory()?;
    let executor = setup::threaded_executor()?;
    executor.block_on(async {
        let answer = Canned(normalise::page(two_versions::ORDERS).await?);
        let runtime = setup::scripted_runtime(Arc::new(Delayed { answer, after: PLATFORM }))?;
        let [first, second] = two_versions::build("tradepost-wcfm")?;
        let connectors = [runtime.load(first).await?, runtime.load(second).await?];
        let account = setup::scripted_wcfm_account(&runtime, &connectors[0], ACCOUNT)?;
        let store: Arc<dyn Store> = Arc::new(open(directory.path())?);
        let engine = Engine::new(store, [account], EngineOptions::default());

        // Pools and caches fill; what is measured is what comes after.
        swap(&engine, &connectors, swaps / 5).await?;
        let before = Held::now()?;
        let calls = swap(&engine, &connectors, swaps).await?;
        let after = Held::now()?;

        let count = calls.times.len();
        Ok(vec![
            Figure::value(
                "ten-thousand-swaps",
                mib(after.bytes) - mib(before.bytes),
                "MiB",
                format!(
                    "resident memory that {swaps} swaps between two loaded versions added, with {count} calls going on \
                     ({:.0} MiB before; the bar is {:.0} % of that)",
                    mib(before.bytes),
                    MOST_GROWTH * 100.0
                ),
            )
            .at_most(crate::rounded(mib(before.bytes) * MOST_GROWTH)),
            Figure::value(
                "ten-thousand-swaps-handles",
                difference(after.handles, before.handles)?,
                "handles",
                format!("open handles that they added ({} before)", before.handles),
            )
            .at_most(0.0),
            Figure::value(
                "ten-thousand-swaps-threads",
                difference(after.threads, before.threads)?,
                "threads",
                format!("threads that they added ({} before)", before.threads),
            )
            .at_most(0.0),
        ])
    })
}

/// Swaps the account's version again and again while callers call, and lets go of each that was replaced when its calls have ended.
async fn swap(engine: &Engine, connectors: &[Connector; 2], swaps: usize) -> anyhow::Result<Calls> {
    let callers = Callers::start(engine, CALLERS);
    for number in 1..=swaps {
        let account = engine.account(ACCOUNT).context("the account is open")?;
        let before = engine.replace(account.on(&connectors[number % 2])?).await?;
        before.drained().await;
    }
    let calls = callers.stop().await?;
    ensure!(
        calls.failures() == 0 && calls.mixed == 0,
        "{} calls failed ({:?}), and {} were answered by another version than they began on",
        calls.failures(),
        calls.usual_failure(),
        calls.mixed
    );
    ensure!(calls.answered.iter().all(|count| *count > 0), "not both versions answered: {:?}", calls.answered);
    Ok(calls)
}

/// What a process holds.
struct Held {
    bytes: u64,
    handles: u64,
    threads: u64,
}

impl Held {
    fn now() -> anyhow::Result<Self> {
        Ok(Self { bytes: resident_bytes()?, handles: open_handles()?, threads: threads()? })
    }
}

fn difference(after: u64, before: u64) -> anyhow::Result<f64> {
    Ok(f64::from(i32::try_from(after)? - i32::try_from(before)?))
}
