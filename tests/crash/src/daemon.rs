//! The child process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a daemon may take to begin, and to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `tradepost run`. It is killed when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it in a directory with a table of accounts.
    pub fn start(program: &Path, directory: &Path) -> Result<Self> {
        let child = Command::new(program)
            .args(["run", "--every", "1"])
            .current_dir(directory)
            .env_remove("TRADEPOST_CONFIG")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child })
    }

    /// Waits until it says that it works.
    pub async fn ready(&mut self) -> Result<()> {
        let stderr = self.child.stderr.take().context("the daemon was waited for before")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut said = Vec::new();
        let heard = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("ready") {
                    return Ok::<bool, std::io::Error>(true);
                }
                said.push(line);
            }
            Ok(false)
        });
        match heard.await {
            Ok(Ok(true)) => {
                // What it says from now on is read and dropped, so that it never waits for room to speak.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(())
            }
            Ok(Ok(false)) => bail!("the daemon ended before it was ready: {}", said.join("; ")),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => bail!("the daemon was not ready in time: {}", said.join("; ")),
        }
    }

    /// Ends it without warning (SIGKILL): no destructor of it runs.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("the daemon cannot be killed")
    }

    /// Asks it to end (SIGTERM) and tells whether it did so well.
    pub async fn stop(mut self) -> Result<bool> {
        let id = self.child.id().context("the daemon has ended by itself")?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        if !asked.success() {
            bail!("the daemon cannot be asked to end");
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the daemon does not end")??;
        Ok(ended.success())
    }
}
