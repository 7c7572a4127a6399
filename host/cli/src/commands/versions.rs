//! `tradepost versions`: what is installed, who is on it, what happened to it, and what was found by having it read along.

use clap::Args;
use semver::Version;
use serde_json::{Value, json};
use tradepost_engine::store::Store;
use tradepost_engine::versions::{
    Catalogue, Following, InstalledConnector, InstalledVersion, KeyStanding, NoVersion, ShadowReport, TrialKind,
    VersionNote,
};
use tradepost_package::PublicKey;

use super::Context;
use crate::account_versions::{self, UNSIGNED, accounts_on};
use crate::config::AccountEntry;
use crate::explain_versions::no_version;
use crate::failure::{Failure, Result};
use crate::output::{self, column, facts, moment, number, section, word};
use crate::{explain, known_accounts};

/// Letters of a digest that are shown.
const DIGEST_LETTERS: usize = 12;

/// Show the installed versions of connectors, and which accounts are on them
#[derive(Debug, Args)]
#[command(after_help = "\
CHANNELS says where a version is active, which was there before (`previous`, kept ready), and where it is on trial: `canary`, `shadow`, or
`watched` after it was activated for all.

Examples:
  tradepost versions
  tradepost versions hardtofind --json | jq -r 'select(.unsigned) | .version'
  tradepost versions hardtofind --notes
  tradepost versions hardtofind --shadow 0.2.0")]
pub(crate) struct Versions {
    /// Only this connector
    connector: Option<String>,
    /// Show what happened instead, newest first
    #[arg(long, conflicts_with = "shadow")]
    notes: bool,
    /// How many notes
    #[arg(long, value_name = "N", default_value_t = 50, requires = "notes")]
    limit: usize,
    /// Show what this version read differently while it read along
    #[arg(long, value_name = "VERSION", requires = "connector")]
    shadow: Option<Version>,
}

impl Versions {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let connector = self.connector.as_deref();
        if let Some(wanted) = connector.filter(|wanted| !catalogue.connectors.contains_key(*wanted)) {
            return Err(unknown(&catalogue, wanted).into());
        }
        if self.notes {
            return notes(context, store.as_ref(), connector, self.limit).await;
        }
        if let (Some(connector), Some(version)) = (connector, self.shadow) {
            let version = account_versions::meant(&catalogue, connector, version);
            return shadow(context, store.as_ref(), &catalogue, connector, &version).await;
        }
        let entries = known_accounts::all(&config, store.as_ref()).await?;
        let rows = rows(&catalogue, &entries, connector);
        if context.output.json {
            return rows.iter().try_for_each(|row| output::print(&row.to_string()));
        }
        let columns = [
            column("CONNECTOR", 16),
            column("VERSION", 22),
            column("DIGEST", 12),
            column("CONTRACT", 8),
            column("SIGNED BY", 24),
            column("CHANNELS", 30),
            column("ACCOUNTS", 40),
            column("NOT TO BE USED", 40),
        ];
        context.output.list(&rows, &columns, cells)
    }
}

fn unknown(catalogue: &Catalogue, connector: &str) -> Failure {
    let names: Vec<&str> = catalogue.connectors.keys().map(String::as_str).collect();
    let installed = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    no_version(&NoVersion::NotInstalled { connector: connector.to_owned(), installed })
}

/// A row for each installed version, for programs.
fn rows(catalogue: &Catalogue, entries: &[AccountEntry], only: Option<&str>) -> Vec<Value> {
    let on = accounts_on(catalogue, entries);
    let mut rows = Vec::new();
    for (id, known) in catalogue.connectors.iter().filter(|(id, _)| only.is_none_or(|only| only == id.as_str())) {
        for (version, installed) in &known.versions {
            let accounts: Vec<Value> = on
                .get(&(id.clone(), version.clone()))
                .into_iter()
                .flatten()
                .map(|account| {
                    let pinned = matches!(catalogue.accounts.get(account), Some(Following::Pin(_)));
                    json!({ "account": account, "pinned": pinned })
                })
                .collect();
            rows.push(json!({
                "connector": id,
                "version": version.to_string(),
                "digest": installed.digest,
                "contract": installed.contract,
                "signers": installed.signers,
                "unsigned": installed.is_unsigned(),
                "channels": channels(known, version),
                "accounts": accounts,
                "rights": installed.rights,
                "installed_at": installed.installed_at,
                "unusable": unusable(known, version, installed),
            }));
        }
    }
    rows
}

/// What a version is to each channel: `stable active`, `stable canary 10 %`.
fn channels(known: &InstalledConnector, version: &Version) -> Vec<String> {
    let mut roles = Vec::new();
    for (name, channel) in &known.channels {
        let trial = channel.trial.as_ref().filter(|trial| trial.version == *version);
        let watched = trial.is_some_and(|trial| trial.kind == TrialKind::Watch);
        if channel.active == *version {
            roles.push(format!("{name} active{}", if watched { ", watched" } else { "" }));
        }
        if channel.previous.as_ref() == Some(version) {
            roles.push(format!("{name} previous"));
        }
        if let Some(trial) = trial.filter(|_| !watched) {
            let share = if trial.share > 0 { format!(" {} %", trial.share) } else { String::new() };
            let accounts = trial.accounts.iter().map(|account| format!(" {account}")).collect::<String>();
            roles.push(format!("{name} {}{share}{accounts}", word(&trial.kind)));
        }
    }
    roles
}

/// Why a version gets no accounts any more.
fn unusable(known: &InstalledConnector, version: &Version, installed: &InstalledVersion) -> Option<String> {
    if let Some(reason) = &installed.revoked {
        return Some(format!("revoked: {reason}"));
    }
    let is_trusted = |key: &PublicKey| known.keys.get(key) == Some(&KeyStanding::Trusted);
    if !installed.is_unsigned() && !installed.signers.iter().any(is_trusted) {
        let reason = installed.signers.iter().find_map(|key| match known.keys.get(key) {
            Some(KeyStanding::Revoked(reason)) => Some(format!("key revoked: {reason}")),
            _ => None,
        });
        return Some(reason.unwrap_or_else(|| "its publisher's key is not trusted".to_owned()));
    }
    let floor = known.floor.as_ref().filter(|floor| version < floor)?;
    Some(format!("below the floor {floor}"))
}

fn cells(row: &Value) -> Vec<String> {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| -> Vec<String> {
        let items = row[name].as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let digest: String = text("digest").trim_start_matches("sha256:").chars().take(DIGEST_LETTERS).collect();
    let signers = if row["unsigned"] == true { UNSIGNED.to_owned() } else { texts("signers").join("\n") };
    let accounts = row["accounts"].as_array().into_iter().flatten().map(|one| {
        let pinned = if one["pinned"] == true { " (pinned)" } else { "" };
        format!("{}{pinned}", one["account"].as_str().unwrap_or_default())
    });
    vec![
        text("connector"),
        text("version"),
        digest,
        text("contract"),
        signers,
        texts("channels").join("\n"),
        accounts.collect::<Vec<_>>().join("\n"),
        text("unusable"),
    ]
}

async fn notes(context: &Context, store: &dyn Store, connector: Option<&str>, limit: usize) -> Result<()> {
    let notes = store.version_notes(connector, limit).await.map_err(|error| explain::store_error(&error))?;
    let columns = [
        column("AT", 20),
        column("CONNECTOR", 16),
        column("WHAT", 15),
        column("VERSION", 22),
        column("BEFORE", 22),
        column("CHANNEL", 10),
        column("BY", 9),
        column("WHY", 60),
    ];
    context.output.list(&notes, &columns, |VersionNote { at, note }| {
        vec![
            moment(*at),
            note.connector.clone(),
            word(&note.change),
            output::optional(note.version.as_ref()),
            output::optional(note.before.as_ref()),
            note.channel.clone().unwrap_or_default(),
            if note.by_itself { "itself" } else { "operator" }.to_owned(),
            note.reason.clone().unwrap_or_default(),
        ]
    })
}

async fn shadow(
    context: &Context,
    store: &dyn Store,
    catalogue: &Catalogue,
    connector: &str,
    version: &Version,
) -> Result<()> {
    let Some(installed) = catalogue.connectors[connector].versions.get(version) else {
        let message = format!("{connector} {version} is not installed");
        let advice = format!("`tradepost versions {connector}` lists what is");
        return Err(Failure::usage(message).advice(advice).into());
    };
    let report = store.shadow_report(&installed.digest).await.map_err(|error| explain::store_error(&error))?;
    context.output.single(&report, |report| report_text(connector, version, report))
}

fn report_text(connector: &str, version: &Version, report: &ShadowReport) -> String {
    let mut text = facts([
        ("read along", format!("{connector} {version}")),
        ("pages", report.pages.to_string()),
        ("records", report.records.to_string()),
        ("differing", report.differing.to_string()),
        ("failed pages", report.failed.to_string()),
        ("last failure", report.failure.clone().unwrap_or_default()),
    ]);
    text.push('\n');
    let columns = [column("ACCOUNT", 24), column("STREAM", 13), number("RECORD", 12), column("WHAT DIFFERS", 80)];
    let rows = report
        .differences
        .iter()
        .map(|found| vec![found.account.clone(), found.kind.clone(), found.id.clone(), found.what.clone()]);
    text.push_str(&section("Differences", &columns, rows));
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tradepost_engine::versions::{Channel, STABLE, Trial, TrialRules};

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_version_is_to_its_channels_is_told() {
        let mut known = InstalledConnector::default();
        let trial = |kind, share| Trial {
            version: version("0.2.0"),
            before: version("0.1.0"),
            kind,
            share,
            accounts: BTreeSet::new(),
            begun_at: 0,
            rules: TrialRules::default(),
        };
        let channel = |active: &str, previous: Option<&str>, trial| Channel {
            active: version(active),
            previous: previous.map(version),
            trial,
        };
        known.channels.insert(STABLE.into(), channel("0.1.0", None, Some(trial(TrialKind::Canary, 10))));
        known.channels.insert("beta".into(), channel("0.2.0", Some("0.1.0"), Some(trial(TrialKind::Watch, 100))));
        assert_eq!(channels(&known, &version("0.1.0")), ["beta previous", "stable active"]);
        assert_eq!(channels(&known, &version("0.2.0")), ["beta active, watched", "stable canary 10 %"]);
    }
}
