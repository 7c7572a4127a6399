//! The seller at the platform: `settings` (the profile) and `restrictions`.

use clap::Args;
use tradepost_runtime::contract::Selector;

use super::Context;
use crate::failure::{Failure, Result};
use crate::output::column;
use crate::views;

/// Read a seller's profile at the platform: the account's own, or another by id or e-mail
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost settings sandbox/wcfm\n  tradepost settings sandbox/wcfm --email seller@example.com --json"
)]
pub(crate) struct Settings {
    /// The account, as the table names it
    account: String,
    /// Whose, by the platform's id
    #[arg(long, conflicts_with = "email")]
    id: Option<String>,
    /// Whose, by e-mail
    #[arg(long)]
    email: Option<String>,
}

impl Settings {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let selector = match (self.id, self.email) {
            (Some(id), _) => Selector::Id(id),
            (None, Some(email)) => Selector::Email(email),
            (None, None) => match session.keep(session.account.check().await).await?.id {
                Some(id) => Selector::Id(id),
                None => {
                    return Err(Failure::usage("the platform does not say which seller this account is")
                        .advice("name the seller with --id or --email")
                        .into());
                }
            },
        };
        let profile = session.keep(session.account.seller_profile(&selector).await).await?;
        context.output.single(&profile, views::seller)
    }
}

/// List what the platform does not let the seller do
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost restrictions sandbox/wcfm")]
pub(crate) struct Restrictions {
    /// The account, as the table names it
    account: String,
}

impl Restrictions {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let restrictions = session.keep(session.account.list_restrictions().await).await?;
        context.output.list(
            &restrictions,
            &[column("NAME", 30), column("FORBIDDEN", 9), column("VALUE", 40)],
            |restriction| {
                vec![
                    restriction.name.clone(),
                    if restriction.denied { "yes" } else { "no" }.to_owned(),
                    restriction.value.clone(),
                ]
            },
        )
    }
}
