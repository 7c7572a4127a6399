//! The event feed and the records behind it, in SQLite.

use rusqlite::{Connection, Row, Transaction, params};
use serde_json::Value;

use super::storage::now;
use super::streams::signed;
use super::{StoreError, failed};
use crate::event::{Change, Event, EventFilter};
use crate::record::{RecordQuery, StoredRecord};

/// Appends an event and gives its position: one more than the last, because only one transaction writes at a time and nothing is ever
/// removed.
pub(super) fn append(
    transaction: &Transaction<'_>,
    account: &str,
    kind: &str,
    id: &str,
    change: Change,
    version: i64,
    body: Option<&str>,
) -> Result<i64, StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO event (account, kind, id, change, version, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut statement| statement.insert(params![account, kind, id, change.as_str(), version, now(), body]))
        .map_err(failed)
}

pub(super) fn after(
    connection: &Connection,
    after: u64,
    limit: usize,
    filter: &EventFilter,
) -> Result<Vec<Event>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT position, account, kind, id, change, version, at, body FROM event
             WHERE position > ?1 AND (?2 IS NULL OR account = ?2) AND (?3 IS NULL OR kind = ?3)
             ORDER BY position LIMIT ?4",
        )
        .map_err(failed)?;
    let rows = statement.query_map(params![signed(after), filter.account, filter.kind, count(limit)], event);
    rows.and_then(Iterator::collect).map_err(failed)
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        position: row.get::<_, i64>(0)?.unsigned_abs(),
        account: row.get(1)?,
        kind: row.get(2)?,
        id: row.get(3)?,
        change: Change::parse(&row.get::<_, String>(4)?).ok_or_else(|| unreadable(4))?,
        version: row.get::<_, i64>(5)?.unsigned_abs(),
        at: row.get::<_, i64>(6)?.unsigned_abs(),
        record: row.get::<_, Option<String>>(7)?.map(|body| json(7, &body)).transpose()?,
    })
}

pub(super) fn last_position(connection: &Connection) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT coalesce(max(position), 0) FROM event", [], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
        .map_err(failed)
}

pub(super) fn records(connection: &Connection, query: &RecordQuery) -> Result<Vec<StoredRecord>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT record.account, record.kind, record.id, record.version, record.position, event.at, event.body
             FROM record JOIN event ON event.position = record.position
             WHERE gone = 0 AND (?1 IS NULL OR record.account = ?1) AND (?2 IS NULL OR record.kind = ?2)
               AND (?3 IS NULL OR record.id = ?3) AND (?4 IS NULL OR event.body ->> '$.status.raw' = ?4)
               AND (?5 IS NULL OR event.at >= ?5)
             ORDER BY record.position DESC LIMIT ?6",
        )
        .map_err(failed)?;
    let RecordQuery { account, kind, id, status, text, changed_since, limit } = query;
    let since = changed_since.map(signed);
    // SQLite knows the case of ASCII only, and sees names and escapes where a person sees text: the text is looked for here, among rows
    // that come one by one, so that no more are read than are needed.
    let most = text.as_ref().map_or(count(*limit), |_| -1);
    let wanted = text.as_deref().map(without_case);
    let rows = statement.query_map(params![account, kind, id, status, since, most], |row| {
        Ok(StoredRecord {
            account: row.get(0)?,
            kind: row.get(1)?,
            id: row.get(2)?,
            version: row.get::<_, i64>(3)?.unsigned_abs(),
            position: row.get::<_, i64>(4)?.unsigned_abs(),
            changed_at: row.get::<_, i64>(5)?.unsigned_abs(),
            record: json(6, &row.get::<_, String>(6)?)?,
        })
    });
    let is_wanted = |found: &rusqlite::Result<StoredRecord>| match (&wanted, found) {
        (Some(wanted), Ok(found)) => says(&found.record, wanted),
        _ => true,
    };
    rows.and_then(|rows| rows.filter(is_wanted).take(*limit).collect()).map_err(failed)
}

/// Whether a text or number of a record holds these words, which are [without case](without_case).
fn says(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => without_case(text).contains(wanted),
        Value::Number(number) => without_case(&number.to_string()).contains(wanted),
        Value::Array(values) => values.iter().any(|value| says(value, wanted)),
        Value::Object(fields) => fields.values().any(|value| says(value, wanted)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// A text in which case makes no difference, in any script. To small letters, to capitals and back, so that `ß`, `ẞ` and `ss` are one, and
/// both small sigmas.
fn without_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// A limit as SQLite takes it.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// JSON out of a column.
pub(super) fn json(column: usize, text: &str) -> rusqlite::Result<Value> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// A column whose word is not of this program.
pub(super) fn unreadable(column: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, "a word of this schema".into(), rusqlite::types::Type::Text)
}
