//! Versions swapped thousands of times by one process, and what that leaves behind in it.
//!
//! Three versions take turns. Two are kept ready, the one in use and the one before it, so that each swap loads a version and lets go of
//! one: code is mapped, linked, and dropped, thousands of times.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use semver::Version;
use serde::{Deserialize, Serialize};
use tradepost_engine::EngineOptions;
use tradepost_engine::versions::FleetOptions;
use tradepost_runtime::{AccountConfig, CodeCache, Grants, MemoryStorage, Runtime};

use crate::installation::{Installation, account, look, telling, told};
use crate::process::Held;
use crate::stage::tight;

const VERSIONS: [&str; 3] = ["1.0.0", "1.1.0", "1.2.0"];
const ACCOUNT: &str = "alice/shop";
/// Swaps before anything is counted: pools fill, allocators grow.
const WARM_UP: u32 = 60;

/// What so many swaps left behind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ManySwaps {
    /// How many.
    pub swaps: u32,
    /// How long they took, in milliseconds, each with a call that proves it.
    pub took_ms: u64,
    /// What was held before them.
    pub before: Held,
    /// And after them.
    pub after: Held,
}

/// Swaps so often.
///
/// # Errors
/// If a swap fails, or it is not the new version that answers the first call after it.
pub async fn swap(swaps: u32) -> anyhow::Result<ManySwaps> {
    let compiled = tempfile::tempdir()?;
    let cache = CodeCache::open(compiled.path().join("compiled"))?;
    let runtime = Runtime::builder().limits(tight()).concurrent_calls(4).code_cache(cache).build()?;
    let installation = Installation::with(&runtime, VERSIONS.map(|version| telling(version).component())).await?;
    let connector = installation.connector("hand-written").await?;
    let config = AccountConfig {
        id: ACCOUNT.into(),
        grants: Grants { hosts: vec!["https://shop.example".parse()?], ..Grants::default() },
        secrets: [("password".to_owned(), "nobody's".to_owned().into())].into(),
        ..AccountConfig::default()
    };
    let opened = runtime.open(&connector, config, Arc::new(MemoryStorage::new()))?;
    drop(connector);
    let (engine, mut fleet) = installation.fleet(vec![opened], EngineOptions::default(), FleetOptions::default());
    look(&mut fleet).await?;
    let mut next = VERSIONS.iter().cycle().skip(1);
    let (mut before, mut started) = (Held::now(), Instant::now());
    for swap in 0..WARM_UP + swaps {
        if swap == WARM_UP {
            (before, started) = (Held::now(), Instant::now());
        }
        let version = *next.next().context("a cycle has no end")?;
        installation.activate("hand-written", &Version::parse(version)?).await?;
        look(&mut fleet).await?;
        let said = told(account(&engine, ACCOUNT)?.check().await)?;
        ensure!(said == version, "after swap {swap} version {said} answers in place of {version}");
    }
    let took_ms = u64::try_from(started.elapsed().as_millis())?;
    fleet.drained(|_| {}).await;
    Ok(ManySwaps { swaps, took_ms, before, after: Held::now() })
}
