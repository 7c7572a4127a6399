//! `tradepost parked`: commands that wait for a person, their evidence, and the decision.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};
use tradepost_engine::command::{Command, CommandOutcome, CommandQuery, CommandState, JournalEntry, Resolution};
use tradepost_engine::store::StoreError;
use tradepost_runtime::egress::Effect;

use super::{Context, command_list};
use crate::body_text::as_json;
use crate::data_directory::daemon_is_there;
use crate::explain;
use crate::failure::Result;
use crate::output::{column, facts, moment, number, optional, section, word};

/// See what waits for a person, look at its evidence, and decide
#[derive(Debug, Args)]
pub(crate) struct Parked {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the commands that are parked, the newest first
    #[command(after_help = "Examples:\n  tradepost parked list\n  tradepost parked list --json | jq .reason")]
    List {
        /// Only of this account
        #[arg(long)]
        account: Option<String>,
    },
    /// Show a command: what was asked, why it is parked, what was sent and answered
    #[command(after_help = "\
A request without a status was sent, or about to be, and no answer to it is known. With --json the bodies of the answers are shown too. It
shows commands that are not parked as well.

Examples:
  tradepost parked show 7
  tradepost parked show 7 --json | jq -r '.journal[].body'")]
    Show {
        /// The command's id
        id: u64,
    },
    /// Decide about a parked command
    #[command(
        group(ArgGroup::new("decision").required(true).args(["applied", "retry", "abandon"])),
        after_help = "\
What is to be done to the same thing waits until it is decided.

Examples:
  tradepost parked resolve 7 --applied 'the producer shows it as order 1234'
  tradepost parked resolve 7 --retry
  tradepost parked resolve 7 --abandon 'the buyer cancelled'"
    )]
    Resolve {
        /// The command's id
        id: u64,
        /// The platform has done it; how one knows
        #[arg(long, value_name = "WHY")]
        applied: Option<String>,
        /// The platform has not done it: do it
        #[arg(long)]
        retry: bool,
        /// It is not to be done; why
        #[arg(long, value_name = "WHY")]
        abandon: Option<String>,
    },
}

impl Parked {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let failed = |error: StoreError| explain::store_error(&error);
        match self.action {
            Action::List { account } => {
                let query = CommandQuery {
                    account,
                    state: Some(CommandState::Parked),
                    entity: None,
                    key: None,
                    limit: usize::MAX,
                };
                let commands = store.commands(&query).await.map_err(failed)?;
                context.output.list(&commands, &command_list::COLUMNS, command_list::row)
            }
            Action::Show { id } => {
                let command =
                    store.command(id).await.map_err(failed)?.ok_or(StoreError::NoCommand(id)).map_err(failed)?;
                let journal = store.requests_of(id).await.map_err(failed)?;
                let entries: Vec<Value> = journal.iter().map(entry_json).collect();
                let shown = json!({ "command": command, "journal": entries });
                context.output.single(&shown, |_| text(&command, &journal))
            }
            Action::Resolve { id, applied, retry: _, abandon } => {
                let resolution = match (applied, abandon) {
                    (Some(why), _) => Resolution::Applied(why),
                    (None, Some(why)) => Resolution::Abandon(why),
                    (None, None) => Resolution::Retry,
                };
                let command = store.resolve(id, resolution).await.map_err(failed)?;
                let daemon = daemon_is_there(&config.data)?;
                context.output.single(&command, |command| decided(command, daemon))
            }
        }
    }
}

fn decided(command: &Command, daemon: bool) -> String {
    let id = command.id;
    match &command.outcome {
        Some(outcome) => format!("command {id} is done: {}", command_list::outcome(outcome)),
        None if daemon => format!("command {id} waits for its turn; the daemon carries it out"),
        None => format!("command {id} waits for its turn; `tradepost run` carries it out"),
    }
}

fn text(command: &Command, journal: &[JournalEntry]) -> String {
    let outcome = command.outcome.as_ref().map(|outcome| match outcome {
        CommandOutcome::Applied(value) | CommandOutcome::Refused(value) => {
            format!("{} {value}", command_list::outcome(outcome))
        }
        CommandOutcome::FoundApplied(why) | CommandOutcome::Abandoned(why) => {
            format!("{}: {why}", command_list::outcome(outcome))
        }
    });
    let facts = facts([
        ("command", command.id.to_string()),
        ("account", command.account.clone()),
        ("operation", command.operation.clone()),
        ("to", command.entity.clone()),
        ("key", optional(command.key.as_ref())),
        ("state", word(&command.state)),
        ("outcome", optional(outcome.as_ref())),
        ("cause", optional(command.cause.as_ref().map(word).as_ref())),
        ("reason", optional(command.reason.as_ref())),
        ("attempts", command.attempts.to_string()),
        ("recorded", moment(command.recorded_at)),
        ("component", optional(command.digest.as_ref())),
        ("arguments", serde_json::to_string_pretty(&command.arguments).unwrap_or_default()),
    ]);
    let columns = [number("PLACE", 5), column("EFFECT", 10), column("REQUEST", 60), column("ANSWER", 12)];
    let rows = journal.iter().map(|entry| {
        let answer = entry.answer.as_ref().map_or_else(|| "not known".to_owned(), |answer| answer.status.to_string());
        vec![entry.index.to_string(), effect(entry.effect).to_owned(), entry.line.clone(), answer]
    });
    format!("{facts}\n{}", section("Requests", &columns, rows))
}

fn entry_json(entry: &JournalEntry) -> Value {
    let mut shown = Map::from_iter([
        ("place".to_owned(), entry.index.into()),
        ("effect".to_owned(), effect(entry.effect).into()),
        ("line".to_owned(), entry.line.clone().into()),
        ("status".to_owned(), entry.answer.as_ref().map(|answer| answer.status).into()),
    ]);
    if let Some(answer) = &entry.answer {
        shown.extend([as_json(&answer.body)]);
    }
    shown.into()
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Repeatable => "repeatable",
        Effect::Once => "once",
    }
}
