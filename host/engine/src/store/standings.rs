//! How accounts stand, in SQLite; each change is an event.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params, params_from_iter};

use super::events::{append, unreadable};
use super::storage::now;
use super::{StoreError, failed};
use crate::event::Change;
use crate::standing::{AccountState, Standing};

/// The kind of the events that tell of accounts.
const KIND: &str = "accounts";

const COLUMNS: &str = "account, state, reason, since, digest";

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        account: row.get(0)?,
        state: AccountState::parse(&row.get::<_, String>(1)?).ok_or_else(|| unreadable(1))?,
        reason: row.get(2)?,
        since: row.get::<_, i64>(3)?.unsigned_abs(),
        digest: row.get(4)?,
    })
}

pub(super) fn list(connection: &Connection, account: Option<&str>) -> Result<Vec<Standing>, StoreError> {
    let of_one = if account.is_some() { "WHERE account = ?1" } else { "" };
    let select = format!("SELECT {COLUMNS} FROM standing {of_one} ORDER BY account");
    let mut statement = connection.prepare_cached(&select).map_err(failed)?;
    statement.query_map(params_from_iter(account), standing).and_then(Iterator::collect).map_err(failed)
}

/// Binds an account to a seller at its platform, unless it is bound. Gives whom it is bound to.
pub(super) fn bind(connection: &Connection, account: &str, identity: &str) -> Result<String, StoreError> {
    connection
        .query_row(
            "INSERT INTO identity (account, id) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET id = id RETURNING id",
            params![account, identity],
            |row| row.get(0),
        )
        .map_err(failed)
}

/// Sets how an account stands. Tells whether that is a change; one event tells of it.
pub(super) fn set(
    connection: &mut Connection,
    account: &str,
    state: AccountState,
    reason: Option<&str>,
    digest: Option<&str>,
) -> Result<bool, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let known: Option<String> = transaction
        .query_row("SELECT state FROM standing WHERE account = ?1", [account], |row| row.get(0))
        .optional()
        .map_err(failed)?;
    let before = known.as_deref().and_then(AccountState::parse).unwrap_or(AccountState::Active);
    if before == state {
        return Ok(false);
    }
    let upsert = format!(
        "INSERT INTO standing (account, state, reason, since, digest, version) VALUES (?1, ?2, ?3, ?4, ?5, 1)
         ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since,
             digest = excluded.digest, version = version + 1
         RETURNING {COLUMNS}, version"
    );
    let (now_stands, version) = transaction
        .query_row(&upsert, params![account, state.as_str(), reason, now(), digest], |row| {
            Ok((standing(row)?, row.get::<_, i64>(5)?))
        })
        .map_err(failed)?;
    let body = serde_json::to_string(&now_stands).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let change = if version == 1 { Change::Created } else { Change::Updated };
    append(&transaction, account, KIND, account, change, version, Some(&body))?;
    if state == AccountState::Active {
        if before == AccountState::Foreign {
            // Somebody has looked, and means the one that it belongs to now.
            transaction.execute("DELETE FROM identity WHERE account = ?1", [account]).map_err(failed)?;
        }
        // What was put off while nothing could be done is due now.
        let at = now();
        for table in ["stream", "reading"] {
            let due = format!("UPDATE {table} SET due_at = min(due_at, ?2) WHERE account = ?1");
            transaction.execute(&due, params![account, at]).map_err(failed)?;
        }
        transaction
            .execute(
                "UPDATE command SET due_at = min(due_at, ?2) WHERE account = ?1 AND state = 'waiting'",
                params![account, at],
            )
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(true)
}
