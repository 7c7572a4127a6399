//! Pulling: a stream is walked page by page, and each page is kept with its cursor or not at all.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tradepost_runtime::commerce::{Category, ListQuery, Notification, NotificationQuery, Order, Product, StockLevel};
use tradepost_runtime::contract::Seller;
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::storage::StorageWrites;
use tradepost_runtime::{Account, CallError, Capability, NamedCallError};

use crate::canonical;
use crate::engine::Engine;
use crate::failure::Remedy;
use crate::store::{Store, StoreError};
use crate::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey};
use crate::versions::{ShadowPage, differences};

/// Pages after which a walk that the engine makes by itself lets others go first; it goes on where it was.
pub(crate) const PAGES_A_TURN: u64 = 20;
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
    /// The credential belongs to another seller at the platform than the account is bound to.
    #[error("{0}: its credential belongs to another seller at the platform than before; nothing was read")]
    Foreign(String),
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
    engine: &Engine,
    key: &StreamKey,
    mut account: Account,
    mut seen: impl FnMut(&Committed) -> bool,
) -> Result<Pulled, PullError> {
    let (store, options, key) = (engine.store(), engine.options(), key.clone());
    let reads_everything = reads_everything(&account, &key.kind)?;
    let Some(mut claim) = store.claim_stream(&key, options.lease).await? else { return Err(PullError::Busy(key)) };
    let begins = claim.walk_pages == 0;
    if begins && !reads_everything && is_over(claim.whole_at, options.reconcile_every) {
        // What a source leaves out of its changes, and what is gone, only shows when everything is read.
        claim.cursor = None;
        claim.walk_is_whole = true;
    }
    let mut whole = reads_everything || claim.walk_is_whole;
    let mut cursor_by = None;
    fail::fail_point!("pull.claimed");
    let mut pulled = Pulled { key, records: Committed::default(), pages: 0, complete: false };
    loop {
        let began = Instant::now();
        let page = one_page(engine, &account, &claim, whole).await;
        match &page {
            Ok(_) => engine.health().well(&account, began.elapsed()),
            Err(PullError::Call(NamedCallError::Call(error))) => {
                engine.health().failed(&account, error, began.elapsed()).await?;
            }
            Err(_) => {}
        }
        match page {
            Ok(kept) => {
                fail::fail_point!("pull.before-readers-wake");
                let go_on = seen(&kept.committed);
                pulled.records += kept.committed;
                pulled.pages += 1;
                claim = kept.claim;
                cursor_by = Some(account.connector().digest());
                if kept.end {
                    engine.walks().end(&claim.key);
                }
                if kept.end || !go_on {
                    pulled.complete = kept.end;
                    fail::fail_point!("pull.before-release");
                    let due_in = if kept.end { options.every } else { Duration::ZERO };
                    store.release_stream(&claim, due_in, None).await?;
                    return Ok(pulled);
                }
                fail::fail_point!("pull.between-pages");
                if let Some(page) = engine.walks().pass(&claim) {
                    let problem = format!("page {} leads where page {page} of the same walk led", claim.walk_pages);
                    let error = PullError::Page { key: claim.key.clone(), problem };
                    return Err(give_up(store, &claim, error).await);
                }
                if claim.walk_pages >= MOST_PAGES {
                    let problem = format!("the walk has no end: {MOST_PAGES} pages");
                    let error = PullError::Page { key: claim.key.clone(), problem };
                    return Err(give_up(store, &claim, error).await);
                }
            }
            // Its version was to end, and another has its place: that one reads this page.
            Err(PullError::Call(NamedCallError::Call(CallError::Retired { .. }))) if has_moved_on(engine, &account) => {
            }
            // The version before this one left a cursor that this one does not take: it reads everything, from the beginning.
            Err(error) if cursor_by.is_some_and(|by| by != account.connector().digest()) && is_about_input(&error) => {
                cursor_by = None;
                (claim.cursor, claim.walk_is_whole, whole) = (None, true, true);
                engine.walks().end(&claim.key);
            }
            // Whoever took the stream over has it now.
            Err(error @ PullError::Store(StoreError::Fenced(_))) => return Err(error),
            Err(error) => return Err(give_up(store, &claim, error).await),
        }
        // Each page is read by the version that the account is on by then.
        account = engine.account(account.id()).unwrap_or(account);
    }
}

/// Whether another version has this account's place.
fn has_moved_on(engine: &Engine, account: &Account) -> bool {
    engine.account(account.id()).is_some_and(|now| now.connector().digest() != account.connector().digest())
}

/// Whether the connector refused what it was given.
fn is_about_input(error: &PullError) -> bool {
    let PullError::Call(NamedCallError::Call(error)) = error else { return false };
    matches!(error.kind(), Some(ErrorKind::InvalidInput(_)))
}

/// Whether each walk of this stream reads everything, as its connector describes it. Fails where it has no such stream.
fn reads_everything(account: &Account, kind: &str) -> Result<bool, PullError> {
    let connector = account.connector();
    if !STREAMS.iter().any(|stream| stream.name() == kind && connector.has(*stream)) {
        return Err(PullError::NoStream { connector: connector.label().to_owned(), kind: kind.to_owned() });
    }
    let described = connector.manifest().streams.iter().find(|stream| stream.interface == kind);
    Ok(described.is_some_and(|stream| !stream.incremental))
}

/// Whether this much time has gone by since then, milliseconds since 1970; or there was no then.
fn is_over(then: Option<u64>, time: Duration) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    then.is_none_or(|then| Duration::from_millis(then) + time <= now)
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

async fn one_page(engine: &Engine, account: &Account, claim: &StreamClaim, whole: bool) -> Result<Kept, PullError> {
    let wrong = |problem: String| PullError::Page { key: claim.key.clone(), problem };
    let Read { items, cursor, end, writes } = read(account, &claim.key.kind, claim.cursor.as_deref()).await?;
    let items = items.into_iter().collect::<Result<Vec<Item>, String>>().map_err(wrong)?;
    // A page that is not the last one and does not get on would be asked for for ever.
    if !end && cursor == claim.cursor {
        return Err(wrong("the page leads to itself".to_owned()));
    }
    if let Some(shadow) = engine.open_accounts().shadow(account.id()) {
        read_along(engine, &shadow, claim, &items).await?;
    }
    let commit = PageCommit { items, cursor, end, whole, writes };
    fail::fail_point!("pull.page-read");
    let (committed, claim) = engine.store().commit_page(claim, commit, engine.options().lease).await?;
    Ok(Kept { committed, claim, end })
}

/// Has another version read the same page, and keeps what differs. Nothing else is kept of it.
async fn read_along(engine: &Engine, shadow: &Account, claim: &StreamClaim, used: &[Item]) -> Result<(), StoreError> {
    let began = Instant::now();
    let read = read(shadow, &claim.key.kind, claim.cursor.as_deref()).await;
    let mut page = ShadowPage {
        digest: shadow.connector().digest().to_string(),
        account: shadow.id().to_owned(),
        kind: claim.key.kind.clone(),
        records: used.len(),
        failure: None,
        differences: Vec::new(),
    };
    match read.map(|read| read.items.into_iter().collect::<Result<Vec<Item>, String>>()) {
        Ok(Ok(along)) => {
            engine.health().tally().count(shadow.connector().digest(), began.elapsed(), None);
            page.differences = differences(&claim.key, used, &along);
        }
        Ok(Err(problem)) => page.failure = Some(problem),
        Err(error) => {
            if let NamedCallError::Call(error) = &error {
                engine.health().tally().count(shadow.connector().digest(), began.elapsed(), Some(error));
            }
            page.failure = Some(error.to_string());
        }
    }
    engine.store().keep_shadow_page(page).await
}

/// A page as the connector gave it: its records as they are kept, or why they cannot be.
struct Read {
    items: Vec<Result<Item, String>>,
    cursor: Option<String>,
    end: bool,
    writes: StorageWrites,
}

/// Calls the list of this kind.
async fn read(account: &Account, kind: &str, cursor: Option<&str>) -> Result<Read, NamedCallError> {
    macro_rules! page {
        ($call:expr, $id:expr) => {{
            let reply = $call.await?;
            let page = reply.value;
            let items = page.items.iter().map(|record| item($id(record), record)).collect();
            Read { items, cursor: page.next, end: page.end, writes: reply.writes }
        }};
    }
    let everything = ListQuery::default();
    let unread = NotificationQuery::default();
    Ok(match kind {
        "orders" => page!(account.list_orders(&everything, cursor), |order: &Order| own(&order.id)),
        "products" => page!(account.list_products(&everything, cursor), |product: &Product| own(&product.id)),
        "categories" => page!(account.list_categories(cursor), |category: &Category| own(&category.id)),
        "stock" => page!(account.list_stock(cursor), place),
        "notifications" => page!(account.list_notifications(&unread, cursor), |note: &Notification| own(&note.id)),
        "sellers" => page!(account.list_sellers(cursor), |seller: &Seller| own(&seller.id)),
        other => return Err(NamedCallError::NoSuchOperation(format!("{other}.list"))),
    })
}

fn item(id: Option<String>, record: &impl Serialize) -> Result<Item, String> {
    let id = id.ok_or("a record has no id")?;
    let record = canonical::text(record).map_err(|error| format!("the record {id} cannot be written: {error}"))?;
    Ok(Item { id, record })
}

/// The source's id of a record.
fn own(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| id.to_owned())
}

/// What makes a stock level the same in another page. It has no id of its own: article and place make one.
fn place(level: &StockLevel) -> Option<String> {
    let StockLevel { sku, product_id, variant_id, location, .. } = level;
    if sku.is_none() && product_id.is_none() && variant_id.is_none() {
        return None;
    }
    let parts = [("sku", sku), ("product_id", product_id), ("variant_id", variant_id), ("location", location)];
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|(part, text)| text.as_ref().map(|text| format!("{part}={}", text.replace(['&', '='], "_"))))
        .collect();
    Some(parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_levels_are_told_apart_by_article_and_place() {
        let level = |sku: Option<&str>, product: Option<&str>, location: Option<&str>| StockLevel {
            sku: sku.map(str::to_owned),
            product_id: product.map(str::to_owned),
            variant_id: None,
            location: location.map(str::to_owned),
            available: Some(1.into()),
            in_stock: None,
        };
        assert_eq!(place(&level(Some("A&B"), None, None)).as_deref(), Some("sku=A_B"));
        assert_eq!(place(&level(Some("A"), Some("7"), Some("x"))).as_deref(), Some("sku=A&product_id=7&location=x"));
        assert_eq!(place(&level(None, None, Some("x"))), None);
    }

    #[test]
    fn a_record_without_an_id_is_not_kept() {
        assert_eq!(item(own(""), &1).unwrap_err(), "a record has no id");
        assert_eq!(item(own("9"), &1).unwrap(), Item { id: "9".into(), record: "1".into() });
    }
}
