//! What a marketplace tells of its sellers and to them: `sellers` (the directory) and `sales-figures`.

use clap::{Args, Subcommand};

use super::{Context, pull};
use crate::failure::Result;
use crate::views;
use crate::walk::{Stream, Wanted};

/// Read the marketplace's public directory of sellers
#[derive(Debug, Args)]
pub(crate) struct Sellers {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all sellers
    #[command(
        after_help = "Examples:\n  tradepost sellers list sandbox/wcfm\n  tradepost sellers list sandbox/wcfm --json | jq -r .name"
    )]
    List {
        /// The account, as the table names it
        account: String,
    },
    /// Read one seller by its id
    #[command(after_help = "Examples:\n  tradepost sellers get sandbox/wcfm 5")]
    Get {
        /// The account, as the table names it
        account: String,
        /// The platform's id of the seller
        id: String,
    },
}

impl Sellers {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self.action {
            Action::List { account } => {
                let session = context.open(&account).await?;
                pull::print_all(context, &session, Stream::Sellers, Wanted::default(), None).await
            }
            Action::Get { account, id } => {
                let session = context.open(&account).await?;
                let seller = session.keep(session.account.get_seller(&id).await).await?;
                context.output.single(&seller, views::directory_entry)
            }
        }
    }
}

/// Show what the seller sold and earned, as the platform adds it up
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost sales-figures sandbox/wcfm")]
pub(crate) struct SalesFigures {
    /// The account, as the table names it
    account: String,
}

impl SalesFigures {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let figures = session.keep(session.account.sales_figures().await).await?;
        context.output.single(&figures, views::figures)
    }
}
