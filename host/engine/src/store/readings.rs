//! Readings in SQLite: which records are to be read anew, and what the reading brought.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tradepost_runtime::storage::StorageWrites;

use super::events::count;
use super::storage::{apply, now};
use super::streams::{keep_record, signed, until};
use super::{StoreError, failed};
use crate::reading::Reading;
use crate::stream::{Committed, Item};

/// Asks for a record to be read. One that was asked for already is read once, or once more if it is being read just now.
pub(super) fn ask(
    transaction: &Transaction<'_>,
    account: &str,
    kind: &str,
    id: &str,
    due_at: i64,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO reading (account, kind, id, due_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET due_at = min(due_at, excluded.due_at), attempts = 0, round = round + 1",
        )
        .and_then(|mut statement| statement.execute(params![account, kind, id, due_at]))
        .map(|_| ())
        .map_err(failed)
}

pub(super) fn ask_one(connection: &mut Connection, account: &str, kind: &str, id: &str) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    ask(&transaction, account, kind, id, now())?;
    transaction.commit().map_err(failed)
}

pub(super) fn due(connection: &Connection, limit: usize, skip: usize) -> Result<Vec<Reading>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT account, kind, id, attempts, round FROM reading
             WHERE due_at <= ?1
               AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.account = reading.account AND standing.state <> 'active')
             ORDER BY due_at LIMIT ?2 OFFSET ?3",
        )
        .map_err(failed)?;
    let rows = statement.query_map(params![now(), count(limit), count(skip)], |row| {
        Ok(Reading {
            account: row.get(0)?,
            kind: row.get(1)?,
            id: row.get(2)?,
            attempts: row.get(3)?,
            round: row.get::<_, i64>(4)?.unsigned_abs(),
        })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

pub(super) fn commit(
    connection: &mut Connection,
    reading: &Reading,
    item: Option<&Item>,
    again_in: Option<Duration>,
    writes: &StorageWrites,
) -> Result<Committed, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let Reading { account, kind, id, round, .. } = reading;
    let mut committed = Committed::default();
    if let Some(item) = item {
        // The walk that is under way has seen it, as far as the search for what is gone is concerned.
        let walk: Option<i64> = transaction
            .query_row("SELECT walk FROM stream WHERE account = ?1 AND kind = ?2", params![account, kind], |row| {
                row.get(0)
            })
            .optional()
            .map_err(failed)?;
        keep_record(&transaction, account, kind, walk.unwrap_or(0), item, &mut committed)?;
    }
    apply(&transaction, account, writes)?;
    match again_in {
        Some(wait) => transaction.execute(
            "UPDATE reading SET due_at = ?5, attempts = 0 WHERE account = ?1 AND kind = ?2 AND id = ?3 AND round = ?4",
            params![account, kind, id, signed(*round), until(wait)],
        ),
        None => transaction.execute(
            "DELETE FROM reading WHERE account = ?1 AND kind = ?2 AND id = ?3 AND round = ?4",
            params![account, kind, id, signed(*round)],
        ),
    }
    .map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(committed)
}

pub(super) fn put_off(connection: &Connection, reading: &Reading, wait: Duration) -> Result<(), StoreError> {
    let Reading { account, kind, id, round, .. } = reading;
    connection
        .execute(
            "UPDATE reading SET due_at = ?5, attempts = attempts + 1 WHERE account = ?1 AND kind = ?2 AND id = ?3 AND round = ?4",
            params![account, kind, id, signed(*round), until(wait)],
        )
        .map(|_| ())
        .map_err(failed)
}
