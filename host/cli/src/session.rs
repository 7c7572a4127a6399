//! Work with accounts of the table and of the store: the connector is loaded, the account opened, calls are made and what the connector stored
//! is committed with each result.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tradepost_engine::EngineOptions;
use tradepost_engine::store::Store;
use tradepost_engine::vault::{KeyError, KeySource, LazyVault, Place, SealedTokens};
use tradepost_engine::versions::Versions;
use tradepost_runtime::{
    Account, AccountConfig, CallError, CodeCache, Connector, Grants, Limits, Reply, Runtime, RuntimeBuilder,
};

use crate::account_versions::UNSIGNED;
use crate::compiler_child::compiler;
use crate::config::{AccountEntry, Config, ConnectorSource};
use crate::data_directory::open_store;
use crate::explain;
use crate::explain_versions::version_error;
use crate::failure::{Exit, Failure, Result};
use crate::known_accounts;
use crate::progress;

/// One command is one caller: a few calls at a time need no room for hundreds.
pub(crate) const CALLS_OF_A_COMMAND: u32 = 8;

/// An account, open.
pub(crate) struct Session {
    pub(crate) account: Account,
    /// Where each of its secrets comes from, for advice.
    secrets: BTreeMap<String, String>,
    /// Whether it is kept in the store.
    is_stored: bool,
}

impl Session {
    /// Opens an account of the table or of its store.
    pub(crate) async fn open(table: &Path, account: &str) -> Result<Self> {
        let config = Config::read(table).map_err(Failure::from)?;
        let mut opener = Opener::new(&config)?;
        let entry = opener.account(account).await?;
        opener.open(&entry).await
    }

    /// An account that was opened without a table.
    pub(crate) fn of(account: Account) -> Self {
        Self { account, secrets: BTreeMap::new(), is_stored: false }
    }

    /// Takes a call's result: commits what the connector stored, and explains a failure in this account's terms.
    pub(crate) async fn keep<T>(&self, reply: std::result::Result<Reply<T>, CallError>) -> Result<T> {
        let reply = reply.map_err(|error| self.explain(&error))?;
        reply.commit().await.map_err(|error| self.explain(&error).into())
    }

    /// A failed call in this account's terms.
    pub(crate) fn explain(&self, error: &CallError) -> Failure {
        let failure = self.located(explain::call_error(error));
        let failure = if self.is_stored { without_table(failure) } else { failure };
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

/// Opens accounts on one runtime and one store, where their tokens are kept too. Each component is loaded once, however many accounts use it.
pub(crate) struct Opener<'a> {
    config: &'a Config,
    runtime: Runtime,
    store: Arc<dyn Store>,
    vault: Arc<LazyVault>,
    /// Those of files.
    connectors: BTreeMap<PathBuf, Connector>,
    /// Opened when first asked for: most tables have none.
    versions: Option<Versions>,
    /// Versions that nobody signed and of which that was said; none where somebody else says so.
    warned: Option<BTreeSet<String>>,
}

impl<'a> Opener<'a> {
    /// For a command: it says of each version that it uses and nobody signed that it is so.
    pub(crate) fn new(config: &'a Config) -> Result<Self> {
        let opener = Self::with_store(config, open_store(&config.data)?, CALLS_OF_A_COMMAND)?;
        Ok(Self { warned: Some(BTreeSet::new()), ..opener })
    }

    /// On a store that is open already, with room for so many calls at a time.
    pub(crate) fn with_store(config: &'a Config, store: Arc<dyn Store>, calls: u32) -> Result<Self> {
        let vault = Arc::new(LazyVault::new(Arc::clone(&store), KeySource::from_environment(&config.data)));
        let tokens = SealedTokens::new(Arc::clone(&store), Arc::clone(&vault));
        let mut builder = builder(config.limits.clone(), calls).tokens(Arc::new(tokens));
        if let Some(cache) = code_cache(&config.data) {
            builder = builder.code_cache(cache);
        }
        let runtime = build(builder)?;
        Ok(Self { config, runtime, store, vault, connectors: BTreeMap::new(), versions: None, warned: None })
    }

    /// The store behind the accounts.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The vault of the store.
    pub(crate) fn vault(&self) -> &LazyVault {
        &self.vault
    }

    /// One account of the table or of the store.
    pub(crate) async fn account(&self, id: &str) -> Result<AccountEntry> {
        known_accounts::one(self.config, self.store.as_ref(), id).await
    }

    /// All accounts of the table and of the store.
    pub(crate) async fn accounts(&self) -> Result<Vec<AccountEntry>> {
        known_accounts::all(self.config, self.store.as_ref()).await
    }

    /// Opens an account.
    pub(crate) async fn open(&mut self, entry: &AccountEntry) -> Result<Session> {
        let secrets = self.secrets(entry, &[]).await?;
        let place = match &entry.sealed {
            Some(_) => format!("what the store keeps: `tradepost account remove {0}`, and add {0} again", entry.id),
            None => self.config.file.display().to_string(),
        };
        self.open_with(entry, secrets, &place).await
    }

    /// The secrets of an account, but for these.
    pub(crate) async fn secrets(&self, entry: &AccountEntry, but: &[&str]) -> Result<BTreeMap<String, SecretString>> {
        let of_account = |error: KeyError| explain::key_error(&error).fact("account", entry.id.as_str());
        // A key that does not fit is told now: a token that cannot be kept would be asked for again with each call.
        self.vault.check().await.map_err(of_account)?;
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
        for (name, sealed) in entry.sealed.iter().flatten().filter(|(name, _)| !but.contains(&name.as_str())) {
            let vault = self.vault.open().await.map_err(of_account)?;
            let opened = vault.open_text(&Place::secret(&entry.id, name), sealed);
            secrets.insert(name.clone(), opened.map_err(|error| of_account(error.into()))?);
        }
        Ok(secrets)
    }

    /// Opens an account with secrets that are at hand. `place` is where its settings can be corrected.
    pub(crate) async fn open_with(
        &mut self,
        entry: &AccountEntry,
        secrets: BTreeMap<String, SecretString>,
        place: &str,
    ) -> Result<Session> {
        let connector = self.connector(&entry.id, &entry.connector).await?;
        let account_config = AccountConfig {
            id: entry.id.clone(),
            settings: entry.settings.clone(),
            secrets,
            auth: entry.auth.clone(),
            grants: entry.grants.clone(),
        };
        let is_stored = entry.sealed.is_some();
        let account = self.runtime.open(&connector, account_config, Arc::clone(&self.store) as _).map_err(|error| {
            let failure = explain::account_error(&error, place);
            if is_stored { without_table(failure) } else { failure }
        })?;
        let outside = entry.secrets.iter().map(|(name, source)| (name.clone(), source.to_string()));
        let kept = entry.sealed.iter().flatten().map(|(name, _)| {
            (name.clone(), format!("kept in the store; `tradepost account set-secret {}` changes it", entry.id))
        });
        Ok(Session { account, secrets: outside.chain(kept).collect(), is_stored })
    }

    /// The connector of an account: the one in its file, or the version of the installed one that the account is to be on.
    pub(crate) async fn connector(&mut self, account: &str, source: &ConnectorSource) -> Result<Connector> {
        let file = match source {
            ConnectorSource::Installed(id) => return self.installed(account, id).await,
            ConnectorSource::File(file) => file,
        };
        if let Some(connector) = self.connectors.get(file) {
            return Ok(connector.clone());
        }
        let connector = load(&self.runtime, file).await?;
        self.connectors.insert(file.to_owned(), connector.clone());
        Ok(connector)
    }

    async fn installed(&mut self, account: &str, id: &str) -> Result<Connector> {
        let versions = self.versions()?;
        let step = progress::step("compiling the connector");
        let connector = versions.connector_for(account, id).await;
        step.finish_and_clear();
        let connector = connector.map_err(|error| version_error(&error, id).fact("account", account))?;
        if let Some(warned) = &mut self.warned {
            let (_, catalogue) = versions.catalogue().await.map_err(|error| version_error(&error, id))?;
            if let Ok((version, installed)) = catalogue.version_for(account, id)
                && installed.is_unsigned()
                && warned.insert(installed.digest.clone())
            {
                progress::note(&format!("warning: {id} {version} is {UNSIGNED}: nobody vouches for it"));
            }
        }
        Ok(connector)
    }

    /// The installed versions of the data directory, on this runtime and store.
    pub(crate) fn versions(&mut self) -> Result<Versions> {
        if let Some(versions) = &self.versions {
            return Ok(versions.clone());
        }
        let packages = self.config.data.join("packages");
        let versions = Versions::open(self.runtime.clone(), Arc::clone(&self.store) as _, &packages)
            .map_err(|error| version_error(&error, &packages.display().to_string()))?;
        Ok(self.versions.insert(versions).clone())
    }
}

/// A failure that advises a line for the table, for an account that stands in none: the same as options.
fn without_table(mut failure: Failure) -> Failure {
    #[derive(Deserialize)]
    struct Line {
        grants: Grants,
    }
    let line = failure.facts.get("allow_with").and_then(Value::as_str);
    if let Some(Line { grants }) = line.and_then(|line| toml::from_str(line).ok()) {
        let hosts = grants.hosts.iter().map(|origin| format!("--grant {origin}"));
        let private = grants.private_hosts.iter().map(|origin| format!("--grant-private {origin}"));
        let options = hosts.chain(private).collect::<Vec<_>>().join(" ");
        failure.advice = vec![format!("if that is intended, add the account with {options}")];
    }
    failure
}

/// How an engine works under these limits: a lease outlasts every call, also one that may take longer than usual.
pub(crate) fn engine_options(limits: &Limits) -> EngineOptions {
    let usual = EngineOptions::default();
    EngineOptions { lease: usual.lease.max(limits.wall + Duration::from_mins(1)), ..usual }
}

/// A runtime with these limits.
pub(crate) fn runtime(limits: Limits) -> Result<Runtime> {
    build(builder(limits, CALLS_OF_A_COMMAND))
}

fn builder(limits: Limits, calls: u32) -> RuntimeBuilder {
    Runtime::builder().limits(limits).concurrent_calls(calls).compile_with(compiler())
}

/// Where a data directory keeps compiled connectors; none where that cannot be written, and then they are compiled at each start.
pub(crate) fn code_cache(data: &Path) -> Option<CodeCache> {
    match CodeCache::open(data.join("compiled")) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::warn!(%error, "connectors are compiled at each start");
            None
        }
    }
}

fn build(builder: RuntimeBuilder) -> Result<Runtime> {
    builder.build().map_err(|error| Failure::unexpected(format!("the sandbox did not start: {error:#}")).into())
}

/// Loads a component from a file.
pub(crate) async fn load(runtime: &Runtime, file: &Path) -> Result<Connector> {
    load_bytes(runtime, read(file)?, &file.display().to_string()).await
}

/// The bytes of a component's file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| {
        Failure::configuration(format!("the connector {} cannot be read: {error}", file.display()))
            .advice("check the path; a connector's crate is built with `cargo build --profile component --target wasm32-wasip2`")
            .into()
    })
}

/// Loads a component that was read before. `shown` is where it was found.
pub(crate) async fn load_bytes(runtime: &Runtime, bytes: impl Into<Vec<u8>>, shown: &str) -> Result<Connector> {
    let step = progress::step("compiling the connector");
    let loaded = runtime.load(bytes).await;
    step.finish_and_clear();
    loaded.map_err(|error| explain::load_error(&error, shown).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_allow_it_is_told_as_options_where_there_is_no_table() {
        let line = "grants.hosts = [\"https://a.example\"]\ngrants.private_hosts = [\"http://127.0.0.1:9000\"]";
        let failure = Failure::configuration("no").advice("write in the table").fact("allow_with", line);
        let advice = without_table(failure).advice;
        let options = "--grant https://a.example --grant-private http://127.0.0.1:9000";
        assert_eq!(advice, [format!("if that is intended, add the account with {options}")]);
        let other = Failure::configuration("no").advice("something else");
        assert_eq!(without_table(other).advice, ["something else"]);
    }
}
