//! Work with accounts of the table: the connector is loaded, the account opened, calls are made and what the connector stored is
//! committed with each result.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradepost_engine::EngineOptions;
use tradepost_engine::store::Store;
use tradepost_runtime::{Account, AccountConfig, CallError, Connector, Limits, Reply, Runtime};

use crate::config::{AccountEntry, Config};
use crate::data_directory::open_store;
use crate::explain;
use crate::failure::{Exit, Failure, Result};
use crate::progress;
use crate::secret_source::SecretSource;

/// One command is one caller: a few calls at a time need no room for hundreds.
const CALLS_OF_A_COMMAND: u32 = 8;

/// An account, open.
pub(crate) struct Session {
    pub(crate) account: Account,
    /// Where its secrets come from, for advice.
    secrets: BTreeMap<String, SecretSource>,
}

impl Session {
    /// Opens an account of the table.
    pub(crate) async fn open(table: &Path, account: &str) -> Result<Self> {
        let config = Config::read(table).map_err(Failure::from)?;
        let entry = config.account(account).map_err(Failure::from)?;
        Opener::new(&config)?.open(entry).await
    }

    /// An account that was opened without a table.
    pub(crate) fn of(account: Account) -> Self {
        Self { account, secrets: BTreeMap::new() }
    }

    /// Takes a call's result: commits what the connector stored, and explains a failure in this account's terms.
    pub(crate) async fn keep<T>(&self, reply: std::result::Result<Reply<T>, CallError>) -> Result<T> {
        let reply = reply.map_err(|error| self.explain(&error))?;
        reply.commit().await.map_err(|error| self.explain(&error).into())
    }

    /// A failed call in this account's terms.
    pub(crate) fn explain(&self, error: &CallError) -> Failure {
        let failure = self.located(explain::call_error(error));
        if failure.exit == Exit::Credentials { failure.advice(self.credential_advice()) } else { failure }
    }

    /// A failure with the account it happened at.
    pub(crate) fn located(&self, mut failure: Failure) -> Failure {
        failure.message = format!("{}: {}", self.account.id(), failure.message);
        failure.fact("account", self.account.id())
    }

    /// What to look at where the platform does not accept the credentials.
    pub(crate) fn credential_advice(&self) -> String {
        let sources: Vec<String> = self.secrets.iter().map(|(name, source)| format!("`{name}` ({source})")).collect();
        let account = self.account.id();
        if sources.is_empty() {
            format!("account {account} has no secret: `tradepost inspect` on its connector lists those it needs")
        } else {
            format!("check the secrets of account {account}: {}", sources.join(", "))
        }
    }
}

/// Opens accounts of a table on one runtime and one store. Each component is loaded once, however many accounts use it.
pub(crate) struct Opener<'a> {
    config: &'a Config,
    runtime: Runtime,
    store: Arc<dyn Store>,
    connectors: BTreeMap<PathBuf, Connector>,
}

impl<'a> Opener<'a> {
    /// For a command.
    pub(crate) fn new(config: &'a Config) -> Result<Self> {
        Self::with_calls(config, CALLS_OF_A_COMMAND)
    }

    /// With room for so many calls at a time.
    pub(crate) fn with_calls(config: &'a Config, calls: u32) -> Result<Self> {
        let runtime = runtime_for(config.limits.clone(), calls)?;
        Ok(Self { config, runtime, store: open_store(&config.data)?, connectors: BTreeMap::new() })
    }

    /// The store behind the accounts.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Opens an account.
    pub(crate) async fn open(&mut self, entry: &AccountEntry) -> Result<Session> {
        let mut secrets = BTreeMap::new();
        for (name, source) in &entry.secrets {
            let value = source.read(&entry.id, name).map_err(|missing| {
                Failure::configuration(missing.to_string()).advice(missing.advice()).fact("account", entry.id.as_str())
            })?;
            if source.is_open_to_others() {
                progress::note(&format!("warning: secret `{name}`: {source} can be read by others; chmod 600 it"));
            }
            secrets.insert(name.clone(), value);
        }
        let connector = match self.connectors.get(&entry.connector) {
            Some(connector) => connector.clone(),
            None => load(&self.runtime, &entry.connector).await?,
        };
        let account_config = AccountConfig {
            id: entry.id.clone(),
            settings: entry.settings.clone(),
            secrets,
            auth: entry.auth.clone(),
            grants: entry.grants.clone(),
        };
        let account = self
            .runtime
            .open(&connector, account_config, Arc::clone(&self.store) as _)
            .map_err(|error| explain::account_error(&error, &self.config.file.display().to_string()))?;
        self.connectors.insert(entry.connector.clone(), connector);
        Ok(Session { account, secrets: entry.secrets.clone() })
    }
}

/// How an engine works under these limits: a lease outlasts every call, also one that may take longer than usual.
pub(crate) fn engine_options(limits: &Limits) -> EngineOptions {
    let usual = EngineOptions::default();
    EngineOptions { lease: usual.lease.max(limits.wall + Duration::from_mins(1)), ..usual }
}

/// A runtime with these limits.
pub(crate) fn runtime(limits: Limits) -> Result<Runtime> {
    runtime_for(limits, CALLS_OF_A_COMMAND)
}

fn runtime_for(limits: Limits, calls: u32) -> Result<Runtime> {
    Runtime::builder()
        .limits(limits)
        .concurrent_calls(calls)
        .build()
        .map_err(|error| Failure::unexpected(format!("the sandbox did not start: {error:#}")).into())
}

/// Loads a component from a file.
pub(crate) async fn load(runtime: &Runtime, file: &Path) -> Result<Connector> {
    let shown = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| {
        Failure::configuration(format!("the connector {shown} cannot be read: {error}"))
            .advice("check the path; a connector's crate is built with `cargo build --profile component --target wasm32-wasip2`")
    })?;
    let step = progress::step("compiling the connector");
    let loaded = runtime.load(bytes).await;
    step.finish_and_clear();
    loaded.map_err(|error| explain::load_error(&error, &shown).into())
}
