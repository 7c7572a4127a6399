//! Versions swapped again and again, under load and for long (SW-01, SW-08).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, interval_at};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::versions::{FleetNews, FleetOptions};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_platforms::HardToFind;
use tradepost_runtime::Runtime;
use tradepost_runtime::commerce::ListQuery;

use super::swap::version;
use crate::arena::{Arena, Effort, locked};
use crate::case::{Case, Outcome, attack, ensure_eq};
use crate::evil::{self, Findings};
use crate::installation::{account, look};
use crate::own_process;
use crate::stage::spacious;
use crate::{EvilAccount, Installation, Server, hardtofind};

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "SW-01",
        "64 callers while versions are swapped",
        "0 failed calls, nothing lost or doubled; each call sees exactly one digest; p99 at most twice that without swaps",
        attack!(under_load),
    ),
    Case::starred("SW-08", "10,000 swaps", "memory, mappings and files stay flat", attack!(thousands)),
];

/// Callers, and how many of them walk streams; the others make single calls.
const CALLERS: usize = 64;
const WALKERS: usize = ACCOUNTS;
/// Accounts of each connector.
const ACCOUNTS: usize = 8;
/// Orders that each account has.
const ORDERS: u64 = 20;
/// How many times longer 99 of 100 calls may take with swaps than without, and from where on the case fails: whatever else runs on the machine
/// is in both figures, and not in equal parts.
const BAR: f64 = 2.0;
const GENEROUS: f64 = 4.0;
/// How often each calls: 200 calls a second together.
const PACE: Duration = Duration::from_millis(320);
/// How long a swap may take to be seen by all accounts before the case is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the callers do and find.
struct Load {
    engine: Engine,
    evil: Vec<String>,
    shops: Vec<String>,
    took: Mutex<Vec<Duration>>,
    walks: Mutex<u32>,
    failed: Mutex<Vec<String>>,
}

impl Load {
    /// Calls again and again until `stop` is true.
    async fn call(self: Arc<Self>, caller: usize, mut stop: watch::Receiver<bool>) {
        // Spread over the pace, so that they do not all come at once.
        let first = tokio::time::Instant::now() + PACE * u32::try_from(caller).unwrap_or(0) / 64;
        let mut pace = interval_at(first, PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                _ = pace.tick() => {}
            }
            let begun = Instant::now();
            let outcome = match caller {
                walker if walker < WALKERS => self.walk(&self.shops[walker]).await,
                other if other % 2 == 0 => self.ask(&self.evil[other / 2 % ACCOUNTS]).await,
                other => self.list(&self.shops[other / 2 % ACCOUNTS]).await,
            };
            match outcome {
                Ok(()) if caller < WALKERS => *locked(&self.walks) += 1,
                Ok(()) => locked(&self.took).push(begun.elapsed()),
                Err(error) => locked(&self.failed).push(format!("{error:#}")),
            }
        }
    }

    /// A call with a request in its middle; the code says which version it is before and after that. Gives nothing, but fails unless it is
    /// the version of the digest that it was begun on.
    async fn ask(&self, id: &str) -> anyhow::Result<()> {
        let account = account(&self.engine, id)?;
        let reply = account.check().await?;
        let (findings, begun_on) = (Findings(reply.value.facts.clone()), &account.connector().manifest().version);
        for name in ["begun by", "ended by"] {
            ensure_eq!(findings.get(name), begun_on, "{id}: {name}");
        }
        reply.commit().await?;
        Ok(())
    }

    /// A page of orders; their currency says which version each was read by.
    async fn list(&self, id: &str) -> anyhow::Result<()> {
        let account = account(&self.engine, id)?;
        let reply = account.list_orders(&ListQuery::default(), None).await?;
        let is_old = account.connector().manifest().version == "0.1.0";
        let expected = if is_old { hardtofind::CURRENCY } else { hardtofind::OTHER_CURRENCY };
        ensure!(!reply.value.items.is_empty(), "{id}: no orders");
        for order in &reply.value.items {
            ensure_eq!(order.currency.as_deref(), Some(expected), "{id}: the currency of order {}", order.id);
        }
        reply.commit().await?;
        Ok(())
    }

    /// A walk through the orders, kept in the store.
    async fn walk(&self, id: &str) -> anyhow::Result<()> {
        let pulled = self.engine.pull(&StreamKey::new(id, "orders"), |_| {}).await?;
        ensure!(pulled.complete, "{id}: the walk did not come to its end");
        Ok(())
    }

    /// The accounts of a connector.
    fn accounts(&self, connector: &str) -> &[String] {
        if connector == hardtofind::ID { &self.shops } else { &self.evil }
    }

    /// The times of single calls since the last time that this was asked.
    fn times(&self) -> Times {
        let mut took = std::mem::take(&mut *locked(&self.took));
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        Times { calls: took.len(), half: at(50), late: at(99) }
    }
}

/// How long calls took.
#[derive(Debug)]
struct Times {
    calls: usize,
    half: Duration,
    late: Duration,
}

async fn under_load(arena: &Arena) -> Outcome {
    let (swaps, time) = arena.scaled((10, Duration::from_secs(4)), (100, Duration::from_secs(60)));
    let builder = Runtime::builder().limits(spacious()).code_cache(arena.code_cache()?).egress(hardtofind::unpaced()?);
    let stage = arena.stage_of(builder, 96).await?;
    let (server, platform) = (Server::start().await, HardToFind::builder().orders(ORDERS).start().await?);
    let components = [evil::component(), evil::as_version("0.2.0"), hardtofind::component(), hardtofind::next()];
    let installation = Installation::with(&stage.runtime, components).await?;
    let connectors = (installation.connector("evil").await?, installation.connector(hardtofind::ID).await?);
    let names = |connector: &str| (0..ACCOUNTS).map(|number| format!("tenant-{number}/{connector}")).collect();
    let (evils, shops): (Vec<String>, Vec<String>) = (names("evil"), names(hardtofind::ID));
    let mut accounts = Vec::new();
    for id in &evils {
        let account = EvilAccount::new("version").at(&server).with("url", "/ok").of(id);
        accounts.push(account.open(&stage, &connectors.0)?);
    }
    for id in &shops {
        accounts.push(hardtofind::account(&stage.runtime, &connectors.1, &platform, id)?);
    }
    let options = FleetOptions { every: Duration::from_millis(50), ..FleetOptions::default() };
    let (engine, mut fleet) = installation.fleet(accounts, EngineOptions::default(), options);
    look(&mut fleet).await?;
    let load = Arc::new(Load {
        engine,
        evil: evils,
        shops,
        took: Mutex::default(),
        walks: Mutex::default(),
        failed: Mutex::default(),
    });
    let (stop, stopped) = watch::channel(false);
    let (sender, mut news) = mpsc::unbounded_channel();
    let mut fleet_stopped = stopped.clone();
    let following = tokio::spawn(async move {
        let stop = async { drop(fleet_stopped.wait_for(|stop| *stop).await) };
        fleet.run(stop, |news| drop(sender.send(news))).await;
        fleet.drained(|_| {}).await;
    });
    let callers: Vec<_> =
        (0..CALLERS).map(|caller| tokio::spawn(Arc::clone(&load).call(caller, stopped.clone()))).collect();

    let measured = stage.during(async {
        // Warm, and then as long without swaps as with them.
        tokio::time::sleep(PACE * 3).await;
        load.times();
        tokio::time::sleep(time).await;
        let calm = load.times();
        let (mut pace, started) = (interval(time / swaps), Instant::now());
        let mut until_answered = Vec::new();
        for swap in 0..swaps {
            pace.tick().await;
            let connector = if swap % 2 == 0 { "evil" } else { hardtofind::ID };
            let next = if swap % 4 < 2 { "0.2.0" } else { "0.1.0" };
            let begun = Instant::now();
            installation.activate(connector, &version(next)).await?;
            let mut waiting: Vec<&String> = load.accounts(connector).iter().collect();
            while !waiting.is_empty() {
                let told = tokio::time::timeout(PATIENCE, news.recv()).await.context("no swap is seen")?;
                match told.context("the fleet works")? {
                    FleetNews::Moved { account, .. } => waiting.retain(|id| **id != account),
                    other => bail!("swap {swap}: {other:?}"),
                }
            }
            for (number, id) in load.accounts(connector).iter().enumerate() {
                // The next call on each account is the new version's, by its own word.
                if connector == "evil" {
                    load.ask(id).await?;
                } else {
                    load.list(id).await?;
                }
                ensure_eq!(account(&load.engine, id)?.connector().manifest().version, next, "swap {swap}: {id}");
                if number == 0 {
                    until_answered.push(begun.elapsed());
                }
            }
        }
        let swapped = (load.times(), started.elapsed());
        anyhow::Ok((calm, swapped, until_answered))
    });
    let (calm, (swapped, swapping), mut until_answered) = measured.await.result?;
    stop.send_replace(true);
    for caller in callers {
        caller.await?;
    }
    following.await?;
    // A last walk of each account, by the version that it is on now.
    for id in &load.shops {
        load.walk(id).await?;
    }
    let failed = locked(&load.failed).clone();
    ensure!(failed.is_empty(), "{} calls failed, the first: {}", failed.len(), failed[0]);
    nothing_lost(&load, &installation).await?;
    let walks = *locked(&load.walks);
    until_answered.sort_unstable();
    let times = swapped.late.as_secs_f64() / calm.late.as_secs_f64();
    let text = format!(
        "{swaps} swaps in {swapping:.0?}: 0 of {} calls and {walks} walks failed, one version each; p50 {:.1?} p99 {:.1?}, without swaps {:.1?} and {:.1?} ({} calls): p99 x {times:.1}, the bar is {BAR}; from activating to an answer of the new code {:.0?}, at most {:.0?}",
        swapped.calls,
        swapped.half,
        swapped.late,
        calm.half,
        calm.late,
        calm.calls,
        until_answered[until_answered.len() / 2],
        until_answered[until_answered.len() - 1],
    );
    ensure!(times <= GENEROUS || arena.effort() == Effort::Quick, "{text}");
    Ok(text)
}

/// Each order of each account was told of once as new.
async fn nothing_lost(load: &Load, installation: &Installation) -> anyhow::Result<()> {
    let filter = EventFilter { account: None, kind: Some("orders".into()) };
    let events = installation.store.events(0, usize::MAX, &filter).await?;
    let mut created: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for event in &events {
        match event.change {
            Change::Created => *created.entry((&event.account, &event.id)).or_default() += 1,
            // The other version's currency.
            Change::Updated => {}
            Change::Deleted => bail!("{} of {} is told of as gone", event.id, event.account),
        }
    }
    ensure!(created.values().all(|times| *times == 1), "an order is told of as new more than once");
    for id in &load.shops {
        let orders = created.keys().filter(|(account, _)| account == id).count() as u64;
        ensure_eq!(orders, ORDERS, "orders of {id}");
    }
    Ok(())
}

/// What may be held more: an allocator's slack, a thread that comes and goes.
const SPARE_KIB: u64 = 8 << 10;
const SPARE_MAPPINGS: usize = 32;
const SPARE_OTHERS: usize = 4;

async fn thousands(arena: &Arena) -> Outcome {
    let swaps = arena.scaled(200, 10_000);
    let stage = arena.stage(spacious()).await?;
    let done = stage.during(own_process::swap_again_and_again(swaps)).await.result?;
    let (before, after) = (done.before, done.after);
    let text = format!(
        "{} swaps among three versions, each proved by a call, in {:.0?}: {} -> {} MiB, {} -> {} mappings, {} -> {} files, {} -> {} threads",
        done.swaps,
        Duration::from_millis(done.took_ms),
        before.resident_kib >> 10,
        after.resident_kib >> 10,
        before.mappings,
        after.mappings,
        before.files,
        after.files,
        before.threads,
        after.threads,
    );
    ensure!(after.resident_kib <= before.resident_kib + before.resident_kib / 20 + SPARE_KIB, "memory grows: {text}");
    ensure!(after.mappings <= before.mappings + SPARE_MAPPINGS, "mappings grow: {text}");
    ensure!(after.files <= before.files + SPARE_OTHERS, "open files grow: {text}");
    ensure!(after.threads <= before.threads + SPARE_OTHERS as u64, "threads grow: {text}");
    Ok(text)
}
