//! `tradepost pull`: a stream from its first page to its last, printed as the pages come.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use clap::Args;
use tradepost_runtime::Timestamp;
use tradepost_runtime::commerce::{ListQuery, NotificationQuery};

use super::Context;
use crate::failure::{Failure, Result};
use crate::output::{self, piece};
use crate::progress;
use crate::session::Session;
use crate::walk::{Item, Stream, Walk, Wanted};

/// Read a stream from its first page to its last
#[derive(Debug, Args)]
#[command(after_help = "\
A record that comes again unchanged, because it moved between pages, is printed once.

Examples:
  tradepost pull sandbox/hardtofind orders
  tradepost pull sandbox/hardtofind orders --status READY --json | jq -r .number
  tradepost pull sandbox/wcfm orders --since 2024-05-01T00:00:00Z --raw --json
  tradepost pull sandbox/wcfm stock")]
pub(crate) struct Pull {
    /// The account, as the table names it
    account: String,
    /// What to read
    #[arg(value_enum)]
    stream: Stream,
    /// Only what changed at or after this time (RFC 3339), where the platform can tell
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only this status, in the platform's own word; may be given several times
    #[arg(long, value_name = "WORD")]
    status: Vec<String>,
    /// Items a page, as a wish
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_size: Option<u32>,
    /// Give each record the platform's own JSON in the field `raw`
    #[arg(long)]
    raw: bool,
    /// Stop after so many pages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_pages: Option<u64>,
}

/// Read all categories
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost categories sandbox/wcfm\n  tradepost categories sandbox/wcfm --json | jq -r .name"
)]
pub(crate) struct Categories {
    /// The account, as the table names it
    account: String,
}

impl Pull {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let name = self.stream.name();
        if !self.stream.takes_query() && (self.since.is_some() || !self.status.is_empty() || self.raw) {
            return Err(Failure::usage(format!(
                "--since, --status and --raw do not apply to {name}: they are for orders and products"
            ))
            .into());
        }
        if self.page_size.is_some() && !self.stream.takes_query() && self.stream != Stream::Notifications {
            return Err(Failure::usage(format!(
                "--page-size does not apply to {name}: the contract has no page size there"
            ))
            .into());
        }
        let wanted = Wanted {
            list: ListQuery {
                updated_since: self.since,
                statuses: self.status,
                page_size: self.page_size,
                include_raw: self.raw,
            },
            notifications: NotificationQuery { page_size: self.page_size, ..NotificationQuery::default() },
        };
        let session = context.open(&self.account).await?;
        print_all(context, &session, self.stream, wanted, self.max_pages).await
    }
}

impl Categories {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let session = context.open(&self.account).await?;
        print_all(context, &session, Stream::Categories, Wanted::default(), None).await
    }
}

/// Walks a stream and prints each page as it comes.
pub(super) async fn print_all(
    context: &Context,
    session: &Session,
    stream: Stream,
    wanted: Wanted,
    max_pages: Option<u64>,
) -> Result<()> {
    let bar = progress::walk(stream.name());
    let mut walk = Walk::new(session, stream, wanted);
    let mut printed = Printed::default();
    let mut pages = 0;
    while max_pages.is_none_or(|limit| pages < limit) {
        let Some(page) = walk.next_page().await? else { break };
        let with_header = pages == 0;
        pages += 1;
        if let Some(total) = page.total {
            progress::set_total(&bar, total);
        }
        let new: Vec<Item> = page.items.into_iter().filter(|item| printed.is_new(item)).collect();
        bar.suspend(|| print_page(context, stream, new, with_header))?;
        bar.set_position(printed.distinct());
    }
    bar.finish_and_clear();
    let (distinct, name) = (printed.distinct(), stream.name());
    if walk.is_complete() {
        progress::note(&format!("{distinct} {name} in {pages} pages"));
    } else {
        progress::note(&format!("{distinct} {name} in {pages} pages; stopped by --max-pages, there may be more"));
    }
    Ok(())
}

fn print_page(context: &Context, stream: Stream, items: Vec<Item>, with_header: bool) -> Result<()> {
    if context.output.json {
        return items.iter().try_for_each(|item| output::print(&item.json));
    }
    if items.is_empty() && !with_header {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = items.into_iter().map(|item| item.row).collect();
    output::print(&piece(stream.columns(), &rows, with_header))
}

/// What was printed: each record's content by its id, as a hash, because a walk may hold very many.
#[derive(Default)]
struct Printed(HashMap<String, u64>);

impl Printed {
    fn is_new(&mut self, item: &Item) -> bool {
        let mut hasher = DefaultHasher::new();
        item.json.hash(&mut hasher);
        let content = hasher.finish();
        match self.0.entry(item.id.clone()) {
            Entry::Occupied(mut known) => known.insert(content) != content,
            Entry::Vacant(place) => {
                place.insert(content);
                true
            }
        }
    }

    fn distinct(&self) -> u64 {
        self.0.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_printed_again_only_when_it_changed() {
        let mut printed = Printed::default();
        let mut seen =
            |id: &str, json: &str| printed.is_new(&Item { id: id.into(), json: json.into(), row: Vec::new() });
        assert_eq!(
            [seen("1", "a"), seen("2", "a"), seen("1", "a"), seen("1", "b"), seen("1", "b")],
            [true, true, false, true, false]
        );
        assert_eq!(printed.distinct(), 2);
    }
}
