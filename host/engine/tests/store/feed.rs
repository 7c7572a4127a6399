//! One suite for every implementation of the store: the event feed and the records behind it, as they are read.

use std::sync::Arc;
use std::time::Duration;

use crate::each_store::on_each;
use serde_json::{Value, json};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::record::RecordQuery;
use tradepost_engine::store::Store;
use tradepost_engine::stream::{Item, PageCommit, StreamKey};

const LEASE: Duration = Duration::from_hours(1);

/// Commits a page of these records and gives the stream back.
async fn keep(store: &Arc<dyn Store>, account: &str, kind: &str, records: &[(&str, Value)]) {
    let claim = store.claim_stream(&StreamKey::new(account, kind), LEASE).await.unwrap().expect("the stream is free");
    let items = records.iter().map(|(id, record)| Item { id: (*id).to_owned(), record: record.to_string() }).collect();
    let page = PageCommit { items, ..PageCommit::default() };
    let (_, claim) = store.commit_page(&claim, page, LEASE).await.unwrap();
    store.release_stream(&claim, Duration::ZERO, None).await.unwrap();
}

fn of(account: Option<&str>, kind: Option<&str>) -> EventFilter {
    EventFilter { account: account.map(str::to_owned), kind: kind.map(str::to_owned) }
}

async fn positions(store: &Arc<dyn Store>, after: u64, limit: usize, filter: &EventFilter) -> Vec<u64> {
    store.events(after, limit, filter).await.unwrap().iter().map(|event| event.position).collect()
}

#[tokio::test]
async fn events_are_read_on_from_any_position() {
    on_each(|store| async move {
        let all = EventFilter::default();
        assert_eq!(store.last_position().await.unwrap(), 0);
        assert_eq!(positions(&store, 0, 9, &all).await, [0_u64; 0]);
        keep(&store, "a", "orders", &[("1", json!({"n": 1})), ("2", json!({"n": 2})), ("3", json!({"n": 3}))]).await;
        keep(&store, "a", "orders", &[("2", json!({"n": 4})), ("1", json!({"n": 1}))]).await;
        assert_eq!(store.last_position().await.unwrap(), 4);
        assert_eq!(positions(&store, 0, usize::MAX, &all).await, [1, 2, 3, 4]);
        assert_eq!(positions(&store, 0, 2, &all).await, [1, 2]);
        assert_eq!(positions(&store, 2, 2, &all).await, [3, 4]);
        assert_eq!(positions(&store, 3, 0, &all).await, [0_u64; 0]);
        for end in [4, 5, u64::MAX] {
            assert_eq!(positions(&store, end, 9, &all).await, [0_u64; 0], "{end}");
        }
        let last = store.events(3, 9, &all).await.unwrap().remove(0);
        assert_eq!((last.account.as_str(), last.kind.as_str(), last.id.as_str()), ("a", "orders", "2"));
        assert_eq!((last.change, last.version, last.record), (Change::Updated, 2, Some(json!({"n": 4}))));
    })
    .await;
}

#[tokio::test]
async fn a_filter_leaves_out_events_and_keeps_positions() {
    on_each(|store| async move {
        keep(&store, "a", "orders", &[("1", json!({}))]).await;
        keep(&store, "a", "stock", &[("1", json!({}))]).await;
        keep(&store, "ab", "orders", &[("1", json!({})), ("2", json!({}))]).await;
        keep(&store, "a", "orders", &[("2", json!({}))]).await;
        assert_eq!(positions(&store, 0, 9, &of(Some("a"), None)).await, [1, 2, 5]);
        assert_eq!(positions(&store, 0, 9, &of(None, Some("orders"))).await, [1, 3, 4, 5]);
        assert_eq!(positions(&store, 0, 9, &of(Some("a"), Some("orders"))).await, [1, 5]);
        // The limit counts what is wanted, not what is passed over.
        assert_eq!(positions(&store, 1, 1, &of(Some("a"), Some("orders"))).await, [5]);
        assert_eq!(positions(&store, 0, 9, &of(Some("A"), None)).await, [0_u64; 0]);
        assert_eq!(store.last_position().await.unwrap(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_that_commit_at_once_share_one_feed_without_gaps() {
    const PAGES: u64 = 20;
    on_each(|store| async move {
        let accounts = ["a", "b"].map(|account| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let key = StreamKey::new(account, "orders");
                let mut claim = store.claim_stream(&key, LEASE).await.unwrap().unwrap();
                for number in 0..PAGES {
                    let item =
                        |part: u64| Item { id: format!("{number}-{part}"), record: json!({"n": number}).to_string() };
                    let page = PageCommit { items: (0..3).map(item).collect(), ..PageCommit::default() };
                    claim = store.commit_page(&claim, page, LEASE).await.unwrap().1;
                }
            })
        });
        // A reader that reads on meanwhile misses nothing either.
        let mut seen = Vec::new();
        while seen.len() < usize::try_from(2 * 3 * PAGES).unwrap() {
            let after = seen.len() as u64;
            seen.extend(store.events(after, 7, &EventFilter::default()).await.unwrap());
            tokio::task::yield_now().await;
        }
        for account in accounts {
            account.await.unwrap();
        }
        assert_eq!(store.last_position().await.unwrap(), 2 * 3 * PAGES);
        assert!(seen.iter().map(|event| event.position).eq(1..=2 * 3 * PAGES));
        let in_order: Vec<String> =
            (0..PAGES).flat_map(|page| (0..3).map(move |part| format!("{page}-{part}"))).collect();
        for account in ["a", "b"] {
            let ids: Vec<&String> =
                seen.iter().filter(|event| event.account == account).map(|event| &event.id).collect();
            assert!(ids.into_iter().eq(&in_order), "{account}");
        }
    })
    .await;
}

fn order(raw: &str, buyer: &str) -> Value {
    json!({"status": {"order": "open", "raw": raw}, "buyer": {"name": buyer}, "lines": [{"count": 4711}], "paid": true})
}

/// Account, kind and id of the records found.
async fn found(store: &Arc<dyn Store>, query: RecordQuery) -> Vec<String> {
    let query = RecordQuery { limit: if query.limit == 0 { 99 } else { query.limit }, ..query };
    let records = store.records(&query).await.unwrap();
    records.iter().map(|record| format!("{} {} {}", record.account, record.kind, record.id)).collect()
}

#[tokio::test]
async fn each_filter_of_a_query_leaves_out_records() {
    on_each(|store| async move {
        keep(&store, "a", "orders", &[("1", order("NEW", "Ann")), ("2", order("new", "Bob"))]).await;
        keep(&store, "a", "products", &[("1", json!({"name": "NEW lamp", "status": "NEW"}))]).await;
        keep(&store, "b", "orders", &[("1", order("SHIPPED", "Ann"))]).await;
        let some = |text: &str| Some(text.to_owned());
        let any = RecordQuery::default;
        let cases: [(&str, RecordQuery, &[&str]); 9] = [
            ("all", any(), &["b orders 1", "a products 1", "a orders 2", "a orders 1"]),
            ("account", RecordQuery { account: some("b"), ..any() }, &["b orders 1"]),
            ("kind", RecordQuery { kind: some("orders"), ..any() }, &["b orders 1", "a orders 2", "a orders 1"]),
            ("id", RecordQuery { id: some("1"), ..any() }, &["b orders 1", "a products 1", "a orders 1"]),
            ("status", RecordQuery { status: some("NEW"), ..any() }, &["a orders 1"]),
            ("text", RecordQuery { text: some("ann"), ..any() }, &["b orders 1", "a orders 1"]),
            (
                "together",
                RecordQuery { account: some("a"), text: some("ann"), id: some("1"), ..any() },
                &["a orders 1"],
            ),
            ("limit", RecordQuery { limit: 2, ..any() }, &["b orders 1", "a products 1"]),
            ("limit and text", RecordQuery { limit: 1, text: some("new"), ..any() }, &["a products 1"]),
        ];
        for (name, query, expected) in cases {
            assert_eq!(found(&store, query).await, expected, "{name}");
        }
        let none = RecordQuery { limit: 0, text: some("ann"), ..any() };
        assert_eq!(store.records(&none).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_record_is_as_it_was_last_read_and_the_last_changed_comes_first() {
    on_each(|store| async move {
        keep(&store, "a", "orders", &[("1", json!({"n": 1})), ("2", json!({"n": 2}))]).await;
        // Seen again as it was is not changed; changed moves to the front.
        keep(&store, "a", "orders", &[("1", json!({"n": 9})), ("2", json!({"n": 2}))]).await;
        let records = store.records(&RecordQuery { limit: 9, ..RecordQuery::default() }).await.unwrap();
        let events = store.events(0, 9, &EventFilter::default()).await.unwrap();
        let shown: Vec<_> =
            records.iter().map(|record| (record.id.as_str(), record.version, record.position)).collect();
        assert_eq!(shown, [("1", 2, 3), ("2", 1, 2)]);
        assert_eq!(records[0].record, json!({"n": 9}));
        for record in &records {
            let event = &events[usize::try_from(record.position).unwrap() - 1];
            assert_eq!((record.changed_at, Some(&record.record)), (event.at, event.record.as_ref()));
        }
        // At this time or after it: the boundary is in.
        let since = |changed_since| RecordQuery { changed_since: Some(changed_since), ..RecordQuery::default() };
        assert_eq!(found(&store, since(records[0].changed_at)).await.first().map(String::as_str), Some("a orders 1"));
        assert_eq!(found(&store, since(records[0].changed_at + 1)).await, [""; 0]);
        assert_eq!(found(&store, since(0)).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_is_gone_is_found_by_no_query() {
    on_each(|store| async move {
        keep(&store, "a", "orders", &[("1", order("NEW", "Ann"))]).await;
        let mut claim = store.claim_stream(&StreamKey::new("a", "orders"), LEASE).await.unwrap().unwrap();
        for _walk in 0..3 {
            let end = PageCommit { end: true, whole: true, ..PageCommit::default() };
            claim = store.commit_page(&claim, end, LEASE).await.unwrap().1;
        }
        let some = |text: &str| Some(text.to_owned());
        for query in [
            RecordQuery::default(),
            RecordQuery { id: some("1"), ..RecordQuery::default() },
            RecordQuery { status: some("NEW"), ..RecordQuery::default() },
            RecordQuery { text: some("ann"), ..RecordQuery::default() },
        ] {
            assert_eq!(found(&store, query.clone()).await, [""; 0], "{query:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn text_is_found_in_any_case_of_any_script_and_as_people_write_it() {
    on_each(|store| async move {
        let record = json!({
            "buyer": {"name": "Jörg GROẞMANN", "street": "Hauptstraße 5"},
            "city": "ΑΘΉΝΑ", "region": "Οδός Ερμού", "country": "Москва",
            "title": "3.5\" disk\\tray", "note": "one\nnight", "lines": [{"count": 4711}], "paid": true, "gift": null,
        });
        keep(&store, "a", "orders", &[("1", record)]).await;
        let cases = [
            ("jörg", true),
            ("JÖRG", true),
            ("großmann", true),
            ("HAUPTSTRASSE", true),
            ("αθήνα", true),
            ("ΟΔΌΣ", true),
            ("мОСКВА", true),
            // As it is read, not as JSON writes it.
            ("3.5\" DISK", true),
            ("disk\\TRAY", true),
            ("One\nNight", true),
            ("\\n", false),
            ("nnight", false),
            // Numbers are looked at; names of fields, true and null are not what a person means.
            ("471", true),
            ("buyer", false),
            ("true", false),
            ("null", false),
            // Two fields are not one text.
            ("5city", false),
            ("jorg", false),
            ("%", false),
            ("_", false),
        ];
        for (text, is_found) in cases {
            let query = RecordQuery { text: Some(text.to_owned()), ..RecordQuery::default() };
            assert_eq!(found(&store, query).await.len(), usize::from(is_found), "{text:?}");
        }
    })
    .await;
}
