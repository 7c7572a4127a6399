//! Streams in SQLite: claims, and a page with its records, events and cursor in one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::storage::{apply, now};
use super::{StoreError, events, failed};
use crate::event::Change;
use crate::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey, StreamState};

pub(super) fn claim(
    connection: &mut Connection,
    key: &StreamKey,
    lease: Duration,
) -> Result<Option<StreamClaim>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction
        .execute(
            "INSERT INTO stream (account, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![key.account, key.kind],
        )
        .map_err(failed)?;
    let claimed = transaction
        .query_row(
            "UPDATE stream SET epoch = epoch + 1, lease_until = ?3 WHERE account = ?1 AND kind = ?2 AND lease_until <= ?4
             RETURNING epoch, cursor, walk, pages, walk_pages, walk_is_whole, whole_at",
            params![key.account, key.kind, until(lease), now()],
            |row| {
                Ok(StreamClaim {
                    key: key.clone(),
                    epoch: row.get::<_, i64>(0)?.unsigned_abs(),
                    cursor: row.get(1)?,
                    walk: row.get::<_, i64>(2)?.unsigned_abs(),
                    pages: row.get::<_, i64>(3)?.unsigned_abs(),
                    walk_pages: row.get::<_, i64>(4)?.unsigned_abs(),
                    walk_is_whole: row.get(5)?,
                    whole_at: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
                })
            },
        )
        .optional()
        .map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(claimed)
}

pub(super) fn commit(
    connection: &mut Connection,
    claim: &StreamClaim,
    page: &PageCommit,
    lease: Duration,
) -> Result<(Committed, StreamClaim), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let at = now();
    let next = StreamClaim {
        cursor: page.cursor.clone(),
        walk: claim.walk + u64::from(page.end),
        pages: claim.pages + 1,
        walk_pages: if page.end { 0 } else { claim.walk_pages + 1 },
        walk_is_whole: page.whole && !page.end,
        whole_at: if page.end && page.whole { Some(at.unsigned_abs()) } else { claim.whole_at },
        ..claim.clone()
    };
    // A lease that ended at 0 was given back. One that ran out stands until somebody takes the stream over.
    let whole_before: Option<i64> = transaction
        .query_row(
            "UPDATE stream SET cursor = ?3, walk = ?4, pages = ?5, lease_until = ?6, failure = NULL, failures = 0,
                 walk_pages = ?12, walked_at = CASE WHEN ?7 THEN ?8 ELSE walked_at END, walk_is_whole = ?11 AND NOT ?7,
                 whole_at = CASE WHEN ?7 AND ?11 THEN ?8 ELSE whole_at END
             WHERE account = ?1 AND kind = ?2 AND epoch = ?9 AND pages = ?10 AND lease_until <> 0
             RETURNING whole_walk",
            params![
                claim.key.account,
                claim.key.kind,
                next.cursor,
                signed(next.walk),
                signed(next.pages),
                until(lease),
                page.end,
                at,
                signed(claim.epoch),
                signed(claim.pages),
                page.whole,
                signed(next.walk_pages)
            ],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)?;
    let whole_before = whole_before.ok_or_else(|| StoreError::Fenced(claim.key.to_string()))?;
    let mut committed = Committed::default();
    for item in &page.items {
        keep_record(&transaction, &claim.key.account, &claim.key.kind, signed(claim.walk), item, &mut committed)?;
    }
    fail::fail_point!("page.events-written");
    if page.end && page.whole {
        committed.deleted = drop_missing(&transaction, claim, whole_before)?;
    }
    apply(&transaction, &claim.key.account, &page.writes)?;
    fail::fail_point!("page.about-to-commit");
    transaction.commit().map_err(failed)?;
    fail::fail_point!("page.committed");
    Ok((committed, next))
}

/// Keeps one record, seen by a walk: an event where it is new or has changed.
pub(super) fn keep_record(
    transaction: &Transaction<'_>,
    account: &str,
    kind: &str,
    walk: i64,
    item: &Item,
    committed: &mut Committed,
) -> Result<(), StoreError> {
    let body = item.record.as_str();
    let hash = Sha256::digest(body.as_bytes());
    let known: Option<(Vec<u8>, i64, bool)> = transaction
        .prepare_cached("SELECT hash, version, gone FROM record WHERE account = ?1 AND kind = ?2 AND id = ?3")
        .and_then(|mut statement| {
            statement
                .query_row(params![account, kind, item.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
        })
        .map_err(failed)?;
    let (change, version) = match known {
        Some((old, _, false)) if old == hash.as_slice() => {
            committed.unchanged += 1;
            return transaction
                .prepare_cached("UPDATE record SET seen_walk = ?4 WHERE account = ?1 AND kind = ?2 AND id = ?3")
                .and_then(|mut statement| statement.execute(params![account, kind, item.id, walk]))
                .map(|_| ())
                .map_err(failed);
        }
        Some((_, version, false)) => (Change::Updated, version + 1),
        Some((_, version, true)) => (Change::Created, version + 1),
        None => (Change::Created, 1),
    };
    match change {
        Change::Created => committed.created += 1,
        _ => committed.updated += 1,
    }
    let position = events::append(transaction, account, kind, &item.id, change, version, Some(body))?;
    transaction
        .prepare_cached(
            "INSERT INTO record (account, kind, id, hash, version, position, seen_walk) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account, kind, id) DO UPDATE SET hash = excluded.hash, version = excluded.version,
                 position = excluded.position, seen_walk = excluded.seen_walk, gone = 0",
        )
        .and_then(|mut statement| {
            statement.execute(params![account, kind, item.id, hash.as_slice(), version, position, walk])
        })
        .map(|_| ())
        .map_err(failed)
}

/// Notes that a walk that read everything came to its end. Records that nothing has brought since before the last such walk are gone. One
/// walk proves nothing: what moves between two pages may be missed by it.
fn drop_missing(transaction: &Transaction<'_>, claim: &StreamClaim, whole_before: i64) -> Result<u64, StoreError> {
    let StreamKey { account, kind } = &claim.key;
    transaction
        .prepare_cached("UPDATE stream SET whole_walk = ?3 WHERE account = ?1 AND kind = ?2")
        .and_then(|mut statement| statement.execute(params![account, kind, signed(claim.walk)]))
        .map_err(failed)?;
    let missing: Vec<(String, i64)> = transaction
        .prepare_cached(
            "SELECT id, version FROM record WHERE account = ?1 AND kind = ?2 AND gone = 0 AND seen_walk < ?3 ORDER BY id",
        )
        .and_then(|mut statement| {
            statement.query_map(params![account, kind, whole_before], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(failed)?;
    for (id, version) in &missing {
        let position = events::append(transaction, account, kind, id, Change::Deleted, version + 1, None)?;
        transaction
            .prepare_cached(
                "UPDATE record SET gone = 1, version = ?4, position = ?5 WHERE account = ?1 AND kind = ?2 AND id = ?3",
            )
            .and_then(|mut statement| statement.execute(params![account, kind, id, version + 1, position]))
            .map_err(failed)?;
    }
    Ok(missing.len() as u64)
}

/// Makes rows for streams that have none: due at once.
pub(super) fn add(connection: &mut Connection, keys: &[StreamKey]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    for StreamKey { account, kind } in keys {
        transaction
            .prepare_cached("INSERT INTO stream (account, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .and_then(|mut statement| statement.execute(params![account, kind]))
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Streams that are due and free, longest due first, behind the first so many.
pub(super) fn due(connection: &Connection, limit: usize, skip: usize) -> Result<Vec<StreamKey>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT account, kind FROM stream
             WHERE due_at <= ?1 AND lease_until <= ?1
               AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.account = stream.account AND standing.state <> 'active')
             ORDER BY due_at LIMIT ?2 OFFSET ?3",
        )
        .map_err(failed)?;
    let rows = statement.query_map(params![now(), events::count(limit), events::count(skip)], |row| {
        Ok(StreamKey { account: row.get(0)?, kind: row.get(1)? })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

pub(super) fn release(
    connection: &mut Connection,
    claim: &StreamClaim,
    due_in: Duration,
    failure: Option<&str>,
) -> Result<(), StoreError> {
    let held = connection
        .execute(
            "UPDATE stream SET lease_until = 0, due_at = ?3, failure = coalesce(?4, failure),
                 failures = failures + (?4 IS NOT NULL)
             WHERE account = ?1 AND kind = ?2 AND epoch = ?5 AND lease_until <> 0",
            params![claim.key.account, claim.key.kind, until(due_in), failure, signed(claim.epoch)],
        )
        .map_err(failed)?;
    if held == 0 { Err(StoreError::Fenced(claim.key.to_string())) } else { Ok(()) }
}

pub(super) fn all(connection: &Connection) -> Result<Vec<StreamState>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT account, kind, walk, pages, walked_at, failure, failures, due_at,
                 (SELECT count(*) FROM record WHERE record.account = stream.account AND record.kind = stream.kind AND gone = 0)
             FROM stream ORDER BY account, kind",
        )
        .map_err(failed)?;
    let rows = statement.query_map([], |row| {
        Ok(StreamState {
            key: StreamKey { account: row.get(0)?, kind: row.get(1)? },
            walks: row.get::<_, i64>(2)?.unsigned_abs().saturating_sub(1),
            pages: row.get::<_, i64>(3)?.unsigned_abs(),
            walked_at: row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs),
            failure: row.get(5)?,
            failures: row.get(6)?,
            due_at: row.get::<_, i64>(7)?.unsigned_abs(),
            records: row.get::<_, i64>(8)?.unsigned_abs(),
        })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

/// So long from now, milliseconds since 1970.
pub(super) fn until(duration: Duration) -> i64 {
    now().saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// SQLite has signed numbers only.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
