//! Backups: made while others work, refused where they would replace something, put back with nothing taken for undone that may be done.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradepost_engine::command::{CommandState, NewCommand, ParkCause};
use tradepost_engine::event::EventFilter;
use tradepost_engine::store::{self, BackupError, Store};
use tradepost_engine::stream::{Item, PageCommit, StreamKey};

const LASTING: Duration = Duration::from_hours(1);

fn open(directory: &Path) -> Arc<dyn Store> {
    Arc::new(store::open(directory).unwrap())
}

async fn keep_order(store: &Arc<dyn Store>, id: &str) {
    let held = store.claim_stream(&StreamKey::new("a", "orders"), LASTING).await.unwrap().unwrap();
    let item = Item { id: id.into(), record: json!({ "id": id }).to_string() };
    let page = PageCommit { items: vec![item], cursor: Some("c".into()), ..PageCommit::default() };
    let (_, held) = store.commit_page(&held, page, LASTING).await.unwrap();
    store.release_stream(&held, Duration::ZERO, None).await.unwrap();
}

fn ship() -> NewCommand {
    NewCommand {
        account: "a".into(),
        operation: "shipments.ship".into(),
        arguments: json!({}),
        entity: "orders/1".into(),
        key: None,
    }
}

#[tokio::test]
async fn what_a_backup_holds_comes_back_and_what_may_have_been_done_since_waits_for_a_person() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    let store = open(directory.path());
    keep_order(&store, "1").await;
    let command = store.enqueue(ship()).await.unwrap();
    // While the store is open and at work.
    let facts = store::backup(directory.path(), &copy).unwrap();
    assert_eq!(facts.last_position, 2);
    assert!(matches!(store::backup(directory.path(), &copy), Err(BackupError::Exists(_))));
    keep_order(&store, "2").await;
    keep_order(&store, "3").await;
    assert!(matches!(store::restore(directory.path(), &copy), Err(BackupError::InUse(_))));
    drop(store);

    let restored = loop {
        // The store's thread ends a moment after its last handle.
        match store::restore(directory.path(), &copy) {
            Err(BackupError::InUse(_)) => tokio::task::yield_now().await,
            restored => break restored.unwrap(),
        }
    };
    assert_eq!((restored.position, restored.parked), (5, 1), "no position is given away twice");
    let store = open(directory.path());
    let parked = store.command(command.id).await.unwrap().unwrap();
    assert_eq!((parked.state, parked.cause), (CommandState::Parked, Some(ParkCause::Restored)));
    let events = store.events(0, 99, &EventFilter::default()).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 4, 5]);
    keep_order(&store, "3").await;
    assert_eq!(store.last_position().await.unwrap(), 6);

    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(restored.replaced.unwrap(), elsewhere.path().join("tradepost.db")).unwrap();
    assert_eq!(open(elsewhere.path()).last_position().await.unwrap(), 4, "what was replaced is whole");
}

#[tokio::test]
async fn a_file_that_is_no_backup_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    keep_order(&store, "1").await;
    drop(store);
    let junk = directory.path().join("junk");
    std::fs::write(&junk, "not a database, but long enough to be looked at as one ".repeat(200)).unwrap();
    loop {
        match store::restore(directory.path(), &junk) {
            Err(BackupError::InUse(_)) => tokio::task::yield_now().await,
            Err(BackupError::Open(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(store::restore(directory.path(), &directory.path().join("absent")).is_err());
    assert_eq!(open(directory.path()).last_position().await.unwrap(), 1);
}
