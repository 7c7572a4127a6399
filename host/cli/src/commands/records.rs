//! `tradepost records`: records as they were last read, out of the store.

use clap::Args;
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_runtime::Timestamp;

use super::Context;
use crate::explain;
use crate::failure::Result;
use crate::known_accounts;
use crate::walk::Stream;

/// Print records as they were last read, the last changed first; no platform is asked
#[derive(Debug, Args)]
#[command(after_help = "\
With --json each record stands in `record`, with its version, the position of its last event and when it changed here.

Examples:
  tradepost records sandbox/hardtofind orders --status READY
  tradepost records sandbox/hardtofind orders --text massey --limit 5
  tradepost records sandbox/wcfm products --since 2024-05-01T00:00:00Z --json | jq -r .record.sku")]
pub(crate) struct Records {
    /// The account, as the table names it
    account: String,
    /// The stream they came in
    #[arg(value_enum)]
    kind: Stream,
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

impl Records {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let query = RecordQuery {
            account: Some(self.account.clone()),
            kind: Some(self.kind.name().to_owned()),
            id: self.id,
            status: self.status,
            text: self.text,
            changed_since: self.since.map(milliseconds),
            limit: self.limit,
        };
        let records = store.records(&query).await.map_err(|error| explain::store_error(&error))?;
        if records.is_empty() {
            // Records outlast their account; where there are none, the name may be misspelt.
            known_accounts::one(&config, store.as_ref(), &self.account).await?;
        }
        context.output.list(&records, self.kind.columns(), |stored| row(self.kind, stored))
    }
}

/// The row that `pull` shows; of a record that another version of the contract wrote, its id.
fn row(kind: Stream, stored: &StoredRecord) -> Vec<String> {
    kind.row(&stored.record).unwrap_or_else(|| {
        let mut row = vec![String::new(); kind.columns().len()];
        row[0].clone_from(&stored.id);
        row
    })
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
