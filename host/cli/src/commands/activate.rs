//! `tradepost activate` and `tradepost rollback`: which version accounts are on.

use clap::Args;
use semver::Version;
use serde_json::{Value, json};
use tradepost_engine::store::Store;
use tradepost_engine::versions::{Activation, Moved, STABLE, TrialRules, TrialScope};

use super::Context;
use crate::account_versions;
use crate::config::Config;
use crate::data_directory::daemon_is_there;
use crate::explain_versions::version_error;
use crate::failure::{Failure, Result};
use crate::{known_accounts, progress};

/// Give accounts an installed version of their connector: all of a channel, or some on trial
#[derive(Debug, Args)]
#[command(after_help = "\
The version is verified, compiled and asked what it is before anything changes. A daemon puts accounts on it within a second; calls that are
under way end on the version that they began on. For ten minutes (--seconds) it is watched: if it fails more often, or takes much longer,
than the version before, that one takes its place again by itself, and `tradepost versions --notes` says why.

With --canary or --account only some accounts get it; after the time and --calls calls without more faults than the version before has, all
of them do. With --shadow no account gets it: it reads along, and `tradepost versions CONNECTOR --shadow VERSION` tells what differs. Trials
are judged by `tradepost run`.

Examples:
  tradepost activate hardtofind 0.2.0
  tradepost activate hardtofind 0.2.0 --canary 10 --account acme/hardtofind
  tradepost activate hardtofind 0.2.0 --shadow
  tradepost activate hardtofind 0.1.0 --allow-downgrade --channel beta")]
pub(crate) struct Activate {
    /// The connector's id
    connector: String,
    /// The version; one that nobody signed needs its build only where there are several
    version: Version,
    /// The channel; accounts follow `stable` unless `tradepost channel` says otherwise
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Try it on so many of a hundred accounts first
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    canary: Option<u8>,
    /// Try it on this account first; may be given several times
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Have it read along only; on all accounts unless --canary or --account are given
    #[arg(long)]
    shadow: bool,
    /// How long it is tried, or watched
    #[arg(long, value_name = "N", default_value_t = TrialRules::default().seconds)]
    seconds: u64,
    /// Calls that a canary must have made before all accounts get it
    #[arg(long, value_name = "N", default_value_t = TrialRules::default().calls)]
    calls: u64,
    /// Faults after which it is taken back, where the version before has fewer
    #[arg(long, value_name = "N", default_value_t = TrialRules::default().faults, value_parser = clap::value_parser!(u64).range(1..))]
    faults: u64,
    /// Take a version below the active one
    #[arg(long)]
    allow_downgrade: bool,
}

/// Put the version before in the place of the active one, or end a trial
#[derive(Debug, Args)]
#[command(after_help = "\
A canary's accounts, or all accounts of the channel, are on the version before within a second where a daemon works. Rolled back twice, it
is where it was.

Examples:
  tradepost rollback hardtofind --reason 'prices are wrong'
  tradepost rollback hardtofind --channel beta")]
pub(crate) struct Rollback {
    /// The connector's id
    connector: String,
    /// The channel
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Why, for `tradepost versions --notes`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Activate {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store, versions) = context.versions()?;
        let connector = self.connector.as_str();
        let failed = |error| version_error(&error, connector);
        check_accounts(&config, store.as_ref(), connector, &self.accounts).await?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let version = account_versions::meant(&catalogue, connector, self.version);
        let is_trial = self.shadow || self.canary.is_some() || !self.accounts.is_empty();
        // Of accounts that are named and a share that is not, only those that are named are meant.
        let rest = if self.accounts.is_empty() { 100 } else { 0 };
        let trial = is_trial.then(|| TrialScope {
            share: self.canary.unwrap_or(rest),
            accounts: self.accounts.clone(),
            shadow: self.shadow,
        });
        let activation = Activation {
            channel: self.channel.clone(),
            allow_downgrade: self.allow_downgrade,
            trial,
            rules: TrialRules { seconds: self.seconds, calls: self.calls, faults: self.faults },
        };
        let step = progress::step("verifying and compiling");
        let moved = versions.activate(connector, &version, activation).await;
        step.finish_and_clear();
        let moved = moved.map_err(failed)?;
        if is_trial && !daemon_is_there(&config.data)? {
            progress::note("no daemon is at work: `tradepost run` tries and judges it");
        }
        let channel = self.channel.as_deref();
        let mut value = to_json(connector, &moved, channel);
        value["trial"] = match (is_trial, self.shadow) {
            (false, _) => Value::Null,
            (true, false) => "canary".into(),
            (true, true) => "shadow".into(),
        };
        context.output.single(&value, |_| {
            let name = channel.unwrap_or(STABLE);
            let before = moved.before.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            match (is_trial, self.shadow) {
                (false, _) => text(connector, &moved, channel),
                (true, true) => format!(
                    "{connector} {version} reads along on channel {name}; `tradepost versions {connector} --shadow {version}` tells \
                     what differs from {before}"
                ),
                (true, false) => format!(
                    "{connector} {version} is tried on channel {name}, {}; the others stay on {before}",
                    scope(self.canary, &self.accounts)
                ),
            }
        })
    }
}

impl Rollback {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (_, _, versions) = context.versions()?;
        let (connector, channel) = (self.connector.as_str(), self.channel.as_deref());
        let moved = versions
            .roll_back(connector, channel, self.reason, false)
            .await
            .map_err(|error| version_error(&error, connector))?;
        context.output.single(&to_json(connector, &moved, channel), |_| {
            let (version, name) = (&moved.version, channel.unwrap_or(STABLE));
            let left = moved.before.as_ref().map(|left| format!("; {left} is taken back")).unwrap_or_default();
            format!("{connector} {version} is active on channel {name}{left}")
        })
    }
}

/// Accounts that a version is to be tried on are on this connector: a misspelt one would never be tried.
async fn check_accounts(config: &Config, store: &dyn Store, connector: &str, accounts: &[String]) -> Result<()> {
    for account in accounts {
        let entry = known_accounts::one(config, store, account).await?;
        let on = account_versions::installed_connector(&entry)?;
        if on != connector {
            let message = format!("account {account} is on connector {on}, not {connector}");
            return Err(Failure::configuration(message).fact("account", account.as_str()).into());
        }
    }
    Ok(())
}

fn scope(share: Option<u8>, accounts: &[String]) -> String {
    let share = share.map(|share| format!("{share} % of its accounts"));
    share.into_iter().chain(accounts.iter().cloned()).collect::<Vec<_>>().join(", ")
}

/// What came of an activation or a roll-back, for programs.
pub(super) fn to_json(connector: &str, moved: &Moved, channel: Option<&str>) -> Value {
    json!({
        "connector": connector,
        "channel": channel.unwrap_or(STABLE),
        "version": moved.version.to_string(),
        "before": moved.before.as_ref().map(ToString::to_string),
    })
}

/// The same for people.
pub(super) fn text(connector: &str, moved: &Moved, channel: Option<&str>) -> String {
    let (version, name) = (&moved.version, channel.unwrap_or(STABLE));
    let option = channel.map(|name| format!(" --channel {name}")).unwrap_or_default();
    match moved.before.as_ref().filter(|before| *before != version) {
        Some(before) => format!(
            "{connector} {version} is active on channel {name}, in the place of {before}; `tradepost rollback {connector}{option}` \
             puts that back"
        ),
        None => format!("{connector} {version} is active on channel {name}"),
    }
}
