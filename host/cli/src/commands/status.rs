//! `tradepost status`: how streams and commands stand.

use clap::Args;
use serde_json::{Map, Value, json};
use tradepost_engine::command::{CommandQuery, CommandState};
use tradepost_engine::store::Store;
use tradepost_engine::stream::StreamState;

use super::Context;
use crate::data_directory::daemon_is_there;
use crate::explain;
use crate::failure::Result;
use crate::output::{column, moment, number, section, word};

/// Commands of a state that are counted; beyond it there are "at least so many".
const MOST_COUNTED: usize = 10_000;

/// Show how the streams and commands of the data directory stand
#[derive(Debug, Args)]
#[command(after_help = "\
It only reads the store, and may be asked while `tradepost run` works.

Examples:
  tradepost status
  tradepost status --json | jq '.streams[] | select(.failure)'")]
pub(crate) struct Status {}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let (config, store) = context.store()?;
        let streams = store.streams().await.map_err(|error| explain::store_error(&error))?;
        let mut commands = Vec::new();
        for state in [CommandState::Waiting, CommandState::Running, CommandState::Parked, CommandState::Done] {
            commands.push((word(&state), count(store.as_ref(), state).await?));
        }
        let last_position = store.last_position().await.map_err(|error| explain::store_error(&error))?;
        let daemon = daemon_is_there(&config.data)?;
        let counts: Map<String, Value> =
            commands.iter().map(|(state, count)| (state.clone(), (*count).into())).collect();
        let shown = json!({ "daemon": daemon, "streams": streams, "commands": counts, "last_position": last_position });
        context.output.single(&shown, |_| text(daemon, &streams, &commands, last_position))
    }
}

async fn count(store: &dyn Store, state: CommandState) -> Result<usize> {
    let query = CommandQuery { account: None, state: Some(state), limit: MOST_COUNTED };
    store.commands(&query).await.map(|commands| commands.len()).map_err(|error| explain::store_error(&error).into())
}

fn text(daemon: bool, streams: &[StreamState], commands: &[(String, usize)], last_position: u64) -> String {
    let columns = [
        column("ACCOUNT", 24),
        column("STREAM", 13),
        number("RECORDS", 8),
        number("WALKS", 6),
        column("LAST WALK", 20),
        column("DUE", 20),
        column("FAILURE", 50),
    ];
    let rows = streams.iter().map(|state| {
        let failure = match (&state.failure, state.failures) {
            (Some(failure), times @ 2..) => format!("{times} times: {failure}"),
            (failure, _) => failure.clone().unwrap_or_default(),
        };
        vec![
            state.key.account.clone(),
            state.key.kind.clone(),
            state.records.to_string(),
            state.walks.to_string(),
            state.walked_at.map(moment).unwrap_or_default(),
            moment(state.due_at),
            failure,
        ]
    });
    let counted = |(state, count): &(String, usize)| {
        let at_least = if *count == MOST_COUNTED { "at least " } else { "" };
        format!("{at_least}{count} {state}")
    };
    let commands: Vec<String> = commands.iter().map(counted).collect();
    let daemon = if daemon { "a daemon is at work" } else { "no daemon is at work (`tradepost run`)" };
    let streams = section("Streams", &columns, rows);
    format!("{daemon}\nevents: {last_position}\ncommands: {}\n{streams}", commands.join(", "))
}
