//! All accounts that there are: those of the table, and those that `tradepost account add` keeps in the store. They work alike; the same id in
//! both is an error, because nobody could tell which one works.

use std::path::Path;

use tradepost_engine::account::StoredAccount;
use tradepost_engine::store::Store;

use crate::config::{AccountEntry, Config, ConfigError, ConnectorSource};
use crate::explain;
use crate::failure::{Failure, Result};

impl AccountEntry {
    /// An account of the store.
    pub(crate) fn from_stored(stored: StoredAccount) -> Self {
        Self {
            id: stored.id,
            connector: ConnectorSource::parse(&stored.connector, Path::new("")),
            auth: stored.auth,
            settings: stored.settings,
            secrets: std::collections::BTreeMap::new(),
            sealed: Some(stored.secrets),
            grants: stored.grants,
        }
    }

    /// Where it is kept, in a word.
    pub(crate) fn source(&self) -> &'static str {
        if self.sealed.is_some() { "store" } else { "table" }
    }
}

/// All accounts, by id.
pub(crate) async fn all(config: &Config, store: &dyn Store) -> Result<Vec<AccountEntry>> {
    let stored = store.accounts().await.map_err(|error| explain::store_error(&error))?;
    let mut entries: Vec<AccountEntry> = config.accounts().cloned().collect();
    for account in stored {
        if config.account(&account.id).is_ok() {
            return Err(kept_twice(config, &account.id).into());
        }
        entries.push(AccountEntry::from_stored(account));
    }
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(entries)
}

/// One account.
pub(crate) async fn one(config: &Config, store: &dyn Store, id: &str) -> Result<AccountEntry> {
    let stored = store.account(id).await.map_err(|error| explain::store_error(&error))?;
    match (config.account(id), stored) {
        (Ok(_), Some(_)) => Err(kept_twice(config, id).into()),
        (Ok(entry), None) => Ok(entry.clone()),
        (Err(_), Some(stored)) => Ok(AccountEntry::from_stored(stored)),
        (Err(_), None) => Err(unknown(config, store, id).await?.into()),
    }
}

/// No account of this id, and those that there are.
pub(crate) async fn unknown(config: &Config, store: &dyn Store, id: &str) -> Result<Failure> {
    let stored = store.accounts().await.map_err(|error| explain::store_error(&error))?;
    let of_table = config.accounts().map(|entry| entry.id.clone());
    let mut known: Vec<String> = of_table.chain(stored.into_iter().map(|account| account.id)).collect();
    known.sort();
    known.dedup();
    Ok(ConfigError::UnknownAccount { file: config.file.clone(), account: id.to_owned(), known }.into())
}

/// The id is taken in the table and in the store.
fn kept_twice(config: &Config, id: &str) -> Failure {
    let file = config.file.display();
    Failure::configuration(format!("account {id} is kept twice: in {file} and in the store"))
        .advice(format!("remove [accounts.{id:?}] from {file}, or the other one with `tradepost account remove {id}`"))
        .fact("account", id)
}
