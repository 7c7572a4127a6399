//! `tradepost events`: the feed of what changed.

use std::time::Duration;

use clap::Args;
use tokio::time::sleep;
use tradepost_engine::event::{Event, EventFilter};

use super::Context;
use crate::explain;
use crate::failure::Result;
use crate::output::{self, Column, column, json, moment, number, piece, word};

/// Events that are read and printed at a time.
const EVENTS_AT_ONCE: usize = 500;
/// How often the store is asked for more. Another process commits them, and wakes nobody here.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

const COLUMNS: [Column; 7] = [
    number("POSITION", 9),
    column("AT", 20),
    column("ACCOUNT", 24),
    column("KIND", 13),
    column("ID", 24),
    column("CHANGE", 7),
    number("VERSION", 7),
];

/// Print what changed: records of streams, and commands
#[derive(Debug, Args)]
#[command(after_help = "\
Positions have no gaps: whoever keeps the last one he has seen and goes on --after it misses nothing. With --json each event holds the record
as it was then. An event may be printed again by whoever goes on from an older position.

Examples:
  tradepost events --after 1200
  tradepost events --account sandbox/hardtofind --kind orders --limit 10 --json
  tradepost events --kind commands --follow --json | jq -c '[.id, .record.state]'")]
pub(crate) struct Events {
    /// Only those behind this position
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of this kind: a stream such as orders, or commands
    #[arg(long)]
    kind: Option<String>,
    /// Wait for those to come, until ctrl-c
    #[arg(long)]
    follow: bool,
    /// Stop after so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Events {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (_, store) = context.store()?;
        let filter = EventFilter { account: self.account, kind: self.kind };
        let (mut after, mut left) = (self.after, self.limit.unwrap_or(usize::MAX));
        let mut with_header = true;
        while left > 0 {
            let wanted = left.min(EVENTS_AT_ONCE);
            let events = store.events(after, wanted, &filter).await.map_err(|error| explain::store_error(&error))?;
            let Some(last) = events.last() else {
                if !self.follow {
                    break;
                }
                sleep(LOOK_AGAIN).await;
                continue;
            };
            after = last.position;
            left -= events.len();
            print(context, &events, with_header)?;
            with_header = false;
        }
        Ok(())
    }
}

fn print(context: &Context, events: &[Event], with_header: bool) -> Result<()> {
    if context.output.json {
        return events.iter().try_for_each(|event| output::print(&json(event)?));
    }
    let rows: Vec<Vec<String>> = events.iter().map(row).collect();
    output::print(&piece(&COLUMNS, &rows, with_header))
}

fn row(event: &Event) -> Vec<String> {
    vec![
        event.position.to_string(),
        moment(event.at),
        event.account.clone(),
        event.kind.clone(),
        event.id.clone(),
        word(&event.change),
        event.version.to_string(),
    ]
}
