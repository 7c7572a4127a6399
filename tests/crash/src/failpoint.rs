//! A named place in the engine at which a process does something to itself: ends without warning, stands still, or has its connector break
//! off. It is told on the command line of a child process, and armed there before anything runs.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use rustix::process::{Signal, getpid, kill_process};

use crate::desk::database;

/// What a process does to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL at once: no destructor runs, and the thread does not get any further.
    Kill,
    /// SIGKILL after a while, while the thread goes on.
    KillAfter(Duration),
    /// SIGKILL after a while, in which the log of the database is written back into its file.
    KillInCheckpoint(Duration),
    /// SIGSTOP: it stands still until it may go on.
    Stop,
    /// The failpoint's return action: what it stands for there happens, once.
    Return,
}

/// A failpoint, and what is done at which passing of it.
///
/// As text it is `journal.entered@2:kill`, with times in microseconds: `page.about-to-commit@1:kill-after=1500`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arm {
    /// The failpoint's name.
    pub point: String,
    /// The passing, from 1.
    pub hit: u32,
    /// What is done.
    pub deed: Deed,
}

impl Arm {
    /// A deed at a passing of a point.
    pub fn new(point: &str, hit: u32, deed: Deed) -> Self {
        Self { point: point.to_owned(), hit, deed }
    }

    /// Arms it in this process. `database` is the file whose log [`Deed::KillInCheckpoint`] writes back.
    pub fn set(&self, database: &Path) -> Result<()> {
        let Self { point, hit, deed } = self.clone();
        let set = match deed {
            Deed::Return if hit > 1 => fail::cfg(point.as_str(), &format!("{}*off->1*return", hit - 1)),
            Deed::Return => fail::cfg(point.as_str(), "1*return"),
            _ => {
                let (passed, database) = (AtomicU32::new(0), database.to_owned());
                fail::cfg_callback(point.as_str(), move || {
                    if passed.fetch_add(1, Ordering::SeqCst) + 1 == hit {
                        deed.perform(&database);
                    }
                })
            }
        };
        set.map_err(|problem| anyhow!("{self} cannot be armed: {problem}"))
    }
}

impl Deed {
    fn perform(self, database: &Path) {
        match self {
            Self::Kill => die(),
            Self::KillAfter(wait) => die_after(wait),
            Self::KillInCheckpoint(wait) => {
                // Opened before the clock runs, so that the time falls into the checkpoint. One that fails is as good a moment to die.
                let connection = rusqlite::Connection::open(database);
                die_after(wait);
                let _written_back = connection.and_then(|connection| {
                    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
                });
            }
            Self::Stop => {
                while !may_go_on(database).exists() {
                    // It comes back when somebody lets it go on.
                    let _stopped = kill_process(getpid(), Signal::STOP);
                    // The signal may stop another thread first: this one must not look, and send a second, before it stands still itself.
                    thread::sleep(Duration::from_millis(100));
                }
            }
            Self::Return => {}
        }
    }
}

/// Arms failpoints in this process, which works in the directory of a run. They stay armed as long as this is kept.
pub fn arm(arms: &[Arm], directory: &Path) -> Result<fail::FailScenario<'static>> {
    let scenario = fail::FailScenario::setup();
    let database = std::path::absolute(database(directory))?;
    arms.iter().try_for_each(|arm| arm.set(&database))?;
    Ok(scenario)
}

/// Lets a process that stands still go on, for good. Whoever sends SIGCONT without this has it stand still anew, a moment later.
pub(crate) fn may_go_on(database: &Path) -> PathBuf {
    database.with_file_name("may-go-on")
}

/// Ends this process without warning.
pub(crate) fn die() -> ! {
    let _sent = kill_process(getpid(), Signal::KILL);
    // The signal is on its way.
    loop {
        thread::park();
    }
}

fn die_after(wait: Duration) {
    thread::spawn(move || {
        thread::sleep(wait);
        die();
    });
}

impl Display for Arm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, hit, deed } = self;
        write!(out, "{point}@{hit}:")?;
        match deed {
            Deed::Kill => write!(out, "kill"),
            Deed::KillAfter(wait) => write!(out, "kill-after={}", wait.as_micros()),
            Deed::KillInCheckpoint(wait) => write!(out, "kill-in-checkpoint={}", wait.as_micros()),
            Deed::Stop => write!(out, "stop"),
            Deed::Return => write!(out, "return"),
        }
    }
}

impl FromStr for Arm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (place, deed) = text.split_once(':').context("an arm is POINT@HIT:DEED")?;
        let (point, hit) = place.split_once('@').context("an arm is POINT@HIT:DEED")?;
        let hit = hit.parse().with_context(|| format!("{hit} is no count of passings"))?;
        let (name, wait) = deed.split_once('=').map_or((deed, None), |(name, wait)| (name, Some(wait)));
        let wait = || -> Result<Duration> {
            let wait = wait.with_context(|| format!("{deed} needs microseconds: {deed}=1500"))?;
            Ok(Duration::from_micros(wait.parse().with_context(|| format!("{wait} are no microseconds"))?))
        };
        let deed = match name {
            "kill" => Deed::Kill,
            "kill-after" => Deed::KillAfter(wait()?),
            "kill-in-checkpoint" => Deed::KillInCheckpoint(wait()?),
            "stop" => Deed::Stop,
            "return" => Deed::Return,
            other => bail!("{other} is no deed: kill, kill-after, kill-in-checkpoint, stop or return"),
        };
        Ok(Self::new(point, hit, deed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_reads_back_what_it_writes() {
        let wait = Duration::from_micros(1500);
        for deed in [Deed::Kill, Deed::KillAfter(wait), Deed::KillInCheckpoint(wait), Deed::Stop, Deed::Return] {
            let arm = Arm::new("journal.entered", 2, deed);
            assert_eq!(arm.to_string().parse::<Arm>().unwrap(), arm);
        }
        for text in ["journal.entered", "journal.entered:kill", "journal.entered@x:kill", "a@1:kill-after", "a@1:sing"]
        {
            assert!(text.parse::<Arm>().is_err(), "{text}");
        }
    }
}
