//! Opening the file: start-up checks, settings, migrations.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::OpenError;

/// The first SQLite without the defect in resetting the write-ahead log, which loses committed transactions.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Each step brings the schema from its index to the next version; published steps never change.
const MIGRATIONS: [&str; 5] = [
    "
    CREATE TABLE connector_value (
        account TEXT NOT NULL,
        key     TEXT NOT NULL,
        value   BLOB NOT NULL,
        expires INTEGER,               -- milliseconds since 1970 by this machine's clock; NULL = never
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
",
    // Times are milliseconds since 1970 by this machine's clock.
    "
    CREATE TABLE stream (
        account     TEXT NOT NULL,
        kind        TEXT NOT NULL,
        epoch       INTEGER NOT NULL DEFAULT 0,     -- counts claims: the fence
        lease_until INTEGER NOT NULL DEFAULT 0,
        cursor      TEXT,
        walk        INTEGER NOT NULL DEFAULT 1,     -- the walk that is under way
        pages       INTEGER NOT NULL DEFAULT 0,
        walked_at   INTEGER,
        failure     TEXT,
        failures    INTEGER NOT NULL DEFAULT 0,
        due_at      INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE event (
        position INTEGER PRIMARY KEY,               -- nothing is ever removed, so there are no gaps
        account  TEXT NOT NULL,
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        change   TEXT NOT NULL,
        version  INTEGER NOT NULL,
        at       INTEGER NOT NULL,
        body     TEXT                               -- the record as it then was; NULL = gone
    ) STRICT;

    CREATE TABLE record (
        account   TEXT NOT NULL,
        kind      TEXT NOT NULL,
        id        TEXT NOT NULL,
        hash      BLOB NOT NULL,                    -- SHA-256 of the record's JSON
        version   INTEGER NOT NULL,
        position  INTEGER NOT NULL REFERENCES event (position),
        seen_walk INTEGER NOT NULL,                 -- the last walk that brought it
        gone      INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX record_by_position ON record (position);

    CREATE TABLE command (
        id          INTEGER PRIMARY KEY,
        account     TEXT NOT NULL,
        operation   TEXT NOT NULL,
        arguments   TEXT NOT NULL,
        entity      TEXT NOT NULL,
        key         TEXT,
        state       TEXT NOT NULL,
        outcome     TEXT,
        attempts    INTEGER NOT NULL DEFAULT 0,
        reason      TEXT,
        recorded_at INTEGER NOT NULL,
        due_at      INTEGER NOT NULL,
        digest      TEXT,
        epoch       INTEGER NOT NULL DEFAULT 0,
        lease_until INTEGER NOT NULL DEFAULT 0,
        version     INTEGER NOT NULL DEFAULT 0,     -- counts the events that tell of it
        UNIQUE (account, key)
    ) STRICT;
    CREATE INDEX command_unfinished ON command (account, entity, id) WHERE state <> 'done';
    CREATE INDEX command_by_state ON command (state, due_at);

    CREATE TABLE command_request (
        command     INTEGER NOT NULL REFERENCES command (id),
        place       INTEGER NOT NULL,
        effect      TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        line        TEXT NOT NULL,
        status      INTEGER,                        -- NULL = sent, or about to be, and no answer known
        headers     TEXT,
        body        BLOB,
        PRIMARY KEY (command, place)
    ) STRICT, WITHOUT ROWID;
",
    // Walks on end that read everything. A file that did not count them begins with none, and so takes no record for gone too early.
    "ALTER TABLE stream ADD COLUMN whole_walks INTEGER NOT NULL DEFAULT 0;",
    // Accounts, how they stand, what platforms send by themselves, and records to be read anew.
    "
    CREATE TABLE account (
        id        TEXT PRIMARY KEY,
        connector TEXT NOT NULL,                    -- the component's file
        auth      TEXT,
        settings  TEXT NOT NULL,                    -- JSON
        grants    TEXT NOT NULL,                    -- JSON
        kept_at   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE account_secret (
        account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        name    TEXT NOT NULL,
        sealed  BLOB NOT NULL,                      -- encrypted; the key is not in this file
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE token (
        account TEXT PRIMARY KEY,
        sealed  BLOB NOT NULL                       -- encrypted, as above
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE standing (                         -- accounts that never were anything but active have none
        account TEXT PRIMARY KEY,
        state   TEXT NOT NULL,
        reason  TEXT,
        since   INTEGER NOT NULL,
        digest  TEXT,                               -- of the component that led to it
        version INTEGER NOT NULL DEFAULT 0          -- counts the events that tell of it
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE identity (
        account TEXT PRIMARY KEY,
        id      TEXT NOT NULL                       -- of the seller at the platform that the account was first seen to be
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE delivery (
        id          INTEGER PRIMARY KEY,
        account     TEXT NOT NULL,
        fingerprint BLOB NOT NULL,                  -- SHA-256 of the request: the same delivery has the same
        at          INTEGER NOT NULL,
        request     TEXT,                           -- JSON of method, path and headers; NULL once it was read
        body        BLOB,                           -- likewise
        attempts    INTEGER NOT NULL DEFAULT 0,
        failure     TEXT,
        answer      TEXT,                           -- JSON; NULL until it was read
        UNIQUE (account, fingerprint)
    ) STRICT;
    CREATE INDEX delivery_unread ON delivery (id) WHERE answer IS NULL;
    CREATE INDEX delivery_by_age ON delivery (at);

    CREATE TABLE reading (
        account  TEXT NOT NULL,
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        due_at   INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        round    INTEGER NOT NULL DEFAULT 1,        -- counts askings: one that came while it was being read is not lost
        PRIMARY KEY (account, kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX reading_due ON reading (due_at);
    CREATE INDEX stream_due ON stream (due_at);
    ALTER TABLE stream ADD COLUMN walk_pages INTEGER NOT NULL DEFAULT 0;   -- of the walk that is under way
    ALTER TABLE stream ADD COLUMN walk_is_whole INTEGER NOT NULL DEFAULT 0; -- whether that one reads everything
    ALTER TABLE stream ADD COLUMN whole_walk INTEGER NOT NULL DEFAULT 0;   -- the last walk that did and came to its end; 0 = none
    ALTER TABLE stream ADD COLUMN whole_at INTEGER;                        -- when
    ALTER TABLE stream DROP COLUMN whole_walks;
    ALTER TABLE command ADD COLUMN cause TEXT;                             -- of a parked one
",
    // Versions of connectors: what is installed and who is on which is one document, so that every change of it is one.
    "
    CREATE TABLE versions (
        id         INTEGER PRIMARY KEY CHECK (id = 1),
        generation INTEGER NOT NULL,                -- counts the changes: who changes it must have seen the last one
        document   TEXT NOT NULL                    -- JSON
    ) STRICT;

    CREATE TABLE version_note (
        id        INTEGER PRIMARY KEY,
        at        INTEGER NOT NULL,
        connector TEXT NOT NULL,
        body      TEXT NOT NULL                     -- JSON: what happened, and why
    ) STRICT;
    CREATE INDEX version_note_by_connector ON version_note (connector, id);

    CREATE TABLE shadow_count (
        digest    TEXT NOT NULL,                    -- of the version that read along
        account   TEXT NOT NULL,
        kind      TEXT NOT NULL,
        pages     INTEGER NOT NULL,
        records   INTEGER NOT NULL,
        differing INTEGER NOT NULL,
        failed    INTEGER NOT NULL,
        failure   TEXT,                             -- the last one
        PRIMARY KEY (digest, account, kind)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE shadow_difference (
        digest  TEXT NOT NULL,
        account TEXT NOT NULL,
        kind    TEXT NOT NULL,
        id      TEXT NOT NULL,
        what    TEXT NOT NULL,
        PRIMARY KEY (digest, account, kind, id)
    ) STRICT, WITHOUT ROWID;
",
];

/// Files up to this size are looked through for damage each time they are opened. Larger ones take too long for that; what is damaged in
/// them shows when it is read, and nothing is written over it.
const MOST_CHECKED: u64 = 256 << 20;

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
    if fs::metadata(path).map_or(0, |file| file.len()) > MOST_CHECKED {
        return Ok(connection);
    }
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
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))
}
