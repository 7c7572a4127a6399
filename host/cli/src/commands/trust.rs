//! `tradepost trust` and `tradepost revoke`: whose signatures count, and what must not be used any more.

use clap::{Args, Subcommand};
use semver::Version;
use serde_json::{Value, json};
use tradepost_engine::store::Store;
use tradepost_engine::versions::{Catalogue, InstalledConnector, KeyStanding};
use tradepost_package::PublicKey;

use super::Context;
use super::verify::public_key;
use crate::config::Config;
use crate::explain_versions::version_error;
use crate::failure::Result;
use crate::output::{self, column};
use crate::{account_versions, known_accounts};

/// Say whose signatures count for which connector, and what is the oldest version that may be used
#[derive(Debug, Args)]
pub(crate) struct Trust {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Revoke(RevokeKey),
    Floor(Floor),
}

/// Have a publisher's signatures count for a connector
#[derive(Debug, Args)]
#[command(after_help = "\
Take the key from the publisher himself, not from the package.

Examples:
  tradepost trust add hardtofind ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo
  tradepost trust add hardtofind acme.key.pub")]
struct Add {
    /// The connector's id
    connector: String,
    /// The public key, as text or as a file
    #[arg(value_parser = public_key)]
    key: PublicKey,
}

/// List the keys that count, those that do not any more, and the floors
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost trust list\n  tradepost trust list hardtofind --json")]
struct List {
    /// Only this connector
    connector: Option<String>,
}

/// Have a key count no more for a connector, for good
#[derive(Debug, Args)]
#[command(after_help = "\
Versions that no other trusted key signed get no accounts from now on. Those that have some keep them, so that nothing stands still; they are
listed, and `tradepost activate` or `tradepost rollback` moves them.

Examples:
  tradepost trust revoke hardtofind acme.key.pub --reason 'the key was stolen'")]
struct RevokeKey {
    /// The connector's id
    connector: String,
    /// The public key, as text or as a file
    #[arg(value_parser = public_key)]
    key: PublicKey,
    /// Why, for whoever comes across it
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Have nothing below a version be installed, activated or rolled back to
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tradepost trust floor hardtofind 0.2.0
  tradepost trust floor hardtofind --off")]
struct Floor {
    /// The connector's id
    connector: String,
    /// The oldest version that may be used
    #[arg(required_unless_present = "off", conflicts_with = "off")]
    version: Option<Version>,
    /// Have no floor any more
    #[arg(long)]
    off: bool,
}

/// Have a version get no accounts from now on, for good
#[derive(Debug, Args)]
#[command(after_help = "\
Accounts that are on it keep it, so that nothing stands still; they are listed, and `tradepost activate` or `tradepost rollback` moves them.

Examples:
  tradepost revoke hardtofind 0.1.0 --reason 'ships twice'")]
pub(crate) struct Revoke {
    /// The connector's id
    connector: String,
    /// The version
    version: Version,
    /// Why, for whoever comes across it
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Trust {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self.action {
            Action::Add(action) => action.run(context).await,
            Action::List(action) => action.run(context).await,
            Action::Revoke(action) => action.run(context).await,
            Action::Floor(action) => action.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<()> {
        let (_, _, versions) = context.versions()?;
        let Self { connector, key } = self;
        versions.trust(&connector, key).await.map_err(|error| version_error(&error, &connector))?;
        let value = json!({ "connector": connector, "key": key, "trusted": true });
        context.output.single(&value, |_| format!("what {key} signs is trusted for {connector}"))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let (_, store) = context.store()?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let is_wanted = |id: &String| self.connector.as_ref().is_none_or(|wanted| wanted == id);
        let connectors: Vec<_> = catalogue.connectors.iter().filter(|(id, _)| is_wanted(id)).collect();
        if context.output.json {
            return connectors.into_iter().try_for_each(|(id, known)| output::print(&to_json(id, known).to_string()));
        }
        let columns = [column("CONNECTOR", 20), column("FLOOR", 10), column("KEY", 52), column("STANDING", 60)];
        let rows: Vec<Vec<String>> = connectors.into_iter().flat_map(|(id, known)| rows(id, known)).collect();
        context.output.list(&rows, &columns, Clone::clone)
    }
}

fn standing(standing: &KeyStanding) -> String {
    match standing {
        KeyStanding::Trusted => "trusted".to_owned(),
        KeyStanding::Revoked(reason) => format!("revoked: {reason}"),
    }
}

fn to_json(id: &str, known: &InstalledConnector) -> Value {
    let keys: Vec<Value> = known
        .keys
        .iter()
        .map(|(key, standing)| match standing {
            KeyStanding::Trusted => json!({ "key": key, "trusted": true }),
            KeyStanding::Revoked(reason) => json!({ "key": key, "trusted": false, "reason": reason }),
        })
        .collect();
    json!({ "connector": id, "floor": known.floor.as_ref().map(ToString::to_string), "keys": keys })
}

fn rows(id: &str, known: &InstalledConnector) -> Vec<Vec<String>> {
    let floor = output::optional(known.floor.as_ref());
    let row = |key: String, standing: String| vec![id.to_owned(), floor.clone(), key, standing];
    if known.keys.is_empty() {
        return vec![row("(none)".to_owned(), String::new())];
    }
    known.keys.iter().map(|(key, state)| row(key.to_string(), standing(state))).collect()
}

impl RevokeKey {
    async fn run(self, context: &Context) -> Result<()> {
        let (config, store, versions) = context.versions()?;
        let Self { connector, key, reason } = self;
        let unusable = versions.revoke_key(&connector, key, &reason).await;
        let unusable = unusable.map_err(|error| version_error(&error, &connector))?;
        let still = still_in_use(&config, store.as_ref(), &connector, &unusable).await?;
        let value = json!({ "connector": connector, "key": key, "revoked": true, "still_in_use": still });
        context.output.single(&value, |_| {
            format!("what {key} signs counts no more for {connector}\n{}", on_those(&connector, &still))
        })
    }
}

impl Floor {
    async fn run(self, context: &Context) -> Result<()> {
        let (config, store, versions) = context.versions()?;
        let Self { connector, version, off: _ } = self;
        let failed = |error| version_error(&error, &connector);
        versions.set_floor(&connector, version.clone()).await.map_err(failed)?;
        let unusable = versions.unusable_in_use(&connector).await.map_err(failed)?;
        let still = still_in_use(&config, store.as_ref(), &connector, &unusable).await?;
        let floor = version.as_ref().map(ToString::to_string);
        let value = json!({ "connector": connector, "floor": floor, "still_in_use": still });
        context.output.single(&value, |_| {
            let what = floor.map_or_else(|| "has no floor".to_owned(), |floor| format!("is not used below {floor}"));
            format!("{connector} {what}\n{}", on_those(&connector, &still))
        })
    }
}

impl Revoke {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store, versions) = context.versions()?;
        let connector = self.connector.as_str();
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let version = account_versions::meant(&catalogue, connector, self.version);
        let unusable = versions.revoke_version(connector, &version, &self.reason).await;
        let unusable = unusable.map_err(|error| version_error(&error, connector))?;
        let still = still_in_use(&config, store.as_ref(), connector, &unusable).await?;
        let value = json!({
            "connector": connector, "version": version.to_string(), "revoked": true, "still_in_use": still,
        });
        context.output.single(&value, |_| format!("{connector} {version} is revoked\n{}", on_those(connector, &still)))
    }
}

/// Accounts that are on versions which must not be used any more, each with its version.
async fn still_in_use(config: &Config, store: &dyn Store, connector: &str, unusable: &[Version]) -> Result<Vec<Value>> {
    let catalogue: Catalogue = account_versions::catalogue(store).await?;
    let entries = known_accounts::all(config, store).await?;
    let on = account_versions::accounts_on(&catalogue, &entries);
    let is_one = |of: &str, version: &Version| of == connector && unusable.contains(version);
    Ok(on
        .iter()
        .filter(|((of, version), _)| is_one(of, version))
        .flat_map(|((_, version), accounts)| accounts.iter().map(move |account| (version, account)))
        .map(|(version, account)| json!({ "account": account, "version": version.to_string() }))
        .collect())
}

fn on_those(connector: &str, still: &[Value]) -> String {
    if still.is_empty() {
        return String::new();
    }
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let lines = still.iter().map(|one| format!("still on {}: {}", text(one, "version"), text(one, "account")));
    let advice = format!("`tradepost activate {connector} VERSION` or `tradepost rollback {connector}` moves them");
    lines.chain([advice]).collect::<Vec<_>>().join("\n")
}
