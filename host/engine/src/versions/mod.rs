//! Versions of connectors: packages are installed beside each other, trusted by their publishers' keys, activated, tried on some accounts,
//! and rolled back, while calls are under way.
//!
//! A *package* ([`tradepost_package`]) is verified before anything of it runs, and its component must say of itself what was signed. What is
//! installed and who is on which version is one document ([`Catalogue`]) that changes as one: of two operators who change it at once, one
//! is told that the other was first. The bytes are in files that their digests name; a file that nothing names does no harm and is swept
//! away. A running engine follows the catalogue through a [`Fleet`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use tradepost_engine::versions::{Activation, Install, Versions};
//! use tradepost_engine::{Engine, store};
//! # async fn example(runtime: tradepost_runtime::Runtime, package: Vec<u8>) -> anyhow::Result<()> {
//! let store = Arc::new(store::open("data".as_ref())?);
//! let versions = Versions::open(runtime, store, "data/packages".as_ref())?;
//! versions.trust("hardtofind", "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse()?).await?;
//! let installed = versions.install(package, Install { accept: true, ..Install::default() }).await?;
//! versions.activate(&installed.connector, &installed.version, Activation::default()).await?;
//! let connector = versions.connector_for("acme/hardtofind", "hardtofind").await?;
//! # Ok(())
//! # }
//! ```

mod catalogue;
mod claim;
mod error;
mod files;
mod fleet;
mod install;
mod note;
mod shadow;
mod trial;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use semver::Version;
use tokio::sync::OnceCell;
use tradepost_package::Package;
use tradepost_runtime::{Connector, Runtime};

pub use catalogue::{
    Catalogue, Channel, Following, InstalledConnector, InstalledVersion, KeyStanding, NoVersion, STABLE,
};
pub use claim::claim_of;
pub use error::VersionError;
pub use fleet::{Fleet, FleetNews, FleetOptions};
pub use install::{Install, Installed};
pub use note::{NewVersionNote, ShadowDifference, ShadowPage, ShadowReport, VersionChange, VersionNote, VersionStore};
pub(crate) use shadow::differences;
pub use trial::{Trial, TrialKind, TrialRules};

use files::PackageFiles;

/// Times that a change is made anew because another one came between.
const MOST_TRIES: u32 = 5;

/// The versions that are installed in one data directory. Cheap to clone.
#[derive(Clone)]
pub struct Versions {
    runtime: Runtime,
    store: Arc<dyn VersionStore>,
    files: PackageFiles,
    /// Connectors that are loaded or being loaded, each once, by digest.
    loaded: Arc<Mutex<BTreeMap<String, Arc<OnceCell<Connector>>>>>,
}

/// How a version becomes a channel's.
#[derive(Clone, Debug, Default)]
pub struct Activation {
    /// The channel; none = [`STABLE`].
    pub channel: Option<String>,
    /// Whether a version below the active one may take its place.
    pub allow_downgrade: bool,
    /// Only on trial, on this share of accounts and these; none = for all at once.
    pub trial: Option<TrialScope>,
    /// What it is judged by.
    pub rules: TrialRules,
}

/// Whom a version is tried on.
#[derive(Clone, Debug, Default)]
pub struct TrialScope {
    /// How many of a hundred accounts.
    pub share: u8,
    /// Accounts that take part whatever the share.
    pub accounts: Vec<String>,
    /// Whether it only reads along.
    pub shadow: bool,
}

/// What came of an activation or a roll-back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The version that accounts get now.
    pub version: Version,
    /// The one before it.
    pub before: Option<Version>,
}

impl Versions {
    /// The versions of a store, with the directory that their packages are in, which is made where there is none.
    pub fn open(runtime: Runtime, store: Arc<dyn VersionStore>, packages: &Path) -> Result<Self, VersionError> {
        let files = PackageFiles::open(packages)
            .map_err(|error| VersionError::Files(format!("{}: {error}", packages.display())))?;
        Ok(Self { runtime, store, files, loaded: Arc::default() })
    }

    /// What is installed and who is on which version, and the generation of that.
    pub async fn catalogue(&self) -> Result<(u64, Catalogue), VersionError> {
        Catalogue::read(self.store.as_ref()).await
    }

    /// The generation of the catalogue: it has changed when this has.
    pub async fn generation(&self) -> Result<u64, VersionError> {
        Ok(self.store.versions_generation().await?)
    }

    /// What happened, newest first; of one connector or of all.
    pub async fn notes(&self, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, VersionError> {
        Ok(self.store.version_notes(connector, limit).await?)
    }

    /// What was found by having a version read along.
    pub async fn shadow_report(&self, connector: &str, version: &Version) -> Result<ShadowReport, VersionError> {
        let (_, catalogue) = self.catalogue().await?;
        let installed = installed(&catalogue, connector, version)?;
        Ok(self.store.shadow_report(&installed.digest).await?)
    }

    /// The connector that an account is to be on, loaded.
    pub async fn connector_for(&self, account: &str, connector: &str) -> Result<Connector, VersionError> {
        let (_, catalogue) = self.catalogue().await?;
        let (_, version) = catalogue.version_for(account, connector)?;
        self.connector(&version.digest).await
    }

    /// The connector of this digest, loaded. Its package is read and verified again each time that it is loaded.
    pub async fn connector(&self, digest: &str) -> Result<Connector, VersionError> {
        let place = Arc::clone(self.loaded().entry(digest.to_owned()).or_default());
        let loaded = place.get_or_try_init(|| async { self.load(&self.package_of(digest).await?).await }).await;
        loaded.cloned()
    }

    /// The package of an installed version, as it was installed.
    pub async fn package(&self, connector: &str, version: &Version) -> Result<Package, VersionError> {
        let (_, catalogue) = self.catalogue().await?;
        self.package_of(&installed(&catalogue, connector, version)?.digest).await
    }

    /// The package of this component, read and verified.
    async fn package_of(&self, digest: &str) -> Result<Package, VersionError> {
        let gone = |reason: String| VersionError::Gone { digest: digest.to_owned(), reason };
        let wanted = digest.to_owned();
        let read = self.with_files(move |files| Ok(files.read(&wanted).map(Package::read))).await?;
        let package = read.map_err(|error| gone(error.to_string()))??;
        let found = package.statement().digest.to_string();
        if found == digest { Ok(package) } else { Err(gone(format!("its file holds {found}"))) }
    }

    /// Works with package files where waiting for a disk holds nobody up.
    async fn with_files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PackageFiles) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VersionError> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
            .map_err(|error| VersionError::Files(error.to_string()))
    }

    /// Compiles, links and describes a package's component, and compares what it says of itself with what was signed.
    async fn load(&self, package: &Package) -> Result<Connector, VersionError> {
        let connector = self.runtime.load(package.component().to_vec()).await?;
        let contradictions = package.statement().contradictions(&claim_of(&connector)?);
        if contradictions.is_empty() { Ok(connector) } else { Err(VersionError::Contradicts(contradictions)) }
    }

    /// Lets go of connectors that are loaded and that nothing names.
    pub(crate) fn let_go(&self, needed: impl Fn(&str) -> bool) {
        self.loaded().retain(|digest, _| needed(digest));
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OnceCell<Connector>>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a version a channel's, for all accounts or on trial. It is verified, compiled, linked and asked for its manifest first; only
    /// then is anything changed, and accounts get it when their [`Fleet`] looks next. Calls under way end on the version that they began
    /// on.
    pub async fn activate(
        &self,
        connector: &str,
        version: &Version,
        activation: Activation,
    ) -> Result<Moved, VersionError> {
        let (generation, catalogue) = self.catalogue().await?;
        let ready = installed(&catalogue, connector, version)?;
        usable(&catalogue, connector, version)?;
        self.connector(&ready.digest).await?;
        fail::fail_point!("activate.ready");
        let name = activation.channel.clone().unwrap_or_else(|| STABLE.to_owned());
        let mut changed = catalogue;
        let channels = &mut entry(&mut changed, connector)?.channels;
        let moved;
        let mut note = note(connector, VersionChange::Activated, Some(version));
        note.channel = Some(name.clone());
        if let Some(channel) = channels.get_mut(&name) {
            if version < &channel.active && !activation.allow_downgrade {
                return Err(VersionError::Downgrade {
                    connector: connector.to_owned(),
                    version: version.clone(),
                    active: channel.active.clone(),
                });
            }
            let is_active = *version == channel.active;
            let before = if is_active { channel.previous.clone() } else { Some(channel.active.clone()) };
            moved = Moved { version: version.clone(), before: before.clone() };
            note.before.clone_from(&before);
            let trial = |kind, scope: TrialScope, before| Trial {
                version: version.clone(),
                before,
                kind,
                share: scope.share.min(100),
                accounts: scope.accounts.into_iter().collect(),
                begun_at: now(),
                rules: activation.rules,
            };
            match (activation.trial, is_active) {
                (Some(_), true) => {
                    return Err(VersionError::AlreadyActive {
                        connector: connector.to_owned(),
                        version: version.clone(),
                    });
                }
                (Some(scope), false) => {
                    let kind = if scope.shadow { TrialKind::Shadow } else { TrialKind::Canary };
                    note.change = if scope.shadow { VersionChange::ShadowBegun } else { VersionChange::CanaryBegun };
                    channel.trial = Some(trial(kind, scope, channel.active.clone()));
                }
                (None, true) => channel.trial = None,
                (None, false) => {
                    let before = channel.active.clone();
                    channel.trial = Some(trial(
                        TrialKind::Watch,
                        TrialScope { share: 100, ..TrialScope::default() },
                        before.clone(),
                    ));
                    channel.previous = Some(before);
                    channel.active = version.clone();
                }
            }
        } else {
            if activation.trial.is_some() {
                return Err(NoVersion::NotActive { connector: connector.to_owned(), channel: name }.into());
            }
            moved = Moved { version: version.clone(), before: None };
            channels.insert(name, Channel { active: version.clone(), previous: None, trial: None });
        }
        self.change_as_seen(generation, &changed, note).await?;
        fail::fail_point!("activate.recorded");
        Ok(moved)
    }

    /// Ends a channel's trial, or puts the version before the active one in its place again. `by_itself` says that no operator asked.
    pub async fn roll_back(
        &self,
        connector: &str,
        channel: Option<&str>,
        reason: Option<String>,
        by_itself: bool,
    ) -> Result<Moved, VersionError> {
        let (generation, mut catalogue) = self.catalogue().await?;
        let name = channel.unwrap_or(STABLE).to_owned();
        let mut target = find_channel(&catalogue, connector, &name)?.clone();
        let mut note = note(connector, VersionChange::RolledBack, None);
        (note.channel, note.reason, note.by_itself) = (Some(name.clone()), reason, by_itself);
        let moved = match target.trial.take() {
            Some(trial) if trial.kind != TrialKind::Watch => {
                Moved { version: target.active.clone(), before: Some(trial.version) }
            }
            _ => {
                let Some(previous) = target.previous.take() else {
                    return Err(VersionError::NothingBefore { connector: connector.to_owned(), channel: name });
                };
                usable(&catalogue, connector, &previous)?;
                // One that was left must be there when it is needed.
                self.connector(&installed(&catalogue, connector, &previous)?.digest).await?;
                let left = std::mem::replace(&mut target.active, previous);
                target.previous = Some(left.clone());
                Moved { version: target.active.clone(), before: Some(left) }
            }
        };
        (note.version, note.before) = (Some(moved.version.clone()), moved.before.clone());
        entry(&mut catalogue, connector)?.channels.insert(name, target);
        self.change_as_seen(generation, &catalogue, note).await?;
        Ok(moved)
    }

    /// Ends a trial well: a canary's version becomes its channel's and is watched, one that was watched is so no longer.
    pub(crate) async fn promote(&self, connector: &str, channel: &str) -> Result<Moved, VersionError> {
        let (generation, mut catalogue) = self.catalogue().await?;
        let mut target = find_channel(&catalogue, connector, channel)?.clone();
        let trial = target.trial.take().ok_or_else(|| VersionError::ChangedMeanwhile)?;
        let mut note = note(connector, VersionChange::Settled, Some(&trial.version));
        (note.channel, note.by_itself) = (Some(channel.to_owned()), true);
        if trial.kind == TrialKind::Canary {
            note.change = VersionChange::Promoted;
            let before = std::mem::replace(&mut target.active, trial.version.clone());
            note.before = Some(before.clone());
            target.previous = Some(before);
            target.trial = Some(Trial { kind: TrialKind::Watch, share: 100, begun_at: now(), ..trial });
        }
        let moved = Moved { version: target.active.clone(), before: target.previous.clone() };
        entry(&mut catalogue, connector)?.channels.insert(channel.to_owned(), target);
        self.change_as_seen(generation, &catalogue, note).await?;
        Ok(moved)
    }

    /// Puts an account on a channel or pins it; none = the stable channel. `connector` is the account's.
    pub async fn follow(
        &self,
        account: &str,
        connector: &str,
        following: Option<Following>,
    ) -> Result<Version, VersionError> {
        let mut note = note(connector, VersionChange::AccountMoved, None);
        note.reason = Some(match &following {
            None => format!("{account} follows {STABLE}"),
            Some(Following::Channel(channel)) => format!("{account} follows {channel}"),
            Some(Following::Pin(version)) => format!("{account} is pinned to {version}"),
        });
        let (generation, mut catalogue) = self.catalogue().await?;
        match following {
            None => catalogue.accounts.remove(account),
            Some(following) => catalogue.accounts.insert(account.to_owned(), following),
        };
        let (version, ready) = catalogue.version_for(account, connector)?;
        usable(&catalogue, connector, version)?;
        self.connector(&ready.digest).await?;
        let version = version.clone();
        note.version = Some(version.clone());
        self.change_as_seen(generation, &catalogue, note).await?;
        Ok(version)
    }

    /// Removes a version that no channel and no account names.
    pub async fn remove(&self, connector: &str, version: &Version) -> Result<(), VersionError> {
        let (generation, mut catalogue) = self.catalogue().await?;
        let digest = installed(&catalogue, connector, version)?.digest.clone();
        let begun = self.store.begun_commands().await?;
        if catalogue.digests_in_use().contains(&digest) || begun.iter().any(|(_, on)| *on == digest) {
            return Err(VersionError::InUse { connector: connector.to_owned(), version: version.clone() });
        }
        entry(&mut catalogue, connector)?.versions.remove(version);
        self.change_as_seen(generation, &catalogue, note(connector, VersionChange::Removed, Some(version))).await
    }

    /// Removes package files that no installed version names. Gives how many files and bytes that were.
    pub async fn sweep(&self) -> Result<(u64, u64), VersionError> {
        // What is being installed is named only when it is done.
        let _alone = self.with_files(PackageFiles::alone).await?;
        let (_, catalogue) = self.catalogue().await?;
        let versions = catalogue.connectors.into_values().flat_map(|connector| connector.versions.into_values());
        let named: BTreeSet<String> = versions.map(|version| version.digest).collect();
        self.with_files(move |files| files.sweep(|digest| named.contains(digest))).await
    }

    /// Keeps a changed catalogue, if nobody changed it since it was read.
    async fn change_as_seen(
        &self,
        generation: u64,
        catalogue: &Catalogue,
        note: NewVersionNote,
    ) -> Result<(), VersionError> {
        let document = serde_json::to_string(catalogue).map_err(|error| VersionError::Unreadable(error.to_string()))?;
        match self.store.keep_versions(generation, document, vec![note]).await? {
            Some(_) => Ok(()),
            None => Err(VersionError::ChangedMeanwhile),
        }
    }

    /// Changes the catalogue in a way that does not depend on what others change: made anew where somebody else was first.
    async fn change(
        &self,
        note: NewVersionNote,
        make: impl Fn(&mut Catalogue) -> Result<(), VersionError>,
    ) -> Result<(), VersionError> {
        let mut tries = 0;
        loop {
            let (generation, mut catalogue) = self.catalogue().await?;
            make(&mut catalogue)?;
            tries += 1;
            match self.change_as_seen(generation, &catalogue, note.clone()).await {
                Err(VersionError::ChangedMeanwhile) if tries < MOST_TRIES => {}
                done => return done,
            }
        }
    }
}

/// What was installed as this version.
fn installed<'a>(
    catalogue: &'a Catalogue,
    connector: &str,
    version: &Version,
) -> Result<&'a InstalledVersion, VersionError> {
    let known = catalogue.connectors.get(connector).ok_or_else(|| VersionError::NotInstalled {
        connector: connector.to_owned(),
        version: version.clone(),
        installed: String::new(),
    })?;
    known.versions.get(version).ok_or_else(|| VersionError::NotInstalled {
        connector: connector.to_owned(),
        version: version.clone(),
        installed: known.versions.keys().map(Version::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// Refuses a version that must not get accounts: revoked, signed by revoked keys alone, or below the floor.
fn usable(catalogue: &Catalogue, connector: &str, version: &Version) -> Result<(), VersionError> {
    let target = installed(catalogue, connector, version)?;
    let refuse =
        |reason: String| VersionError::Revoked { connector: connector.to_owned(), version: version.clone(), reason };
    if let Some(reason) = &target.revoked {
        return Err(refuse(reason.clone()));
    }
    let known = &catalogue.connectors[connector];
    let standing = |key| known.keys.get(key);
    if !target.is_unsigned() && !target.signers.iter().any(|key| standing(key) == Some(&KeyStanding::Trusted)) {
        let reasons = target.signers.iter().find_map(|key| match standing(key) {
            Some(KeyStanding::Revoked(reason)) => Some(format!("its publisher's key {key} is revoked: {reason}")),
            _ => None,
        });
        return Err(refuse(reasons.unwrap_or_else(|| "its publisher's key is not trusted any more".to_owned())));
    }
    match &known.floor {
        Some(floor) if version < floor => Err(VersionError::BelowFloor {
            connector: connector.to_owned(),
            version: version.clone(),
            floor: floor.clone(),
        }),
        _ => Ok(()),
    }
}

fn entry<'a>(catalogue: &'a mut Catalogue, connector: &str) -> Result<&'a mut InstalledConnector, VersionError> {
    let installed = catalogue.connectors.keys().cloned().collect::<Vec<_>>().join(", ");
    catalogue
        .connectors
        .get_mut(connector)
        .ok_or_else(|| NoVersion::NotInstalled { connector: connector.to_owned(), installed }.into())
}

fn find_channel<'a>(catalogue: &'a Catalogue, connector: &str, channel: &str) -> Result<&'a Channel, VersionError> {
    catalogue
        .connectors
        .get(connector)
        .and_then(|known| known.channels.get(channel))
        .ok_or_else(|| NoVersion::NotActive { connector: connector.to_owned(), channel: channel.to_owned() }.into())
}

fn note(connector: &str, change: VersionChange, version: Option<&Version>) -> NewVersionNote {
    NewVersionNote {
        connector: connector.to_owned(),
        change,
        version: version.cloned(),
        before: None,
        channel: None,
        reason: None,
        by_itself: false,
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
