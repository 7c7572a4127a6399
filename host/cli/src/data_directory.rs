//! The data directory: the store in it, and whose turn it is to work there.
//!
//! Two locks, because two questions are asked. The engine's work lock says who works now: one daemon, or any number of commands. The
//! daemon's lock says whether a daemon is there or about to be, so that a second daemon is refused at once while a first one only waits for
//! the commands before it, and commands that come later give way to it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tradepost_engine::event::EventFilter;
use tradepost_engine::store::{self, Store, StoreError};
use tradepost_engine::{LockError, WorkLock};

use crate::explain;
use crate::failure::{Failure, Result};
use crate::progress;

/// How often a lock that is taken is asked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Commands hold the daemon's lock for the moment in which they look whether there is a daemon.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a daemon waits for commands that are under way: longer than one with its waits takes by the default limits.
const COMMANDS_END: Duration = Duration::from_mins(2);

/// Opens the store, and makes directory and store where there are none.
pub(crate) fn open_store(directory: &Path) -> Result<Arc<dyn Store>> {
    // Orders hold people's names and addresses: a directory that is made here is its owner's alone.
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| {
        Failure::configuration(format!("the data directory {} cannot be made: {error}", directory.display()))
            .advice("name another one with `data = \"DIRECTORY\"` in the table of accounts")
    })?;
    let store = store::open(directory).map_err(|error| explain::open_error(&error))?;
    Ok(Arc::new(store))
}

/// Refuses to work on a machine without room on its disk, or with a clock that is behind what the store was written last.
pub(crate) async fn check_machine(directory: &Path, store: &Arc<dyn Store>) -> Result<()> {
    let failed = |error: StoreError| explain::store_error(&error);
    let last = store.last_position().await.map_err(failed)?;
    let newest = store.events(last.saturating_sub(1), 1, &EventFilter::default()).await.map_err(failed)?;
    let newest = newest.first().map(|event| event.at);
    store::check_machine(directory, newest).map_err(|error| explain::open_error(&error).into())
}

/// The right to work here beside other commands; none while a daemon works or is about to, or for a moment while another command starts.
///
/// Whoever finds nobody else at work ends the leases of processes that were killed, so that what they began goes on at once.
pub(crate) async fn turn(directory: &Path, store: &Arc<dyn Store>) -> Result<Option<WorkLock>> {
    if daemon_is_there(directory)? {
        return Ok(None);
    }
    check_machine(directory, store).await?;
    if let Some(alone) = free(WorkLock::exclusive(directory))? {
        store.end_leases().await.map_err(|error| explain::store_error(&error))?;
        drop(alone);
    }
    free(WorkLock::shared(directory))
}

/// The same for work that is not begun while a daemon does it.
pub(crate) async fn turn_unless_daemon(directory: &Path, store: &Arc<dyn Store>) -> Result<WorkLock> {
    let deadline = Instant::now() + MOMENT;
    loop {
        if let Some(lock) = turn(directory, store).await? {
            return Ok(lock);
        }
        if Instant::now() >= deadline {
            let message = format!("a daemon works on {}: it walks the streams already", directory.display());
            return Err(Failure::configuration(message)
                .advice("`tradepost status` shows how they stand; stop `tradepost run` to walk them by hand")
                .into());
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Whether a daemon works here or is about to.
pub(crate) fn daemon_is_there(directory: &Path) -> Result<bool> {
    let file = daemon_file(directory)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(unusable(directory, &error).into()),
    }
}

/// A daemon's right to be the only one, and to work alone.
pub(crate) struct DaemonLock {
    _daemon: File,
    _work: WorkLock,
}

impl DaemonLock {
    /// Refuses at once where another daemon is; waits for commands that are under way.
    pub(crate) async fn take(directory: &Path) -> Result<Self> {
        let daemon = daemon_file(directory)?;
        let deadline = Instant::now() + MOMENT;
        loop {
            match daemon.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOOK_AGAIN).await,
                Err(TryLockError::WouldBlock) => return Err(taken(directory).into()),
                Err(TryLockError::Error(error)) => return Err(unusable(directory, &error).into()),
            }
        }
        let started = Instant::now();
        let mut told = false;
        loop {
            if let Some(work) = free(WorkLock::exclusive(directory))? {
                return Ok(Self { _daemon: daemon, _work: work });
            }
            if started.elapsed() >= COMMANDS_END {
                return Err(taken(directory).into());
            }
            if !told && started.elapsed() >= MOMENT {
                progress::note("waiting for commands that are under way");
                told = true;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

fn taken(directory: &Path) -> Failure {
    Failure::configuration(LockError::Taken(directory.to_owned()).to_string())
        .advice("stop the other one, or give this one a data directory of its own with `data` in the table of accounts")
}

/// The lock, or none while somebody else has it.
fn free(lock: std::result::Result<WorkLock, LockError>) -> Result<Option<WorkLock>> {
    match lock {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Taken(_)) => Ok(None),
        Err(error) => Err(Failure::configuration(error.to_string()).into()),
    }
}

fn daemon_file(directory: &Path) -> Result<File> {
    let path = directory.join("tradepost.daemon.lock");
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| unusable(directory, &error).into())
}

fn unusable(directory: &Path, error: &std::io::Error) -> Failure {
    Failure::configuration(format!("the daemon's lock in {} cannot be used: {error}", directory.display()))
        .advice("check that the data directory can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commands_work_side_by_side_and_give_way_to_a_daemon() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_store(directory.path()).unwrap();
        let (first, second) =
            (turn(directory.path(), &store).await.unwrap(), turn(directory.path(), &store).await.unwrap());
        assert!(first.is_some() && second.is_some());
        drop((first, second));
        let daemon = DaemonLock::take(directory.path()).await.unwrap();
        assert!(daemon_is_there(directory.path()).unwrap());
        assert!(turn(directory.path(), &store).await.unwrap().is_none());
        assert!(DaemonLock::take(directory.path()).await.is_err(), "a second daemon is refused");
        drop(daemon);
        assert!(turn(directory.path(), &store).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_daemon_waits_for_a_command_and_no_further_one_starts() {
        let directory = tempfile::tempdir().unwrap();
        let store = open_store(directory.path()).unwrap();
        let command = turn(directory.path(), &store).await.unwrap();
        let place = directory.path().to_owned();
        let daemon = tokio::spawn(async move { DaemonLock::take(&place).await.map(drop) });
        while !daemon_is_there(directory.path()).unwrap() {
            tokio::task::yield_now().await;
        }
        assert!(turn(directory.path(), &store).await.unwrap().is_none());
        assert!(!daemon.is_finished());
        drop(command);
        daemon.await.unwrap().unwrap();
    }
}
