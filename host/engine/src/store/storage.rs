//! Connectors' values in SQLite: the durable implementation of the runtime's `Storage`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tradepost_runtime::storage::{Storage, StorageError, StorageUsage, StorageWrites};

use super::writer::Writer;
use super::{OpenError, schema};

/// Storage in one SQLite file. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStorage {
    pub(super) writer: Writer,
    /// Held while the file is open: no backup takes its place meanwhile.
    _open: Option<Arc<File>>,
}

impl SqliteStorage {
    /// Opens the file, creating it where there is none.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let open = lock_of(path)?;
        match open.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let reason = "a backup is being put in its place".to_owned();
                return Err(OpenError::Unusable { path: path.to_owned(), reason });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(path, &error)),
        }
        Self::on(path, Some(Arc::new(open)))
    }

    /// In memory: gone when it is dropped.
    pub(super) fn in_memory() -> Result<Self, OpenError> {
        Self::on(Path::new(":memory:"), None)
    }

    fn on(path: &Path, open: Option<Arc<File>>) -> Result<Self, OpenError> {
        let connection = schema::open(path)?;
        let writer = Writer::start(connection).map_err(|error| unusable(path, &error))?;
        Ok(Self { writer, _open: open })
    }
}

/// The file whose lock says who has the database open.
pub(super) fn lock_of(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".open");
    File::options().create(true).truncate(false).write(true).open(name).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::Unusable { path: path.to_owned(), reason: error.to_string() }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let (account, key) = (account.to_owned(), key.to_owned());
        self.writer.run(move |connection| value(connection, &account, &key)).await
    }

    async fn list(
        &self,
        account: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        let (account, prefix) = (account.to_owned(), prefix.to_owned());
        let after = after.unwrap_or_default().to_owned();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.writer
            .run(move |connection| {
                let mut statement = connection
                    .prepare_cached(
                        "SELECT key FROM connector_value
                         WHERE account = ?1 AND key >= ?2 AND key > ?3 AND substr(key, 1, length(?2)) = ?2
                           AND (expires IS NULL OR expires > ?4)
                         ORDER BY key LIMIT ?5",
                    )
                    .map_err(failed)?;
                let rows = statement
                    .query_map(params![account, prefix, after, now(), limit], |row| row.get(0))
                    .map_err(failed)?;
                rows.collect::<rusqlite::Result<Vec<String>>>().map_err(failed)
            })
            .await
    }

    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError> {
        let account = account.to_owned();
        self.writer
            .run(move |connection| {
                connection
                    .query_row(
                        "SELECT count(*), coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM connector_value
                         WHERE account = ?1 AND (expires IS NULL OR expires > ?2)",
                        params![account, now()],
                        |row| Ok(StorageUsage { keys: row.get::<_, i64>(0)?.unsigned_abs(), bytes: row.get::<_, i64>(1)?.unsigned_abs() }),
                    )
                    .map_err(failed)
            })
            .await
    }

    async fn commit(&self, account: &str, writes: StorageWrites) -> Result<(), StorageError> {
        let account = account.to_owned();
        self.writer
            .run(move |connection| {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
                apply(&transaction, &account, &writes)?;
                transaction.commit().map_err(failed)
            })
            .await
    }
}

pub(super) fn apply(transaction: &Transaction<'_>, account: &str, writes: &StorageWrites) -> Result<(), StorageError> {
    for (key, expected) in &writes.preconditions {
        if value(transaction, account, key)? != *expected {
            return Err(StorageError::Conflict { key: key.clone() });
        }
    }
    for write in &writes.writes {
        match &write.value {
            Some(value) => {
                let expires = write
                    .time_to_live
                    .map(|ttl| now().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)));
                transaction
                    .prepare_cached(
                        "INSERT INTO connector_value (account, key, value, expires) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (account, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
                    )
                    .and_then(|mut statement| statement.execute(params![account, write.key, value, expires]))
                    .map_err(failed)?;
            }
            None => {
                transaction
                    .prepare_cached("DELETE FROM connector_value WHERE account = ?1 AND key = ?2")
                    .and_then(|mut statement| statement.execute(params![account, write.key]))
                    .map_err(failed)?;
            }
        }
    }
    // What has expired is of no use to anybody; the account's own commits are a good time to let it go.
    transaction
        .prepare_cached("DELETE FROM connector_value WHERE account = ?1 AND expires <= ?2")
        .and_then(|mut statement| statement.execute(params![account, now()]))
        .map_err(failed)?;
    Ok(())
}

fn value(connection: &Connection, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
    connection
        .prepare_cached(
            "SELECT value FROM connector_value WHERE account = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)",
        )
        .and_then(|mut statement| statement.query_row(params![account, key, now()], |row| row.get(0)).optional())
        .map_err(failed)
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn failed(error: rusqlite::Error) -> StorageError {
    StorageError::Unavailable(error.to_string())
}
