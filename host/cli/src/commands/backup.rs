//! `tradepost backup` and `tradepost restore`: the store in one file, and back again.

use std::path::PathBuf;

use clap::Args;
use tradepost_engine::store::{self, BackupError, BackupFacts, Restored};

use super::Context;
use crate::config::Config;
use crate::explain;
use crate::failure::{Exit, Failure, Result};
use crate::progress;

/// Copy the store into one file, as it is at this moment, while others go on working
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds everything but the key of the secrets in it: keep `tradepost.key` of the data directory, or TRADEPOST_KEY, elsewhere. It never
replaces a file.

Examples:
  tradepost backup /var/backups/tradepost-monday.db")]
pub(crate) struct Backup {
    /// The file to write
    file: PathBuf,
}

/// Put a backup in the place of the store; the file that was there is kept beside it
#[derive(Debug, Args)]
#[command(after_help = "\
No daemon and no command may be at work. What was recorded and not done when the backup was made may have been done since: those commands are
parked, and `tradepost parked list` shows them. Every stream is walked again. Readers of the event feed go on from the position that this
prints: what the feed told after the backup was made is told again where it still holds.

Examples:
  tradepost restore /var/backups/tradepost-monday.db")]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        // Opening it once brings an older file up to date, and says what is wrong with it.
        let (config, _store) = context.store()?;
        let step = progress::step("copying the store");
        let file = self.file.clone();
        let copied = tokio::task::spawn_blocking(move || store::backup(&config.data, &file)).await;
        step.finish_and_clear();
        let facts = done(copied)?;
        context.output.single(&facts, |BackupFacts { last_position, bytes }| {
            format!("{}: {bytes} bytes, events up to position {last_position}", self.file.display())
        })
    }
}

impl Restore {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let config = Config::read(&context.table).map_err(Failure::from)?;
        std::fs::create_dir_all(&config.data).map_err(|error| {
            Failure::configuration(format!("the data directory {} cannot be made: {error}", config.data.display()))
        })?;
        let step = progress::step("putting the backup in place");
        let (data, file) = (config.data.clone(), self.file.clone());
        let restored = tokio::task::spawn_blocking(move || store::restore(&data, &file)).await;
        step.finish_and_clear();
        let restored = done(restored)?;
        context.output.single(&restored, |Restored { position, parked, replaced }| {
            let mut lines = vec![format!("{} is in place; its event has position {position}", self.file.display())];
            if *parked > 0 {
                lines.push(format!("{parked} commands wait for you: `tradepost parked list`"));
            }
            if let Some(replaced) = replaced {
                lines.push(format!("what was there before is {}", replaced.display()));
            }
            lines.join("\n")
        })
    }
}

fn done<T>(result: std::result::Result<std::result::Result<T, BackupError>, tokio::task::JoinError>) -> Result<T> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(BackupError::Open(error))) => Err(explain::open_error(&error).into()),
        Ok(Err(BackupError::Store(error))) => Err(explain::store_error(&error).into()),
        Ok(Err(error @ BackupError::InUse(_))) => Err(Failure::configuration(error.to_string()).into()),
        Ok(Err(error @ BackupError::Exists(_))) => Err(Failure::usage(error.to_string()).into()),
        Ok(Err(error @ BackupError::Unusable { .. })) => {
            Err(Failure::new(Exit::Unexpected, "storage", error.to_string()).into())
        }
        Err(broken) => Err(Failure::unexpected(broken.to_string()).into()),
    }
}
