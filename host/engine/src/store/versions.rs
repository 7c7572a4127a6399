//! Which versions of connectors are installed and who is on which, in SQLite: one document, changed as one, and the notes that tell of each
//! change.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::events::{count, json};
use super::storage::now;
use super::streams::signed;
use super::{SqliteStorage, StoreError, failed};
use crate::versions::{NewVersionNote, ShadowDifference, ShadowPage, ShadowReport, VersionNote, VersionStore};

/// Differences that are kept of a shadow on one stream; the counts go on.
const MOST_DIFFERENCES: i64 = 200;

#[async_trait]
impl VersionStore for SqliteStorage {
    async fn versions(&self) -> Result<(u64, Option<String>), StoreError> {
        self.writer
            .run(|connection| {
                let read = "SELECT generation, document FROM versions";
                let row = connection
                    .query_row(read, [], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), Some(row.get(1)?))))
                    .optional()
                    .map_err(failed)?;
                Ok(row.unwrap_or_default())
            })
            .await
    }

    async fn versions_generation(&self) -> Result<u64, StoreError> {
        self.writer
            .run(|connection| {
                connection
                    .prepare_cached("SELECT coalesce(max(generation), 0) FROM versions")
                    .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)))
                    .map(i64::unsigned_abs)
                    .map_err(failed)
            })
            .await
    }

    async fn keep_versions(
        &self,
        generation: u64,
        document: String,
        notes: Vec<NewVersionNote>,
    ) -> Result<Option<u64>, StoreError> {
        self.writer.run(move |connection| keep(connection, generation, &document, &notes)).await
    }

    async fn version_notes(&self, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError> {
        let connector = connector.map(str::to_owned);
        self.writer.run(move |connection| notes(connection, connector.as_deref(), limit)).await
    }

    async fn begun_commands(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.writer
            .run(|connection| {
                let mut statement = connection
                    .prepare_cached(
                        "SELECT DISTINCT account, digest FROM command
                         WHERE state IN ('waiting', 'running', 'parked') AND digest IS NOT NULL
                           AND EXISTS (SELECT 1 FROM command_request WHERE command_request.command = command.id)",
                    )
                    .map_err(failed)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
                rows.and_then(Iterator::collect).map_err(failed)
            })
            .await
    }

    async fn keep_shadow_page(&self, page: ShadowPage) -> Result<(), StoreError> {
        self.writer.run(move |connection| keep_shadow_page(connection, &page)).await
    }

    async fn shadow_report(&self, digest: &str) -> Result<ShadowReport, StoreError> {
        let digest = digest.to_owned();
        self.writer.run(move |connection| shadow_report(connection, &digest)).await
    }
}

fn keep(
    connection: &mut Connection,
    generation: u64,
    document: &str,
    notes: &[NewVersionNote],
) -> Result<Option<u64>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 = transaction
        .query_row("SELECT coalesce(max(generation), 0) FROM versions", [], |row| row.get(0))
        .map_err(failed)?;
    if found != signed(generation) {
        return Ok(None);
    }
    transaction
        .execute(
            "INSERT INTO versions (id, generation, document) VALUES (1, ?1, ?2)
             ON CONFLICT DO UPDATE SET generation = excluded.generation, document = excluded.document",
            params![found + 1, document],
        )
        .map_err(failed)?;
    for note in notes {
        let body = serde_json::to_string(note).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        transaction
            .execute(
                "INSERT INTO version_note (at, connector, body) VALUES (?1, ?2, ?3)",
                params![now(), note.connector, body],
            )
            .map_err(failed)?;
    }
    fail::fail_point!("versions.in-transaction");
    transaction.commit().map_err(failed)?;
    Ok(Some(generation + 1))
}

fn notes(connection: &Connection, connector: Option<&str>, limit: usize) -> Result<Vec<VersionNote>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT at, body FROM version_note WHERE ?1 IS NULL OR connector = ?1 ORDER BY id DESC LIMIT ?2",
        )
        .map_err(failed)?;
    let rows = statement.query_map(params![connector, count(limit)], |row| {
        let note = serde_json::from_value(json(1, &row.get::<_, String>(1)?)?);
        let note = note.map_err(|_| super::events::unreadable(1))?;
        Ok(VersionNote { at: row.get::<_, i64>(0)?.unsigned_abs(), note })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

fn keep_shadow_page(connection: &mut Connection, page: &ShadowPage) -> Result<(), StoreError> {
    let ShadowPage { digest, account, kind, records, failure, differences } = page;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction
        .execute(
            "INSERT INTO shadow_count (digest, account, kind, pages, records, differing, failed, failure)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET pages = pages + 1, records = records + excluded.records,
                 differing = differing + excluded.differing, failed = failed + excluded.failed,
                 failure = coalesce(excluded.failure, failure)",
            params![
                digest,
                account,
                kind,
                count(*records),
                count(differences.len()),
                i64::from(failure.is_some()),
                failure
            ],
        )
        .map_err(failed)?;
    for ShadowDifference { account, kind, id, what } in differences {
        transaction
            .execute(
                "INSERT INTO shadow_difference (digest, account, kind, id, what)
                 SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE (SELECT count(*) FROM shadow_difference WHERE digest = ?1 AND account = ?2 AND kind = ?3) < ?6
                 ON CONFLICT DO UPDATE SET what = excluded.what",
                params![digest, account, kind, id, what, MOST_DIFFERENCES],
            )
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn shadow_report(connection: &Connection, digest: &str) -> Result<ShadowReport, StoreError> {
    let sums = "SELECT coalesce(sum(pages), 0), coalesce(sum(records), 0), coalesce(sum(differing), 0), coalesce(sum(failed), 0), max(failure)
                FROM shadow_count WHERE digest = ?1";
    let mut report = connection
        .query_row(sums, [digest], |row| {
            let sum = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(ShadowReport {
                pages: sum(0)?,
                records: sum(1)?,
                differing: sum(2)?,
                failed: sum(3)?,
                failure: row.get(4)?,
                differences: Vec::new(),
            })
        })
        .map_err(failed)?;
    let list = "SELECT account, kind, id, what FROM shadow_difference WHERE digest = ?1 ORDER BY account, kind, id";
    let mut statement = connection.prepare_cached(list).map_err(failed)?;
    let rows = statement.query_map([digest], |row| {
        Ok(ShadowDifference { account: row.get(0)?, kind: row.get(1)?, id: row.get(2)?, what: row.get(3)? })
    });
    report.differences = rows.and_then(Iterator::collect).map_err(failed)?;
    Ok(report)
}
