//! `tradepost commands`: what was to be done, and how far it has come.

use clap::Args;
use tradepost_engine::command::{Command, CommandOutcome, CommandQuery, CommandState};

use super::Context;
use crate::explain;
use crate::failure::Result;
use crate::output::{Column, column, moment, number, word};

pub(super) const COLUMNS: [Column; 9] = [
    number("ID", 6),
    column("RECORDED", 20),
    column("ACCOUNT", 24),
    column("OPERATION", 24),
    column("TO", 24),
    column("STATE", 8),
    column("OUTCOME", 13),
    number("ATTEMPTS", 8),
    column("REASON", 50),
];

/// List what was to be done at platforms, the newest first, and how far it has come
#[derive(Debug, Args)]
#[command(after_help = "\
With --json each has its arguments and its outcome, which may hold what is worth keeping to oneself, such as the code of a gift card.

Examples:
  tradepost commands --state waiting
  tradepost commands --account sandbox/hardtofind --json | jq '{id, operation, state}'")]
pub(crate) struct CommandList {
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only in this state
    #[arg(long, value_parser = state)]
    state: Option<CommandState>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

impl CommandList {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (_, store) = context.store()?;
        let query =
            CommandQuery { account: self.account, state: self.state, entity: None, key: None, limit: self.limit };
        let commands = store.commands(&query).await.map_err(|error| explain::store_error(&error))?;
        context.output.list(&commands, &COLUMNS, row)
    }
}

const STATES: [CommandState; 4] =
    [CommandState::Waiting, CommandState::Running, CommandState::Done, CommandState::Parked];

fn state(text: &str) -> std::result::Result<CommandState, String> {
    let known = STATES.map(|state| word(&state)).join(", ");
    STATES.into_iter().find(|state| word(state) == text).ok_or_else(|| format!("expected one of {known}"))
}

pub(super) fn row(command: &Command) -> Vec<String> {
    vec![
        command.id.to_string(),
        moment(command.recorded_at),
        command.account.clone(),
        command.operation.clone(),
        command.entity.clone(),
        word(&command.state),
        command.outcome.as_ref().map(outcome).unwrap_or_default().to_owned(),
        command.attempts.to_string(),
        command.reason.clone().unwrap_or_default(),
    ]
}

/// What came of a command, in a word.
pub(super) fn outcome(outcome: &CommandOutcome) -> &'static str {
    match outcome {
        CommandOutcome::Applied(_) => "applied",
        CommandOutcome::Refused(_) => "refused",
        CommandOutcome::FoundApplied(_) => "found-applied",
        CommandOutcome::Abandoned(_) => "abandoned",
    }
}
