//! Accounts, their sealed secrets, and sealed tokens, in SQLite.
//!
//! All that is sealed in a file is sealed with one key. That is kept here, in the transaction: a value under another key is refused, so that a
//! process which still has the key from before a change cannot put something back that nobody can open.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::events::{count, json};
use super::storage::now;
use super::{StoreError, failed};
use crate::account::StoredAccount;
use crate::vault::{Place, Reseal, Sealed};

const SEALED: &str =
    "SELECT account, name, sealed FROM account_secret UNION ALL SELECT account, NULL, sealed FROM token";

pub(super) fn keep(connection: &mut Connection, account: &StoredAccount) -> Result<(), StoreError> {
    let transaction = begin(connection)?;
    if is_kept(&transaction, &account.id)? {
        return Err(StoreError::AccountExists(account.id.clone()));
    }
    let unwritable = |error: serde_json::Error| StoreError::Unavailable(error.to_string());
    let settings = serde_json::to_string(&account.settings).map_err(unwritable)?;
    let grants = serde_json::to_string(&account.grants).map_err(unwritable)?;
    transaction
        .execute(
            "INSERT INTO account (id, connector, auth, settings, grants, kept_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![account.id, account.connector, account.auth, settings, grants, now()],
        )
        .map_err(failed)?;
    put_secrets(&transaction, &account.id, &account.secrets)?;
    transaction.commit().map_err(failed)
}

pub(super) fn all(connection: &mut Connection) -> Result<Vec<StoredAccount>, StoreError> {
    // One look at both tables, so that no account is seen with a part of its secrets.
    let transaction = connection.transaction().map_err(failed)?;
    select(&transaction, None)
}

pub(super) fn get(connection: &mut Connection, id: &str) -> Result<Option<StoredAccount>, StoreError> {
    let transaction = connection.transaction().map_err(failed)?;
    Ok(select(&transaction, Some(id))?.pop())
}

fn select(transaction: &Transaction<'_>, id: Option<&str>) -> Result<Vec<StoredAccount>, StoreError> {
    let mut statement = transaction
        .prepare_cached(
            "SELECT id, connector, auth, settings, grants FROM account WHERE ?1 IS NULL OR id = ?1 ORDER BY id",
        )
        .map_err(failed)?;
    let rows = statement.query_map([id], account).and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>);
    let mut accounts: BTreeMap<String, StoredAccount> =
        rows.map_err(failed)?.into_iter().map(|account| (account.id.clone(), account)).collect();
    let mut statement = transaction
        .prepare_cached("SELECT account, name, sealed FROM account_secret WHERE ?1 IS NULL OR account = ?1")
        .map_err(failed)?;
    let mut rows = statement.query([id]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let owner: String = row.get(0).map_err(failed)?;
        if let Some(account) = accounts.get_mut(&owner) {
            let sealed = Sealed::from_bytes(row.get(2).map_err(failed)?);
            account.secrets.insert(row.get(1).map_err(failed)?, sealed);
        }
    }
    Ok(accounts.into_values().collect())
}

fn account(row: &Row<'_>) -> rusqlite::Result<StoredAccount> {
    let wrong =
        |column, error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error));
    Ok(StoredAccount {
        id: row.get(0)?,
        connector: row.get(1)?,
        auth: row.get(2)?,
        settings: serde_json::from_value(json(3, &row.get::<_, String>(3)?)?).map_err(|error| wrong(3, error))?,
        grants: serde_json::from_value(json(4, &row.get::<_, String>(4)?)?).map_err(|error| wrong(4, error))?,
        secrets: BTreeMap::new(),
    })
}

pub(super) fn remove(connection: &mut Connection, id: &str) -> Result<bool, StoreError> {
    erasing(connection, |transaction| {
        // Its secrets go with it, by the schema.
        let known = transaction.execute("DELETE FROM account WHERE id = ?1", [id]).map_err(failed)? > 0;
        if known {
            transaction.execute("DELETE FROM token WHERE account = ?1", [id]).map_err(failed)?;
            // Kept again, it begins anew: what held it back was about this credential.
            for table in ["standing", "identity", "reading"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [id]).map_err(failed)?;
            }
        }
        Ok(known)
    })
}

pub(super) fn set_secrets(
    connection: &mut Connection,
    id: &str,
    secrets: &BTreeMap<String, Sealed>,
) -> Result<(), StoreError> {
    erasing(connection, |transaction| {
        if !is_kept(transaction, id)? {
            return Err(StoreError::NoAccount(id.to_owned()));
        }
        put_secrets(transaction, id, secrets)
    })
}

pub(super) fn remove_secret(connection: &mut Connection, id: &str, name: &str) -> Result<bool, StoreError> {
    erasing(connection, |transaction| {
        let remove = "DELETE FROM account_secret WHERE account = ?1 AND name = ?2";
        Ok(transaction.execute(remove, [id, name]).map_err(failed)? > 0)
    })
}

pub(super) fn keep_token(connection: &mut Connection, id: &str, sealed: &Sealed) -> Result<(), StoreError> {
    let transaction = begin(connection)?;
    refuse_other_key(&transaction, sealed)?;
    let put = "INSERT INTO token (account, sealed) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET sealed = excluded.sealed";
    transaction.execute(put, params![id, sealed.as_bytes()]).map_err(failed)?;
    transaction.commit().map_err(failed)
}

pub(super) fn token(connection: &Connection, id: &str) -> Result<Option<Sealed>, StoreError> {
    connection
        .query_row("SELECT sealed FROM token WHERE account = ?1", [id], |row| row.get(0))
        .optional()
        .map(|sealed| sealed.map(Sealed::from_bytes))
        .map_err(failed)
}

pub(super) fn remove_token(connection: &mut Connection, id: &str) -> Result<bool, StoreError> {
    erasing(connection, |transaction| {
        Ok(transaction.execute("DELETE FROM token WHERE account = ?1", [id]).map_err(failed)? > 0)
    })
}

pub(super) fn sealed_values(connection: &Connection, limit: usize) -> Result<Vec<(Place, Sealed)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SEALED} LIMIT ?1")).map_err(failed)?;
    let rows = statement.query_map([count(limit)], |row| {
        let account: String = row.get(0)?;
        let place = match row.get::<_, Option<String>>(1)? {
            Some(name) => Place::secret(account, name),
            None => Place::token(account),
        };
        Ok((place, Sealed::from_bytes(row.get(2)?)))
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

pub(super) fn reseal(connection: &mut Connection, rows: &[Reseal]) -> Result<(), StoreError> {
    erasing(connection, |transaction| {
        let kept: BTreeMap<Place, Sealed> = sealed_values(transaction, usize::MAX)?.into_iter().collect();
        let changed = rows.iter().find(|row| kept.get(&row.place) != Some(&row.from));
        if changed.is_some() || kept.len() != rows.len() {
            return Err(StoreError::SealedChanged);
        }
        for Reseal { place, from: _, to } in rows {
            let sealed = to.as_ref().map(Sealed::as_bytes);
            match (place, sealed) {
                (Place::Secret { account, name }, Some(sealed)) => transaction.execute(
                    "UPDATE account_secret SET sealed = ?3 WHERE account = ?1 AND name = ?2",
                    params![account, name, sealed],
                ),
                (Place::Secret { account, name }, None) => transaction
                    .execute("DELETE FROM account_secret WHERE account = ?1 AND name = ?2", params![account, name]),
                (Place::Token { account }, Some(sealed)) => {
                    transaction.execute("UPDATE token SET sealed = ?2 WHERE account = ?1", params![account, sealed])
                }
                (Place::Token { account }, None) => {
                    transaction.execute("DELETE FROM token WHERE account = ?1", params![account])
                }
            }
            .map_err(failed)?;
        }
        Ok(())
    })
}

fn put_secrets(transaction: &Transaction<'_>, id: &str, secrets: &BTreeMap<String, Sealed>) -> Result<(), StoreError> {
    for (name, sealed) in secrets {
        refuse_other_key(transaction, sealed)?;
        transaction
            .execute(
                "INSERT INTO account_secret (account, name, sealed) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
                params![id, name, sealed.as_bytes()],
            )
            .map_err(failed)?;
    }
    Ok(())
}

fn refuse_other_key(transaction: &Transaction<'_>, sealed: &Sealed) -> Result<(), StoreError> {
    match sealed_values(transaction, 1)?.pop() {
        Some((place, kept)) if kept.key_name() != sealed.key_name() => Err(StoreError::OtherKey(place)),
        _ => Ok(()),
    }
}

fn is_kept(transaction: &Transaction<'_>, id: &str) -> Result<bool, StoreError> {
    let known = transaction.query_row("SELECT 1 FROM account WHERE id = ?1", [id], |_| Ok(())).optional();
    Ok(known.map_err(failed)?.is_some())
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)
}

/// One transaction whose removed and replaced bytes are overwritten in the file, and then in the write-ahead log as well: after a change of a
/// key that became known, what was sealed with it must not be found in unused pages.
fn erasing<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
    let done = begin(connection).and_then(|transaction| {
        let result = work(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(result)
    });
    // What was asked for is done or not by now. Left on, it costs time and nothing else; and a reader in another process may hold the log
    // for longer: then the next checkpoint empties it.
    let _left_on = connection.pragma_update(None, "secure_delete", false);
    if done.is_ok() {
        let _held = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    done
}
