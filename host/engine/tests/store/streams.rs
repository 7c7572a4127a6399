//! One suite for every implementation of the store: who may walk a stream, and what a page of it brings about, all of it or nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::each_store::on_each;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_engine::store::{Store, StoreError};
use tradepost_engine::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey, StreamState};
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

/// A lease that no test sees the end of.
const LASTING: Duration = Duration::from_hours(1);
/// A lease that is over when the call that takes it returns.
const OVER: Duration = Duration::ZERO;

fn orders() -> StreamKey {
    StreamKey::new("acme/hft71", "orders")
}

#[allow(clippy::needless_pass_by_value, reason = "what is compared is made for it")]
fn item(id: &str, record: Value) -> Item {
    Item { id: id.into(), record: record.to_string() }
}

fn page(items: Vec<Item>, cursor: Option<&str>) -> PageCommit {
    PageCommit { items, cursor: cursor.map(str::to_owned), ..PageCommit::default() }
}

fn value(key: &str, value: &[u8]) -> StorageWrite {
    StorageWrite { key: key.into(), value: Some(value.to_vec()), time_to_live: None }
}

async fn claim(store: &Arc<dyn Store>, key: &StreamKey, lease: Duration) -> StreamClaim {
    store.claim_stream(key, lease).await.unwrap().expect("the stream is free")
}

async fn all_events(store: &Arc<dyn Store>) -> Vec<Event> {
    store.events(0, usize::MAX, &EventFilter::default()).await.unwrap()
}

/// All that anybody can see of a store, to tell whether anything has changed.
#[derive(Debug, PartialEq)]
struct View {
    events: Vec<Event>,
    records: Vec<StoredRecord>,
    streams: Vec<StreamState>,
    value: Option<Vec<u8>>,
}

async fn view(store: &Arc<dyn Store>) -> View {
    View {
        events: all_events(store).await,
        records: store.records(&RecordQuery { limit: usize::MAX, ..RecordQuery::default() }).await.unwrap(),
        streams: store.streams().await.unwrap(),
        value: store.get("acme/hft71", "k").await.unwrap(),
    }
}

fn milliseconds_now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_stream_is_walked_by_one_at_a_time_and_each_claim_is_told_apart() {
    on_each(|store| async move {
        let first = claim(&store, &orders(), LASTING).await;
        assert_eq!((first.cursor.as_deref(), first.walk, first.pages), (None, 1, 0));
        assert_eq!(store.claim_stream(&orders(), LASTING).await.unwrap(), None);
        // Another list of the account, and the same list of another account, are streams of their own.
        claim(&store, &StreamKey::new("acme/hft71", "products"), LASTING).await;
        claim(&store, &StreamKey::new("acme/hft7", "orders"), LASTING).await;

        store.release_stream(&first, Duration::ZERO, None).await.unwrap();
        let second = claim(&store, &orders(), OVER).await;
        let third = claim(&store, &orders(), LASTING).await;
        assert!(first.epoch < second.epoch && second.epoch < third.epoch, "{first:?} {second:?} {third:?}");
        assert_eq!(store.claim_stream(&orders(), LASTING).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_a_stream_at_once_one_gets_it() {
    on_each(|store| async move {
        let rivals: Vec<_> = (0..16)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { store.claim_stream(&orders(), LASTING).await.unwrap() })
            })
            .collect();
        let mut winners = 0;
        for rival in rivals {
            winners += usize::from(rival.await.unwrap().is_some());
        }
        assert_eq!(winners, 1);
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_was_taken_over_changes_nothing_any_more() {
    on_each(|store| async move {
        let old = claim(&store, &orders(), OVER).await;
        let mut held = claim(&store, &orders(), LASTING).await;
        // Before the new holder has kept a page, and after.
        for cursor in ["p2", "p3"] {
            let before = view(&store).await;
            let mut late = page(vec![item("1", json!({"late": cursor})), item("2", json!({}))], Some("late"));
            late.writes.writes.push(value("k", b"late"));
            assert!(matches!(store.commit_page(&old, late, LASTING).await, Err(StoreError::Fenced(_))));
            let failure = Some("timed out".to_owned());
            assert!(matches!(store.release_stream(&old, Duration::ZERO, failure).await, Err(StoreError::Fenced(_))));
            assert_eq!(view(&store).await, before);
            assert_eq!(store.claim_stream(&orders(), LASTING).await.unwrap(), None, "the new claim still stands");
            let kept = page(vec![item("1", json!({"kept": cursor}))], Some(cursor));
            held = store.commit_page(&held, kept, LASTING).await.unwrap().1;
        }
        assert_eq!(held.pages, 2);
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_was_given_back_changes_nothing_any_more() {
    on_each(|store| async move {
        let given_back = claim(&store, &orders(), LASTING).await;
        store.release_stream(&given_back, LASTING, Some("503".into())).await.unwrap();
        let before = view(&store).await;
        let late = page(vec![item("1", json!({}))], Some("late"));
        assert!(matches!(store.commit_page(&given_back, late, LASTING).await, Err(StoreError::Fenced(_))));
        let again = store.release_stream(&given_back, Duration::ZERO, Some("again".into())).await;
        assert!(matches!(again, Err(StoreError::Fenced(_))));
        assert_eq!(view(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_page_is_committed_once_however_often_its_commit_is_tried() {
    on_each(|store| async move {
        let first = claim(&store, &orders(), LASTING).await;
        let one = page(vec![item("1", json!({}))], Some("p2"));
        let (_, next) = store.commit_page(&first, one.clone(), LASTING).await.unwrap();
        let before = view(&store).await;
        assert!(matches!(store.commit_page(&first, one, LASTING).await, Err(StoreError::Fenced(_))));
        assert_eq!(view(&store).await, before);
        assert_eq!((next.cursor.as_deref(), next.walk, next.pages, next.epoch), (Some("p2"), 1, 1, first.epoch));
        // Giving back takes any claim of this epoch: it is the holder who does it.
        store.release_stream(&first, Duration::ZERO, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_stands_until_somebody_takes_over_and_a_page_prolongs_it() {
    on_each(|store| async move {
        let late = claim(&store, &orders(), OVER).await;
        let (_, next) = store.commit_page(&late, page(vec![], Some("p2")), LASTING).await.unwrap();
        assert_eq!(store.claim_stream(&orders(), LASTING).await.unwrap(), None);
        store.commit_page(&next, page(vec![], Some("p3")), OVER).await.unwrap();
        let other = claim(&store, &orders(), LASTING).await;
        assert_eq!((other.cursor.as_deref(), other.walk, other.pages), (Some("p3"), 1, 2));
    })
    .await;
}

#[tokio::test]
async fn a_page_whose_precondition_fails_leaves_no_trace() {
    on_each(|store| async move {
        let held = claim(&store, &orders(), LASTING).await;
        let mut first = page(vec![item("1", json!({"a": 1}))], Some("p2"));
        first.writes.writes.push(value("k", b"1"));
        let (_, held) = store.commit_page(&held, first, LASTING).await.unwrap();
        let before = view(&store).await;
        assert_eq!(before.value.as_deref(), Some(&b"1"[..]));

        let second = |expected: &[u8]| PageCommit {
            items: vec![item("1", json!({"a": 2})), item("2", json!({}))],
            cursor: Some("p3".into()),
            end: true,
            whole: true,
            writes: StorageWrites {
                preconditions: vec![("k".into(), Some(expected.to_vec()))],
                writes: vec![value("k", b"2")],
            },
        };
        let refused = store.commit_page(&held, second(b"0"), LASTING).await;
        assert_eq!(refused.unwrap_err(), StoreError::Conflict { key: "k".into() });
        assert_eq!(view(&store).await, before);
        // The claim is as good as before: the call is run again and commits.
        let (committed, next) = store.commit_page(&held, second(b"1"), LASTING).await.unwrap();
        assert_eq!(committed, Committed { created: 1, updated: 1, ..Committed::default() });
        assert_eq!((next.cursor.as_deref(), next.walk, next.pages), (Some("p3"), 2, 2));
        assert_eq!(view(&store).await.value.as_deref(), Some(&b"2"[..]));
    })
    .await;
}

#[tokio::test]
async fn only_what_is_new_or_has_changed_makes_an_event() {
    on_each(|store| async move {
        let held = claim(&store, &orders(), LASTING).await;
        let text = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let first = vec![
            item("1", text(r#"{"total": "12.50", "buyer": {"name": "Ann", "city": "Bonn"}}"#)),
            item("2", json!({"total": "1"})),
        ];
        let (committed, held) = store.commit_page(&held, page(first, None), LASTING).await.unwrap();
        assert_eq!(committed, Committed { created: 2, ..Committed::default() });

        let again = vec![
            item("1", text(r#"{ "buyer": {"city": "Bonn", "name": "Ann"}, "total": "12.50" }"#)),
            item("2", json!({"total": "2"})),
            item("3", json!({"total": "3"})),
            // A page may name a record twice: the last word counts.
            item("3", json!({"total": "3"})),
            item("3", json!({"total": "4"})),
        ];
        let (committed, _) = store.commit_page(&held, page(again, None), LASTING).await.unwrap();
        assert_eq!(committed, Committed { created: 1, updated: 2, unchanged: 2, deleted: 0 });

        let told: Vec<_> = all_events(&store)
            .await
            .into_iter()
            .map(|event| (event.id, event.change, event.version, event.record))
            .collect();
        let ann = json!({"total": "12.50", "buyer": {"name": "Ann", "city": "Bonn"}});
        assert_eq!(
            told,
            [
                ("1".into(), Change::Created, 1, Some(ann)),
                ("2".into(), Change::Created, 1, Some(json!({"total": "1"}))),
                ("2".into(), Change::Updated, 2, Some(json!({"total": "2"}))),
                ("3".into(), Change::Created, 1, Some(json!({"total": "3"}))),
                ("3".into(), Change::Updated, 2, Some(json!({"total": "4"}))),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_id_in_another_stream_is_another_record() {
    on_each(|store| async move {
        let streams = [orders(), StreamKey::new("acme/hft71", "products"), StreamKey::new("acme/wcfm", "orders")];
        for key in &streams {
            let held = claim(&store, key, LASTING).await;
            let (committed, _) =
                store.commit_page(&held, page(vec![item("1", json!({}))], None), LASTING).await.unwrap();
            assert_eq!(committed, Committed { created: 1, ..Committed::default() }, "{key}");
        }
        assert_eq!(all_events(&store).await.len(), streams.len());
    })
    .await;
}

/// Whether a walk reads everything, and whether it brings the record.
type Walk = (bool, bool);
/// A walk that reads everything, and finds the record or not.
const THERE: Walk = (true, true);
const MISSED: Walk = (true, false);
/// A walk that reads only what has changed.
const CHANGES_WITH: Walk = (false, true);
const CHANGES_WITHOUT: Walk = (false, false);

#[tokio::test]
async fn a_record_is_gone_after_two_whole_walks_without_it() {
    use Change::{Created, Deleted};
    let cases: [(&str, &[Walk], &[Change]); 12] = [
        ("always there", &[THERE, THERE, THERE], &[Created]),
        ("missed once", &[THERE, MISSED, THERE, MISSED, THERE], &[Created]),
        ("missed twice", &[THERE, MISSED, MISSED], &[Created, Deleted]),
        ("deleted once only", &[THERE, MISSED, MISSED, MISSED, MISSED], &[Created, Deleted]),
        ("comes back as it was", &[THERE, MISSED, MISSED, THERE], &[Created, Deleted, Created]),
        ("back and missed once", &[THERE, MISSED, MISSED, THERE, MISSED], &[Created, Deleted, Created]),
        ("back and gone", &[THERE, MISSED, MISSED, THERE, MISSED, MISSED], &[Created, Deleted, Created, Deleted]),
        ("changes only", &[CHANGES_WITH, CHANGES_WITHOUT, CHANGES_WITHOUT, CHANGES_WITHOUT], &[Created]),
        ("changes, then one whole walk", &[CHANGES_WITH, CHANGES_WITHOUT, CHANGES_WITHOUT, MISSED], &[Created]),
        ("changes, then two", &[CHANGES_WITH, CHANGES_WITHOUT, MISSED, MISSED], &[Created, Deleted]),
        ("with a walk of changes between", &[THERE, MISSED, CHANGES_WITHOUT, MISSED], &[Created, Deleted]),
        ("seen by a walk of changes between", &[THERE, MISSED, CHANGES_WITH, MISSED], &[Created]),
    ];
    for (name, walks, changes) in cases {
        on_each(|store| async move {
            let mut held = claim(&store, &orders(), LASTING).await;
            let mut deleted = 0;
            for (whole, there) in walks {
                // What stays is on a page of its own, in front, so that the end of the walk does not name it.
                let front = PageCommit { whole: *whole, ..page(vec![item("stays", json!({}))], Some("2")) };
                held = store.commit_page(&held, front, LASTING).await.unwrap().1;
                let items = if *there { vec![item("1", json!({"total": "5"}))] } else { vec![] };
                let end = PageCommit { end: true, whole: *whole, ..page(items, None) };
                let (committed, next) = store.commit_page(&held, end, LASTING).await.unwrap();
                deleted += committed.deleted;
                held = next;
            }
            let told: Vec<Event> = all_events(&store).await.into_iter().filter(|event| event.id == "1").collect();
            assert_eq!(told.iter().map(|event| event.change).collect::<Vec<_>>(), changes, "{name}");
            let versions: Vec<u64> = told.iter().map(|event| event.version).collect();
            assert_eq!(versions, (1..=changes.len() as u64).collect::<Vec<_>>(), "{name}");
            assert!(told.iter().all(|event| event.record.is_none() == (event.change == Deleted)), "{name}: {told:?}");
            assert_eq!(deleted, told.iter().filter(|event| event.change == Deleted).count() as u64, "{name}");

            let is_there = changes.last() != Some(&Deleted);
            let query = RecordQuery { id: Some("1".into()), limit: 9, ..RecordQuery::default() };
            assert_eq!(store.records(&query).await.unwrap().len(), usize::from(is_there), "{name}");
            let state = &store.streams().await.unwrap()[0];
            assert_eq!(state.records, 1 + u64::from(is_there), "{name}");
            assert_eq!(all_events(&store).await.iter().filter(|event| event.id == "stays").count(), 1, "{name}");
        })
        .await;
    }
}

#[tokio::test]
async fn how_a_stream_stands_is_told() {
    on_each(|store| async move {
        assert_eq!(store.streams().await.unwrap(), []);
        let began = milliseconds_now();
        let held = claim(&store, &orders(), LASTING).await;
        claim(&store, &StreamKey::new("a", "stock"), LASTING).await;
        let state = |walks, pages, records| StreamState {
            key: orders(),
            walks,
            pages,
            records,
            walked_at: None,
            failure: None,
            failures: 0,
            due_at: 0,
        };
        let streams = store.streams().await.unwrap();
        assert_eq!(
            streams.iter().map(|stream| stream.key.to_string()).collect::<Vec<_>>(),
            ["a stock", "acme/hft71 orders"]
        );
        assert_eq!(streams[1], state(0, 0, 0));

        store.release_stream(&held, LASTING, Some("first".into())).await.unwrap();
        let held = claim(&store, &orders(), LASTING).await;
        store.release_stream(&held, LASTING, Some("second".into())).await.unwrap();
        let failed = store.streams().await.unwrap().remove(1);
        assert_eq!((failed.failure.as_deref(), failed.failures), (Some("second"), 2));
        let hour = u64::try_from(LASTING.as_millis()).unwrap();
        assert!((began + hour..=milliseconds_now() + hour).contains(&failed.due_at), "{failed:?}");

        // Giving back without a failure says nothing about the last one; a page that is kept does.
        let held = claim(&store, &orders(), LASTING).await;
        store.release_stream(&held, Duration::ZERO, None).await.unwrap();
        let calm = store.streams().await.unwrap().remove(1);
        assert_eq!((calm.failure.as_deref(), calm.failures), (Some("second"), 2));
        let held = claim(&store, &orders(), LASTING).await;
        let (_, held) = store.commit_page(&held, page(vec![item("1", json!({}))], Some("2")), LASTING).await.unwrap();
        let kept = store.streams().await.unwrap().remove(1);
        assert_eq!(StreamState { due_at: 0, ..kept }, state(0, 1, 1));
        let end = PageCommit { end: true, ..page(vec![], None) };
        store.commit_page(&held, end, LASTING).await.unwrap();
        let walked = store.streams().await.unwrap().remove(1);
        assert!((began..=milliseconds_now()).contains(&walked.walked_at.unwrap()), "{walked:?}");
        assert_eq!(StreamState { due_at: 0, walked_at: None, ..walked }, state(1, 2, 1));
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_is_made_all_the_same() {
    on_each(|store| async move {
        let held = claim(&store, &orders(), LASTING).await;
        // Begun and dropped, as a guest's deadline would.
        let commit = store.commit_page(&held, page(vec![item("1", json!({}))], Some("2")), LASTING);
        let _answer_that_may_not_have_come = commit.now_or_never();
        assert_eq!(all_events(&store).await.len(), 1);
        assert!(matches!(store.commit_page(&held, page(vec![], None), LASTING).await, Err(StoreError::Fenced(_))));
    })
    .await;
}
