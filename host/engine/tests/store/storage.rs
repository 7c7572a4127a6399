//! One suite for every implementation of `Storage`: what the runtime promises to connectors must hold on all of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tradepost_engine::store::{self, OpenError, SqliteStorage};
use tradepost_runtime::storage::{MemoryStorage, Storage, StorageError, StorageUsage, StorageWrite, StorageWrites};

fn set(key: &str, value: &[u8]) -> StorageWrite {
    StorageWrite { key: key.into(), value: Some(value.to_vec()), time_to_live: None }
}

fn remove(key: &str) -> StorageWrite {
    StorageWrite { key: key.into(), value: None, time_to_live: None }
}

fn writes(writes: impl IntoIterator<Item = StorageWrite>) -> StorageWrites {
    StorageWrites { writes: writes.into_iter().collect(), ..StorageWrites::default() }
}

/// Runs a check on each implementation.
async fn on_each<F, Fut>(check: F)
where
    F: Fn(Arc<dyn Storage>) -> Fut,
    Fut: Future<Output = ()>,
{
    check(Arc::new(MemoryStorage::new())).await;
    let directory = tempfile::tempdir().unwrap();
    check(Arc::new(store::open(directory.path()).unwrap())).await;
}

#[tokio::test]
async fn values_come_back_as_they_went_in_and_accounts_never_meet() {
    on_each(|store| async move {
        let odd = b"'; DROP TABLE connector_value; --\0\xff".as_slice();
        store.commit("a", writes([set("k", odd), set("../b/k", b"1")])).await.unwrap();
        store.commit("ab", writes([set("k", b"2")])).await.unwrap();
        assert_eq!(store.get("a", "k").await.unwrap().as_deref(), Some(odd));
        assert_eq!(store.get("ab", "k").await.unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(store.get("b", "k").await.unwrap(), None);
        assert_eq!(store.list("a", "", None, 10).await.unwrap(), ["../b/k", "k"]);
        assert_eq!(store.usage("a").await.unwrap(), StorageUsage { keys: 2, bytes: (1 + odd.len() + 6 + 1) as u64 });
    })
    .await;
}

#[tokio::test]
async fn keys_are_listed_by_prefix_in_byte_order_and_paged() {
    on_each(|store| async move {
        let keys = ["a%", "a/1", "a/2", "a/é", "a_", "b"];
        store.commit("x", writes(keys.map(|key| set(key, b"")))).await.unwrap();
        assert_eq!(store.list("x", "a/", None, 10).await.unwrap(), ["a/1", "a/2", "a/é"]);
        assert_eq!(store.list("x", "a/", Some("a/1"), 1).await.unwrap(), ["a/2"]);
        assert_eq!(store.list("x", "a%", None, 10).await.unwrap(), ["a%"]);
        assert_eq!(store.list("x", "", Some("a_"), 10).await.unwrap(), ["b"]);
    })
    .await;
}

#[tokio::test]
async fn a_commit_whose_precondition_fails_changes_nothing() {
    on_each(|store| async move {
        store.commit("x", writes([set("k", b"1")])).await.unwrap();
        let late =
            StorageWrites { preconditions: vec![("k".into(), None)], writes: vec![set("k", b"2"), set("other", b"2")] };
        assert_eq!(store.commit("x", late).await, Err(StorageError::Conflict { key: "k".into() }));
        assert_eq!(store.get("x", "k").await.unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(store.get("x", "other").await.unwrap(), None);
        let good = StorageWrites { preconditions: vec![("k".into(), Some(b"1".to_vec()))], writes: vec![remove("k")] };
        store.commit("x", good).await.unwrap();
        assert_eq!(store.usage("x").await.unwrap(), StorageUsage::default());
    })
    .await;
}

#[tokio::test]
async fn expired_values_are_gone_from_every_view() {
    on_each(|store| async move {
        let expired = StorageWrite { time_to_live: Some(Duration::ZERO), ..set("k", b"1") };
        let lasting = StorageWrite { time_to_live: Some(Duration::from_hours(1)), ..set("l", b"1") };
        store.commit("x", writes([expired, lasting])).await.unwrap();
        assert_eq!(store.get("x", "k").await.unwrap(), None);
        assert_eq!(store.list("x", "", None, 10).await.unwrap(), ["l"]);
        assert_eq!(store.usage("x").await.unwrap().keys, 1);
        let unseen = StorageWrites { preconditions: vec![("k".into(), None)], writes: vec![set("k", b"2")] };
        store.commit("x", unseen).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn values_outlive_the_process_that_wrote_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::open(directory.path()).unwrap();
    store.commit("x", writes([set("k", b"1")])).await.unwrap();
    drop(store);
    let store = store::open(directory.path()).unwrap();
    assert_eq!(store.get("x", "k").await.unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tradepost.db");
    let text = "this is not a database, and it is long enough to have a whole header of its own".repeat(20);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(SqliteStorage::open(&path), Err(OpenError::Damaged { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_missing_directory_is_named() {
    let Err(error) = store::open(std::path::Path::new("/nonexistent/tradepost")) else {
        panic!("opened a store in a directory that does not exist");
    };
    assert!(error.to_string().contains("/nonexistent/tradepost"), "{error}");
}

#[test]
fn a_schema_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(store::open(directory.path()).unwrap());
    let path = directory.path().join("tradepost.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(SqliteStorage::open(&path), Err(OpenError::Newer { found: 99, .. })));
}
