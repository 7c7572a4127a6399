//! What a run works with: marketplaces on loopback addresses, and a directory with a table of their accounts and an empty data directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tradepost_engine::store::{self, Store};
use tradepost_platforms::Platform;

/// Components that were built, by the name of their platform.
#[derive(Clone, Debug)]
pub struct Connectors(BTreeMap<String, PathBuf>);

impl Connectors {
    /// Builds these.
    pub fn build(names: &[&str]) -> Result<Self> {
        let built = names.iter().map(|name| {
            let path = tradepost_components::build(name, |line| eprintln!("{line}"))?;
            Ok(((*name).to_owned(), path))
        });
        Ok(Self(built.collect::<Result<_>>()?))
    }

    fn of(&self, name: &str) -> Result<&Path> {
        Ok(self.0.get(name).with_context(|| format!("the connector {name} was not built"))?)
    }
}

/// An account as a program without a table of accounts opens it: a line of `accounts.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccountLine {
    pub(crate) id: String,
    pub(crate) connector: PathBuf,
    pub(crate) settings: serde_json::Map<String, serde_json::Value>,
    pub(crate) secrets: BTreeMap<String, String>,
    /// Where the marketplace listens, without a path.
    pub(crate) origin: String,
}

/// The directory of a run. It is removed with this.
#[derive(Debug)]
pub struct Desk {
    directory: TempDir,
}

impl Desk {
    /// Writes the tables of accounts: `tradepost.toml` for the daemon, `accounts.json` for a program that embeds the engine.
    pub fn open(connectors: &Connectors, accounts: &[(&str, &dyn Platform)]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tradepost-crash-").tempdir()?;
        let lines = accounts.iter().map(|(account, platform)| line(connectors, account, *platform));
        let lines = lines.collect::<Result<Vec<AccountLine>>>()?;
        let mut table = String::from("data = \"data\"\n");
        for AccountLine { id, connector, settings, secrets, origin } in &lines {
            table.push_str(&format!("[accounts.\"{id}\"]\nconnector = \"{}\"\n", connector.display()));
            for (name, value) in settings {
                table.push_str(&format!("settings.{name} = {value}\n"));
            }
            for (name, value) in secrets {
                let file = directory.path().join(format!("{}.{name}", id.replace('/', ".")));
                std::fs::write(&file, value)?;
                table.push_str(&format!("secrets.{name} = {{ file = \"{}\" }}\n", file.display()));
            }
            table.push_str(&format!("grants.private_hosts = [\"{origin}\"]\n"));
        }
        std::fs::write(directory.path().join("tradepost.toml"), table)?;
        std::fs::write(directory.path().join("accounts.json"), serde_json::to_vec_pretty(&lines)?)?;
        std::fs::create_dir(directory.path().join("data"))?;
        Ok(Self { directory })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        database(self.path())
    }

    /// Opens the store. While a daemon is about to be killed it is opened for a moment only: whoever has it open when the daemon dies
    /// spares the next one the recovery of the log.
    pub fn store(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::new(store::open(&self.data())?))
    }
}

/// The database of the run in a directory.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("data").join("tradepost.db")
}

/// What the marketplace gives, sorted into settings and secrets as the connector's schema has them.
fn line(connectors: &Connectors, account: &str, platform: &dyn Platform) -> Result<AccountLine> {
    let name = platform.name();
    let is_public = |field: &str| matches!(field, "username" | "apiuser");
    let given: BTreeMap<String, String> =
        platform.example_settings().into_iter().chain(platform.example_secrets()).collect();
    let address = if matches!(name, "wcfm" | "help-ka") { "site-url" } else { "root-url" };
    let mut settings = serde_json::Map::from_iter([(address.to_owned(), platform.root_url().into())]);
    let mut secrets = BTreeMap::new();
    for (field, value) in given.into_iter().filter(|(field, _)| !field.ends_with("-url")) {
        if is_public(&field) {
            settings.insert(field, value.into());
        } else if field.ends_with("password") || field.ends_with("pass") || field.ends_with("secret") {
            secrets.insert(field, value);
        } else {
            settings.insert(field, value.into());
        }
    }
    // Without the path, where the marketplace has one.
    let origin = platform.root_url().splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    Ok(AccountLine { id: account.to_owned(), connector: connectors.of(name)?.to_owned(), settings, secrets, origin })
}
