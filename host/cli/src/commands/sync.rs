//! `tradepost sync`: the streams walked once, into the store.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use tradepost_engine::Engine;
use tradepost_engine::pull::{PullError, Pulled};
use tradepost_engine::stream::{Committed, StreamKey};
use tradepost_runtime::NamedCallError;

use super::Context;
use crate::config::Config;
use crate::data_directory::turn_unless_daemon;
use crate::explain;
use crate::failure::{Exit, Failure, Result, Stop};
use crate::output::{self, Output};
use crate::progress;
use crate::session::{Opener, Session, engine_options};
use crate::standing;
use crate::walk::Stream;

/// Walk streams once and keep what they hold: records, and an event for each that is new, changed or gone
#[derive(Debug, Args)]
#[command(after_help = "\
What was kept before a walk broke off stays, and the next walk goes on behind it. A stream that fails keeps no other from being walked; the
exit code is that of the first failure. While `tradepost run` works, it walks the streams, and this refuses.

Examples:
  tradepost sync
  tradepost sync sandbox/hardtofind
  tradepost sync sandbox/wcfm --stream orders --stream products --json")]
pub(crate) struct Sync {
    /// The account, as the table names it; all of them unless given
    account: Option<String>,
    /// Only this stream; may be given several times
    #[arg(long = "stream", value_name = "KIND", value_enum)]
    streams: Vec<Stream>,
}

impl Sync {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let config = Config::read(&context.table).map_err(Failure::from)?;
        let mut opener = Opener::new(&config)?;
        let entries = match &self.account {
            Some(account) => vec![opener.account(account).await?],
            None => opener.accounts().await?,
        };
        let _turn = turn_unless_daemon(&config.data, opener.store()).await?;
        let mut told = Told { output: context.output, walked: 0, first: None };
        for entry in &entries {
            match opener.open(entry).await {
                Ok(session) => {
                    if let Err(Stop::Failed(failure)) = standing::ready(&session, opener.store()).await {
                        told.failure(&json!({ "account": entry.id }), &entry.id, *failure)?;
                        continue;
                    }
                    let options = engine_options(&config.limits);
                    let engine = Engine::new(Arc::clone(opener.store()), [session.account.clone()], options);
                    for key in engine.streams().into_iter().filter(|key| self.is_wanted(key)) {
                        told.stream(&session, &key, walk(&engine, &key).await)?;
                    }
                }
                Err(Stop::Failed(failure)) => told.failure(&json!({ "account": entry.id }), &entry.id, *failure)?,
                Err(closed) => return Err(closed),
            }
        }
        match told.first {
            Some(failure) => Err(failure.into()),
            None if told.walked == 0 => Err(self.nothing_to_walk().into()),
            None => Ok(()),
        }
    }

    fn is_wanted(&self, key: &StreamKey) -> bool {
        self.streams.is_empty() || self.streams.iter().any(|stream| stream.name() == key.kind)
    }

    fn nothing_to_walk(&self) -> Failure {
        let whose = self.account.as_deref().unwrap_or("no account");
        let kinds: Vec<&str> = self.streams.iter().map(|stream| stream.name()).collect();
        let kinds = if kinds.is_empty() { "stream".to_owned() } else { kinds.join(" or ") };
        let message = match &self.account {
            Some(_) => format!("{whose}: its connector lists no {kinds}"),
            None => format!("{whose} lists {kinds}"),
        };
        Failure::new(Exit::Refused, "unsupported", message)
            .advice("`tradepost inspect` on a connector's file lists what it can do")
    }
}

async fn walk(engine: &Engine, key: &StreamKey) -> std::result::Result<Pulled, PullError> {
    let bar = progress::walk(&key.to_string());
    let pulled = engine.pull(key, |page: &Committed| bar.inc(page.created + page.updated + page.unchanged)).await;
    bar.finish_and_clear();
    pulled
}

/// What was said of the streams so far.
struct Told {
    output: Output,
    walked: usize,
    first: Option<Failure>,
}

impl Told {
    fn stream(
        &mut self,
        session: &Session,
        key: &StreamKey,
        pulled: std::result::Result<Pulled, PullError>,
    ) -> Result<()> {
        self.walked += 1;
        match pulled {
            Ok(pulled) => self.output.single(&pulled, summary),
            Err(error) => {
                let place = json!({ "account": key.account, "kind": key.kind });
                self.failure(&place, &key.to_string(), pull_failure(session, &error))
            }
        }
    }

    fn failure(&mut self, place: &Value, shown: &str, failure: Failure) -> Result<()> {
        if self.output.json {
            let mut line = place.clone();
            line["error"] = failure.to_json()["error"].take();
            output::print(&line.to_string())?;
        } else {
            output::print(&output::printable(&format!("{shown}: failed: {}", failure.message)))?;
        }
        self.first.get_or_insert(failure);
        Ok(())
    }
}

/// A walk in a line.
pub(super) fn summary(pulled: &Pulled) -> String {
    let Pulled { key, records: Committed { created, updated, unchanged, deleted }, pages, complete: _ } = pulled;
    format!("{key}: {created} created, {updated} updated, {unchanged} unchanged, {deleted} deleted in {pages} pages")
}

fn pull_failure(session: &Session, error: &PullError) -> Failure {
    let failure = match error {
        PullError::Call(NamedCallError::Call(error)) => return session.explain(error),
        PullError::Store(error) => explain::store_error(error),
        PullError::Foreign(account) => Failure::new(Exit::Credentials, "foreign", error.to_string())
            .advice(session.credential_advice())
            .advice(format!("if the account is to be that seller's from now on: `tradepost resume {account}`")),
        PullError::Busy(_) => Failure::new(Exit::TryAgain, "busy", error.to_string()),
        PullError::NoAccount(_) | PullError::NoStream { .. } => {
            Failure::new(Exit::Refused, "unsupported", error.to_string())
        }
        PullError::Page { .. } => Failure::new(Exit::ConnectorFault, "broken-contract", error.to_string())
            .advice("report it to the connector's author; what was kept before stays"),
        PullError::Call(error) => Failure::unexpected(error.to_string()),
    };
    session.located(failure)
}
