//! Why something was not done to versions. Nothing was changed, and the version in use goes on.

use semver::Version;
use tradepost_package::{PackageError, PublicKey, Rights};
use tradepost_runtime::LoadError;

use super::catalogue::NoVersion;
use crate::store::StoreError;

/// Why something was not done to versions. Nothing was changed, and the version in use goes on.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The package is damaged, was changed, or is none.
    #[error("the package is refused: {0}")]
    Package(#[from] PackageError),
    /// Nobody signed it.
    #[error(
        "{connector} {version} is not signed: `tradepost sign` signs a package; to run it all the same, allow unsigned components"
    )]
    Unsigned {
        /// The connector.
        connector: String,
        /// Its version.
        version: Version,
    },
    /// Nobody who is trusted signed it.
    #[error(
        "{connector} {version} is signed by {signers}, and no key of these is trusted for {connector}; if the publisher gave you this key, `tradepost trust add {connector} KEY`"
    )]
    UnknownSigner {
        /// The connector.
        connector: String,
        /// Its version.
        version: Version,
        /// The keys, separated by commas.
        signers: String,
    },
    /// Its key is revoked.
    #[error("the key {key} is revoked: {reason}")]
    RevokedKey {
        /// The key.
        key: PublicKey,
        /// Why.
        reason: String,
    },
    /// It must not be used any more.
    #[error("{connector} {version} must not be used: {reason}")]
    Revoked {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
        /// Why.
        reason: String,
    },
    /// It is older than what is allowed.
    #[error(
        "{connector} {version} is below the floor {floor}, which an operator set; `tradepost trust floor {connector} VERSION` changes it"
    )]
    BelowFloor {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
        /// The oldest that is allowed.
        floor: Version,
    },
    /// It is older than the active version.
    #[error(
        "{connector} {version} is older than the active version {active}; allow a downgrade if that is meant, or roll back"
    )]
    Downgrade {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
        /// The active one.
        active: Version,
    },
    /// It wants more than was accepted.
    #[error("{connector} {version} wants more than was accepted before: it {}; accept that if it is right", .more.lines().join(", it "))]
    MoreRights {
        /// The connector.
        connector: String,
        /// Its version.
        version: Version,
        /// What it wants more.
        more: Box<Rights>,
    },
    /// Its component says something else of itself than what was signed.
    #[error("the component is not what was signed: {}", .0.join("; "))]
    Contradicts(Vec<String>),
    /// Another component is installed under this version.
    #[error(
        "{connector} {version} is installed already with another component ({digest}); a version never changes: publish it under a higher one"
    )]
    VersionTaken {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
        /// The digest of what is installed.
        digest: String,
    },
    /// The component cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no version for the account.
    #[error(transparent)]
    NoVersion(#[from] NoVersion),
    /// The version is not installed.
    #[error("{connector} {version} is not installed (installed: {})", if .installed.is_empty() { "none" } else { .installed })]
    NotInstalled {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
        /// Those that are.
        installed: String,
    },
    /// It is the channel's version already, so there is nothing to try.
    #[error("{connector} {version} is the active version already")]
    AlreadyActive {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
    },
    /// There is no version to go back to.
    #[error(
        "{connector} has no version before the active one on channel {channel:?}; `tradepost activate {connector} VERSION` sets any that is installed"
    )]
    NothingBefore {
        /// The connector.
        connector: String,
        /// The channel.
        channel: String,
    },
    /// A channel, an account or a command that is not done needs it.
    #[error("{connector} {version} is in use: a channel, a pinned account or a command that is not done names it")]
    InUse {
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
    },
    /// Somebody else changed something at the same time.
    #[error(
        "somebody else changed the versions at the same time; look at `tradepost versions` and do it again if it is still meant"
    )]
    ChangedMeanwhile,
    /// The package's file is not there or is not what it was.
    #[error("the package of {digest} cannot be read: {reason}; install it again")]
    Gone {
        /// The component.
        digest: String,
        /// Why.
        reason: String,
    },
    /// The package cannot be kept.
    #[error("the package cannot be kept: {0}; check the data directory and its room")]
    Files(String),
    /// The catalogue in the store cannot be read.
    #[error("the list of versions cannot be read: {0}; it was written by another Tradepost, use that one")]
    Unreadable(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
