//! One command's work with one account: the table is read, the connector loaded, the account opened, calls are made
//! and what the connector stored is committed with each result.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tradepost_engine::store;
use tradepost_runtime::{Account, AccountConfig, CallError, Connector, Limits, Reply, Runtime};

use crate::config::Config;
use crate::explain;
use crate::failure::{Exit, Failure, Result, Stop};
use crate::progress;
use crate::secret_source::SecretSource;

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
        let entry = config.account(account).map_err(Failure::from)?.clone();
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
        let runtime = runtime(config.limits.clone())?;
        let connector = load(&runtime, &entry.connector).await?;
        let storage = open_store(&config.data)?;
        let account_config = AccountConfig {
            id: entry.id.clone(),
            settings: entry.settings,
            secrets,
            auth: entry.auth,
            grants: entry.grants,
        };
        let account = runtime
            .open(&connector, account_config, Arc::new(storage))
            .map_err(|error| explain::account_error(&error, &config.file.display().to_string()))?;
        Ok(Self { account, secrets: entry.secrets })
    }

    /// An account that was opened without a table.
    pub(crate) fn of(account: Account) -> Self {
        Self { account, secrets: BTreeMap::new() }
    }

    /// Takes a call's result: commits what the connector stored, and explains a failure in this account's terms.
    pub(crate) async fn keep<T>(&self, reply: std::result::Result<Reply<T>, CallError>) -> Result<T> {
        let reply = reply.map_err(|error| self.explain(&error))?;
        reply.commit().await.map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &CallError) -> Stop {
        let mut failure = explain::call_error(error).fact("account", self.account.id());
        if failure.exit == Exit::Credentials {
            let sources: Vec<String> =
                self.secrets.iter().map(|(name, source)| format!("`{name}` ({source})")).collect();
            let advice = if sources.is_empty() {
                format!(
                    "account {} has no secret: `tradepost inspect` on its connector lists those it needs",
                    self.account.id()
                )
            } else {
                format!("check the secrets of account {}: {}", self.account.id(), sources.join(", "))
            };
            failure = failure.advice(advice);
        }
        failure.message = format!("{}: {}", self.account.id(), failure.message);
        failure.into()
    }
}

/// A runtime with these limits.
pub(crate) fn runtime(limits: Limits) -> Result<Runtime> {
    Runtime::builder()
        .limits(limits)
        // One command is one caller: a few calls at a time need no room for hundreds.
        .concurrent_calls(8)
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

fn open_store(directory: &Path) -> Result<store::SqliteStorage> {
    fs::create_dir_all(directory).map_err(|error| {
        Failure::configuration(format!("the data directory {} cannot be made: {error}", directory.display()))
            .advice("name another one with `data = \"DIRECTORY\"` in the table of accounts")
    })?;
    store::open(directory).map_err(|error| explain::store_error(&error).into())
}
