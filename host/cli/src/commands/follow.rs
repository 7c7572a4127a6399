//! `tradepost pin` and `tradepost channel`: what one account's version comes from.

use clap::Args;
use semver::Version;
use tradepost_engine::versions::Following;

use super::Context;
use crate::config::AccountEntry;
use crate::explain_versions::version_error;
use crate::failure::Result;
use crate::output::facts;
use crate::{account_versions, known_accounts};

/// Keep an account on one version of its connector, whatever is activated
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tradepost pin acme/hardtofind 0.1.0
  tradepost pin acme/hardtofind --off")]
pub(crate) struct Pin {
    /// The account
    account: String,
    /// The version
    #[arg(required_unless_present = "off", conflicts_with = "off")]
    version: Option<Version>,
    /// Have it follow the channel `stable` again
    #[arg(long)]
    off: bool,
}

/// Show which channel of its connector an account follows, or have it follow another
#[derive(Debug, Args)]
#[command(after_help = "\
A channel is a name for the version that its accounts are on; `tradepost activate --channel NAME` makes one.

Examples:
  tradepost channel acme/hardtofind
  tradepost channel acme/hardtofind beta
  tradepost channel acme/hardtofind --off")]
pub(crate) struct Channel {
    /// The account
    account: String,
    /// The channel to follow
    #[arg(conflicts_with = "off")]
    name: Option<String>,
    /// Have it follow the channel `stable` again
    #[arg(long)]
    off: bool,
}

impl Pin {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store, versions) = context.versions()?;
        let entry = known_accounts::one(&config, store.as_ref(), &self.account).await?;
        let connector = account_versions::installed_connector(&entry)?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let version = self.version.map(|version| account_versions::meant(&catalogue, connector, version));
        versions
            .follow(&entry.id, connector, version.map(Following::Pin))
            .await
            .map_err(|error| version_error(&error, connector))?;
        show(context, &entry).await
    }
}

impl Channel {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let entry = known_accounts::one(&config, store.as_ref(), &self.account).await?;
        let connector = account_versions::installed_connector(&entry)?;
        if self.name.is_some() || self.off {
            let (_, _, versions) = context.versions()?;
            versions
                .follow(&entry.id, connector, self.name.map(Following::Channel))
                .await
                .map_err(|error| version_error(&error, connector))?;
        }
        show(context, &entry).await
    }
}

/// What the account's version comes from now.
async fn show(context: &Context, entry: &AccountEntry) -> Result<()> {
    let (_, store) = context.store()?;
    let catalogue = account_versions::catalogue(store.as_ref()).await?;
    let Some(on) = account_versions::of_account(&catalogue, entry) else { return Ok(()) };
    let mut value = serde_json::to_value(&on).unwrap_or_default();
    value["account"] = entry.id.as_str().into();
    context.output.single(&value, |_| {
        facts([
            ("account", entry.id.clone()),
            ("connector", on.label()),
            (
                "follows",
                on.channel.clone().map_or_else(|| "no channel: pinned".into(), |name| format!("channel {name}")),
            ),
            ("problem", on.problem.clone().unwrap_or_default()),
        ])
    })
}
