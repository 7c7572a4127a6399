//! Who may work on a data directory: one daemon, or any number of commands that work for themselves.
//!
//! The system drops a lock with the process that holds it, however that ends; so whoever gets the daemon's lock knows that nobody else is at
//! work, and that leases which stand in the store are those of the dead.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The right to work on a data directory, until it is dropped.
#[derive(Debug)]
pub struct WorkLock {
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works here.
    #[error("another tradepost works on {0}; only one daemon may run on a data directory")]
    Taken(PathBuf),
    /// The file cannot be used.
    #[error("{path}: {source}")]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WorkLock {
    /// For a daemon: nobody else works here.
    pub fn exclusive(data_directory: &Path) -> Result<Self, LockError> {
        Self::take(data_directory, File::try_lock)
    }

    /// For a command that does its own work beside others that do. Fails with [`LockError::Taken`] while a daemon runs, which will do it.
    pub fn shared(data_directory: &Path) -> Result<Self, LockError> {
        Self::take(data_directory, File::try_lock_shared)
    }

    fn take(data_directory: &Path, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Self, LockError> {
        let path = data_directory.join("tradepost.lock");
        let unusable = |source| LockError::Unusable { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
        match lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(data_directory.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_or_many_commands_but_never_both() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) =
            (WorkLock::shared(directory.path()).unwrap(), WorkLock::shared(directory.path()).unwrap());
        assert!(matches!(WorkLock::exclusive(directory.path()), Err(LockError::Taken(_))));
        drop((first, second));
        let daemon = WorkLock::exclusive(directory.path()).unwrap();
        assert!(matches!(WorkLock::shared(directory.path()), Err(LockError::Taken(_))));
        assert!(matches!(WorkLock::exclusive(directory.path()), Err(LockError::Taken(_))));
        drop(daemon);
        WorkLock::exclusive(directory.path()).unwrap();
    }
}
