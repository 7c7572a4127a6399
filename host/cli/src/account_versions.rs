//! Which version of which installed connector each account is on, as the catalogue of versions has it.

use std::collections::BTreeMap;

use semver::Version;
use serde::Serialize;
use tradepost_engine::store::Store;
use tradepost_engine::versions::{Catalogue, Following, NoVersion, STABLE};

use crate::config::AccountEntry;
use crate::explain_versions::version_error;
use crate::failure::{Failure, Result};

/// What marks a version that nobody signed, wherever one is shown.
pub(crate) const UNSIGNED: &str = "UNSIGNED";

/// The version that an account on an installed connector is on.
#[derive(Debug, Serialize)]
pub(crate) struct AccountVersion {
    pub(crate) connector: String,
    pub(crate) version: Option<String>,
    pub(crate) unsigned: bool,
    /// The channel that it follows; none where it is pinned.
    pub(crate) channel: Option<String>,
    pub(crate) pinned: bool,
    /// Why there is no version.
    pub(crate) problem: Option<String>,
}

impl AccountVersion {
    /// For people: `hardtofind 0.1.0`, and what is wrong with it.
    pub(crate) fn label(&self) -> String {
        let Some(version) = &self.version else { return format!("{} (no version)", self.connector) };
        let mark = if self.unsigned { format!(" {UNSIGNED}") } else { String::new() };
        format!("{} {version}{mark}", self.connector)
    }
}

/// What is installed and who is on which version.
pub(crate) async fn catalogue(store: &dyn Store) -> Result<Catalogue> {
    let read = Catalogue::read(store).await;
    Ok(read.map_err(|error| version_error(&error, "versions"))?.1)
}

/// The version of an account; none for one on a file.
pub(crate) fn of_account(catalogue: &Catalogue, entry: &AccountEntry) -> Option<AccountVersion> {
    let connector = entry.connector.installed()?;
    let found = catalogue.version_for(&entry.id, connector);
    let (channel, pinned) = match catalogue.accounts.get(&entry.id) {
        None => (Some(STABLE.to_owned()), false),
        Some(Following::Channel(name)) => (Some(name.clone()), false),
        Some(Following::Pin(_)) => (None, true),
    };
    Some(AccountVersion {
        connector: connector.to_owned(),
        version: found.as_ref().ok().map(|(version, _)| version.to_string()),
        unsigned: found.as_ref().is_ok_and(|(_, installed)| installed.is_unsigned()),
        channel,
        pinned,
        problem: found.err().map(|error: NoVersion| error.to_string()),
    })
}

/// An account's connector for people: its file, or its id and version.
pub(crate) fn label(catalogue: &Catalogue, entry: &AccountEntry) -> String {
    of_account(catalogue, entry).map_or_else(|| entry.connector.to_string(), |version| version.label())
}

/// The accounts that are on each version of each installed connector.
pub(crate) fn accounts_on(catalogue: &Catalogue, entries: &[AccountEntry]) -> BTreeMap<(String, Version), Vec<String>> {
    let mut accounts: BTreeMap<(String, Version), Vec<String>> = BTreeMap::new();
    for entry in entries {
        let Some(connector) = entry.connector.installed() else { continue };
        if let Ok((version, _)) = catalogue.version_for(&entry.id, connector) {
            accounts.entry((connector.to_owned(), version.clone())).or_default().push(entry.id.clone());
        }
    }
    accounts
}

/// The installed version that is meant: a version that nobody signed may be named without the mark of its build where there is no other of
/// its number.
pub(crate) fn meant(catalogue: &Catalogue, connector: &str, given: Version) -> Version {
    let Some(known) = catalogue.connectors.get(connector) else { return given };
    if known.versions.contains_key(&given) || !given.build.is_empty() {
        return given;
    }
    let mut same = known.versions.keys().filter(|version| version.cmp_precedence(&given).is_eq());
    match (same.next(), same.next()) {
        (Some(one), None) => one.clone(),
        _ => given,
    }
}

/// The installed connector of an account, for what is done to its version.
pub(crate) fn installed_connector(entry: &AccountEntry) -> Result<&str> {
    entry.connector.installed().ok_or_else(|| {
        Failure::configuration(format!("account {} is on a file, {}, which has no versions", entry.id, entry.connector))
            .advice("give the account the id of an installed connector instead: connector = \"ID\"")
            .fact("account", entry.id.as_str())
            .into()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Map;
    use tradepost_engine::versions::{Channel, InstalledConnector, InstalledVersion};
    use tradepost_package::Rights;
    use tradepost_runtime::Grants;

    use super::*;
    use crate::config::ConnectorSource;

    fn catalogue() -> Catalogue {
        let installed = |text: &str| InstalledVersion {
            digest: text.into(),
            package: String::new(),
            contract: "0.1.0".into(),
            signers: BTreeSet::new(),
            rights: Rights::default(),
            installed_at: 0,
            revoked: None,
        };
        let mut shop = InstalledConnector::default();
        for text in ["1.0.0+aaa", "1.1.0+bbb", "1.1.0+ccc"] {
            shop.versions.insert(text.parse().unwrap(), installed(text));
        }
        let active = "1.0.0+aaa".parse().unwrap();
        shop.channels.insert(STABLE.into(), Channel { active, previous: None, trial: None });
        Catalogue { connectors: [("shop".to_owned(), shop)].into(), accounts: BTreeMap::new() }
    }

    fn entry(id: &str, connector: &str) -> AccountEntry {
        AccountEntry {
            id: id.into(),
            connector: ConnectorSource::parse(connector, std::path::Path::new("")),
            auth: None,
            settings: Map::new(),
            secrets: BTreeMap::new(),
            sealed: None,
            grants: Grants::default(),
        }
    }

    #[test]
    fn an_account_shows_its_version_and_that_nobody_signed_it() {
        let catalogue = catalogue();
        assert_eq!(label(&catalogue, &entry("a", "shop")), "shop 1.0.0+aaa UNSIGNED");
        assert_eq!(label(&catalogue, &entry("a", "stall")), "stall (no version)");
        assert_eq!(label(&catalogue, &entry("a", "./shop.wasm")), "./shop.wasm");
        let on = accounts_on(&catalogue, &[entry("a", "shop"), entry("b", "./shop.wasm"), entry("c", "stall")]);
        assert_eq!(on.into_values().collect::<Vec<_>>(), [["a"]]);
    }

    #[test]
    fn a_build_need_not_be_named_where_it_is_the_only_one() {
        let catalogue = catalogue();
        for (given, expected) in
            [("1.0.0", "1.0.0+aaa"), ("1.1.0", "1.1.0"), ("1.1.0+ccc", "1.1.0+ccc"), ("2.0.0", "2.0.0")]
        {
            assert_eq!(meant(&catalogue, "shop", given.parse().unwrap()).to_string(), expected);
        }
    }
}
