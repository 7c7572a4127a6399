//! Where the commands that write hand in what is to be done: it is recorded before anything is sent, carried out here or by the daemon,
//! and its outcome is told as if it had been a plain call.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tradepost_engine::command::{Command, CommandOutcome, CommandQuery, CommandState, ParkCause};
use tradepost_engine::store::Store;
use tradepost_engine::versions::{Fleet, FleetOptions};
use tradepost_engine::{Engine, Order};
use tradepost_runtime::CallError;

use crate::commands::Context;
use crate::config::{AccountEntry, Config};
use crate::data_directory::turn;
use crate::explain;
use crate::explain_versions::version_error;
use crate::failure::{Exit, Failure, Result};
use crate::progress;
use crate::session::{Opener, Session, engine_options};
use crate::standing;
use crate::trial;

/// How long a command is tried here before it is left to the daemon or the next call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the daemon is waited for.
const DAEMON_PATIENCE: Duration = Duration::from_mins(1);
/// How often the store is asked what became of a command.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What every command that writes takes.
#[derive(Debug, Args)]
pub(crate) struct WriteOptions {
    /// Your own key for this: with the same key it is the same command, done once, however often it is given
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Show the first request that would write, and send nothing that writes
    #[arg(long)]
    dry_run: bool,
}

/// Has an operation carried out that writes: its name, and its parameters as the contract's JSON. Gives its result; none where there is
/// none to show (a dry run, or a person found that it was done), and that has been told.
pub(crate) async fn carry_out<T: DeserializeOwned>(
    context: &Context,
    account: &str,
    operation: &str,
    arguments: Value,
    options: WriteOptions,
) -> Result<Option<T>> {
    let config = Config::read(&context.table).map_err(Failure::from)?;
    let mut opener = Opener::new(&config)?;
    let entry = opener.account(account).await?;
    let session = opener.open(&entry).await?;
    if options.dry_run {
        trial::show(context.output, &session, operation, &arguments).await?;
        return Ok(None);
    }
    standing::ready(&session, opener.store()).await?;
    let engine = Engine::new(opener.store().clone(), [session.account.clone()], engine_options(&config.limits));
    finish_on_their_versions(&mut opener, &entry, &engine).await?;
    let order = Order { operation: operation.to_owned(), arguments: arguments.clone(), key: options.key };
    let recorded =
        engine.enqueue(account, order).await.map_err(|error| session.located(explain::command_error(&error)))?;
    if recorded.operation != operation || recorded.arguments != arguments {
        return Err(session.located(other_command(&recorded)).into());
    }
    let command = settle(&engine, &config.data, recorded.id).await?;
    match &command.outcome {
        Some(CommandOutcome::Applied(value)) => match serde_json::from_value(value.clone()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(session.located(unreadable(&command, &error)).into()),
        },
        Some(CommandOutcome::FoundApplied(why)) => {
            context
                .output
                .single(&command, |command| format!("command {} was found to have been done: {why}", command.id))?;
            Ok(None)
        }
        Some(CommandOutcome::Refused(error)) => Err(refused(&session, &command, error).into()),
        Some(CommandOutcome::Abandoned(why)) => Err(abandoned(&session, &command, why).into()),
        None if command.state == CommandState::Parked => Err(parked(&session, &command).into()),
        None => Err(unfinished(&engine, &session, &command).await?.into()),
    }
}

/// Opens the account on the versions as well on which commands of it were begun: they end there.
async fn finish_on_their_versions(opener: &mut Opener<'_>, entry: &AccountEntry, engine: &Engine) -> Result<()> {
    let Some(connector) = entry.connector.installed() else { return Ok(()) };
    let accounts = [(entry.id.clone(), connector.to_owned())];
    let fleet = Fleet::new(engine.clone(), opener.versions()?, accounts, FleetOptions::default());
    fleet.finish_what_began().await.map_err(|error| version_error(&error, connector).into())
}

/// Sees a command through, here or by watching the daemon, as far as there is patience. Gives it as it stands then.
async fn settle(engine: &Engine, data: &Path, id: u64) -> Result<Command> {
    let deadline = Instant::now() + DAEMON_PATIENCE;
    let step = progress::step(&format!("command {id}"));
    let _lock = loop {
        if let Some(lock) = turn(data, engine.store()).await? {
            break lock;
        }
        let command = load(engine, id).await?;
        if Engine::is_settled(&command) || is_held_up(engine, &command).await? || Instant::now() >= deadline {
            return Ok(command);
        }
        sleep(LOOK_AGAIN).await;
    };
    let command = work(engine, id).await;
    step.finish_and_clear();
    command
}

/// Carries a command out, and before it what was recorded earlier for the same thing and is not done.
async fn work(engine: &Engine, id: u64) -> Result<Command> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let command = load(engine, id).await?;
        if Engine::is_settled(&command) || is_held_up(engine, &command).await? {
            return Ok(command);
        }
        let first = ahead(engine.store().as_ref(), &command).await?.unwrap_or(command);
        let attempted = engine.carry_out(first.id).await.map_err(|error| explain::store_error(&error))?;
        if Engine::is_settled(&attempted) {
            continue;
        }
        // Nothing happens to a command that another process has, or that belongs to another version of the component: look again soon.
        let pause = until(attempted.due_at).max(LOOK_AGAIN);
        if Instant::now() + pause > deadline {
            return load(engine, id).await;
        }
        sleep(pause).await;
    }
}

async fn load(engine: &Engine, id: u64) -> Result<Command> {
    let command = engine.store().command(id).await.map_err(|error| explain::store_error(&error))?;
    command.ok_or_else(|| Failure::unexpected(format!("command {id} is gone from the store")).into())
}

/// Whether a command waits for a person, for its account, or for another component, so that waiting for it is of no use.
async fn is_held_up(engine: &Engine, command: &Command) -> Result<bool> {
    let parked_ahead =
        ahead(engine.store().as_ref(), command).await?.is_some_and(|first| first.state == CommandState::Parked);
    Ok(parked_ahead
        || standing::held_back(engine.store(), &command.account).await?.is_some()
        || other_component(engine, command).await?.is_some())
}

/// The oldest command for the same thing that was recorded before this one and is not done.
async fn ahead(store: &dyn Store, command: &Command) -> Result<Option<Command>> {
    let mut unfinished = Vec::new();
    for state in [CommandState::Waiting, CommandState::Running, CommandState::Parked] {
        let query = CommandQuery {
            account: Some(command.account.clone()),
            state: Some(state),
            entity: Some(command.entity.clone()),
            key: None,
            limit: usize::MAX,
        };
        unfinished.extend(store.commands(&query).await.map_err(|error| explain::store_error(&error))?);
    }
    let before = unfinished.into_iter().filter(|other| other.id < command.id);
    Ok(before.min_by_key(|other| other.id))
}

/// The component that began a command and has sent something of it, where the account cannot be on it any more.
async fn other_component<'a>(engine: &Engine, command: &'a Command) -> Result<Option<&'a str>> {
    let is_other = |digest: &&str| engine.account_on(&command.account, digest).is_none();
    let Some(other) = command.digest.as_deref().filter(is_other) else { return Ok(None) };
    let sent = engine.store().requests_of(command.id).await.map_err(|error| explain::store_error(&error))?;
    Ok(Some(other).filter(|_| !sent.is_empty()))
}

/// How long until then, a time in milliseconds since 1970.
fn until(milliseconds: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(milliseconds).saturating_sub(now)
}

/// The platform said no: the same failure as that of a plain call.
fn refused(session: &Session, command: &Command, error: &Value) -> Failure {
    let failure = if let Ok(error) = serde_json::from_value(error.clone()) {
        session.explain(&CallError::Connector(error))
    } else {
        // The engine refuses what the contract has no error for.
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        session.located(Failure::new(Exit::Refused, text("kind"), text("message")).detail(text("detail")))
    };
    failure.fact("command", command.id)
}

fn parked(session: &Session, command: &Command) -> Failure {
    let (id, operation) = (command.id, command.operation.as_str());
    let reason = command.reason.as_deref().unwrap_or_default();
    let (exit, kind) = explain::parked(command.cause);
    let in_doubt = exit == Exit::OutcomeUnknown && command.cause != Some(ParkCause::GivenUp);
    let what = if in_doubt { "nobody can tell whether it was done" } else { "it was given up" };
    let message = format!("command {id} ({operation}) is parked: {what}");
    let failure = session.located(Failure::new(exit, kind, message)).detail(reason).fact("command", id);
    failure.advice(format!("`tradepost parked show {id}` shows what was sent and answered")).advice(if in_doubt {
        format!(
            "look at the platform, then: `tradepost parked resolve {id}` with --applied WHY, --retry or --abandon WHY"
        )
    } else {
        format!("when the cause is gone: `tradepost parked resolve {id} --retry`")
    })
}

fn abandoned(session: &Session, command: &Command, why: &str) -> Failure {
    let (id, operation) = (command.id, command.operation.as_str());
    let message = format!("command {id} ({operation}) was abandoned: {why}");
    let failure = session.located(Failure::new(Exit::Refused, "abandoned", message));
    failure.fact("command", id).advice("to have it done after all, give the command with another --key")
}

/// It is recorded, and not done yet.
async fn unfinished(engine: &Engine, session: &Session, command: &Command) -> Result<Failure> {
    let (id, operation) = (command.id, command.operation.as_str());
    let failure = |message: String| {
        let failure = session.located(Failure::new(Exit::TryAgain, "waiting", message)).fact("command", id);
        failure.detail(command.reason.clone().unwrap_or_default())
    };
    if let Some(standing) = standing::held_back(engine.store(), &command.account).await? {
        return Ok(standing::refusal(session, &standing)
            .fact("command", id)
            .advice(format!("command {id} ({operation}) is recorded and goes on then")));
    }
    if let Some(digest) = other_component(engine, command).await? {
        return Ok(failure(format!("command {id} ({operation}) was begun by the component {digest}"))
            .advice("put that component back: a command ends on the version that began it"));
    }
    let first = ahead(engine.store().as_ref(), command).await?;
    Ok(match first.filter(|first| first.state == CommandState::Parked).map(|first| first.id) {
        Some(first) => {
            failure(format!("command {id} ({operation}) is recorded and waits for command {first}, which is parked"))
                .advice(format!(
                    "`tradepost parked show {first}` shows why; decide with `tradepost parked resolve {first}`"
                ))
        }
        None => {
            failure(format!("command {id} ({operation}) is recorded and not done yet")).advice(match &command.key {
                Some(_) => "`tradepost run` goes on with it, and so does the same command with the same --key",
                None => "`tradepost run` goes on with it, and so does the next command for the same thing",
            })
        }
    })
}

fn other_command(recorded: &Command) -> Failure {
    let (id, operation) = (recorded.id, recorded.operation.as_str());
    Failure::usage(format!("this --key is that of command {id} ({operation}), which is not the same"))
        .fact("command", id)
        .advice(format!("`tradepost parked show {id}` shows it; give another thing another key"))
}

fn unreadable(command: &Command, error: &serde_json::Error) -> Failure {
    Failure::unexpected(format!("command {} was done, and its result cannot be read: {error}", command.id))
        .fact("command", command.id)
}
