//! Installing a package: everything about it is checked before anything is kept, the file is kept before the catalogue names it, and the
//! catalogue changes as one. Broken off anywhere, it leaves what was installed before.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use semver::{BuildMetadata, Version};
use tokio::sync::OnceCell;
use tradepost_package::{Package, Parts, PublicKey, Rights};
use tradepost_runtime::connector_page;

use super::catalogue::{Catalogue, InstalledVersion, KeyStanding};
use super::error::VersionError;
use super::files::PackageFiles;
use super::note::VersionChange;
use super::{Versions, claim_of, note, now};

/// Letters of a digest by which builds of the same version are told apart that nobody signed.
const BUILD_LETTERS: usize = 12;

/// What an operator says to a package that is to be installed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Install {
    /// Whether it may have the rights that it asks for beyond those accepted before.
    pub accept: bool,
    /// Whether a component that nobody signed may be installed. It is marked as such, and its version gets a mark of its build: `1.2.0+` and
    /// the beginning of its digest.
    pub allow_unsigned: bool,
}

/// What was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The connector.
    pub connector: String,
    /// Its version.
    pub version: Version,
    /// The digest of the component.
    pub digest: String,
    /// Who signed it and is trusted; nobody for an unsigned one.
    pub signers: BTreeSet<PublicKey>,
    /// What it may do.
    pub rights: Rights,
    /// What of that was not accepted before this.
    pub more: Rights,
    /// Whether it was installed already, and nothing was changed.
    pub was_there: bool,
}

impl Versions {
    /// Installs a package, or a component that nobody signed. It gets no accounts by that: see [`Versions::activate`].
    ///
    /// Refused, with nothing changed: a package that is damaged or was changed, is not signed by a key that is trusted for its connector,
    /// is revoked or below the floor, whose component is not what was signed, or that asks for more rights than were accepted.
    pub async fn install(&self, bytes: impl Into<Bytes>, install: Install) -> Result<Installed, VersionError> {
        // Read once: what is verified here is what is compiled and kept, whatever becomes of the file it came from.
        let bytes: Bytes = bytes.into();
        let package = if Package::is_one(&bytes) { Package::read(bytes)? } else { self.unsigned(bytes).await? };
        let statement = package.statement();
        let connector = statement.id.clone();
        let (_, catalogue) = self.catalogue().await?;
        let mut installed = Installed {
            version: version_of(&package),
            digest: statement.digest.to_string(),
            signers: trusted(&catalogue, &package, install)?,
            rights: statement.rights(),
            more: Rights::default(),
            was_there: false,
            connector,
        };
        admit(&catalogue, &mut installed, install)?;
        // After a backup was restored it may not be there any more.
        if installed.was_there && self.package_of(&installed.digest).await.is_ok() {
            return Ok(installed);
        }
        // Compiled, linked, described, and what it says compared with what was signed.
        let loaded = self.load(&package).await?;
        fail::fail_point!("install.loaded");
        // Until the catalogue names it, nobody sweeps it away.
        let _adding = self.with_files(PackageFiles::adding).await?;
        // The same component may be there with signatures that this package does not have.
        let there = self.package_of(&installed.digest).await;
        if there.map_or(true, |there| !there.signers().is_superset(&package.signers())) {
            let (digest, bytes) = (installed.digest.clone(), package.to_bytes());
            self.with_files(move |files| files.keep(&digest, &bytes)).await?;
        }
        fail::fail_point!("install.file-kept");
        if installed.was_there {
            return Ok(installed);
        }
        let mut note = note(&installed.connector, VersionChange::Installed, Some(&installed.version));
        note.reason = Some(match installed.signers.first() {
            Some(key) => format!("signed by {key}"),
            None => "unsigned".to_owned(),
        });
        let record = InstalledVersion {
            digest: installed.digest.clone(),
            package: package.digest().to_string(),
            contract: statement.contract.to_string(),
            signers: installed.signers.clone(),
            rights: installed.rights.clone(),
            installed_at: now(),
            revoked: None,
        };
        self.change(note, |catalogue| {
            // Another operator may have revoked, raised the floor or installed meanwhile.
            trusted(catalogue, &package, install)?;
            admit(catalogue, &mut installed.clone(), install)?;
            let known = catalogue.connectors.entry(installed.connector.clone()).or_default();
            known.accepted.hosts.extend(installed.rights.hosts.iter().cloned());
            known.accepted.secrets.extend(installed.rights.secrets.iter().cloned());
            known.accepted.effects.extend(installed.rights.effects.iter().cloned());
            known.versions.insert(installed.version.clone(), record.clone());
            Ok(())
        })
        .await?;
        fail::fail_point!("install.recorded");
        self.loaded().insert(installed.digest.clone(), Arc::new(OnceCell::new_with(Some(loaded))));
        Ok(installed)
    }

    /// A package of a bare component, which nobody signed.
    async fn unsigned(&self, component: Bytes) -> Result<Package, VersionError> {
        let connector = self.runtime.load(component.to_vec()).await?;
        let manifest =
            serde_json::to_string(connector.manifest()).map_err(|error| VersionError::Unreadable(error.to_string()))?;
        let page = connector_page(&connector);
        Ok(Package::build(Parts { claim: claim_of(&connector)?, component, manifest, page, report: None })?)
    }
}

/// The version that a package is installed as.
fn version_of(package: &Package) -> Version {
    let statement = package.statement();
    let mut version = statement.version.clone();
    if package.is_unsigned() {
        let digest = statement.digest.to_string();
        let letters = digest.trim_start_matches("sha256:").chars().take(BUILD_LETTERS).collect::<String>();
        let build = if version.build.is_empty() { letters } else { format!("{}.{letters}", version.build) };
        version.build = BuildMetadata::new(&build).unwrap_or(BuildMetadata::EMPTY);
    }
    version
}

/// Who of those that signed a package is trusted.
fn trusted(catalogue: &Catalogue, package: &Package, install: Install) -> Result<BTreeSet<PublicKey>, VersionError> {
    let statement = package.statement();
    if package.is_unsigned() {
        return if install.allow_unsigned {
            Ok(BTreeSet::new())
        } else {
            Err(VersionError::Unsigned { connector: statement.id.clone(), version: statement.version.clone() })
        };
    }
    let keys = catalogue.connectors.get(&statement.id).map(|connector| &connector.keys);
    let signers = package.signers();
    let standing = |key: &PublicKey| keys.and_then(|keys| keys.get(key));
    let trusted: BTreeSet<PublicKey> =
        signers.iter().copied().filter(|key| standing(key) == Some(&KeyStanding::Trusted)).collect();
    if !trusted.is_empty() {
        return Ok(trusted);
    }
    for key in &signers {
        if let Some(KeyStanding::Revoked(reason)) = standing(key) {
            return Err(VersionError::RevokedKey { key: *key, reason: reason.clone() });
        }
    }
    Err(VersionError::UnknownSigner {
        connector: statement.id.clone(),
        version: statement.version.clone(),
        signers: signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// Compares a package with what is installed, and with what was accepted.
fn admit(catalogue: &Catalogue, installed: &mut Installed, install: Install) -> Result<(), VersionError> {
    let Installed { connector, version, digest, rights, .. } = &*installed;
    let known = catalogue.connectors.get(connector);
    if let Some(there) = known.and_then(|known| known.versions.get(version)) {
        if let Some(reason) = &there.revoked {
            let (connector, version) = (connector.clone(), version.clone());
            return Err(VersionError::Revoked { connector, version, reason: reason.clone() });
        }
        if there.digest != *digest {
            let (connector, version) = (connector.clone(), version.clone());
            return Err(VersionError::VersionTaken { connector, version, digest: there.digest.clone() });
        }
        installed.was_there = true;
        return Ok(());
    }
    if let Some(floor) = known.and_then(|known| known.floor.as_ref()).filter(|floor| version < floor) {
        let (connector, version) = (connector.clone(), version.clone());
        return Err(VersionError::BelowFloor { connector, version, floor: floor.clone() });
    }
    let more = known.map_or_else(|| rights.clone(), |known| rights.beyond(&known.accepted));
    if !more.is_empty() && !install.accept {
        let (connector, version) = (connector.clone(), version.clone());
        return Err(VersionError::MoreRights { connector, version, more: Box::new(more) });
    }
    installed.more = more;
    Ok(())
}
