//! The store in a file: everything is there when it is opened again, by this program, a later one, or two at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tradepost_engine::command::{
    AttemptEnd, ClaimScope, Command, CommandOutcome, CommandQuery, JournalEntry, NewCommand, ParkCause, Resolution,
};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::record::{RecordQuery, StoredRecord};
use tradepost_engine::store::{self, OpenError, Store};
use tradepost_engine::stream::{Item, PageCommit, StreamKey, StreamState};
use tradepost_runtime::egress::{Effect, Response};
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

const LASTING: Duration = Duration::from_hours(1);
const ACCOUNT: &str = "acme/hft71";
const DIGEST: &str = "sha256:aa";

fn orders() -> StreamKey {
    StreamKey::new(ACCOUNT, "orders")
}

fn page(ids: &[&str], cursor: Option<&str>) -> PageCommit {
    let items = ids.iter().map(|id| Item { id: (*id).to_owned(), record: json!({"id": id}).to_string() }).collect();
    PageCommit { items, cursor: cursor.map(str::to_owned), ..PageCommit::default() }
}

fn new(entity: &str, key: Option<&str>) -> NewCommand {
    NewCommand {
        account: ACCOUNT.into(),
        operation: "shipments.ship".into(),
        arguments: json!({"id": "7"}),
        entity: entity.into(),
        key: key.map(str::to_owned),
    }
}

fn served() -> [(String, String); 1] {
    [(ACCOUNT.into(), DIGEST.into())]
}

fn scope(accounts: &[(String, String)], only: Option<u64>) -> ClaimScope {
    ClaimScope { accounts: Arc::new(accounts.to_vec()), only, ..ClaimScope::default() }
}

/// All that a store can be asked.
#[derive(Debug, PartialEq)]
struct Everything {
    events: Vec<Event>,
    records: Vec<StoredRecord>,
    streams: Vec<StreamState>,
    commands: Vec<Command>,
    journals: Vec<Vec<JournalEntry>>,
    keys: Vec<String>,
    value: Option<Vec<u8>>,
}

async fn everything(store: &dyn Store) -> Everything {
    let commands = store.commands(&CommandQuery { limit: usize::MAX, ..CommandQuery::default() }).await.unwrap();
    let mut journals = Vec::new();
    for command in &commands {
        journals.push(store.requests_of(command.id).await.unwrap());
    }
    Everything {
        events: store.events(0, usize::MAX, &EventFilter::default()).await.unwrap(),
        records: store.records(&RecordQuery { limit: usize::MAX, ..RecordQuery::default() }).await.unwrap(),
        streams: store.streams().await.unwrap(),
        commands,
        journals,
        keys: store.list(ACCOUNT, "", None, usize::MAX).await.unwrap(),
        value: store.get(ACCOUNT, "token").await.unwrap(),
    }
}

fn schema_of(path: &Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn set_schema(path: &Path, version: i64) {
    rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", version).unwrap();
}

#[tokio::test]
async fn everything_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::open(directory.path()).unwrap();

    let held = store.claim_stream(&orders(), LASTING).await.unwrap().unwrap();
    let mut first = page(&["1", "2"], Some("p2"));
    first.writes.writes.push(StorageWrite { key: "token".into(), value: Some(b"\0\xff".to_vec()), time_to_live: None });
    let (_, stream) = store.commit_page(&held, first, LASTING).await.unwrap();
    let broken = store.claim_stream(&StreamKey::new(ACCOUNT, "stock"), LASTING).await.unwrap().unwrap();
    store.release_stream(&broken, LASTING, Some("503".into())).await.unwrap();

    let running = store.enqueue(new("orders/1", Some("k"))).await.unwrap().id;
    let held = store.claim_command(&scope(&served(), Some(running)), LASTING).await.unwrap().unwrap();
    let headers = [("set-x", "1"), ("set-x", "\u{e9}")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body: Bytes = (0..=u8::MAX).rev().collect::<Vec<u8>>().into();
    let answer = Response { status: 201, headers: headers.to_vec(), body };
    let entry = |index, effect, answer| JournalEntry {
        index,
        effect,
        fingerprint: [9; 32],
        line: "POST /order".into(),
        answer,
    };
    let journal = vec![
        entry(0, Effect::Read, Some(answer.clone())),
        entry(1, Effect::Once, Some(answer)),
        entry(2, Effect::Once, None),
    ];
    store.enter_requests(&held, journal.clone()).await.unwrap();
    let done = store.enqueue(new("orders/2", None)).await.unwrap().id;
    let ended = store.claim_command(&scope(&served(), Some(done)), LASTING).await.unwrap().unwrap();
    let outcome = AttemptEnd::Done(CommandOutcome::Applied(json!({"shipment": "9"})));
    store.end_attempt(&ended, outcome, StorageWrites::default()).await.unwrap();
    store.enqueue(new("orders/1", None)).await.unwrap();

    let before = everything(&store).await;
    drop(store);
    let store = store::open(directory.path()).unwrap();
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.requests_of(running).await.unwrap(), journal);

    // Who held something holds it still, and numbers go on where they were.
    assert_eq!(store.claim_stream(&orders(), LASTING).await.unwrap(), None);
    assert_eq!(store.claim_command(&scope(&served(), None), LASTING).await.unwrap(), None);
    assert_eq!(store.enqueue(new("orders/9", Some("k"))).await.unwrap().id, running);
    let (_, next) = store.commit_page(&stream, page(&["1", "3"], Some("p3")), LASTING).await.unwrap();
    assert_eq!(next.pages, 2);
    store.enter_requests(&held, vec![entry(3, Effect::Once, None)]).await.unwrap();
    let last = before.events.last().unwrap().position;
    let added = store.events(last, 9, &EventFilter::default()).await.unwrap();
    assert_eq!(added.iter().map(|event| (event.position, event.id.as_str())).collect::<Vec<_>>(), [(last + 1, "3")]);
}

#[tokio::test]
async fn what_was_parked_waits_for_a_person_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::open(directory.path()).unwrap();
    let id = store.enqueue(new("orders/1", None)).await.unwrap().id;
    let held = store.claim_command(&scope(&served(), None), LASTING).await.unwrap().unwrap();
    store
        .end_attempt(&held, AttemptEnd::Park(ParkCause::InDoubt, "look".into()), StorageWrites::default())
        .await
        .unwrap();
    drop(store);
    let store = store::open(directory.path()).unwrap();
    assert_eq!(store.claim_command(&scope(&served(), None), LASTING).await.unwrap(), None);
    store.resolve(id, Resolution::Retry).await.unwrap();
    drop(store);
    let store = store::open(directory.path()).unwrap();
    let again = store.claim_command(&scope(&served(), None), LASTING).await.unwrap().unwrap();
    assert!(again.epoch > held.epoch, "the one who held it before is still told apart");
}

#[tokio::test]
async fn two_programs_on_one_file_never_hold_the_same_thing() {
    let directory = tempfile::tempdir().unwrap();
    let (left, right) = (store::open(directory.path()).unwrap(), store::open(directory.path()).unwrap());
    let held = left.claim_stream(&orders(), LASTING).await.unwrap().unwrap();
    assert_eq!(right.claim_stream(&orders(), LASTING).await.unwrap(), None);
    let stock = right.claim_stream(&StreamKey::new(ACCOUNT, "stock"), LASTING).await.unwrap().unwrap();
    left.enqueue(new("orders/1", None)).await.unwrap();
    let served = served();
    let scope = scope(&served, None);
    let taken = tokio::join!(left.claim_command(&scope, LASTING), right.claim_command(&scope, LASTING));
    assert!(taken.0.unwrap().is_some() ^ taken.1.unwrap().is_some());

    let commits = tokio::join!(
        left.commit_page(&held, page(&["1", "2", "3"], None), LASTING),
        right.commit_page(&stock, page(&["1", "2", "3"], None), LASTING)
    );
    assert_eq!((commits.0.unwrap().0.created, commits.1.unwrap().0.created), (3, 3));
    let events = right.events(0, 99, &EventFilter::default()).await.unwrap();
    assert!(events.iter().map(|event| event.position).eq(1..=7));
    assert_eq!(events, left.events(0, 99, &EventFilter::default()).await.unwrap());
}

#[tokio::test]
async fn a_file_of_the_first_schema_keeps_its_values_and_takes_streams_and_commands() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tradepost.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "CREATE TABLE connector_value (
             account TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER, PRIMARY KEY (account, key)
         ) STRICT, WITHOUT ROWID;
         INSERT INTO connector_value VALUES ('acme/hft71', 'token', x'00ff', NULL);
         INSERT INTO connector_value VALUES ('acme/hft71', 'mark', x'31', 99999999999999);
         INSERT INTO connector_value VALUES ('acme/hft71', 'expired', x'31', 1);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);

    for _opening in 0..2 {
        let store = store::open(directory.path()).unwrap();
        let seen = everything(&store).await;
        assert_eq!((seen.keys, seen.value.as_deref()), (vec!["mark".into(), "token".into()], Some(&b"\0\xff"[..])));
        let held = store.claim_stream(&orders(), Duration::ZERO).await.unwrap().unwrap();
        store.commit_page(&held, page(&["1"], None), Duration::ZERO).await.unwrap();
        store.enqueue(new("orders/1", None)).await.unwrap();
    }
    let store = store::open(directory.path()).unwrap();
    assert_eq!(store.last_position().await.unwrap(), 3, "a record once, a command twice");
    assert!(schema_of(&path) > 1);
}

#[tokio::test]
async fn a_file_of_the_second_schema_takes_no_record_for_gone_before_two_whole_walks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tradepost.db");
    let walk = |store: Arc<dyn Store>, ids: &'static [&'static str], whole| async move {
        let held = store.claim_stream(&orders(), Duration::ZERO).await.unwrap().unwrap();
        let end = PageCommit { end: true, whole, ..page(ids, None) };
        store.commit_page(&held, end, Duration::ZERO).await.unwrap().0.deleted
    };
    let store: Arc<dyn Store> = Arc::new(store::open(directory.path()).unwrap());
    walk(Arc::clone(&store), &["1"], false).await;
    walk(Arc::clone(&store), &[], false).await;
    drop(store);
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(
        "DROP TABLE account_secret; DROP TABLE account; DROP TABLE token; DROP TABLE standing; DROP TABLE identity; DROP TABLE delivery; DROP TABLE reading;
         DROP INDEX stream_due; ALTER TABLE stream DROP COLUMN walk_pages; ALTER TABLE stream DROP COLUMN walk_is_whole;
         ALTER TABLE stream DROP COLUMN whole_walk; ALTER TABLE stream DROP COLUMN whole_at;
         ALTER TABLE command DROP COLUMN cause;
         DROP TABLE versions; DROP TABLE version_note; DROP TABLE shadow_count; DROP TABLE shadow_difference; PRAGMA user_version = 2;",
    )
    .unwrap();
    drop(old);

    let store: Arc<dyn Store> = Arc::new(store::open(directory.path()).unwrap());
    assert_eq!(store.streams().await.unwrap()[0].walks, 2);
    assert_eq!(walk(Arc::clone(&store), &[], true).await, 0);
    assert_eq!(walk(Arc::clone(&store), &[], true).await, 1);
    let events = store.events(0, 9, &EventFilter::default()).await.unwrap();
    assert_eq!(events.iter().map(|event| event.change).collect::<Vec<_>>(), [Change::Created, Change::Deleted]);
}

#[tokio::test]
async fn a_file_of_a_newer_schema_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tradepost.db");
    let store = store::open(directory.path()).unwrap();
    let held = store.claim_stream(&orders(), LASTING).await.unwrap().unwrap();
    store.commit_page(&held, page(&["1"], Some("p2")), LASTING).await.unwrap();
    let before = everything(&store).await;
    drop(store);

    let known = schema_of(&path);
    set_schema(&path, known + 1);
    let Err(error) = store::open(directory.path()) else { panic!("opened a file of a newer program") };
    assert!(
        matches!(&error, OpenError::Newer { path: named, found, known: own } if *named == path && *found == known + 1 && *own == known),
        "{error}"
    );
    assert_eq!(schema_of(&path), known + 1);
    // The program that wrote it finds everything.
    set_schema(&path, known);
    assert_eq!(everything(&store::open(directory.path()).unwrap()).await, before);
}
