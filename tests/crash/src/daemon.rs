//! The child process: the daemon, or a program that embeds the engine. Both are this same program, started with a hidden command.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::failpoint::Arm;

/// How long a daemon may take to begin, and to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(90);
/// Lines of what it said that are kept.
const LINES_KEPT: usize = 30;

/// How a child is started.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// This program.
    pub program: &'a Path,
    /// The directory of the run.
    pub directory: &'a Path,
    /// The hidden command, and what it is told.
    pub arguments: Vec<String>,
    /// Failpoints.
    pub arms: &'a [Arm],
}

impl<'a> Start<'a> {
    /// The daemon, which walks each stream every second.
    pub fn daemon(program: &'a Path, directory: &'a Path, arms: &'a [Arm]) -> Self {
        let arguments = vec!["daemon".to_owned()];
        Self { program, directory, arguments, arms }
    }

    /// With one more argument and its value.
    #[must_use]
    pub fn with(mut self, name: &str, value: &impl ToString) -> Self {
        self.arguments.extend([name.to_owned(), value.to_string()]);
        self
    }
}

/// A running child. It is killed when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    id: u32,
    ready: watch::Receiver<bool>,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Daemon {
    /// Starts one in a directory with a table of accounts.
    pub fn start(start: &Start<'_>) -> Result<Self> {
        let mut command = Command::new(start.program);
        command.args(&start.arguments);
        for arm in start.arms {
            command.args(["--arm", &arm.to_string()]);
        }
        let mut child = command
            .current_dir(start.directory)
            .env_remove("TRADEPOST_CONFIG")
            .env_remove("FAILPOINTS")
            .env_remove("RUST_LOG")
            // What it dies of stands first; where, nobody asks.
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", start.program.display()))?;
        let id = child.id().context("the daemon ended as it began")?;
        let stderr = child.stderr.take().context("the daemon has no stderr")?;
        let (is_ready, ready) = watch::channel(false);
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let heard = Arc::clone(&said);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("ready") {
                    // Nobody waiting for it is fine.
                    let _waited = is_ready.send(true);
                }
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push_back(line);
                if heard.len() > LINES_KEPT {
                    heard.pop_front();
                }
            }
        });
        Ok(Self { child, id, ready, said })
    }

    /// The last that it said.
    pub fn last_words(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// Waits until it says that it works.
    pub async fn ready(&mut self) -> Result<()> {
        let heard = tokio::time::timeout(PATIENCE, self.ready.wait_for(|ready| *ready)).await;
        match heard.map(|heard| heard.is_ok()) {
            Ok(true) => Ok(()),
            Ok(false) => bail!("the daemon ended before it was ready: {}", self.last_words()),
            Err(_) => bail!("the daemon was not ready in time: {}", self.last_words()),
        }
    }

    /// Waits until it ends.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait().await?)
    }

    /// Ends it without warning (SIGKILL): no destructor of it runs.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("the daemon cannot be killed")
    }

    /// The process, to be killed from anywhere.
    pub fn process(&self) -> Result<Process> {
        let id = i32::try_from(self.id).ok().and_then(Pid::from_raw).context("no process")?;
        Ok(Process(id))
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(ended) = self.child.try_wait()? {
            bail!("the daemon has ended by itself ({ended}): {}", self.last_words());
        }
        self.process()?.signal(Signal::TERM)?;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait());
        let ended = ended.await.with_context(|| format!("the daemon does not end: {}", self.last_words()))??;
        if !ended.success() {
            bail!("the daemon did not end well when it was asked to ({ended}): {}", self.last_words());
        }
        Ok(())
    }
}

/// Whether a process was killed.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

/// A process, to be sent signals.
#[derive(Clone, Copy, Debug)]
pub struct Process(Pid);

impl Process {
    /// Sends a signal.
    pub fn signal(self, signal: Signal) -> Result<()> {
        kill_process(self.0, signal).context("the signal cannot be sent")
    }

    /// Kills it, and comes back when it does nothing any more.
    pub fn kill_now(self) -> Result<()> {
        self.signal(Signal::KILL)?;
        while !matches!(self.state(), None | Some('Z' | 'X')) {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Its state as `/proc` has it: `R`, `S`, `T` for stopped, `Z` for dead and not yet waited for; none where there is no such process.
    pub fn state(self) -> Option<char> {
        let stat = std::fs::read_to_string(self.folder().join("stat")).ok()?;
        // The program's name is in brackets and may hold anything.
        stat.rsplit_once(')')?.1.trim_start().chars().next()
    }

    /// Its resident memory in bytes, and the highest it was; none where there is no such process.
    pub fn memory(self) -> Option<(u64, u64)> {
        let status = std::fs::read_to_string(self.folder().join("status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
        };
        Some((field("VmRSS:")?, field("VmHWM:")?))
    }

    fn folder(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0.as_raw_nonzero()))
    }
}
