//! `tradepost pause` and `tradepost resume`: an account is held back, and set to work again.

use clap::Args;
use serde_json::json;
use tradepost_engine::standing::AccountState;

use super::Context;
use crate::explain;
use crate::failure::Result;
use crate::known_accounts;

/// Hold an account back: its streams are not walked and its commands wait
#[derive(Debug, Args)]
#[command(after_help = "\
What is under way is finished. Commands are still recorded, and wait. What its platform sends by itself is still received.

Examples:
  tradepost pause sandbox/wcfm --reason 'the shop moves to another server'")]
pub(crate) struct Pause {
    /// The account, as the table names it
    account: String,
    /// Why, for whoever looks at `tradepost status`
    #[arg(long, value_name = "WHY", default_value = "paused by an operator")]
    reason: String,
}

/// Set an account to work again that was held back: paused, quarantined, or refused by its platform
#[derive(Debug, Args)]
#[command(after_help = "\
An account whose credential was refused is better set to work by `tradepost check`, which tries the credential first.

Examples:
  tradepost resume sandbox/wcfm")]
pub(crate) struct Resume {
    /// The account, as the table names it
    account: String,
}

impl Pause {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        set(context, &self.account, AccountState::Paused, Some(self.reason)).await
    }
}

impl Resume {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        set(context, &self.account, AccountState::Active, None).await
    }
}

async fn set(context: &Context, account: &str, state: AccountState, reason: Option<String>) -> Result<()> {
    let (config, store) = context.store()?;
    let standings = store.standings(Some(account)).await.map_err(|error| explain::store_error(&error))?;
    if standings.is_empty() {
        // One that was never held back has no standing; then its name must be known.
        known_accounts::one(&config, store.as_ref(), account).await?;
    }
    let changed =
        store.set_standing(account, state, reason, None).await.map_err(|error| explain::store_error(&error))?;
    let shown = json!({ "account": account, "state": state, "changed": changed });
    context.output.single(&shown, |_| {
        let what = if state == AccountState::Active { "at work" } else { "held back" };
        if changed { format!("{account} is {what}") } else { format!("{account} was {what} already") }
    })
}
