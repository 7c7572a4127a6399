//! A data directory with connectors in it, installed from signed packages as an operator installs them. Measurements of versions begin
//! with one, and with a process that has just been started on it: a new runtime that has nothing loaded.

use std::sync::Arc;

use bytes::Bytes;
use semver::Version;
use tempfile::TempDir;
use tradepost_engine::store::{Store, open};
use tradepost_engine::versions::{Activation, Install, Versions, claim_of};
use tradepost_package::{Package, Parts, PublicKey, SecretKey};
use tradepost_runtime::egress::Source;
use tradepost_runtime::{CodeCache, Egress, Runtime, connector_page};

use crate::setup;

/// Somebody who makes packages.
pub(crate) struct Publisher {
    key: SecretKey,
}

/// A signed package.
pub(crate) struct Release {
    pub(crate) connector: String,
    pub(crate) version: Version,
    /// The component that is in it.
    pub(crate) component: Vec<u8>,
    pub(crate) package: Bytes,
    signer: PublicKey,
}

impl Publisher {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { key: SecretKey::generate()? })
    }

    /// Packs and signs a component, which is loaded to ask what it says of itself.
    pub(crate) async fn release(&self, runtime: &Runtime, component: Vec<u8>) -> anyhow::Result<Release> {
        let connector = runtime.load(component.clone()).await?;
        let claim = claim_of(&connector)?;
        let (id, version) = (claim.id.clone(), claim.version.clone());
        let mut package = Package::build(Parts {
            claim,
            component: component.clone().into(),
            manifest: serde_json::to_string(connector.manifest())?,
            page: connector_page(&connector),
            report: None,
        })?;
        package.sign(&self.key)?;
        let package = package.to_bytes();
        Ok(Release { connector: id, version, component, package, signer: self.key.public() })
    }
}

/// A data directory.
pub(crate) struct Installation {
    directory: TempDir,
    store: Arc<dyn Store>,
}

impl Installation {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let directory = setup::directory()?;
        let store = Arc::new(open(directory.path())?);
        Ok(Self { directory, store })
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A runtime that has nothing loaded; with the directory's compiled code or without.
    pub(crate) fn runtime(&self, source: &Arc<dyn Source>, cached: bool) -> anyhow::Result<Runtime> {
        let egress = Egress::builder().source(Arc::clone(source)).unpaced().build()?;
        let mut builder = Runtime::builder().egress(egress);
        if cached {
            builder = builder.code_cache(CodeCache::open(self.directory.path().join("compiled"))?);
        }
        builder.build()
    }

    /// The versions that are installed, as this runtime is to load them.
    pub(crate) fn versions(&self, runtime: &Runtime) -> anyhow::Result<Versions> {
        let packages = self.directory.path().join("packages");
        Ok(Versions::open(runtime.clone(), Arc::clone(&self.store) as _, &packages)?)
    }

    /// Has the publisher of a release be trusted for its connector.
    pub(crate) async fn trust(&self, versions: &Versions, release: &Release) -> anyhow::Result<()> {
        Ok(versions.trust(&release.connector, release.signer).await?)
    }
}

/// Installs a release of a trusted publisher.
pub(crate) async fn install(versions: &Versions, release: &Release) -> anyhow::Result<()> {
    let accept = Install { accept: true, ..Install::default() };
    versions.install(release.package.clone(), accept).await?;
    Ok(())
}

/// Has all accounts be on a release, whichever they are on.
pub(crate) async fn activate(versions: &Versions, release: &Release) -> anyhow::Result<()> {
    let either_way = Activation { allow_downgrade: true, ..Activation::default() };
    versions.activate(&release.connector, &release.version, either_way).await?;
    Ok(())
}
