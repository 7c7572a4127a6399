//! `tradepost accounts`: what table and store hold, and where each secret comes from; never a value.

use clap::Args;
use serde_json::{Map, Value, json};
use tradepost_engine::versions::Catalogue;

use super::Context;
use crate::account_versions;
use crate::config::AccountEntry;
use crate::failure::Result;
use crate::known_accounts;
use crate::output::{self, column};

/// List the accounts of table and store, and where their secrets come from
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost accounts\n  tradepost accounts --json | jq -r .account")]
pub(crate) struct Accounts {}

impl Accounts {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let (config, store) = context.store()?;
        let entries = known_accounts::all(&config, store.as_ref()).await?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        if context.output.json {
            return entries.iter().try_for_each(|entry| output::print(&to_json(entry, &catalogue).to_string()));
        }
        let columns = [
            column("ACCOUNT", 24),
            column("KEPT IN", 7),
            column("CONNECTOR", 40),
            column("AUTH", 10),
            column("SECRETS", 50),
            column("GRANTED", 40),
        ];
        // Printed as rows, not serialised: what is listed here is chosen by hand so that no value can slip in.
        let rows: Vec<Vec<String>> = entries.iter().map(|entry| row(entry, &catalogue)).collect();
        context.output.list(&rows, &columns, Clone::clone)
    }
}

fn row(entry: &AccountEntry, catalogue: &Catalogue) -> Vec<String> {
    vec![
        entry.id.clone(),
        entry.source().to_owned(),
        account_versions::label(catalogue, entry),
        entry.auth.clone().unwrap_or_else(|| "(default)".into()),
        secrets(entry).join("\n"),
        granted(entry).join("\n"),
    ]
}

/// The secrets by name, each with where it comes from.
pub(super) fn secrets(entry: &AccountEntry) -> Vec<String> {
    let outside = entry.secrets.iter().map(|(name, source)| {
        let state = if source.read(&entry.id, name).is_ok() { "" } else { " (missing)" };
        format!("{name}: {source}{state}")
    });
    let kept = entry.sealed.iter().flatten().map(|(name, _)| format!("{name}: the store"));
    outside.chain(kept).collect()
}

/// The origins that the account may reach.
pub(super) fn granted(entry: &AccountEntry) -> Vec<String> {
    entry.grants.hosts.iter().chain(&entry.grants.private_hosts).map(ToString::to_string).collect()
}

/// An account for programs.
pub(super) fn to_json(entry: &AccountEntry, catalogue: &Catalogue) -> Value {
    let outside = entry.secrets.iter().map(|(name, source)| {
        (name.clone(), json!({ "from": source.to_string(), "present": source.read(&entry.id, name).is_ok() }))
    });
    let kept =
        entry.sealed.iter().flatten().map(|(name, _)| (name.clone(), json!({ "from": "the store", "present": true })));
    let secrets: Map<String, Value> = outside.chain(kept).collect();
    json!({
        "account": entry.id,
        "kept_in": entry.source(),
        "connector": entry.connector.to_string(),
        "installed": account_versions::of_account(catalogue, entry),
        "auth": entry.auth,
        "settings": entry.settings,
        "secrets": secrets,
        "grants": entry.grants,
    })
}
