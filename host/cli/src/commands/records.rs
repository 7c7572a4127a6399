//! `tradepost records` and `tradepost orders`: records as they were last read, out of the store.

use clap::{Args, ValueEnum};
use tradepost_engine::reading::FULFILMENT;
use tradepost_engine::receive::ORDER_STATUSES;
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_runtime::Timestamp;

use super::Context;
use crate::explain;
use crate::failure::Result;
use crate::known_accounts;
use crate::output::{Column, column, moment};
use crate::walk::Stream;

/// Print records as they were last read, the last changed first; no platform is asked
#[derive(Debug, Args)]
#[command(after_help = "\
With --json each record stands in `record`, with its version, the position of its last event and when it changed here.

Examples:
  tradepost records sandbox/hardtofind orders --status READY
  tradepost records sandbox/hft71 fulfilment
  tradepost records sandbox/wcfm products --since 2024-05-01T00:00:00Z --json | jq -r .record.sku")]
pub(crate) struct Records {
    /// The account, as the table names it
    account: String,
    /// What they are
    #[arg(value_enum)]
    kind: Kept,
    #[command(flatten)]
    filters: Filters,
}

/// Print the orders of all accounts as they were last read, the last changed first; no platform is asked
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tradepost orders --status READY
  tradepost orders sandbox/wcfm --text massey --limit 5
  tradepost orders --since 2024-05-01T00:00:00Z --json | jq -r .record.number")]
pub(crate) struct Orders {
    /// Only of this account
    account: Option<String>,
    #[command(flatten)]
    filters: Filters,
}

/// Which of them.
#[derive(Debug, Args)]
struct Filters {
    /// Only the one with this id of the platform
    #[arg(long)]
    id: Option<String>,
    /// Only with this status, in the platform's own word
    #[arg(long, value_name = "WORD")]
    status: Option<String>,
    /// Only with this text somewhere in it, in capitals or not
    #[arg(long)]
    text: Option<String>,
    /// Only what changed here at or after this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// What is kept: what streams bring, how orders stand at a producer, and what webhooks told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kept {
    Orders,
    Products,
    Categories,
    Stock,
    Notifications,
    Sellers,
    Fulfilment,
    OrderStatuses,
}

/// What a table shows of records that no stream brings.
const STATUS_COLUMNS: [Column; 5] =
    [column("ID", 12), column("STATUS", 20), column("ORDER", 12), column("FULFILMENT", 16), column("CHANGED", 20)];

impl Kept {
    fn stream(self) -> Option<Stream> {
        Some(match self {
            Self::Orders => Stream::Orders,
            Self::Products => Stream::Products,
            Self::Categories => Stream::Categories,
            Self::Stock => Stream::Stock,
            Self::Notifications => Stream::Notifications,
            Self::Sellers => Stream::Sellers,
            Self::Fulfilment | Self::OrderStatuses => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fulfilment => FULFILMENT,
            Self::OrderStatuses => ORDER_STATUSES,
            _ => self.stream().map_or("", Stream::name),
        }
    }

    fn columns(self) -> &'static [Column] {
        self.stream().map_or(&STATUS_COLUMNS, Stream::columns)
    }

    /// The row that `pull` shows; of a record that another version of the contract wrote, its id.
    fn row(self, stored: &StoredRecord) -> Vec<String> {
        let Some(stream) = self.stream() else {
            let text = |name: &str| stored.record["status"][name].as_str().unwrap_or_default().to_owned();
            return vec![stored.id.clone(), text("raw"), text("order"), text("fulfilment"), moment(stored.changed_at)];
        };
        stream.row(&stored.record).unwrap_or_else(|| {
            let mut row = vec![String::new(); self.columns().len()];
            row[0].clone_from(&stored.id);
            row
        })
    }
}

impl Records {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (kind, records) = (self.kind, self.filters.find(context, Some(self.account), self.kind).await?);
        context.output.list(&records, kind.columns(), |stored| kind.row(stored))
    }
}

impl Orders {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let kind = Kept::Orders;
        let records = self.filters.find(context, self.account, kind).await?;
        let columns: Vec<Column> = [column("ACCOUNT", 20)].into_iter().chain(kind.columns().iter().copied()).collect();
        context
            .output
            .list(&records, &columns, |stored| [stored.account.clone()].into_iter().chain(kind.row(stored)).collect())
    }
}

impl Filters {
    async fn find(self, context: &Context, account: Option<String>, kind: Kept) -> Result<Vec<StoredRecord>> {
        let (config, store) = context.store()?;
        let query = RecordQuery {
            account: account.clone(),
            kind: Some(kind.name().to_owned()),
            id: self.id,
            status: self.status,
            text: self.text,
            changed_since: self.since.map(milliseconds),
            limit: self.limit,
        };
        let records = store.records(&query).await.map_err(|error| explain::store_error(&error))?;
        if let Some(account) = account.filter(|_| records.is_empty()) {
            // Records outlast their account's line in the table; where there are none, the name may be misspelt.
            known_accounts::one(&config, store.as_ref(), &account).await?;
        }
        Ok(records)
    }
}

/// Milliseconds since 1970. What is in the same millisecond is still wanted.
fn milliseconds(time: Timestamp) -> u64 {
    let seconds = u64::try_from(time.epoch_seconds).unwrap_or(0);
    seconds.saturating_mul(1000).saturating_add(u64::from(time.nanoseconds / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_asked_for_in_the_store_s_unit() {
        assert_eq!(milliseconds("2016-08-18T14:43:22.5+10:00".parse().unwrap()), 1_471_495_402_500);
        assert_eq!(milliseconds("1960-01-01T00:00:00Z".parse().unwrap()), 0);
    }
}
