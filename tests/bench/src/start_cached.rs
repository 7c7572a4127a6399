//! Starting with every connector that there is: their code compiled before, against compiling it.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use bytes::Bytes;
use tradepost_runtime::egress::Source;

use crate::installation::{self, Installation, Publisher};
use crate::measure::{Rounds, median};
use crate::setup::Canned;
use crate::{Figure, setup};

/// How much of a start that compiles a start from the cache may take.
const BAR: f64 = 0.25;
/// The connectors.
const CONNECTORS: [&str; 5] = ["hardtofind", "wcfm", "help-ka", "hft71", "omniseller"];

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::threaded_executor()?;
    // Nothing is asked of a platform.
    let source: Arc<dyn Source> = Arc::new(Canned(Bytes::new()));
    let installation = Installation::new()?;
    executor.block_on(install_all(&installation, &source))?;

    let start = |cached: bool| executor.block_on(start(&installation, &source, cached));
    let (mut ratios, mut cached_ms, mut compiled_ms) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.long() {
        // Whoever goes second finds the machine as the first left it.
        let (cached, compiled) = if round % 2 == 0 {
            let cached = start(true)?;
            (cached, start(false)?)
        } else {
            let compiled = start(false)?;
            (start(true)?, compiled)
        };
        if round > 0 {
            ratios.push(cached / compiled);
            cached_ms.push(cached * 1e3);
            compiled_ms.push(compiled * 1e3);
        }
    }
    let (cached_ms, compiled_ms) = (median(cached_ms.into_iter()), median(compiled_ms.into_iter()));
    Ok(vec![
        Figure::ratio(
            "start-five-cached",
            median(ratios.into_iter()),
            Some(BAR),
            format!(
                "a new runtime with five installed connectors loaded, their code compiled before, against compiling it \
                 ({cached_ms:.0} ms against {compiled_ms:.0} ms here)"
            ),
        ),
        Figure::value("start-five-cached-ms", cached_ms, "ms", "that start"),
    ])
}

/// Installs and activates every connector, which leaves its code in the cache.
async fn install_all(installation: &Installation, source: &Arc<dyn Source>) -> anyhow::Result<()> {
    let runtime = installation.runtime(source, true)?;
    let versions = installation.versions(&runtime)?;
    let publisher = Publisher::new()?;
    for name in CONNECTORS {
        let release = publisher.release(&runtime, setup::component(&format!("tradepost-{name}"))?).await?;
        installation.trust(&versions, &release).await?;
        installation::install(&versions, &release).await?;
        installation::activate(&versions, &release).await?;
    }
    Ok(())
}

/// Seconds from nothing to all of them loaded.
async fn start(installation: &Installation, source: &Arc<dyn Source>, cached: bool) -> anyhow::Result<f64> {
    let start = Instant::now();
    let runtime = installation.runtime(source, cached)?;
    let versions = installation.versions(&runtime)?;
    let mut loaded = Vec::new();
    for name in CONNECTORS {
        loaded.push(versions.connector_for("bench/start", name).await?);
    }
    let seconds = start.elapsed().as_secs_f64();
    for connector in loaded {
        ensure!(connector.is_from_cache() == cached, "where the code of {connector:?} is from is not what is measured");
    }
    Ok(seconds)
}
