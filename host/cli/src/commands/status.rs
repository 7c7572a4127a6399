//! `tradepost status`: how streams and commands stand.

use clap::Args;
use serde::Serialize;
use tradepost_engine::command::CommandCounts;
use tradepost_engine::delivery::DeliveryCounts;
use tradepost_engine::standing::{AccountState, Standing};
use tradepost_engine::stream::StreamState;

use super::Context;
use crate::account_versions::{self, AccountVersion};
use crate::config::AccountEntry;
use crate::data_directory::daemon_is_there;
use crate::explain;
use crate::failure::Result;
use crate::known_accounts;
use crate::output::{column, moment, number, section, word};

/// Show how the streams, commands and accounts of the data directory stand
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
        let commands = store.command_counts().await.map_err(|error| explain::store_error(&error))?;
        let deliveries = store.delivery_counts().await.map_err(|error| explain::store_error(&error))?;
        let standings = store.standings(None).await.map_err(|error| explain::store_error(&error))?;
        let held_back: Vec<Standing> =
            standings.into_iter().filter(|standing| standing.state != AccountState::Active).collect();
        let events = store.last_position().await.map_err(|error| explain::store_error(&error))?;
        let daemon = daemon_is_there(&config.data)?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        let entries = known_accounts::all(&config, store.as_ref()).await?;
        let of_account = |entry: &AccountEntry| {
            let on = account_versions::of_account(&catalogue, entry)?;
            Some(OnVersion { account: entry.id.clone(), on })
        };
        let connectors = entries.iter().filter_map(of_account).collect();
        let overview = Overview { daemon, streams, held_back, connectors, commands, deliveries, last_position: events };
        context.output.single(&overview, text)
    }
}

/// How everything stands.
#[derive(Serialize)]
struct Overview {
    daemon: bool,
    streams: Vec<StreamState>,
    held_back: Vec<Standing>,
    /// Accounts on installed connectors.
    connectors: Vec<OnVersion>,
    commands: CommandCounts,
    deliveries: DeliveryCounts,
    last_position: u64,
}

/// An account with the version of its connector.
#[derive(Serialize)]
struct OnVersion {
    account: String,
    #[serde(flatten)]
    on: AccountVersion,
}

fn text(overview: &Overview) -> String {
    let Overview { daemon, streams, held_back, connectors, commands, deliveries, last_position } = overview;
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
    let daemon = if *daemon { "a daemon is at work" } else { "no daemon is at work (`tradepost run`)" };
    let CommandCounts { waiting, running, parked, done } = commands;
    let mut lines = vec![
        daemon.to_owned(),
        format!("events: {last_position}"),
        format!("commands: {waiting} waiting, {running} running, {parked} parked, {done} done"),
    ];
    if *deliveries != DeliveryCounts::default() {
        let DeliveryCounts { unread, failed, read } = deliveries;
        lines.push(format!("webhooks: {unread} unread, {failed} not understood, {read} read in the last 7 days"));
    }
    lines.push(section("Streams", &columns, rows));
    if !held_back.is_empty() {
        let columns = [column("ACCOUNT", 24), column("STATE", 13), column("SINCE", 20), column("WHY", 60)];
        let rows = held_back.iter().map(|standing| {
            let why = standing.reason.clone().unwrap_or_default();
            vec![standing.account.clone(), word(&standing.state), moment(standing.since), why]
        });
        lines.push(section("Accounts that are held back", &columns, rows));
    }
    let columns = [column("ACCOUNT", 24), column("CONNECTOR", 40), column("FOLLOWS", 12), column("PROBLEM", 60)];
    let rows = connectors.iter().map(|OnVersion { account, on }| {
        let follows = on.channel.clone().unwrap_or_else(|| "(pinned)".to_owned());
        vec![account.clone(), on.label(), follows, on.problem.clone().unwrap_or_default()]
    });
    lines.push(section("Installed connectors", &columns, rows));
    lines.join("\n")
}
