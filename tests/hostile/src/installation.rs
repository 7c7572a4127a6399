//! An installation of Tradepost with versions of connectors in it: a data directory, a store, a publisher who is trusted, and what is
//! installed. Cases swap, damage and take away; the installation says whether anything was changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use semver::Version;
use tempfile::TempDir;
use tradepost_engine::store::{self, Store};
use tradepost_engine::versions::{
    Activation, Catalogue, Fleet, FleetNews, FleetOptions, Install, VersionError, VersionStore, Versions,
};
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::contract::AccountIdentity;
use tradepost_runtime::{Account, CallError, Connector, Reply, Runtime};

use crate::case::MustFail as _;
use crate::core_module::{CoreModule, RESULT_AT, SCRATCH_AT};
use crate::manifest_image::ManifestImage;
use crate::publisher::Publisher;

/// An operator who says yes to every right, and to nothing that is unsigned.
pub const ACCEPTED: Install = Install { accept: true, allow_unsigned: false };

/// The directory of packages within a data directory.
const PACKAGES: &str = "packages";

/// A data directory with what is installed in it.
pub struct Installation {
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its versions.
    pub versions: Versions,
    /// Whose packages it takes, once they are trusted for a connector.
    pub publisher: Publisher,
    runtime: Runtime,
    directory: TempDir,
}

/// What an installation holds, to be compared.
#[derive(Debug, PartialEq)]
pub struct Contents {
    generation: u64,
    catalogue: Catalogue,
    /// Names and contents of the package files.
    files: BTreeMap<String, Vec<u8>>,
}

impl Installation {
    /// An empty one.
    ///
    /// # Errors
    /// If the machine gives no directory.
    pub fn new(runtime: &Runtime) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let (store, versions) = open(runtime, directory.path())?;
        Ok(Self { store, versions, publisher: Publisher::new()?, runtime: runtime.clone(), directory })
    }

    /// One with these components installed, signed by a publisher who is trusted for them. The first of each connector is active.
    ///
    /// # Errors
    /// If one is refused.
    pub async fn with(runtime: &Runtime, components: impl Into<Vec<Vec<u8>>>) -> anyhow::Result<Self> {
        let installation = Self::new(runtime)?;
        for component in components.into() {
            let (connector, version) = installation.install(component).await?;
            let (_, catalogue) = installation.versions.catalogue().await?;
            if catalogue.connectors[&connector].channels.is_empty() {
                installation.activate(&connector, &version).await?;
            }
        }
        Ok(installation)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file that a component's package is kept in.
    pub fn file_of(&self, digest: &str) -> PathBuf {
        self.packages().join(digest.replace(':', "-")).with_extension("tradepost")
    }

    fn packages(&self) -> PathBuf {
        self.directory().join(PACKAGES)
    }

    /// Installs a component, signed by the publisher, who is trusted for it from then on. Gives its id and version.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn install(&self, component: Vec<u8>) -> anyhow::Result<(String, Version)> {
        let package = self.publisher.package(&self.runtime, component).await?;
        self.versions.trust(&package.statement().id, self.publisher.key()).await?;
        let installed = self.versions.install(package.to_bytes(), ACCEPTED).await?;
        Ok((installed.connector, installed.version))
    }

    /// Has a version take the place of whatever is active, older or not.
    ///
    /// # Errors
    /// As [`Versions::activate`].
    pub async fn activate(&self, connector: &str, version: &Version) -> Result<(), VersionError> {
        let activation = Activation { allow_downgrade: true, ..Activation::default() };
        self.versions.activate(connector, version, activation).await.map(drop)
    }

    /// What must not be installed. Whatever happens, nothing is changed by it.
    ///
    /// # Errors
    /// If it is installed, or something is changed.
    pub async fn refuses(&self, package: impl Into<Bytes>, install: Install) -> anyhow::Result<VersionError> {
        let before = self.contents().await?;
        let refused = self.versions.install(package, install).await.must_fail("it must not be installed")?;
        ensure!(self.contents().await? == before, "it was refused, and something was changed: {refused}");
        Ok(refused)
    }

    /// What it holds.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn contents(&self) -> anyhow::Result<Contents> {
        let (generation, catalogue) = self.versions.catalogue().await?;
        let files = fs::read_dir(self.packages())?.map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?))
        });
        Ok(Contents { generation, catalogue, files: files.collect::<std::io::Result<_>>()? })
    }

    /// The versions as they are after a restart: nothing is loaded.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub fn restarted(&self) -> anyhow::Result<Versions> {
        self.on(self.store.clone())
    }

    /// The same with another store between it and its own.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub fn on(&self, store: Arc<dyn VersionStore>) -> anyhow::Result<Versions> {
        Ok(Versions::open(self.runtime.clone(), store, &self.packages())?)
    }

    /// Closes its files, and opens them again after `meanwhile`.
    ///
    /// # Errors
    /// If they cannot be opened any more, or `meanwhile` fails.
    pub async fn closed_during<T>(
        self,
        meanwhile: impl AsyncFnOnce(&Path) -> anyhow::Result<T>,
    ) -> anyhow::Result<(Self, T)> {
        let Self { store, versions, publisher, runtime, directory } = self;
        drop((store, versions));
        let came = meanwhile(directory.path()).await?;
        let (store, versions) = open(&runtime, directory.path())?;
        Ok((Self { store, versions, publisher, runtime, directory }, came))
    }

    /// The connector that an account is to be on, loaded.
    ///
    /// # Errors
    /// As [`Versions::connector_for`].
    pub async fn connector(&self, id: &str) -> anyhow::Result<Connector> {
        Ok(self.versions.connector_for("anyone", id).await?)
    }

    /// An engine with these accounts, and a fleet that keeps them on their versions.
    pub fn fleet(&self, accounts: Vec<Account>, engine: EngineOptions, fleet: FleetOptions) -> (Engine, Fleet) {
        let named: Vec<(String, String)> = accounts
            .iter()
            .map(|account| (account.id().to_owned(), account.connector().manifest().id.clone()))
            .collect();
        let engine = Engine::new(Arc::clone(&self.store), accounts, engine);
        let fleet = Fleet::new(engine.clone(), self.versions.clone(), named, fleet);
        (engine, fleet)
    }
}

fn open(runtime: &Runtime, directory: &Path) -> anyhow::Result<(Arc<dyn Store>, Versions)> {
    let store: Arc<dyn Store> = Arc::new(store::open(directory)?);
    let versions = Versions::open(runtime.clone(), store.clone(), &directory.join(PACKAGES))?;
    Ok((store, versions))
}

/// The versions of a data directory as another process finds them.
///
/// # Errors
/// If the directory cannot be used.
pub fn versions_in(runtime: &Runtime, directory: &Path) -> anyhow::Result<Versions> {
    Ok(open(runtime, directory)?.1)
}

/// Has a fleet look once. Gives what it told.
///
/// # Errors
/// If it cannot look.
pub async fn look(fleet: &mut Fleet) -> anyhow::Result<Vec<FleetNews>> {
    let mut told = Vec::new();
    fleet.look(&mut |news| told.push(news)).await?;
    Ok(told)
}

/// The account as calls begin on it now.
///
/// # Errors
/// If the engine has no such account.
pub fn account(engine: &Engine, id: &str) -> anyhow::Result<Account> {
    engine.account(id).with_context(|| format!("the engine has the account {id}"))
}

/// The version of the connector that an account is on.
///
/// # Errors
/// If the engine has no such account.
pub fn version_of(engine: &Engine, id: &str) -> anyhow::Result<String> {
    Ok(account(engine, id)?.connector().manifest().version.clone())
}

/// The key under which a [`telling`] connector stores its version, and where that stands in its memory: behind the result, before the
/// manifest.
const VERSION_KEY: &str = "version";
const VERSION_AT: u32 = RESULT_AT + 128;

/// A hand-written connector of this version whose code says so: `check` stores it.
pub fn telling(version: &str) -> CoreModule {
    let (key, value) = (VERSION_KEY.len(), version.len());
    let value_at = VERSION_AT + 16;
    CoreModule {
        items: format!("(data (i32.const {VERSION_AT}) \"{VERSION_KEY}\") (data (i32.const {value_at}) \"{version}\")"),
        check: format!(
            "(call $storage_set (i32.const {VERSION_AT}) (i32.const {key}) (i32.const {value_at}) (i32.const {value})
               (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT}))
             (i32.const {RESULT_AT})"
        ),
        manifest: ManifestImage { version: version.into(), ..ManifestImage::default() },
        ..CoreModule::default()
    }
}

/// The version that the code of a [`telling`] connector said in this call.
///
/// # Errors
/// If the call failed, or said nothing.
pub fn told(reply: Result<Reply<AccountIdentity>, CallError>) -> anyhow::Result<String> {
    let writes = reply?.writes.writes;
    let said = writes.into_iter().find(|write| write.key == VERSION_KEY).and_then(|write| write.value);
    Ok(String::from_utf8(said.context("the connector stores its version")?)?)
}
