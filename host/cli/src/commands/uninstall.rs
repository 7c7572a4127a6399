//! `tradepost uninstall` and `tradepost sweep`: versions that are not needed, and files that nothing names.

use clap::Args;
use semver::Version;
use serde_json::json;

use super::Context;
use crate::account_versions;
use crate::explain_versions::version_error;
use crate::failure::Result;

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

/// Remove package files that no installed version names
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost sweep\n  tradepost sweep --json | jq .bytes")]
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
        let (_, _, versions) = context.versions()?;
        let (files, bytes) = versions.sweep().await.map_err(|error| version_error(&error, "packages"))?;
        let value = json!({ "files": files, "bytes": bytes });
        context.output.single(&value, |_| format!("{files} files removed, {bytes} bytes"))
    }
}
