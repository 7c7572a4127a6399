//! How long it takes from telling a running engine to use another version to the end of the first call that the new code answers: with
//! the code compiled before, as after a restart, and from the component's bytes.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use tradepost_engine::versions::{Fleet, FleetOptions};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::egress::Source;
use wasmtime::component::Component;

use crate::installation::{self, Installation, Publisher, Release};
use crate::measure::{Rounds, median};
use crate::setup::Canned;
use crate::{Figure, call, normalise, setup, two_versions};

/// How many times a bare compilation a swap from bytes may take.
const BYTES_BAR: f64 = 1.5;
/// How much of a swap from bytes a swap from the cache may take.
const CACHED_BAR: f64 = 0.2;
/// The account.
const ACCOUNT: &str = "bench/wcfm";

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::threaded_executor()?;
    let source: Arc<dyn Source> = Arc::new(Canned(executor.block_on(normalise::page(two_versions::ORDERS))?));
    let installation = Installation::new()?;
    let releases = executor.block_on(install_both(&installation, &source))?;
    let bare = call::bare_engine()?;

    // The second is active; each swap goes to the other one.
    let mut next = releases.iter().cycle();
    let mut swap = |cached: bool| -> anyhow::Result<(Swap, &Release)> {
        let to = next.next().context("a cycle never ends")?;
        Ok((executor.block_on(swap(&installation, &source, cached, to))?, to))
    };
    let mut found = Vec::new();
    for round in 0..=rounds.long() {
        // Whoever goes second finds the disk as the first left it.
        let (cached, (bytes, to)) = if round % 2 == 0 {
            let (cached, _) = swap(true)?;
            (cached, swap(false)?)
        } else {
            let bytes = swap(false)?;
            (swap(true)?.0, bytes)
        };
        let start = Instant::now();
        let compiled = Component::new(&bare, &to.component)?;
        let bare_seconds = start.elapsed().as_secs_f64();
        drop(compiled);
        if round > 0 {
            found.push((cached, bytes, bare_seconds));
        }
    }

    let milliseconds = |seconds: &dyn Fn(&(Swap, Swap, f64)) -> f64| median(found.iter().map(seconds)) * 1e3;
    let cached_ms = milliseconds(&|(cached, _, _)| cached.seconds);
    let plain_ms = milliseconds(&|(cached, _, _)| cached.plain_seconds);
    let bytes_ms = milliseconds(&|(_, bytes, _)| bytes.seconds);
    let bare_ms = milliseconds(&|(_, _, bare)| *bare);
    let kib = releases[0].component.len() / 1024;
    Ok(vec![
        Figure::ratio(
            "swap-first-call",
            median(found.iter().map(|(cached, _, _)| cached.seconds / cached.plain_seconds)),
            None,
            format!(
                "from telling the engine to the end of the first call on the new version, its code compiled before, against a \
                 first call on a version that is loaded ({cached_ms:.1} ms against {plain_ms:.2} ms here)"
            ),
        ),
        Figure::ratio(
            "swap-first-call-bytes",
            median(found.iter().map(|(_, bytes, bare)| bytes.seconds / bare)),
            Some(BYTES_BAR),
            format!(
                "the same from a component of {kib} KiB that is compiled for it, against bare wasmtime compiling it \
                 ({bytes_ms:.0} ms against {bare_ms:.0} ms here)"
            ),
        ),
        Figure::ratio(
            "cached-vs-bytes",
            median(found.iter().map(|(cached, bytes, _)| cached.seconds / bytes.seconds)),
            Some(CACHED_BAR),
            format!("the one against the other ({cached_ms:.1} ms against {bytes_ms:.0} ms here)"),
        ),
    ])
}

/// Installs both versions, which leaves their code in the cache. The second is active.
async fn install_both(installation: &Installation, source: &Arc<dyn Source>) -> anyhow::Result<[Release; 2]> {
    let runtime = installation.runtime(source, true)?;
    let versions = installation.versions(&runtime)?;
    let publisher = Publisher::new()?;
    let [first, second] = two_versions::build("tradepost-wcfm")?;
    let releases = [publisher.release(&runtime, first).await?, publisher.release(&runtime, second).await?];
    for release in &releases {
        installation.trust(&versions, release).await?;
        installation::install(&versions, release).await?;
        installation::activate(&versions, release).await?;
    }
    Ok(releases)
}

/// What a swap took.
struct Swap {
    seconds: f64,
    /// What a first call takes of an account that is opened on the version before.
    plain_seconds: f64,
}

/// Swaps in a process that has just begun and has only the version before loaded.
async fn swap(
    installation: &Installation,
    source: &Arc<dyn Source>,
    cached: bool,
    to: &Release,
) -> anyhow::Result<Swap> {
    let runtime = installation.runtime(source, cached)?;
    let versions = installation.versions(&runtime)?;
    let before = versions.connector_for(ACCOUNT, &to.connector).await?;
    ensure!(before.manifest().version != to.version.to_string(), "{} is active already", to.version);
    let account = setup::scripted_wcfm_account(&runtime, &before, ACCOUNT)?;
    let engine = Engine::new(Arc::clone(installation.store()), [account.clone()], EngineOptions::default());
    let named = [(ACCOUNT.to_owned(), to.connector.clone())];
    let mut fleet = Fleet::new(engine.clone(), versions.clone(), named, FleetOptions::default());
    let mut told = Vec::new();
    fleet.look(&mut |news| told.push(news)).await?;
    ensure!(told.is_empty(), "the account is on its version already, and yet {told:?}");
    // The runtime's first call fills its pool.
    two_versions::call(&account).await?;
    let plain = account.on(&before)?;
    let start = Instant::now();
    two_versions::call(&plain).await?;
    let plain_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    installation::activate(&versions, to).await?;
    fleet.look(&mut |news| told.push(news)).await?;
    let account = engine.account(ACCOUNT).context("the account is open")?;
    let answered_by = two_versions::call(&account).await?;
    let seconds = start.elapsed().as_secs_f64();

    let version = two_versions::version_of(&account)?;
    ensure!(
        answered_by == Some(version) && two_versions::VERSIONS[version] == to.version.to_string(),
        "the first call was not answered by {} but by {answered_by:?}: {told:?}",
        to.version
    );
    ensure!(account.connector().is_from_cache() == cached, "where the code is from is not what is measured");
    fleet.drained(|news| told.push(news)).await;
    Ok(Swap { seconds, plain_seconds })
}
