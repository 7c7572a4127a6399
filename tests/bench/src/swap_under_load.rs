//! Swapping versions while callers call: what fails, what is answered by other code than it should be, and how much longer the slowest
//! calls take than under the same load without swaps.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep_until};
use tradepost_engine::versions::{Fleet, FleetNews, FleetOptions, Versions};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::Runtime;
use tradepost_runtime::egress::Source;

use crate::callers::{Callers, Calls};
use crate::installation::{self, Installation, Publisher, Release};
use crate::measure::{hundredth, median};
use crate::setup::{Canned, Delayed};
use crate::{Figure, normalise, setup, two_versions};

/// How many times the slowest calls without swaps the slowest with swaps may take.
const BAR: f64 = 2.0;
/// Who call, each again as soon as it has its answer.
const CALLERS: usize = 64;
/// Accounts on each connector. A swap moves all of them.
const ACCOUNTS: usize = 8;
/// The connectors, by crate.
const CONNECTORS: [&str; 2] = ["tradepost-wcfm", "tradepost-help-ka"];
/// Time between swaps: a hundred in a minute.
const PACE: Duration = Duration::from_millis(600);
/// How long the platform takes to answer: long enough that every swap finds calls under way.
const PLATFORM: Duration = Duration::from_millis(20);

pub(crate) fn measure(quick: bool) -> anyhow::Result<Vec<Figure>> {
    // So many times a while without swaps and one with so many.
    let (rounds, swaps): (u32, u32) = if quick { (5, 2) } else { (10, 10) };
    let executor = setup::threaded_executor()?;
    executor.block_on(async {
        let answer = Canned(normalise::page(two_versions::ORDERS).await?);
        let source: Arc<dyn Source> = Arc::new(Delayed { answer, after: PLATFORM });
        let mut stage = Stage::open(&source).await?;
        let callers = Callers::start(&stage.engine, CALLERS);
        // Part 0: pools fill, and every version is used once.
        for _ in 0..2 * CONNECTORS.len() {
            stage.swap().await?;
        }
        let mut has_swaps = Vec::new();
        for round in 0..rounds {
            // Whichever is second finds the machine as the first left it.
            for swapping in [round % 2 == 0, round % 2 != 0] {
                has_swaps.push(swapping);
                callers.begin_part(has_swaps.len());
                let began = Instant::now();
                for number in 1..=swaps {
                    if swapping {
                        stage.swap().await?;
                    }
                    sleep_until(began + PACE * number).await;
                }
            }
        }
        let calls = callers.stop().await?;
        stage.drained().await?;
        Ok(figures(&stage, &has_swaps, &calls))
    })
}

/// `has_swaps` says of each part of the time from 1 on whether there were swaps in it. Each pair of parts is one with and one without.
fn figures(stage: &Stage, has_swaps: &[bool], calls: &Calls) -> Vec<Figure> {
    let slowest = |part: usize| {
        let of_part = calls.times.iter().filter(|(at, _)| *at == part);
        hundredth(of_part.map(|(_, seconds)| *seconds), 99)
    };
    let pairs: Vec<(f64, f64)> = (1..has_swaps.len())
        .step_by(2)
        .map(|first| if has_swaps[first - 1] { (first, first + 1) } else { (first + 1, first) })
        .map(|(with, without)| (slowest(with), slowest(without)))
        .collect();
    let with_ms = median(pairs.iter().map(|(with, _)| with * 1e3));
    let without_ms = median(pairs.iter().map(|(_, without)| without * 1e3));
    let (count, swaps) = (calls.count(), stage.swaps);
    let failure = calls.usual_failure().map_or_else(String::new, |error| format!(", such as: {error}"));
    vec![
        Figure::ratio(
            "swap-under-load",
            median(pairs.iter().map(|(with, without)| with / without)),
            Some(BAR),
            format!(
                "99th percentile of the times of calls, {CALLERS} callers on {} accounts of two connectors, one of which is \
                 swapped every {} ms, against the same load without swaps ({with_ms:.1} ms against {without_ms:.1} ms here)",
                CONNECTORS.len() * ACCOUNTS,
                PACE.as_millis()
            ),
        ),
        Figure::value(
            "swap-under-load-failed",
            f64::from(calls.failures()),
            "calls",
            format!("of {count} calls those that failed, with {swaps} swaps while they ran{failure}"),
        )
        .at_most(0.0),
        Figure::value(
            "swap-under-load-stale",
            f64::from(calls.mixed + stage.stale),
            "calls",
            format!(
                "of the same, those that another version answered than the one they began on, and those right after one of the \
                 {swaps} swaps that the new version did not answer"
            ),
        )
        .at_most(0.0),
    ]
}

/// Two connectors, each installed in two versions, with accounts on them and callers.
struct Stage {
    _installation: Installation,
    versions: Versions,
    fleet: Fleet,
    engine: Engine,
    connectors: Vec<Swapped>,
    /// How many swaps there were while callers called.
    swaps: u32,
    /// After how many of them the first call was not answered by the new version.
    stale: u32,
}

/// One connector.
struct Swapped {
    releases: [Release; 2],
    /// Which of them is active.
    active: usize,
    accounts: Vec<String>,
}

impl Stage {
    async fn open(source: &Arc<dyn Source>) -> anyhow::Result<Self> {
        let installation = Installation::new()?;
        let runtime = installation.runtime(source, true)?;
        let versions = installation.versions(&runtime)?;
        let publisher = Publisher::new()?;
        let (mut connectors, mut opened, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for package in CONNECTORS {
            let swapped = Swapped::install(&installation, &runtime, &versions, &publisher, package).await?;
            let id = &swapped.releases[0].connector;
            for account in &swapped.accounts {
                let connector = versions.connector_for(account, id).await?;
                opened.push(setup::scripted_wcfm_account(&runtime, &connector, account)?);
                named.push((account.clone(), id.clone()));
            }
            connectors.push(swapped);
        }
        let engine = Engine::new(Arc::clone(installation.store()), opened, EngineOptions::default());
        let mut fleet = Fleet::new(engine.clone(), versions.clone(), named, FleetOptions::default());
        fleet.look(&mut |_| {}).await?;
        Ok(Self { _installation: installation, versions, fleet, engine, connectors, swaps: 0, stale: 0 })
    }

    /// Swaps the connector whose turn it is, and calls it.
    async fn swap(&mut self) -> anyhow::Result<()> {
        let turn = self.swaps as usize % self.connectors.len();
        let swapped = &mut self.connectors[turn];
        swapped.active = 1 - swapped.active;
        installation::activate(&self.versions, &swapped.releases[swapped.active]).await?;
        let mut told = Vec::new();
        self.fleet.look(&mut |news| told.push(news)).await?;
        let moved = told.iter().filter(|news| matches!(news, FleetNews::Moved { .. })).count();
        ensure!(moved == told.len() && moved == swapped.accounts.len(), "not every account was moved: {told:?}");
        self.swaps += 1;
        let account = self.engine.account(&swapped.accounts[0]).context("the account is open")?;
        if two_versions::call(&account).await? != Some(swapped.active) {
            self.stale += 1;
        }
        Ok(())
    }

    /// Waits until nothing is under way on versions that were replaced.
    async fn drained(&mut self) -> anyhow::Result<()> {
        let mut told = Vec::new();
        self.fleet.drained(|news| told.push(news)).await;
        ensure!(told.is_empty(), "calls on a version that was replaced were cut off: {told:?}");
        Ok(())
    }
}

impl Swapped {
    /// Installs both versions of a connector. The first is active.
    async fn install(
        installation: &Installation,
        runtime: &Runtime,
        versions: &Versions,
        publisher: &Publisher,
        package: &str,
    ) -> anyhow::Result<Self> {
        let [first, second] = two_versions::build(package)?;
        let releases = [publisher.release(runtime, first).await?, publisher.release(runtime, second).await?];
        for release in &releases {
            installation.trust(versions, release).await?;
            installation::install(versions, release).await?;
        }
        installation::activate(versions, &releases[0]).await?;
        let accounts = (0..ACCOUNTS).map(|number| format!("shop-{number}/{}", releases[0].connector)).collect();
        Ok(Self { releases, active: 0, accounts })
    }
}
