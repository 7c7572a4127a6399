//! `tradepost uninstall` and `tradepost sweep`: versions that are not needed, and files that nothing names.

use std::collections::BTreeSet;
use std::fs;

use clap::Args;
use semver::Version;
use serde_json::json;
use tradepost_runtime::Digest;

use super::Context;
use crate::config::ConnectorSource;
use crate::explain_versions::version_error;
use crate::failure::{Failure, Result};
use crate::{account_versions, known_accounts, session};

/// Remove an installed version that no channel, no account and no command under way names
#[derive(Debug, Args)]
#[command(after_help = "\
Its file goes with `tradepost sweep`.

Examples:
  tradepost uninstall hardtofind 0.1.0")]
pub(crate) struct Uninstall {
    /// The connector's id
    connector: String,
    /// The version
    version: Version,
}

/// Remove packages that no installed version names, and compiled code of components that nobody is on
#[derive(Debug, Args)]
#[command(after_help = "\
Compiled code is kept for installed versions and for the files that accounts name; what is needed again is compiled again.

Examples:
  tradepost sweep
  tradepost sweep --json | jq .package_bytes")]
pub(crate) struct Sweep {}

impl Uninstall {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (_, store, versions) = context.versions()?;
        let connector = self.connector.as_str();
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let version = account_versions::meant(&catalogue, connector, self.version);
        versions.remove(connector, &version).await.map_err(|error| version_error(&error, connector))?;
        let value = json!({ "connector": connector, "version": version.to_string(), "removed": true });
        context.output.single(&value, |_| {
            format!("{connector} {version} is removed; `tradepost sweep` frees the room that its file takes")
        })
    }
}

impl Sweep {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let (config, store, versions) = context.versions()?;
        let (packages, package_bytes) = versions.sweep().await.map_err(|error| version_error(&error, "packages"))?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let installed = catalogue.connectors.values().flat_map(|known| known.versions.values());
        let mut kept: BTreeSet<String> = installed.map(|version| version.digest.clone()).collect();
        for entry in known_accounts::all(&config, store.as_ref()).await? {
            if let ConnectorSource::File(file) = &entry.connector
                && let Ok(component) = fs::read(file)
            {
                kept.insert(Digest::of(&component).to_string());
            }
        }
        let mut code_bytes = 0;
        if let Some(cache) = session::code_cache(&config.data) {
            code_bytes = cache.sweep(|digest| kept.contains(&digest.to_string())).map_err(|error| {
                Failure::unexpected(format!("{}: {error}", cache.directory().display()))
                    .advice("check that the data directory can be written")
            })?;
        }
        let value = json!({ "packages": packages, "package_bytes": package_bytes, "code_bytes": code_bytes });
        context.output.single(&value, |_| {
            format!("{packages} packages removed, {package_bytes} bytes; {code_bytes} bytes of compiled code")
        })
    }
}
