//! What is installed, whom it is trusted from, and which account is on which version: plain data that is kept as one document, with the
//! questions that are asked of it.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tradepost_package::{PublicKey, Rights};

use super::error::VersionError;
use super::note::VersionStore;
use super::trial::Trial;

/// The channel that an account follows unless it is said otherwise.
pub const STABLE: &str = "stable";

/// Everything about versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The connectors that are installed or that keys are trusted for, by id.
    pub connectors: BTreeMap<String, InstalledConnector>,
    /// Accounts that follow another channel than [`STABLE`], or are pinned.
    pub accounts: BTreeMap<String, Following>,
}

/// What an account's version comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Following {
    /// Whatever the channel's version is.
    Channel(String),
    /// This version, whatever happens.
    Pin(Version),
}

/// One connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstalledConnector {
    /// Whose signatures count, and whose do not any more.
    pub keys: BTreeMap<PublicKey, KeyStanding>,
    /// No version below this one is installed, activated or rolled back to.
    pub floor: Option<Version>,
    /// The rights that an operator has said yes to.
    pub accepted: Rights,
    /// Its versions.
    pub versions: BTreeMap<Version, InstalledVersion>,
    /// Its channels.
    pub channels: BTreeMap<String, Channel>,
}

/// Whether a publisher's key is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStanding {
    /// Its signatures count.
    Trusted,
    /// They do not, for this reason.
    Revoked(String),
}

/// One version. Its bytes are in a file that its digest names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstalledVersion {
    /// SHA-256 of the component, as `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// SHA-256 of the whole package.
    pub package: String,
    /// The contract that it was built against.
    pub contract: String,
    /// Who signed it; nobody for one that was installed unsigned.
    pub signers: BTreeSet<PublicKey>,
    /// What it may do, by its statement.
    pub rights: Rights,
    /// When, milliseconds since 1970.
    pub installed_at: u64,
    /// Why it must not be used any more.
    pub revoked: Option<String>,
}

/// A channel: a name for the version that accounts are to be on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// The version.
    pub active: Version,
    /// The one before it, kept warm.
    pub previous: Option<Version>,
    /// A version that is being tried.
    pub trial: Option<Trial>,
}

/// Why there is no version for an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// The connector is not installed.
    #[error(
        "connector {connector:?} is not installed; `tradepost install PACKAGE` installs it (installed: {installed})"
    )]
    NotInstalled {
        /// The connector.
        connector: String,
        /// Those that are, or `none`.
        installed: String,
    },
    /// It is installed, and the channel has no active version.
    #[error(
        "connector {connector} has no active version on channel {channel:?}; `tradepost activate {connector} VERSION --channel {channel}` sets one"
    )]
    NotActive {
        /// The connector.
        connector: String,
        /// The channel.
        channel: String,
    },
    /// The account is pinned to a version that is not installed.
    #[error(
        "account {account} is pinned to {connector} {version}, which is not installed; install it, or `tradepost pin {account} --off`"
    )]
    PinnedAway {
        /// The account.
        account: String,
        /// The connector.
        connector: String,
        /// The version.
        version: Version,
    },
}

impl Catalogue {
    /// The catalogue of a store, and its generation: for who only looks. [`Versions`](super::Versions) changes it.
    pub async fn read(store: &dyn VersionStore) -> Result<(u64, Self), VersionError> {
        let (generation, document) = store.versions().await?;
        let catalogue = match document {
            None => Self::default(),
            Some(text) => serde_json::from_str(&text).map_err(|error| VersionError::Unreadable(error.to_string()))?,
        };
        Ok((generation, catalogue))
    }

    /// The version of a connector that an account is to be on.
    pub fn version_for(&self, account: &str, connector: &str) -> Result<(&Version, &InstalledVersion), NoVersion> {
        let installed = self.connectors.get(connector).filter(|connector| !connector.versions.is_empty());
        let installed = installed
            .ok_or_else(|| NoVersion::NotInstalled { connector: connector.to_owned(), installed: self.names() })?;
        let wanted = match self.accounts.get(account) {
            Some(Following::Pin(version)) => version,
            other => {
                let name = channel_name(other);
                let channel = installed.channels.get(name).ok_or_else(|| NoVersion::NotActive {
                    connector: connector.to_owned(),
                    channel: name.to_owned(),
                })?;
                channel.version_for(account)
            }
        };
        installed.versions.get_key_value(wanted).ok_or_else(|| NoVersion::PinnedAway {
            account: account.to_owned(),
            connector: connector.to_owned(),
            version: wanted.clone(),
        })
    }

    /// The version that is to read along with this account's, if one is.
    pub fn shadow_for(&self, account: &str, connector: &str) -> Option<(&Version, &InstalledVersion)> {
        let following = self.accounts.get(account);
        if matches!(following, Some(Following::Pin(_))) {
            return None;
        }
        let installed = self.connectors.get(connector)?;
        let trial = installed.channels.get(channel_name(following))?.trial.as_ref()?;
        let reads_along = trial.is_shadow() && trial.takes(account);
        reads_along.then(|| installed.versions.get_key_value(&trial.version))?
    }

    /// The connectors that are installed, for messages.
    fn names(&self) -> String {
        let installed = self.connectors.iter().filter(|(_, connector)| !connector.versions.is_empty());
        let names: Vec<&str> = installed.map(|(id, _)| id.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// The digests of versions that a channel or a pin names: those that are kept ready.
    pub fn digests_in_use(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for connector in self.connectors.values() {
            let of_channels = connector.channels.values().flat_map(Channel::versions);
            let pinned = self.accounts.values().filter_map(|following| match following {
                Following::Pin(version) => Some(version),
                Following::Channel(_) => None,
            });
            let versions = of_channels.chain(pinned).filter_map(|version| connector.versions.get(version));
            used.extend(versions.map(|version| version.digest.clone()));
        }
        used
    }
}

/// The channel of an account that is not pinned.
fn channel_name(following: Option<&Following>) -> &str {
    match following {
        Some(Following::Channel(name)) => name,
        _ => STABLE,
    }
}

impl Channel {
    /// The version that an account is on which follows this channel.
    pub fn version_for(&self, account: &str) -> &Version {
        match &self.trial {
            Some(trial) if !trial.is_shadow() && trial.takes(account) => &trial.version,
            _ => &self.active,
        }
    }

    /// The versions that it names.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.active).chain(&self.previous).chain(self.trial.iter().map(|trial| &trial.version))
    }
}

impl InstalledVersion {
    /// Whether nobody signed it.
    pub fn is_unsigned(&self) -> bool {
        self.signers.is_empty()
    }
}

/// Where among a hundred an account stands when a share of accounts is taken: always the same for this version, and another for others, so
/// that it is not always the same accounts that try.
pub(super) fn place_of(account: &str, version: &Version) -> u8 {
    let hash = Sha256::digest(format!("{version}\n{account}"));
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    u8::try_from(number % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::trial::{TrialKind, TrialRules};
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn installed(digest: &str) -> InstalledVersion {
        InstalledVersion {
            digest: digest.into(),
            package: String::new(),
            contract: "0.1.0".into(),
            signers: BTreeSet::new(),
            rights: Rights::default(),
            installed_at: 0,
            revoked: None,
        }
    }

    fn catalogue() -> Catalogue {
        let mut connector = InstalledConnector::default();
        for text in ["1.0.0", "1.1.0", "2.0.0"] {
            connector.versions.insert(version(text), installed(text));
        }
        let channel = |active: &str| Channel { active: version(active), previous: None, trial: None };
        connector.channels.insert(STABLE.into(), channel("1.0.0"));
        connector.channels.insert("beta".into(), channel("2.0.0"));
        let connectors = [("shop".to_owned(), connector)].into();
        let accounts = [
            ("b".to_owned(), Following::Channel("beta".into())),
            ("p".to_owned(), Following::Pin(version("1.1.0"))),
            ("gone".to_owned(), Following::Pin(version("9.0.0"))),
            ("nowhere".to_owned(), Following::Channel("alpha".into())),
        ];
        Catalogue { connectors, accounts: accounts.into() }
    }

    #[test]
    fn an_account_is_on_its_pin_or_its_channel_or_stable() {
        let catalogue = catalogue();
        let of = |account: &str| catalogue.version_for(account, "shop").map(|(version, _)| version.to_string());
        assert_eq!(of("anyone").unwrap(), "1.0.0");
        assert_eq!(of("b").unwrap(), "2.0.0");
        assert_eq!(of("p").unwrap(), "1.1.0");
        assert!(of("gone").unwrap_err().to_string().contains("pinned to shop 9.0.0"));
        assert!(of("nowhere").unwrap_err().to_string().contains("--channel alpha"));
        let absent = catalogue.version_for("anyone", "stall").unwrap_err().to_string();
        assert!(absent.contains("(installed: shop)"), "{absent}");
    }

    #[test]
    fn a_share_takes_about_that_many_accounts_and_more_when_it_grows() {
        let new = version("1.1.0");
        let taken = |share: u8| -> BTreeSet<u32> {
            (0..1_000).filter(|account| place_of(&account.to_string(), &new) < share).collect()
        };
        let (tenth, half) = (taken(10), taken(50));
        assert!((60..140).contains(&tenth.len()) && (420..580).contains(&half.len()), "{} {}", tenth.len(), half.len());
        assert!(tenth.is_subset(&half));
        assert_eq!(taken(100).len(), 1_000);
    }

    #[test]
    fn a_canary_moves_its_accounts_and_a_shadow_moves_none() {
        let mut catalogue = catalogue();
        let mut trial = Trial {
            version: version("1.1.0"),
            before: version("1.0.0"),
            kind: TrialKind::Canary,
            share: 0,
            accounts: ["chosen".to_owned()].into(),
            begun_at: 0,
            rules: TrialRules::default(),
        };
        let set = |catalogue: &mut Catalogue, trial: &Trial| {
            let channel = catalogue.connectors.get_mut("shop").unwrap().channels.get_mut(STABLE).unwrap();
            channel.trial = Some(trial.clone());
        };
        set(&mut catalogue, &trial);
        let of = |catalogue: &Catalogue, account: &str| catalogue.version_for(account, "shop").unwrap().0.to_string();
        assert_eq!((of(&catalogue, "chosen"), of(&catalogue, "other")), ("1.1.0".into(), "1.0.0".into()));
        assert_eq!(catalogue.shadow_for("chosen", "shop"), None);
        trial.kind = TrialKind::Shadow;
        set(&mut catalogue, &trial);
        assert_eq!(of(&catalogue, "chosen"), "1.0.0");
        assert_eq!(catalogue.shadow_for("chosen", "shop").unwrap().0.to_string(), "1.1.0");
        assert_eq!(catalogue.shadow_for("other", "shop"), None);
        assert_eq!(catalogue.digests_in_use().len(), 3);
    }

    #[test]
    fn it_is_kept_as_it_is() {
        let catalogue = catalogue();
        let text = serde_json::to_string(&catalogue).unwrap();
        assert_eq!(serde_json::from_str::<Catalogue>(&text).unwrap(), catalogue);
    }
}
