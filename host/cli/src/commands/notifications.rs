//! `tradepost notifications`: messages of the platform to the seller.

use clap::Args;
use tradepost_runtime::commerce::NotificationQuery;

use super::{Context, pull};
use crate::failure::Result;
use crate::walk::{Stream, Wanted};

/// Read the platform's messages to the seller, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost notifications sandbox/wcfm\n  tradepost notifications sandbox/wcfm --kind order --all --json"
)]
pub(crate) struct Notifications {
    /// The account, as the table names it
    account: String,
    /// Only this kind, in the platform's own word
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// Also those that were read
    #[arg(long)]
    all: bool,
    /// Items a page, as a wish
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_size: Option<u32>,
}

impl Notifications {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        let notifications = NotificationQuery { kind: self.kind, include_read: self.all, page_size: self.page_size };
        pull::print_all(context, &session, Stream::Notifications, Wanted { notifications, ..Wanted::default() }, None)
            .await
    }
}
