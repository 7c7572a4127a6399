//! Thousands of swaps in one process, with calls going on: what is left of them in memory, open handles and threads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tradepost_engine::store::{Store, open};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::{Connector, Runtime};

use crate::callers::Callers;
use crate::measure::median;
use crate::process::{self, mib, open_handles, resident_bytes};
use crate::setup::{Canned, Delayed};
use crate::{Figure, normalise, rounded, setup, two_versions};

/// What the process may grow by, of the memory that it had.
const MOST_GROWTH: f64 = 0.05;
/// Who call, each again as soon as it has its answer.
const CALLERS: usize = 8;
/// Who call before anything is measured.
const WARM_UP_CALLERS: usize = 64;
/// How long the platform takes to answer: each swap finds calls under way.
const PLATFORM: Duration = Duration::from_millis(1);
/// The account.
const ACCOUNT: &str = "bench/wcfm";

pub(crate) fn measure(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let swaps = if quick { 500 } else { 10_000 };
    let directory = setup::directory()?;
    // Compiled on threads that end here, and give back what they needed for it before anything is measured.
    let (runtime, connectors) = setup::threaded_executor()?.block_on(load())?;
    let store: Arc<dyn Store> = Arc::new(open(directory.path())?);
    let account = setup::scripted_wcfm_account(&runtime, &connectors[0], ACCOUNT)?;
    let engine = Engine::new(store, [account], EngineOptions::default());

    setup::threaded_executor()?.block_on(async {
        // More callers at once than are measured: the pool keeps the memory of instances for the next ones, up to a number of them that
        // few callers reach only after a long time.
        let many = Callers::start(&engine, WARM_UP_CALLERS);
        swap(&engine, &connectors, swaps / 5).await?;
        many.stop().await?;
        let callers = Callers::start(&engine, CALLERS);
        let (handles, threads) = (open_handles()?, process::threads()?);
        let resident = swap(&engine, &connectors, swaps).await?;
        let more_handles = difference(open_handles()?, handles)?;
        let more_threads = difference(process::threads()?, threads)?;
        let calls = callers.stop().await?;
        ensure!(
            calls.failures() == 0 && calls.mixed == 0,
            "{} calls failed ({:?}), and {} were answered by another version than they began on",
            calls.failures(),
            calls.usual_failure(),
            calls.mixed
        );
        ensure!(calls.answered.iter().all(|count| *count > 0), "not both versions answered: {:?}", calls.answered);

        let (first, last) = (resident.iter().take(swaps / 10), resident.iter().skip(swaps - swaps / 10));
        let (before, after) = (median(first.copied()), median(last.copied()));
        Ok(vec![
            Figure::value(
                "ten-thousand-swaps",
                after - before,
                "MiB",
                format!(
                    "resident memory that {swaps} swaps between two loaded versions added, with {} calls going on: median in the \
                     last tenth less that in the first ({before:.0} MiB; the bar is {:.0} % of that)",
                    calls.count(),
                    MOST_GROWTH * 100.0
                ),
            )
            .at_most(rounded(before * MOST_GROWTH)),
            Figure::value(
                "ten-thousand-swaps-handles",
                more_handles,
                "handles",
                format!("open handles that they added ({handles} before)"),
            )
            .at_most(0.0),
            Figure::value(
                "ten-thousand-swaps-threads",
                more_threads,
                "threads",
                format!("threads that they added ({threads} before)"),
            )
            .at_most(0.0),
        ])
    })
}

/// Both versions of a connector.
async fn load() -> anyhow::Result<(Runtime, [Connector; 2])> {
    let answer = Canned(normalise::page(two_versions::ORDERS).await?);
    let runtime = setup::scripted_runtime(Arc::new(Delayed { answer, after: PLATFORM }))?;
    let [first, second] = two_versions::build("tradepost-wcfm")?;
    let connectors = [runtime.load(first).await?, runtime.load(second).await?];
    Ok((runtime, connectors))
}

/// Swaps the account's version again and again, and lets go of each that was replaced when its calls have ended. Gives the MiB of resident
/// memory after each swap.
async fn swap(engine: &Engine, connectors: &[Connector; 2], swaps: usize) -> anyhow::Result<Vec<f64>> {
    let mut resident = Vec::with_capacity(swaps);
    for number in 1..=swaps {
        let account = engine.account(ACCOUNT).context("the account is open")?;
        let before = engine.replace(account.on(&connectors[number % 2])?).await?;
        before.drained().await;
        drop(before);
        resident.push(mib(resident_bytes()?));
    }
    Ok(resident)
}

fn difference(after: u64, before: u64) -> anyhow::Result<f64> {
    Ok(f64::from(i32::try_from(after)? - i32::try_from(before)?))
}
