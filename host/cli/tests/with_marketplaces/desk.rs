//! Where the command is run: a directory with a table of accounts, marketplaces beside it, and a daemon.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tradepost_platforms::{Hft71, Platform};

pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradepost"));
    command.current_dir(directory).env_remove("TRADEPOST_CONFIG").env_remove("RUST_LOG").stdin(Stdio::null());
    command.env_remove("TRADEPOST_KEY").env_remove("TRADEPOST_NEW_KEY");
    command
}

/// A directory with a table of accounts, in which commands are run.
pub(crate) struct Desk {
    pub(crate) directory: TempDir,
}

/// `tradepost sandbox` in a directory of its own, ended with the test.
pub(crate) struct Sandbox {
    pub(crate) child: Child,
    pub(crate) desk: Desk,
}

impl Deref for Sandbox {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Sandbox {
    /// What the marketplace accepted, in order.
    pub(crate) fn effects(&self) -> Vec<String> {
        let ledger = std::fs::read_to_string(self.directory.path().join("ledger.jsonl")).unwrap_or_default();
        let effect = |line: &str| serde_json::from_str::<Value>(line).unwrap()["effect"].as_str().unwrap().to_owned();
        ledger.lines().map(effect).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Sandbox {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = command(directory.path())
            .args(["sandbox", "--write", "tradepost.toml"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut sandbox = Self { child, desk: Desk { directory } };
        let mut said = Vec::new();
        for line in BufReader::new(sandbox.child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            if line.starts_with("ready") {
                return sandbox;
            }
            said.push(line);
        }
        panic!("the sandbox did not become ready: {said:?}");
    }
}

impl Desk {
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command(self.directory.path()).args(arguments).output().unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.directory.path().join("tradepost.toml")
    }

    /// Runs a command with --json and gives its objects.
    pub(crate) fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn object(&self, arguments: &[&str]) -> Value {
        let mut objects = self.objects(arguments);
        assert_eq!(objects.len(), 1, "{arguments:?}");
        objects.remove(0)
    }

    /// Runs a command that is to fail, and gives its exit code and error.
    pub(crate) fn failure(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().last().unwrap_or_default();
        let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"));
        (output.status.code().unwrap(), value["error"].clone())
    }
}

/// A producer in this process, with the table of accounts of a shop that uses it.
pub(crate) struct Production {
    pub(crate) asynchronous: tokio::runtime::Runtime,
    pub(crate) platform: Hft71,
    pub(crate) desk: Desk,
}

impl Production {
    pub(crate) fn start() -> Self {
        let asynchronous = tokio::runtime::Runtime::new().unwrap();
        let platform = asynchronous.block_on(Hft71::builder().start()).unwrap();
        let desk = Desk { directory: tempfile::tempdir().unwrap() };
        let component = tradepost_components::build("hft71", |_| {}).unwrap();
        let secrets: String = platform
            .example_secrets()
            .iter()
            .filter(|(name, _)| name != "username")
            .map(|(name, value)| {
                std::fs::write(desk.directory.path().join(name), value).unwrap();
                format!("secrets.{name} = {{ file = \"{name}\" }}\n")
            })
            .collect();
        let (root, user) = (platform.root_url(), platform.credentials().username);
        let table = format!(
            "[accounts.producer]\nconnector = '{}'\nsettings = {{ root-url = \"{root}\", username = \"{user}\" }}\n\
             grants.private_hosts = [\"{root}\"]\n{secrets}",
            component.display()
        );
        std::fs::write(desk.directory.path().join("tradepost.toml"), table).unwrap();
        Self { asynchronous, platform, desk }
    }

    pub(crate) fn effects(&self) -> Vec<&'static str> {
        self.platform.ledger().entries().iter().map(|entry| entry.effect).collect()
    }
}

/// `tradepost run` at a desk, ended with the test.
pub(crate) struct Daemon {
    child: Child,
    said: Receiver<String>,
    /// What it said before it was ready.
    pub(crate) at_first: Vec<String>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Daemon {
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::start_as(desk, &["run"])
    }

    /// The same for any command that says when it is ready and works until it is ended.
    pub(crate) fn start_as(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = command(desk.directory.path());
        command.args(arguments);
        Self::spawn(command)
    }

    /// The same with everything else set as the test wants it.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (say, said) = mpsc::channel();
        // Read to its end, so that the daemon is never held up by a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let _nobody_listens = say.send(line.unwrap());
            }
        });
        let mut daemon = Self { child, said, at_first: Vec::new() };
        daemon.at_first = daemon.lines_until(|line| line == "ready");
        daemon
    }

    /// The lines up to one that is as wanted. Fails when the daemon ends before.
    pub(crate) fn lines_until(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.said.recv_timeout(Duration::from_mins(2)) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("{error}: {lines:?}"),
            }
            if wanted(lines.last().unwrap()) {
                return lines;
            }
        }
    }

    /// Asks it to stop, as a service manager does, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(mut self) -> i32 {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code().unwrap()
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
