//! Installing a signed package: from its bytes until an account could be opened on it. Everything is checked, compiled, asked for its
//! manifest, kept on disk with its code, and active.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use bytes::Bytes;
use tradepost_runtime::egress::Source;
use wasmtime::component::Component;

use crate::installation::{self, Installation, Publisher, Release};
use crate::measure::{Rounds, median};
use crate::setup::Canned;
use crate::{Figure, call, setup};

/// How many times a bare compilation it may take.
const BAR: f64 = 2.0;

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::threaded_executor()?;
    // Nothing is asked of a platform.
    let source: Arc<dyn Source> = Arc::new(Canned(Bytes::new()));
    let release = {
        let runtime = Installation::new()?.runtime(&source, false)?;
        executor.block_on(Publisher::new()?.release(&runtime, setup::component("tradepost-wcfm")?))?
    };
    let bare = call::bare_engine()?;
    let compile = || -> anyhow::Result<f64> {
        let start = Instant::now();
        let compiled = Component::new(&bare, &release.component)?;
        let seconds = start.elapsed().as_secs_f64();
        drop(compiled);
        Ok(seconds)
    };

    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.long() {
        let install = || executor.block_on(install(&source, &release));
        // Whoever goes second finds the machine as the first left it.
        let (installed, compiled) = if round % 2 == 0 {
            let installed = install()?;
            (installed, compile()?)
        } else {
            let compiled = compile()?;
            (install()?, compiled)
        };
        if round > 0 {
            ratios.push(installed / compiled);
            ours.push(installed * 1e3);
            theirs.push(compiled * 1e3);
        }
    }
    let what = format!(
        "the wcfm connector's signed package ({} KiB) from its bytes to installed, active and loaded, against bare wasmtime \
         compiling its component ({:.0} ms against {:.0} ms here)",
        release.package.len() / 1024,
        median(ours.into_iter()),
        median(theirs.into_iter())
    );
    Ok(vec![Figure::ratio("install-ready", median(ratios.into_iter()), Some(BAR), what)])
}

/// Seconds that it takes in a data directory where nothing is installed.
async fn install(source: &Arc<dyn Source>, release: &Release) -> anyhow::Result<f64> {
    let installation = Installation::new()?;
    let runtime = installation.runtime(source, true)?;
    let versions = installation.versions(&runtime)?;
    installation.trust(&versions, release).await?;
    let start = Instant::now();
    installation::install(&versions, release).await?;
    installation::activate(&versions, release).await?;
    let connector = versions.connector_for("bench/install", &release.connector).await?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(!connector.is_from_cache(), "a data directory where nothing is installed has code of it");
    Ok(seconds)
}
