//! One suite for every implementation of the store: what platforms send, what is to be read anew, and accounts that are held back.

use std::sync::Arc;
use std::time::Duration;

use crate::each_store::on_each;
use serde_json::json;
use tradepost_engine::command::{ClaimScope, NewCommand};
use tradepost_engine::delivery::{DeliveryCommit, DeliveryCounts, NewDelivery};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::standing::AccountState;
use tradepost_engine::store::Store;
use tradepost_engine::stream::{Item, StreamKey};
use tradepost_runtime::contract::{WebhookAnswer, WebhookRequest};
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

const ACCOUNT: &str = "acme/hft71";
const LASTING: Duration = Duration::from_hours(1);

fn request(body: &str) -> WebhookRequest {
    WebhookRequest {
        method: "POST".into(),
        path: "/hook".into(),
        headers: vec![("x-secret".into(), "s".into())],
        body: body.as_bytes().to_vec(),
    }
}

fn answer(status: u16) -> WebhookAnswer {
    WebhookAnswer { status, headers: vec![("x-a".into(), "b".into())], body: b"{}".to_vec() }
}

fn told(status: &str) -> DeliveryCommit {
    let item = Item { id: "7".into(), record: json!({"id": "7", "status": {"raw": status}}).to_string() };
    DeliveryCommit {
        items: vec![("order-statuses".into(), item)],
        readings: vec![("fulfilment".into(), "7".into())],
        due: vec![StreamKey::new(ACCOUNT, "stock")],
        writes: StorageWrites {
            writes: vec![StorageWrite { key: "seen".into(), value: Some(status.into()), time_to_live: None }],
            ..StorageWrites::default()
        },
        answer: answer(200),
    }
}

async fn events(store: &Arc<dyn Store>, kind: &str) -> Vec<Event> {
    let filter = EventFilter { account: None, kind: Some(kind.into()) };
    store.events(0, usize::MAX, &filter).await.unwrap()
}

#[tokio::test]
async fn a_delivery_is_kept_as_it_came_and_what_it_tells_is_committed_once() {
    on_each(|store| async move {
        let stock = StreamKey::new(ACCOUNT, "stock");
        store.add_streams(vec![stock.clone()]).await.unwrap();
        let held = store.claim_stream(&stock, LASTING).await.unwrap().unwrap();
        store.release_stream(&held, LASTING, None).await.unwrap();

        let kept = store.keep_delivery(NewDelivery::new(ACCOUNT, request("closed"))).await.unwrap();
        assert_eq!(kept.request, Some(request("closed")));
        assert_eq!(store.unread_deliveries(9).await.unwrap().len(), 1);
        assert_eq!(store.delivery_counts().await.unwrap().unread, 1);
        let again = store.keep_delivery(NewDelivery::new(ACCOUNT, request("closed"))).await.unwrap();
        assert_eq!((again.id, again.answer.is_none()), (kept.id, true), "it was not read yet");

        assert_eq!(store.commit_delivery(kept.id, told("Closed")).await.unwrap().unwrap().0, answer(200));
        let late = DeliveryCommit { answer: answer(500), ..told("Another") };
        let stands = store.commit_delivery(kept.id, late).await.unwrap().unwrap().0;
        assert_eq!(stands, answer(200), "the first reading stands");
        assert_eq!(events(&store, "order-statuses").await.len(), 1);
        assert_eq!(store.get(ACCOUNT, "seen").await.unwrap().as_deref(), Some(&b"Closed"[..]));
        assert_eq!(store.due_readings(9, 0).await.unwrap()[0].id, "7");
        assert_eq!(store.due_streams(9, 0).await.unwrap(), [stock]);

        let third = store.keep_delivery(NewDelivery::new(ACCOUNT, request("closed"))).await.unwrap();
        assert_eq!((third.id, third.answer), (kept.id, Some(answer(200))));
        assert!(third.request.is_none(), "what was read is not kept");
        let other = store.keep_delivery(NewDelivery::new("acme/other", request("closed"))).await.unwrap();
        assert_ne!(other.id, kept.id, "the same bytes for another account are another delivery");
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_not_genuine_leaves_nothing_and_one_that_fails_stays_until_it_is_answered() {
    on_each(|store| async move {
        let forged = store.keep_delivery(NewDelivery::new(ACCOUNT, request("forged"))).await.unwrap();
        store.refuse_delivery(forged.id).await.unwrap();
        assert_eq!(store.delivery_counts().await.unwrap(), DeliveryCounts::default());
        assert_eq!(store.commit_delivery(forged.id, told("Closed")).await.unwrap(), None, "it is not there to be read");
        assert!(events(&store, "order-statuses").await.is_empty());

        let poison = store.keep_delivery(NewDelivery::new(ACCOUNT, request("poison"))).await.unwrap();
        store.fail_delivery(poison.id, "trapped".into(), None).await.unwrap();
        assert_eq!(store.unread_deliveries(9).await.unwrap()[0].attempts, 1);
        store.fail_delivery(poison.id, "trapped".into(), Some(answer(500))).await.unwrap();
        assert!(store.unread_deliveries(9).await.unwrap().is_empty());
        assert_eq!(store.delivery_counts().await.unwrap().failed, 1);
        store.refuse_delivery(poison.id).await.unwrap();
        assert_eq!(store.delivery_counts().await.unwrap().failed, 1, "what was answered stays");
    })
    .await;
}

#[tokio::test]
async fn a_reading_that_is_asked_for_while_it_is_under_way_is_done_again() {
    on_each(|store| async move {
        let item =
            |word: &str| Item { id: "7".into(), record: json!({"id": "7", "status": {"raw": word}}).to_string() };
        let none = StorageWrites::default;
        store.ask_reading(ACCOUNT, "orders", "7").await.unwrap();
        store.ask_reading(ACCOUNT, "orders", "7").await.unwrap();
        let due = store.due_readings(9, 0).await.unwrap();
        assert_eq!(due.len(), 1);

        store.ask_reading(ACCOUNT, "orders", "7").await.unwrap();
        store.commit_reading(&due[0], Some(item("READY")), None, none()).await.unwrap();
        let due = store.due_readings(9, 0).await.unwrap();
        assert_eq!(due.len(), 1, "it was asked for again");
        let seen = store.commit_reading(&due[0], Some(item("READY")), None, none()).await.unwrap();
        assert_eq!((seen.created, seen.updated, seen.unchanged), (0, 0, 1));
        assert!(store.due_readings(9, 0).await.unwrap().is_empty());
        assert_eq!(events(&store, "orders").await.len(), 1);

        store.ask_reading(ACCOUNT, "orders", "8").await.unwrap();
        let due = store.due_readings(9, 0).await.unwrap();
        store.put_off_reading(&due[0], LASTING).await.unwrap();
        assert!(store.due_readings(9, 0).await.unwrap().is_empty());
        store.ask_reading(ACCOUNT, "orders", "8").await.unwrap();
        let due = store.due_readings(9, 0).await.unwrap();
        assert_eq!(due[0].attempts, 0, "asked for again, it begins anew");
        store.commit_reading(&due[0], None, Some(LASTING), none()).await.unwrap();
        assert!(store.due_readings(9, 0).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn nothing_is_done_for_an_account_that_is_held_back_and_one_event_tells_of_each_change() {
    on_each(|store| async move {
        let orders = StreamKey::new(ACCOUNT, "orders");
        store.add_streams(vec![orders.clone(), StreamKey::new("acme/other", "orders")]).await.unwrap();
        store.ask_reading(ACCOUNT, "orders", "7").await.unwrap();
        let command = NewCommand {
            account: ACCOUNT.into(),
            operation: "shipments.ship".into(),
            arguments: json!({}),
            entity: "orders/7".into(),
            key: None,
        };
        store.enqueue(command).await.unwrap();
        let scope = ClaimScope { accounts: Arc::new(vec![(ACCOUNT.into(), "d".into())]), ..ClaimScope::default() };

        let set = |state, reason: Option<&str>| {
            let (store, reason) = (Arc::clone(&store), reason.map(str::to_owned));
            async move { store.set_standing(ACCOUNT, state, reason, Some("d".into())).await.unwrap() }
        };
        assert!(!set(AccountState::Active, None).await, "it was at work already");
        assert!(set(AccountState::NeedsReauth, Some("401")).await);
        assert!(!set(AccountState::NeedsReauth, Some("401 again")).await);
        assert_eq!(store.due_streams(9, 0).await.unwrap(), [StreamKey::new("acme/other", "orders")]);
        assert!(store.due_readings(9, 0).await.unwrap().is_empty());
        assert_eq!(store.claim_command(&scope, LASTING).await.unwrap(), None);
        let standing = &store.standings(None).await.unwrap()[0];
        assert_eq!(&store.standings(Some(ACCOUNT)).await.unwrap()[0], standing);
        assert!(store.standings(Some("somebody/else")).await.unwrap().is_empty());
        assert_eq!((standing.state, standing.reason.as_deref()), (AccountState::NeedsReauth, Some("401")));

        assert!(set(AccountState::Active, None).await);
        assert_eq!(store.due_streams(9, 0).await.unwrap().len(), 2);
        assert_eq!(store.due_readings(9, 0).await.unwrap().len(), 1);
        let busy = ClaimScope { busy: vec![ACCOUNT.into()], ..scope.clone() };
        assert_eq!(store.claim_command(&busy, LASTING).await.unwrap(), None, "it has its share under way");
        assert!(store.claim_command(&scope, LASTING).await.unwrap().is_some());
        let told = events(&store, "accounts").await;
        assert_eq!(told.iter().map(|event| event.change).collect::<Vec<_>>(), [Change::Created, Change::Updated]);
        assert_eq!(told[0].record.as_ref().unwrap()["state"], "needs-reauth");
    })
    .await;
}

#[tokio::test]
async fn streams_that_are_due_come_longest_due_first_and_in_parts() {
    on_each(|store| async move {
        let key = |name: &str| StreamKey::new(name, "orders");
        store.add_streams(vec![key("a"), key("b"), key("c")]).await.unwrap();
        store.add_streams(vec![key("a")]).await.unwrap();
        // b was walked and is due again, and so behind those that never were.
        let held = store.claim_stream(&key("b"), LASTING).await.unwrap().unwrap();
        assert_eq!(store.due_streams(9, 0).await.unwrap().len(), 2, "what is being walked is not due");
        store.release_stream(&held, Duration::ZERO, None).await.unwrap();
        let due = store.due_streams(9, 0).await.unwrap();
        assert_eq!((due.len(), &due[2]), (3, &key("b")));
        assert_eq!(store.due_streams(2, 0).await.unwrap(), due[..2]);
        assert_eq!(store.due_streams(2, 2).await.unwrap(), due[2..]);
    })
    .await;
}

#[tokio::test]
async fn an_account_is_bound_to_its_seller_until_somebody_has_looked() {
    on_each(|store| async move {
        assert_eq!(store.bind_identity(ACCOUNT, "222").await.unwrap(), "222");
        assert_eq!(store.bind_identity(ACCOUNT, "333").await.unwrap(), "222");
        store.set_standing(ACCOUNT, AccountState::Paused, None, None).await.unwrap();
        store.set_standing(ACCOUNT, AccountState::Active, None, None).await.unwrap();
        assert_eq!(store.bind_identity(ACCOUNT, "333").await.unwrap(), "222");
        store.set_standing(ACCOUNT, AccountState::Foreign, None, None).await.unwrap();
        store.set_standing(ACCOUNT, AccountState::Active, None, None).await.unwrap();
        assert_eq!(store.bind_identity(ACCOUNT, "333").await.unwrap(), "333");
    })
    .await;
}
