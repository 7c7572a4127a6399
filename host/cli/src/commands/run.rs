//! `tradepost run`: the daemon, which keeps every stream and carries every command out until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tradepost_engine::event::EventFilter;
use tradepost_engine::store::Store;
use tradepost_engine::{Engine, EngineOptions, Happening};
use tradepost_runtime::Account;

use super::{Context, sync, webhook_listen};
use crate::config::{AccountEntry, Config};
use crate::data_directory::{DaemonLock, check_machine, open_store};
use crate::explain;
use crate::failure::{Failure, Result, Stop};
use crate::following::Followed;
use crate::progress;
use crate::session::{Opener, engine_options};
use crate::stop_signal::StopSignal;
use crate::voice::Voice;
use crate::webhook_receiver::WebhookReceiver;

/// Events of commands that are read at a time.
const EVENTS_AT_ONCE: usize = 500;

/// Keep all accounts in sync and carry out what is recorded, until ctrl-c or SIGTERM
#[derive(Debug, Args)]
#[command(after_help = "\
One daemon works on a data directory; commands that write beside it are recorded, and it carries them out. It says `ready` on stderr when
it works, and then a line for each walk that brought something or failed, and for each attempt at a command; with --json these are JSON
objects on stdout. Accounts on installed connectors follow `tradepost activate`, `rollback`, `pin` and `channel` within a second, while calls
that are under way end where they began; a version on trial that does worse than the one before is taken back. Told to stop, it finishes what is under way; told again, it ends at once, and the next one goes on where it was.
An account that does not open is reported and left out; one whose connector is not installed yet joins when it is active.

Examples:
  tradepost run
  tradepost run --every 60 --json
  tradepost run --webhooks 127.0.0.1:8787")]
pub(crate) struct Run {
    /// Seconds from the end of a stream's walk to its next
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Receive what platforms send as well; see `tradepost webhook-listen`
    #[arg(long, value_name = "ADDRESS")]
    webhooks: Option<SocketAddr>,
}

impl Run {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let config = Config::read(&context.table).map_err(Failure::from)?;
        let mut signal = StopSignal::listen()?;
        let voice = Voice(context.output);
        let started = async {
            // Made before the lock, so that the directory is there.
            let store = open_store(&config.data)?;
            let lock = DaemonLock::take(&config.data).await?;
            check_machine(&config.data, &store).await?;
            // Nobody else works here: leases that stand are those of the dead.
            store.end_leases().await.map_err(|error| explain::store_error(&error))?;
            let options = EngineOptions { every: Duration::from_secs(self.every), ..engine_options(&config.limits) };
            let calls = options.pulls_at_once + options.commands_at_once;
            let calls = u32::try_from(calls).unwrap_or(u32::MAX);
            let mut opener = Opener::with_store(&config, Arc::clone(&store), calls)?;
            let Opened { entries, accounts, left_out } = open(&mut opener, &config, voice).await?;
            let engine = Engine::new(store, accounts, options);
            let followed = Followed::begin(opener, &entries, left_out, &engine, voice).await?;
            Ok::<_, Stop>((lock, engine, followed))
        };
        let (_lock, engine, followed) = tokio::select! {
            started = started => started?,
            () = signal.received() => return Ok(()),
        };
        let last = engine.store().last_position().await.map_err(|error| explain::store_error(&error))?;
        let (told, happenings) = mpsc::unbounded_channel();
        let telling = tokio::spawn(tell(voice, Arc::clone(engine.store()), last, happenings));
        let receiver = match self.webhooks {
            Some(address) => Some(WebhookReceiver::start(address, engine.clone()).await?),
            None => None,
        };
        if let Some(receiver) = &receiver {
            webhook_listen::announce(context.output, receiver, &engine.accounts());
        }
        progress::note("ready");
        work(&engine, followed, &mut signal, told).await;
        if let Some(receiver) = receiver {
            receiver.stop().await;
        }
        telling.await.map_err(|broken| Failure::unexpected(format!("telling what happens broke off: {broken}")).into())
    }
}

/// The accounts of the table and of the store.
#[derive(Default)]
struct Opened {
    accounts: Vec<Account>,
    /// Theirs.
    entries: Vec<AccountEntry>,
    /// Those of accounts that did not open.
    left_out: Vec<AccountEntry>,
}

/// Opens all accounts of the table and of the store. Those that do not open are told of and left out.
async fn open(opener: &mut Opener<'_>, config: &Config, voice: Voice) -> Result<Opened> {
    let (mut opened, mut first) = (Opened::default(), None);
    for entry in opener.accounts().await? {
        match opener.open(&entry).await {
            Ok(session) => {
                opened.accounts.push(session.account);
                opened.entries.push(entry);
            }
            Err(Stop::Failed(failure)) => {
                let text = format!("{} is left out", entry.id);
                voice.say_failed("left-out", json!({ "account": entry.id }), &text, &failure);
                first.get_or_insert(failure);
                opened.left_out.push(entry);
            }
            Err(closed) => return Err(closed),
        }
    }
    match first {
        _ if !opened.accounts.is_empty() => Ok(opened),
        Some(failure) => Err(Stop::Failed(failure)),
        None => Err(Failure::configuration(format!("neither {} nor its store has an account", config.file.display()))
            .advice("add [accounts.\"NAME\"], or one with `tradepost account add`")
            .into()),
    }
}

/// Runs the engine, on the versions that are wanted, until it is told to stop and has finished, or is told twice.
async fn work(
    engine: &Engine,
    followed: Option<Followed<'_>>,
    signal: &mut StopSignal,
    told: mpsc::UnboundedSender<Happening>,
) {
    let stop = CancellationToken::new();
    // Both are large, and are kept apart from the caller's future.
    let running = Box::pin(engine.run(stop.cancelled(), |happening| {
        // The listener lives until this is dropped.
        let _told = told.send(happening);
    }));
    let following = Box::pin(async {
        if let Some(followed) = followed {
            followed.run(stop.cancelled()).await;
        }
    });
    let working = async { tokio::join!(running, following) };
    tokio::pin!(working);
    loop {
        tokio::select! {
            _ = &mut working => return,
            () = signal.received() => {
                if stop.is_cancelled() {
                    return;
                }
                progress::note("stopping: what is under way is finished; a second signal ends it at once");
                stop.cancel();
            }
        }
    }
}

/// Tells what happens, in order. The engine says that a command was attempted; which, and what came of it, stands in the event feed.
async fn tell(voice: Voice, store: Arc<dyn Store>, mut last: u64, mut happenings: mpsc::UnboundedReceiver<Happening>) {
    let filter = EventFilter { account: None, kind: Some("commands".to_owned()) };
    while let Some(happening) = happenings.recv().await {
        match happening {
            Happening::Pulled(pulled) => {
                let records = pulled.records;
                if records.created + records.updated + records.deleted > 0 {
                    voice.say("pulled", &pulled, &sync::summary(&pulled));
                }
            }
            Happening::PullFailed(key, error) => {
                let fields = json!({ "account": key.account, "kind": key.kind, "reason": error.to_string() });
                voice.say("pull-failed", &fields, &format!("{key}: failed: {error}"));
            }
            Happening::StoreFailed(error) => {
                voice.say("store-failed", &json!({ "reason": error.to_string() }), &error.to_string());
            }
            Happening::CommandAttempted => match store.events(last, EVENTS_AT_ONCE, &filter).await {
                Ok(events) => {
                    for event in events {
                        last = event.position;
                        if let Some(record) = event.record.filter(|record| record["attempts"] != 0) {
                            voice.say("command", &record, &command_line(&record));
                        }
                    }
                }
                Err(error) => voice.say("store-failed", &json!({ "reason": error.to_string() }), &error.to_string()),
            },
        }
    }
}

/// A command as its event has it, in a line.
fn command_line(command: &Value) -> String {
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    let (account, operation, id) = (text("account"), text("operation"), &command["id"]);
    let outcome = command["outcome"].as_object().and_then(|outcome| outcome.keys().next());
    let state = outcome.map_or(text("state"), String::as_str);
    let reason = if outcome.is_some() { String::new() } else { format!(": {}", text("reason")) };
    format!("{account} {operation}: command {id} {state}{reason}")
}
