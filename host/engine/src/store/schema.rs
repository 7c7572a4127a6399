//! Opening the file: start-up checks, settings, migrations.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::OpenError;

/// The first SQLite without the defect in resetting the write-ahead log, which loses committed transactions.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Each step brings the schema from its index to the next version; published steps never change.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE connector_value (
        account TEXT NOT NULL,
        key     TEXT NOT NULL,
        value   BLOB NOT NULL,
        expires INTEGER,               -- milliseconds since 1970 by this machine's clock; NULL = never
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
"];

/// Opens the file and brings it up to date.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version().to_owned() });
    }
    let classify = |error: rusqlite::Error| {
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                OpenError::Damaged { path: path.to_owned(), reason }
            }
            _ => OpenError::Unusable { path: path.to_owned(), reason },
        }
    };
    let mut connection = Connection::open(path).map_err(classify)?;
    configure(&connection).map_err(classify)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(classify)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(classify)?;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step).map_err(classify)?;
    }
    transaction.pragma_update(None, "user_version", known).map_err(classify)?;
    transaction.commit().map_err(classify)?;
    let damage: Option<String> = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .optional()
        .map_err(classify)?
        .filter(|answer| answer != "ok");
    match damage {
        Some(reason) => Err(OpenError::Damaged { path: path.to_owned(), reason }),
        None => Ok(connection),
    }
}

/// Every commit reaches the disk before it is reported; a second process waits instead of failing at once.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))
}
