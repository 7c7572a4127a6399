//! A process that installs a package and activates it, to be killed while it does.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tradepost_engine::store;
use tradepost_engine::versions::{Activation, Install, Versions};
use tradepost_runtime::Runtime;

/// The versions of a data directory.
pub fn versions(data: &Path) -> Result<Versions> {
    let store = Arc::new(store::open(data)?);
    Ok(Versions::open(Runtime::new()?, store, &data.join("packages"))?)
}

/// Installs a package and makes its version that of all accounts.
pub async fn install(data: &Path, package: &Path) -> Result<()> {
    let versions = versions(data)?;
    let accept = Install { accept: true, ..Install::default() };
    let installed = versions.install(std::fs::read(package)?, accept).await?;
    versions.activate(&installed.connector, &installed.version, Activation::default()).await?;
    Ok(())
}
