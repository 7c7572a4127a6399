//! Accounts in every store: kept, listed and removed as a whole, their secrets and tokens sealed, and all under one key.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::each_store::on_each;
use serde_json::json;
use tradepost_engine::account::StoredAccount;
use tradepost_engine::command::NewCommand;
use tradepost_engine::event::EventFilter;
use tradepost_engine::store::{self, Store, StoreError};
use tradepost_engine::stream::{Item, PageCommit, StreamKey};
use tradepost_engine::vault::{MasterKey, Place, Reseal, Sealed, Vault};
use tradepost_runtime::Grants;

const SHOP: &str = "acme/shop";

fn vault(byte: u8) -> Vault {
    Vault::new(MasterKey::parse(&format!("{byte:02x}").repeat(32)).unwrap())
}

fn sealed(vault: &Vault, place: &Place) -> Sealed {
    vault.seal(place, b"hunter2hunter2").unwrap()
}

fn secrets(vault: &Vault, id: &str, names: &[&str]) -> BTreeMap<String, Sealed> {
    names.iter().map(|name| ((*name).to_owned(), sealed(vault, &Place::secret(id, *name)))).collect()
}

fn account(id: &str, names: &[&str]) -> StoredAccount {
    StoredAccount {
        id: id.to_owned(),
        connector: "/connectors/hardtofind.wasm".into(),
        auth: Some("login".into()),
        settings: serde_json::from_value(json!({"root-url": "https://api.example.com", "depth": 3})).unwrap(),
        grants: Grants {
            hosts: vec!["https://api.example.com".parse().unwrap()],
            private_hosts: vec!["http://127.0.0.1:9000".parse().unwrap()],
        },
        secrets: secrets(&vault(1), id, names),
    }
}

#[tokio::test]
async fn an_account_is_kept_as_a_whole_and_never_over_another() {
    on_each(|store| async move {
        let (shop, other) = (account(SHOP, &["password", "api-key"]), account("acme/a", &[]));
        store.keep_account(shop.clone()).await.unwrap();
        store.keep_account(other.clone()).await.unwrap();
        assert_eq!(store.accounts().await.unwrap(), [other, shop.clone()]);
        assert_eq!(store.account(SHOP).await.unwrap(), Some(shop.clone()));
        assert_eq!(store.account("acme/b").await.unwrap(), None);
        let second = StoredAccount { connector: "other.wasm".into(), ..account(SHOP, &["pin"]) };
        assert_eq!(store.keep_account(second).await.unwrap_err(), StoreError::AccountExists(SHOP.into()));
        assert_eq!(store.account(SHOP).await.unwrap(), Some(shop));
    })
    .await;
}

#[tokio::test]
async fn removing_an_account_takes_its_secrets_and_token_and_leaves_history() {
    on_each(|store| async move {
        for id in [SHOP, "acme/stays"] {
            store.keep_account(account(id, &["password"])).await.unwrap();
            store.keep_token(id, sealed(&vault(1), &Place::token(id))).await.unwrap();
        }
        let key = StreamKey::new(SHOP, "orders");
        let claim = store.claim_stream(&key, Duration::from_hours(1)).await.unwrap().unwrap();
        let items = vec![Item { id: "1".into(), record: json!({"id": "1"}).to_string() }];
        let page = PageCommit { items, end: true, ..PageCommit::default() };
        store.commit_page(&claim, page, Duration::from_hours(1)).await.unwrap();
        let command = NewCommand {
            account: SHOP.into(),
            operation: "shipments.ship".into(),
            arguments: json!({}),
            entity: "orders/1".into(),
            key: None,
        };
        let command = store.enqueue(command).await.unwrap();
        let events = store.events(0, usize::MAX, &EventFilter::default()).await.unwrap();

        assert!(store.remove_account(SHOP).await.unwrap());
        assert!(!store.remove_account(SHOP).await.unwrap());
        assert_eq!(store.account(SHOP).await.unwrap(), None);
        assert_eq!(store.token(SHOP).await.unwrap(), None);
        let kept: Vec<Place> =
            store.sealed_values(usize::MAX).await.unwrap().into_iter().map(|(place, _)| place).collect();
        assert_eq!(kept, [Place::secret("acme/stays", "password"), Place::token("acme/stays")]);
        assert_eq!(store.events(0, usize::MAX, &EventFilter::default()).await.unwrap(), events);
        assert_eq!(store.command(command.id).await.unwrap(), Some(command));
        assert_eq!(store.streams().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn secrets_are_set_and_removed_one_by_one() {
    on_each(|store| async move {
        store.keep_account(account(SHOP, &["password", "api-key"])).await.unwrap();
        let before = store.account(SHOP).await.unwrap().unwrap().secrets;
        let new = secrets(&vault(1), SHOP, &["password", "pin"]);
        store.set_secrets(SHOP, new.clone()).await.unwrap();
        let after = store.account(SHOP).await.unwrap().unwrap().secrets;
        let expected: BTreeMap<String, Sealed> = before.clone().into_iter().chain(new.clone()).collect();
        assert_eq!(after, expected);
        assert_ne!(after["password"], before["password"]);

        assert!(store.remove_secret(SHOP, "pin").await.unwrap());
        assert!(!store.remove_secret(SHOP, "pin").await.unwrap());
        let names: Vec<String> = store.account(SHOP).await.unwrap().unwrap().secrets.into_keys().collect();
        assert_eq!(names, ["api-key", "password"]);
        let refused = store.set_secrets("acme/b", new).await.unwrap_err();
        assert_eq!(refused, StoreError::NoAccount("acme/b".into()));
        assert_eq!(store.sealed_values(usize::MAX).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_kept_for_any_account_and_replaced_by_the_next() {
    on_each(|store| async move {
        let place = Place::token("table/shop");
        let (first, second) = (sealed(&vault(1), &place), sealed(&vault(1), &place));
        assert_eq!(store.token("table/shop").await.unwrap(), None);
        store.keep_token("table/shop", first).await.unwrap();
        store.keep_token("table/shop", second.clone()).await.unwrap();
        assert_eq!(store.token("table/shop").await.unwrap(), Some(second.clone()));
        assert_eq!(store.sealed_values(9).await.unwrap(), [(place, second)]);
        assert!(store.remove_token("table/shop").await.unwrap());
        assert!(!store.remove_token("table/shop").await.unwrap());
        assert_eq!(store.token("table/shop").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_kept_under_another_key_than_the_rest() {
    on_each(|store| async move {
        store.keep_token("table/shop", sealed(&vault(1), &Place::token("table/shop"))).await.unwrap();
        store.keep_account(account(SHOP, &["password"])).await.unwrap();
        let before = (store.accounts().await.unwrap(), store.token("table/shop").await.unwrap());
        let late =
            StoredAccount { secrets: secrets(&vault(2), "acme/late", &["password"]), ..account("acme/late", &[]) };
        let other_key = |result: Result<(), StoreError>| {
            let told = result.unwrap_err();
            let StoreError::OtherKey(place) = &told else { panic!("{told}") };
            assert!(told.to_string().starts_with(&place.to_string()), "{told}");
        };
        other_key(store.keep_account(late).await);
        other_key(store.set_secrets(SHOP, secrets(&vault(2), SHOP, &["password"])).await);
        other_key(store.keep_token("table/shop", sealed(&vault(2), &Place::token("table/shop"))).await);
        other_key(store.keep_token("table/shop", Sealed::from_bytes(b"plain".to_vec())).await);
        assert_eq!((store.accounts().await.unwrap(), store.token("table/shop").await.unwrap()), before);
    })
    .await;
}

#[tokio::test]
async fn everything_is_sealed_anew_or_nothing() {
    on_each(|store| async move {
        store.keep_account(account(SHOP, &["password", "api-key"])).await.unwrap();
        store.keep_token(SHOP, sealed(&vault(1), &Place::token(SHOP))).await.unwrap();
        let before = store.sealed_values(usize::MAX).await.unwrap();
        let whole: Vec<Reseal> = before
            .iter()
            .map(|(place, from)| {
                let to = Some(sealed(&vault(2), place));
                Reseal { place: place.clone(), from: from.clone(), to }
            })
            .collect();
        let mut stale = whole.clone();
        stale[1].from = sealed(&vault(1), &stale[1].place);
        let unknown = Reseal { place: Place::token("acme/b"), from: stale[1].from.clone(), to: None };
        for wrong in [stale, whole[1..].to_vec(), [whole.clone(), vec![unknown]].concat(), Vec::new()] {
            assert_eq!(store.reseal(wrong).await.unwrap_err(), StoreError::SealedChanged);
            assert_eq!(store.sealed_values(usize::MAX).await.unwrap(), before);
        }
        let mut wanted = whole;
        let dropped = wanted.iter_mut().find(|row| row.place == Place::secret(SHOP, "api-key")).unwrap();
        dropped.to = None;
        store.reseal(wanted.clone()).await.unwrap();
        let mut after = store.sealed_values(usize::MAX).await.unwrap();
        after.sort_by(|one, other| one.0.cmp(&other.0));
        let mut expected: Vec<(Place, Sealed)> =
            wanted.into_iter().filter_map(|row| Some((row.place, row.to?))).collect();
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(after, expected);
        // From now on the new key is the one that everything is sealed with.
        let old = store.keep_token(SHOP, sealed(&vault(1), &Place::token(SHOP))).await;
        assert!(matches!(old, Err(StoreError::OtherKey(_))));
    })
    .await;
}

/// Whether these bytes stand in any file of the directory.
fn stands_in(directory: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn what_was_removed_or_sealed_anew_is_in_no_corner_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = store::open(directory.path()).unwrap();
    store.keep_account(account(SHOP, &["password", "api-key"])).await.unwrap();
    let old: Vec<(Place, Sealed)> = store.sealed_values(usize::MAX).await.unwrap();
    assert!(old.iter().all(|(_, sealed)| stands_in(directory.path(), sealed.as_bytes())));
    let again = |(place, from): &(Place, Sealed)| {
        let to = Some(sealed(&vault(2), place));
        Reseal { place: place.clone(), from: from.clone(), to }
    };
    store.reseal(old.iter().map(again).collect()).await.unwrap();
    let new = store.sealed_values(usize::MAX).await.unwrap();
    assert!(!old.iter().any(|(_, sealed)| stands_in(directory.path(), sealed.as_bytes())));
    store.remove_secret(SHOP, "api-key").await.unwrap();
    store.remove_account(SHOP).await.unwrap();
    assert!(!new.iter().any(|(_, sealed)| stands_in(directory.path(), sealed.as_bytes())));
}
