//! Pulling: a stream is walked page by page, and each page is kept with its cursor or not at all.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tradepost_runtime::{Account, Capability, NamedCallError};

use crate::engine::EngineOptions;
use crate::failure::Remedy;
use crate::store::{Store, StoreError};
use crate::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey};

/// Pages of one walk after which it counts as endless.
const MOST_PAGES: u64 = 100_000;

/// The streams that a connector may have.
pub const STREAMS: [Capability; 6] = [
    Capability::Orders,
    Capability::Products,
    Capability::Categories,
    Capability::Stock,
    Capability::Notifications,
    Capability::Sellers,
];

/// What a pull brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pulled {
    /// The stream.
    #[serde(flatten)]
    pub key: StreamKey,
    /// Its records.
    #[serde(flatten)]
    pub records: Committed,
    /// Pages that were committed.
    pub pages: u64,
    /// Whether the walk came to its end. One that was broken off goes on where it stopped.
    pub complete: bool,
}

/// Why a pull did not come to the end of its walk. What was committed before stays, and the next pull goes on behind it.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Somebody else walks this stream.
    #[error("{0} is being walked by somebody else; try again in a minute")]
    Busy(StreamKey),
    /// There is no such account here.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// The connector has no such list.
    #[error("{connector} reads no {kind}")]
    NoStream {
        /// The connector.
        connector: String,
        /// The stream asked for.
        kind: String,
    },
    /// A call failed.
    #[error("{0}")]
    Call(#[from] NamedCallError),
    /// The connector gave a page that cannot be kept.
    #[error("{key}: {problem}")]
    Page {
        /// The stream.
        key: StreamKey,
        /// What is wrong with it.
        problem: String,
    },
    /// The store failed, or somebody else has taken the stream over.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Walks a stream from where it stands to the end of the walk, or until `seen`, which is told of each page that is kept, says no.
pub(crate) async fn pull(
    store: &Arc<dyn Store>,
    account: &Account,
    kind: &str,
    options: &EngineOptions,
    mut seen: impl FnMut(&Committed) -> bool,
) -> Result<Pulled, PullError> {
    let key = StreamKey::new(account.id(), kind);
    let connector = account.connector();
    let has_it = STREAMS.iter().any(|stream| stream.name() == kind && connector.has(*stream));
    if !has_it {
        return Err(PullError::NoStream { connector: connector.label().to_owned(), kind: kind.to_owned() });
    }
    let described = connector.manifest().streams.iter().find(|stream| stream.interface == kind);
    let whole = described.is_some_and(|stream| !stream.incremental);
    let Some(mut claim) = store.claim_stream(&key, options.lease).await? else { return Err(PullError::Busy(key)) };
    fail::fail_point!("pull.claimed");
    let mut pulled = Pulled { key, records: Committed::default(), pages: 0, complete: false };
    loop {
        match one_page(store, account, &claim, whole, options.lease).await {
            Ok(kept) => {
                fail::fail_point!("pull.before-readers-wake");
                let go_on = seen(&kept.committed);
                pulled.records += kept.committed;
                pulled.pages += 1;
                claim = kept.claim;
                if kept.end || !go_on {
                    pulled.complete = kept.end;
                    fail::fail_point!("pull.before-release");
                    let due_in = if kept.end { options.every } else { Duration::ZERO };
                    store.release_stream(&claim, due_in, None).await?;
                    return Ok(pulled);
                }
                fail::fail_point!("pull.between-pages");
                if pulled.pages == MOST_PAGES {
                    let problem = format!("the walk has no end: {MOST_PAGES} pages");
                    let error = PullError::Page { key: claim.key.clone(), problem };
                    return Err(give_up(store, &claim, error).await);
                }
            }
            // Whoever took the stream over has it now.
            Err(error @ PullError::Store(StoreError::Fenced(_))) => return Err(error),
            Err(error) => return Err(give_up(store, &claim, error).await),
        }
    }
}

/// Gives the stream back with what went wrong, to be tried again when that makes sense.
async fn give_up(store: &Arc<dyn Store>, claim: &StreamClaim, error: PullError) -> PullError {
    let again = match &error {
        PullError::Call(NamedCallError::Call(error)) => Remedy::of(error).wait(1),
        _ => Remedy::Later(None).wait(1),
    };
    match store.release_stream(claim, again, Some(error.to_string())).await {
        Ok(()) => error,
        Err(failed) => PullError::Store(failed),
    }
}

/// A page that was kept.
struct Kept {
    committed: Committed,
    claim: StreamClaim,
    end: bool,
}

async fn one_page(
    store: &Arc<dyn Store>,
    account: &Account,
    claim: &StreamClaim,
    whole: bool,
    lease: Duration,
) -> Result<Kept, PullError> {
    let kind = claim.key.kind.as_str();
    let query = match kind {
        "notifications" => json!({"kind": null, "include_read": false, "page_size": null}),
        _ => json!({"updated_since": null, "statuses": [], "page_size": null, "include_raw": false}),
    };
    let arguments = json!({"query": query, "cursor": claim.cursor});
    let reply = account.call_by_name(&format!("{kind}.list"), &arguments).await?;
    let mut page = reply.value;
    let wrong = |problem: &str| PullError::Page { key: claim.key.clone(), problem: problem.to_owned() };
    let Value::Array(records) = page["items"].take() else { return Err(wrong("the page has no items")) };
    let items = records
        .into_iter()
        .map(|record| Ok(Item { id: identity(kind, &record).ok_or_else(|| wrong("a record has no id"))?, record }))
        .collect::<Result<Vec<Item>, PullError>>()?;
    let end = page["end"] == true;
    let cursor = page["next"].as_str().map(str::to_owned);
    // A page that is not the last one and does not get on would be asked for for ever.
    if !end && cursor == claim.cursor {
        return Err(wrong("the page leads to itself"));
    }
    let commit = PageCommit { items, cursor, end, whole, writes: reply.writes };
    fail::fail_point!("pull.page-read");
    let (committed, claim) = store.commit_page(claim, commit, lease).await?;
    Ok(Kept { committed, claim, end })
}

/// What makes a record the same record in another page. Stock levels have no id of their own: article and place make one.
fn identity(kind: &str, record: &Value) -> Option<String> {
    if kind != "stock" {
        return record["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    }
    let parts = ["sku", "product_id", "variant_id", "location"];
    if parts[..3].iter().all(|part| record[part].is_null()) {
        return None;
    }
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|part| record[part].as_str().map(|text| format!("{part}={}", text.replace(['&', '='], "_"))))
        .collect();
    Some(parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_levels_are_told_apart_by_article_and_place() {
        let level = |sku: Option<&str>, product: Option<&str>, location: Option<&str>| json!({"sku": sku, "product_id": product, "variant_id": null, "location": location, "available": "1"});
        assert_eq!(identity("stock", &level(Some("A&B"), None, None)).as_deref(), Some("sku=A_B"));
        assert_eq!(
            identity("stock", &level(Some("A"), Some("7"), Some("x"))).as_deref(),
            Some("sku=A&product_id=7&location=x")
        );
        assert_eq!(identity("stock", &level(None, None, Some("x"))), None);
        assert_eq!(identity("orders", &json!({"id": ""})), None);
        assert_eq!(identity("orders", &json!({"id": "9"})).as_deref(), Some("9"));
    }
}
