//! `tradepost check`: whether an account's settings and credentials work, and whose account it is.

use clap::Args;

use super::Context;
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::session::Opener;
use crate::standing;
use crate::views;

/// Prove that an account's settings and credentials work, and say whose account it is
#[derive(Debug, Args)]
#[command(after_help = "\
An account that was held back because its platform refused the credential is set to work again.

Examples:\n  tradepost check sandbox/hardtofind\n  tradepost check sandbox/wcfm --json")]
pub(crate) struct Check {
    /// The account, as the table names it
    account: String,
}

impl Check {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let config = Config::read(&context.table).map_err(Failure::from)?;
        let mut opener = Opener::new(&config)?;
        let entry = opener.account(&self.account).await?;
        let session = opener.open(&entry).await?;
        let identity = session.keep(session.account.check().await).await?;
        standing::works_again(&session, opener.store()).await?;
        context.output.single(&identity, |identity| {
            format!(
                "{} works with {}\n{}",
                self.account,
                session.account.connector().label(),
                views::identity(identity)
            )
        })
    }
}
