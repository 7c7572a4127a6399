//! `tradepost webhook-listen`: receives what platforms send, beside a daemon or without one.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tradepost_engine::Engine;
use tradepost_runtime::{Account, Capability};

use super::Context;
use crate::config::Config;
use crate::data_directory::open_store;
use crate::failure::{Exit, Failure, Result};
use crate::following::Followed;
use crate::output::{self, Output};
use crate::progress;
use crate::session::{CALLS_OF_A_COMMAND, Opener, engine_options};
use crate::stop_signal::StopSignal;
use crate::voice::Voice;
use crate::webhook_receiver::WebhookReceiver;

/// Receive what platforms send by themselves, until ctrl-c or SIGTERM
#[derive(Debug, Args)]
#[command(after_help = "\
Each account's webhooks come to http://ADDRESS/webhooks/ACCOUNT; what stands behind it in the path reaches the connector. A request is
kept before it is read and answered when its events are committed; the same delivery again gets the same answer and no second event. What
is not genuine is answered 401 and nothing of it is kept. At most 1 MiB a request, 10 seconds for its headers and its body, and so many
for one account at a time. Put a proxy with TLS in front of it where it is to be reached from outside.

It may run beside `tradepost run`, which does the same with --webhooks ADDRESS.

Examples:
  tradepost webhook-listen
  tradepost webhook-listen --address 127.0.0.1:8787 sandbox/hft71
  tradepost run --webhooks 127.0.0.1:8787")]
pub(crate) struct WebhookListen {
    /// Only these accounts; all of the table unless given
    accounts: Vec<String>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    address: SocketAddr,
}

impl WebhookListen {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let config = Config::read(&context.table).map_err(Failure::from)?;
        let mut signal = StopSignal::listen()?;
        let mut opener = Opener::with_store(&config, open_store(&config.data)?, CALLS_OF_A_COMMAND)?;
        let (mut accounts, mut listening) = (Vec::new(), Vec::new());
        let mut entries = opener.accounts().await?;
        if !self.accounts.is_empty() {
            entries = Vec::new();
            for wanted in &self.accounts {
                entries.push(opener.account(wanted).await?);
            }
        }
        for entry in &entries {
            let account = opener.open(entry).await?.account;
            if account.connector().has(Capability::Webhooks) {
                accounts.push(account);
                listening.push(entry.clone());
            } else if self.accounts.contains(&entry.id) {
                let message = format!("{}: its connector reads no webhooks", entry.id);
                return Err(Failure::new(Exit::Refused, "unsupported", message).into());
            }
        }
        if accounts.is_empty() {
            let message = format!("{}: no account has a connector that reads webhooks", config.file.display());
            return Err(Failure::new(Exit::Refused, "unsupported", message)
                .advice("`tradepost inspect` on a connector's file lists what it can do")
                .into());
        }
        let engine = Engine::new(Arc::clone(opener.store()), accounts, engine_options(&config.limits));
        let followed = Followed::begin(opener, &listening, Vec::new(), &engine, Voice(context.output)).await?;
        let receiver = WebhookReceiver::start(self.address, engine.clone()).await?;
        announce(context.output, &receiver, &engine.accounts());
        progress::note("ready");
        let stopped = async {
            signal.received().await;
            progress::note("stopping: requests that are under way are finished");
            receiver.stop().await;
        };
        match followed {
            Some(followed) => followed.run(stopped).await,
            None => stopped.await,
        }
        Ok(())
    }
}

/// Says where each account's webhooks come to.
pub(super) fn announce(output: Output, receiver: &WebhookReceiver, accounts: &[Account]) {
    for account in accounts.iter().filter(|account| account.connector().has(Capability::Webhooks)) {
        let url = receiver.url(account.id());
        if output.json {
            let _gone =
                output::print(&json!({ "event": "listening", "account": account.id(), "url": url }).to_string());
        } else {
            progress::note(&format!("{}: webhooks come to {url}", account.id()));
        }
    }
}
