//! The store: one SQLite file, one writer thread.
//!
//! Database work never runs inside a future that a guest's deadline may drop. Callers hand a job to the writer thread and
//! wait for its answer; dropping the wait leaves the job untouched.

mod schema;
mod storage;
mod writer;

use std::path::{Path, PathBuf};

pub use storage::SqliteStorage;

/// Why the store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or file cannot be used.
    #[error("{path}: {reason}; check that the data directory exists and can be written")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Not a database, or a damaged one.
    #[error("{path} is not a usable database: {reason}; restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Written by a newer Tradepost.
    #[error("{path} has schema {found}, this program knows {known}; use the newer Tradepost that wrote it")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The linked SQLite has a known defect.
    #[error("SQLite {found} loses committed data under load (fixed in 3.51.3); build with the bundled SQLite")]
    OldSqlite {
        /// Its version.
        found: String,
    },
}

/// Opens, and where needed creates, the database file in a data directory.
pub fn open(data_directory: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&data_directory.join("tradepost.db"))
}
