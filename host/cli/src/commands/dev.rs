//! `tradepost dev`: for authors of connectors: what they save is built, installed and in use a moment later.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use semver::Version;
use serde_json::json;
use tokio::time::sleep;
use tradepost_components::build_directory;
use tradepost_engine::versions::{Activation, Following, Install, Installed, Versions};

use super::{Context, install};
use crate::explain_versions::version_error;
use crate::failure::{Exit, Failure, Result, Stop};
use crate::stop_signal::StopSignal;
use crate::voice::Voice;
use crate::{account_versions, known_accounts, package_file, progress};

/// The channel that it works on.
const CHANNEL: &str = "dev";
/// How often it looks whether something was saved. A directory of sources is looked through in a few milliseconds.
const EVERY: Duration = Duration::from_millis(500);
/// Editors save in several steps: what was saved must have held still for so long.
const SETTLED: Duration = Duration::from_millis(100);
/// Versions that it leaves installed: the one in use and the one before.
const KEPT: usize = 2;

/// Build a connector whenever its sources are saved, and put it in the place of the one before, until ctrl-c
#[derive(Debug, Args)]
#[command(after_help = "\
The component is installed unsigned, which is shown wherever it is used, with the rights that it asks for, and activated on the channel `dev`.
Accounts get it that follow this channel: those given with --account, and those of `tradepost channel ACCOUNT dev`. A `tradepost run` in
another terminal puts them on it within a second. What does not build or does not load is told, and the last one that did stays in use.

A crate is built with its profile `component`, or else `release`. With --wasm a file is watched that something else builds.

Examples:
  tradepost dev connectors/hardtofind --account acme/hardtofind
  tradepost dev --wasm dist/shop.wasm --json")]
pub(crate) struct Dev {
    /// The connector's crate
    #[arg(required_unless_present = "wasm", conflicts_with = "wasm")]
    directory: Option<PathBuf>,
    /// Watch this component instead of building one
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Put this account on the channel `dev`; may be given several times
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
}

/// What is watched.
enum Source {
    Crate(PathBuf),
    Component(PathBuf),
}

/// The work from one save to the next.
struct Workbench<'a> {
    context: &'a Context,
    source: Source,
    versions: Versions,
    accounts: Vec<String>,
    /// What it installed itself, oldest first.
    installed: Vec<(String, Version)>,
}

impl Dev {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let source = match (self.directory, self.wasm) {
            (Some(directory), _) => Source::Crate(directory),
            (None, Some(file)) => Source::Component(file),
            (None, None) => return Err(Failure::usage("name a crate's directory, or a component with --wasm").into()),
        };
        if let Source::Crate(directory) = &source
            && !directory.join("Cargo.toml").is_file()
        {
            return Err(Failure::usage(format!("{} holds no crate: it has no Cargo.toml", directory.display()))
                .advice("--wasm FILE watches a component that something else builds")
                .into());
        }
        let mut signal = StopSignal::listen()?;
        let (config, store, versions) = context.versions()?;
        for account in &self.accounts {
            let entry = known_accounts::one(&config, store.as_ref(), account).await?;
            account_versions::installed_connector(&entry)?;
        }
        let mut bench = Workbench { context, source, versions, accounts: self.accounts, installed: Vec::new() };
        tokio::select! {
            ended = bench.work() => ended,
            () = signal.received() => {
                progress::note("the last version stays in use; `tradepost rollback` and `tradepost uninstall` remove it");
                Ok(())
            }
        }
    }
}

impl Workbench<'_> {
    /// Waits for what is saved, and has it take its place.
    async fn work(&mut self) -> Result<()> {
        let voice = Voice(self.context.output);
        let mut seen = None;
        loop {
            let now = self.source.state();
            if seen.is_some_and(|seen| seen == now) {
                sleep(EVERY).await;
                continue;
            }
            sleep(SETTLED).await;
            if self.source.state() != now {
                continue;
            }
            match self.swap(voice).await {
                Ok(()) => {}
                Err(Stop::Failed(failure)) => {
                    voice.say_failed("refused", json!({}), "not taken; what was in use stays", &failure);
                }
                Err(closed) => return Err(closed),
            }
            if seen.is_none() {
                progress::note("ready");
            }
            seen = Some(now);
        }
    }

    /// Builds, installs and activates what there is now.
    async fn swap(&mut self, voice: Voice) -> Result<()> {
        let file = self.source.build().await?;
        let shown = file.display().to_string();
        let failed = |error| version_error(&error, &shown);
        let bytes = package_file::read_bytes(&file)?;
        let step = progress::step("installing");
        let installed = self.versions.install(bytes, Install { accept: true, allow_unsigned: true }).await;
        step.finish_and_clear();
        let installed = installed.map_err(failed)?;
        let Installed { connector, version, .. } = &installed;
        let (_, catalogue) = self.versions.catalogue().await.map_err(failed)?;
        let channels = catalogue.connectors.get(connector).map(|known| &known.channels);
        let active = channels.and_then(|channels| channels.get(CHANNEL)).map(|channel| &channel.active);
        if active != Some(version) {
            // One build is neither above nor below another.
            let activation =
                Activation { channel: Some(CHANNEL.into()), allow_downgrade: true, ..Activation::default() };
            self.versions.activate(connector, version, activation).await.map_err(failed)?;
        }
        for account in std::mem::take(&mut self.accounts) {
            self.follow(&account, connector).await?;
        }
        let mut fields = install::to_json(&installed);
        fields["channel"] = CHANNEL.into();
        let more = installed.more.lines().iter().map(|line| format!("\n  new right: it {line}")).collect::<String>();
        voice.say("swapped", &fields, &format!("{connector} {version} is in use on channel {CHANNEL}{more}"));
        self.let_go(&installed).await;
        Ok(())
    }

    /// Puts an account on the channel.
    async fn follow(&self, account: &str, connector: &str) -> Result<()> {
        let (config, store) = self.context.store()?;
        let entry = known_accounts::one(&config, store.as_ref(), account).await?;
        let on = account_versions::installed_connector(&entry)?;
        if on != connector {
            let message = format!("account {account} is on connector {on}, and this one is {connector}");
            return Err(Failure::configuration(message).fact("account", account).into());
        }
        let following = Following::Channel(CHANNEL.into());
        let followed = self.versions.follow(account, connector, Some(following)).await;
        followed.map(drop).map_err(|error| version_error(&error, connector).into())
    }

    /// Removes what it installed before and nothing needs any more. What cannot be removed now is tried the next time.
    async fn let_go(&mut self, installed: &Installed) {
        let this = (installed.connector.clone(), installed.version.clone());
        self.installed.retain(|one| *one != this);
        self.installed.push(this);
        let old = self.installed.len().saturating_sub(KEPT);
        let mut kept = Vec::new();
        for (connector, version) in self.installed.drain(..old) {
            if self.versions.remove(&connector, &version).await.is_err() {
                kept.push((connector, version));
            }
        }
        self.installed.splice(..0, kept);
    }
}

impl Source {
    /// A number that is another one when something was saved.
    fn state(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Crate(directory) => look_through(directory, &mut hasher),
            Self::Component(file) => look_at(file, &mut hasher),
        }
        hasher.finish()
    }

    /// The component, built.
    async fn build(&self) -> Result<PathBuf> {
        let directory = match self {
            Self::Component(file) => return Ok(file.clone()),
            Self::Crate(directory) => directory.clone(),
        };
        let step = progress::step("building");
        let built = tokio::task::spawn_blocking(move || build_directory(&directory, progress::note)).await;
        step.finish_and_clear();
        built
            .map_err(|panic| Failure::unexpected(format!("the build broke off: {panic}")))?
            .map_err(|error| Failure::new(Exit::Usage, "build-failed", error.to_string()).into())
    }
}

/// All files below a directory, but for what is built and what is hidden. What cannot be read is as if it were not there.
fn look_through(directory: &Path, hasher: &mut DefaultHasher) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|one| one.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => look_through(&path, hasher),
            _ => look_at(&path, hasher),
        }
    }
}

fn look_at(file: &Path, hasher: &mut DefaultHasher) {
    file.hash(hasher);
    if let Ok(found) = fs::metadata(file) {
        (found.len(), found.modified().ok()).hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_seen_and_what_is_built_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("Cargo.toml", "");
        write("src/lib.rs", "one");
        let source = Source::Crate(directory.path().to_owned());
        let before = source.state();
        write("target/component/shop.wasm", "built");
        write(".git/index", "hidden");
        assert_eq!(source.state(), before);
        write("src/lib.rs", "longer than one");
        let changed = source.state();
        assert_ne!(changed, before);
        write("src/new.rs", "");
        assert_ne!(source.state(), changed);
    }
}
