//! Copies of the database file: made while others work, and put back in its place.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};
use serde::Serialize;

use super::events::append;
use super::storage::{lock_of, now};
use super::{OpenError, StoreError, failed, file_in, schema};
use crate::command::ParkCause;
use crate::event::Change;

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BackupFacts {
    /// The position of its newest event.
    pub last_position: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What putting a copy back brought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The position of the event that tells of it. Readers of the feed go on behind it; positions between the copy's newest and this one were
    /// given to events that are gone.
    pub position: u64,
    /// Commands that were not done when the copy was made, and may have been done since: they are parked.
    pub parked: u64,
    /// Where the file that was replaced is now; none where there was none.
    pub replaced: Option<PathBuf>,
}

/// Why a copy was not made or put back. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The place is taken.
    #[error("{0} exists; a backup never replaces a file")]
    Exists(PathBuf),
    /// Somebody has the store open.
    #[error("{0} is open in another process; stop whatever works with it first")]
    InUse(PathBuf),
    /// A file cannot be used.
    #[error("{path}: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system or the database said.
        reason: String,
    },
    /// The file is no database of this program.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn unusable(path: &Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    |error| BackupError::Unusable { path: path.to_owned(), reason: error.to_string() }
}

fn broken(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError + '_ {
    |error| BackupError::Unusable { path: path.to_owned(), reason: error.to_string() }
}

/// Copies the store of a data directory into a new file, as it is at this moment, whoever works on it. The key of the secrets in it is not
/// part of the copy.
pub fn backup(data_directory: &Path, to: &Path) -> Result<BackupFacts, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let from = file_in(data_directory);
    let source = Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(broken(&from))?;
    source.busy_timeout(std::time::Duration::from_secs(30)).map_err(broken(&from))?;
    let partial = beside(to, "partial");
    remove(&partial)?;
    let copied = partial
        .to_str()
        .ok_or_else(|| BackupError::Unusable { path: partial.clone(), reason: "its name is not UTF-8".into() })?;
    source.execute("VACUUM INTO ?1", [copied]).map_err(broken(&partial))?;
    let copy = schema::open(&partial)?;
    let last_position: i64 =
        copy.query_row("SELECT coalesce(max(position), 0) FROM event", [], |row| row.get(0)).map_err(failed)?;
    // One file again: a copy has no log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(broken(&partial))?;
    drop(copy);
    let file = File::open(&partial).map_err(unusable(&partial))?;
    file.sync_all().map_err(unusable(&partial))?;
    let bytes = file.metadata().map_err(unusable(&partial))?.len();
    fs::rename(&partial, to).map_err(unusable(to))?;
    sync_directory(to)?;
    Ok(BackupFacts { last_position: last_position.unsigned_abs(), bytes })
}

/// Puts a copy in the place of a data directory's store, which nobody may have open.
///
/// What was recorded and not done when the copy was made may have been done since: such commands are parked, each for a person to look
/// at. An event of kind `store` tells of it, at a position that neither the copy nor the file it replaces has given away.
pub fn restore(data_directory: &Path, from: &Path) -> Result<Restored, BackupError> {
    let place = file_in(data_directory);
    let lock = lock_of(&place)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::InUse(place)),
        Err(TryLockError::Error(error)) => return Err(unusable(&place)(error)),
    }
    let next = beside(&place, "restoring");
    for left in [next.clone(), log_of(&next), shared_memory_of(&next)] {
        remove(&left)?;
    }
    fs::copy(from, &next).map_err(unusable(from))?;
    let newest = newest_of(&place);
    let (position, parked) = prepare(&next, newest)?;

    let mut replaced = None;
    if place.exists() {
        let kept = beside(&place, &format!("replaced-{}", now()));
        fs::hard_link(&place, &kept).or_else(|_| fs::copy(&place, &kept).map(drop)).map_err(unusable(&kept))?;
        replaced = Some(kept);
    }
    // A log that belongs to another file would be played into this one.
    remove(&log_of(&place))?;
    remove(&shared_memory_of(&place))?;
    fs::rename(&next, &place).map_err(unusable(&place))?;
    sync_directory(&place)?;
    Ok(Restored { position, parked, replaced })
}

/// Makes a copy ready to take its place. Gives the position of the event that tells of it, and how many commands were parked.
fn prepare(copy: &Path, newest: i64) -> Result<(u64, u64), BackupError> {
    let mut connection = schema::open(copy)?;
    let transaction = connection.transaction().map_err(failed)?;
    let own: i64 =
        transaction.query_row("SELECT coalesce(max(position), 0) FROM event", [], |row| row.get(0)).map_err(failed)?;
    let reason = "the store was restored from a backup; look at the platform whether this was done since then";
    let parked = transaction
        .execute(
            "UPDATE command SET state = 'parked', cause = ?1, reason = ?2, lease_until = 0 WHERE state IN ('waiting', 'running')",
            params![ParkCause::Restored.as_str(), reason],
        )
        .map_err(failed)?;
    transaction
        .execute_batch("UPDATE stream SET lease_until = 0, due_at = 0; UPDATE reading SET due_at = 0;")
        .map_err(failed)?;
    let body = serde_json::json!({ "restored": own, "parked": parked }).to_string();
    if newest > own {
        // Takes the last position that was given away, so that the next is behind it.
        transaction
            .execute(
                "INSERT INTO event (position, account, kind, id, change, version, at) VALUES (?1, '', 'store', 'lost', 'deleted', 1, ?2)",
                params![newest, now()],
            )
            .map_err(failed)?;
    }
    let position = append(&transaction, "", "store", "restored", Change::Created, 1, Some(&body))?;
    transaction.commit().map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(broken(copy))?;
    drop(connection);
    File::open(copy).and_then(|file| file.sync_all()).map_err(unusable(copy))?;
    Ok((position.unsigned_abs(), parked as u64))
}

/// The newest position that a file has given away, as far as it can be read; everything in its log is brought into it.
fn newest_of(path: &Path) -> i64 {
    let Ok(connection) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE) else { return 0 };
    // One that is too damaged to be read has no say.
    let _logged = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.query_row("SELECT coalesce(max(position), 0) FROM event", [], |row| row.get(0)).unwrap_or(0)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn shared_memory_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-shm");
    name.into()
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(path)(error)),
        _ => Ok(()),
    }
}

/// A name is only safe when its directory is.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(unusable(directory))
}
