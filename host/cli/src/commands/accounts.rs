//! `tradepost accounts`: what the table holds, and where each secret comes from; never a value.

use clap::Args;
use serde_json::{Map, json};

use super::Context;
use crate::config::{AccountEntry, Config};
use crate::failure::{Failure, Result};
use crate::output::{self, column};

/// List the accounts of the table and where their secrets come from
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost accounts\n  tradepost accounts --json | jq -r .account")]
pub(crate) struct Accounts {}

impl Accounts {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let config = Config::read(&context.table).map_err(Failure::from)?;
        if context.output.json {
            return config.accounts().try_for_each(|entry| output::print(&to_json(entry)));
        }
        let entries: Vec<&AccountEntry> = config.accounts().collect();
        let columns = [
            column("ACCOUNT", 24),
            column("CONNECTOR", 40),
            column("AUTH", 10),
            column("SECRETS", 50),
            column("GRANTED", 40),
        ];
        // Printed as rows, not serialised: what is listed here is chosen by hand so that no value can slip in.
        let rows: Vec<Vec<String>> = entries.into_iter().map(row).collect();
        context.output.list(&rows, &columns, Clone::clone)
    }
}

fn row(entry: &AccountEntry) -> Vec<String> {
    let secrets: Vec<String> = entry
        .secrets
        .iter()
        .map(|(name, source)| {
            let state = if source.read(&entry.id, name).is_ok() { "" } else { " (missing)" };
            format!("{name}: {source}{state}")
        })
        .collect();
    let granted: Vec<String> =
        entry.grants.hosts.iter().chain(&entry.grants.private_hosts).map(ToString::to_string).collect();
    vec![
        entry.id.clone(),
        entry.connector.display().to_string(),
        entry.auth.clone().unwrap_or_else(|| "(default)".into()),
        secrets.join("\n"),
        granted.join("\n"),
    ]
}

fn to_json(entry: &AccountEntry) -> String {
    let secrets: Map<_, _> = entry
        .secrets
        .iter()
        .map(|(name, source)| {
            (name.clone(), json!({ "from": source.to_string(), "present": source.read(&entry.id, name).is_ok() }))
        })
        .collect();
    json!({
        "account": entry.id,
        "connector": entry.connector.display().to_string(),
        "auth": entry.auth,
        "settings": entry.settings,
        "secrets": secrets,
        "grants": entry.grants,
    })
    .to_string()
}
