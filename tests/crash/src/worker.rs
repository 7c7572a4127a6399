//! A program that embeds the engine: it opens the store, which may have a fault built in, and works until it is told to stop. It takes no
//! lock on the directory, so that two of them can work on one store, as they could on two machines.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tradepost_engine::store::{self, Store};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::{AccountConfig, Egress, Grants, Runtime};

use crate::desk::AccountLine;
use crate::mutants::{Mutant, Mutated};

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// The fault of its store.
    pub mutant: Mutant,
    /// The time from the end of a walk to the next.
    pub every: Duration,
    /// How long what it holds is its own.
    pub lease: Duration,
    /// Whether it takes over at once what the dead held: right only for one that is alone.
    pub alone: bool,
}

impl Worker {
    /// Works in the directory of a run until SIGTERM.
    pub async fn run(self, directory: &Path) -> Result<()> {
        let mut told = signal(SignalKind::terminate())?;
        let sound: Arc<dyn Store> = Arc::new(store::open(&directory.join("data"))?);
        let store: Arc<dyn Store> = match self.mutant {
            Mutant::None => sound,
            mutant => Arc::new(Mutated::new(sound, mutant)),
        };
        if self.alone {
            store.end_leases().await?;
        }
        // The marketplaces are the harness's own: nobody has to wait for the pace that the real ones allow.
        let egress = Egress::builder().unpaced().build()?;
        let runtime = Runtime::builder().egress(egress).build()?;
        let lines: Vec<AccountLine> = serde_json::from_slice(&std::fs::read(directory.join("accounts.json"))?)?;
        let mut accounts = Vec::new();
        for line in lines {
            let connector = runtime.load(std::fs::read(&line.connector)?).await?;
            let origin = line.origin.parse().map_err(|error| anyhow::anyhow!("{}: {error}", line.origin))?;
            let config = AccountConfig {
                id: line.id,
                settings: line.settings,
                secrets: line.secrets.into_iter().map(|(name, value)| (name, value.into())).collect(),
                grants: Grants { private_hosts: vec![origin], ..Grants::default() },
                ..AccountConfig::default()
            };
            accounts
                .push(runtime.open(&connector, config, Arc::clone(&store) as _).context("the account does not open")?);
        }
        let options = EngineOptions {
            every: self.every,
            lease: self.lease,
            tick: Duration::from_millis(100),
            ..EngineOptions::default()
        };
        let engine = Engine::new(store, accounts, options);
        eprintln!("ready");
        let stop = async {
            told.recv().await;
        };
        engine.run(stop, |happening| eprintln!("{happening:?}")).await;
        Ok(())
    }
}
