//! Whose signatures count for which connector, and what must not be used any more.

use semver::Version;
use tradepost_package::PublicKey;

use super::catalogue::KeyStanding;
use super::error::VersionError;
use super::note::VersionChange;
use super::{Versions, entry, note};

impl Versions {
    /// Has a publisher's key count for a connector, installed or not. A key that was revoked stays so.
    pub async fn trust(&self, connector: &str, key: PublicKey) -> Result<(), VersionError> {
        let mut note = note(connector, VersionChange::KeyChanged, None);
        note.reason = Some(format!("{key} is trusted"));
        self.change(note, |catalogue| {
            let known = catalogue.connectors.entry(connector.to_owned()).or_default();
            if let Some(KeyStanding::Revoked(reason)) = known.keys.get(&key) {
                return Err(VersionError::RevokedKey { key, reason: reason.clone() });
            }
            known.keys.insert(key, KeyStanding::Trusted);
            Ok(())
        })
        .await
    }

    /// Has a key count for a connector no more, for good. Versions that no other trusted key signed get no accounts from now on; those that
    /// have some keep them until an operator moves them, which this gives.
    pub async fn revoke_key(
        &self,
        connector: &str,
        key: PublicKey,
        reason: &str,
    ) -> Result<Vec<Version>, VersionError> {
        let mut note = note(connector, VersionChange::KeyChanged, None);
        note.reason = Some(format!("{key} is revoked: {reason}"));
        self.change(note, |catalogue| {
            let known = catalogue.connectors.entry(connector.to_owned()).or_default();
            known.keys.insert(key, KeyStanding::Revoked(reason.to_owned()));
            Ok(())
        })
        .await?;
        self.unusable_in_use(connector).await
    }

    /// Has a version get no accounts from now on, for good. Gives the versions that must not be used and are.
    pub async fn revoke_version(
        &self,
        connector: &str,
        version: &Version,
        reason: &str,
    ) -> Result<Vec<Version>, VersionError> {
        let mut note = note(connector, VersionChange::VersionRevoked, Some(version));
        note.reason = Some(reason.to_owned());
        self.change(note, |catalogue| {
            super::installed(catalogue, connector, version)?;
            if let Some(target) = entry(catalogue, connector)?.versions.get_mut(version) {
                target.revoked = Some(reason.to_owned());
            }
            Ok(())
        })
        .await?;
        self.unusable_in_use(connector).await
    }

    /// Has nothing below this version be installed, activated or rolled back to; none = no floor.
    pub async fn set_floor(&self, connector: &str, floor: Option<Version>) -> Result<(), VersionError> {
        let note = note(connector, VersionChange::FloorSet, floor.as_ref());
        self.change(note, |catalogue| {
            catalogue.connectors.entry(connector.to_owned()).or_default().floor.clone_from(&floor);
            Ok(())
        })
        .await
    }

    /// Versions of a connector that are in use and must not be: revoked since, or below the floor.
    pub async fn unusable_in_use(&self, connector: &str) -> Result<Vec<Version>, VersionError> {
        let (_, catalogue) = self.catalogue().await?;
        let Some(known) = catalogue.connectors.get(connector) else { return Ok(Vec::new()) };
        let used = catalogue.digests_in_use();
        let is_unusable = |version: &&Version| super::usable(&catalogue, connector, version).is_err();
        let in_use = known.versions.iter().filter(|(_, installed)| used.contains(&installed.digest));
        Ok(in_use.map(|(version, _)| version).filter(is_unusable).cloned().collect())
    }
}
