//! What a producer sends by itself: kept, read and told of once, however often it is sent and wherever the engine dies.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tradepost_end_to_end::dying_store::{Death, DyingStore};
use tradepost_end_to_end::{account, run};
use tradepost_engine::delivery::{DeliveryCounts, NewDelivery};
use tradepost_engine::event::{Event, EventFilter};
use tradepost_engine::receive::{ORDER_STATUSES, ReceiveError};
use tradepost_engine::store::{self, Store};
use tradepost_engine::{Engine, EngineOptions, Order};
use tradepost_platforms::Hft71;
use tradepost_runtime::Account;
use tradepost_runtime::contract::WebhookRequest;

fn engine(store: &Arc<dyn Store>, account: &Account) -> Engine {
    let options =
        EngineOptions { tick: Duration::from_millis(20), every: Duration::from_millis(50), ..EngineOptions::default() };
    Engine::new(Arc::clone(store), [account.clone()], options)
}

fn new_store() -> Arc<dyn Store> {
    Arc::new(store::in_memory().unwrap())
}

fn delivery(secret: &str, id: &str, status: &str) -> WebhookRequest {
    WebhookRequest {
        method: "POST".into(),
        path: "/order-status".into(),
        headers: vec![("x-hft71-webhook-secret".into(), secret.into())],
        body: json!({"external_id": id, "status": status}).to_string().into_bytes(),
    }
}

async fn told(store: &Arc<dyn Store>, kind: &str) -> Vec<Event> {
    let filter = EventFilter { account: None, kind: Some(kind.into()) };
    store.events(0, usize::MAX, &filter).await.unwrap()
}

#[test]
fn a_hundred_deliveries_of_the_same_at_once_tell_once_and_all_are_answered() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let engine = engine(&store, &account);
        let secret = platform.shop().webhook_secret();
        let all = (0..100).map(|_| engine.receive(account.id(), delivery(&secret, "7", "Closed")));
        for answer in join_all(all).await {
            assert_eq!(answer.unwrap().status, 200);
        }
        let events = told(&store, ORDER_STATUSES).await;
        assert_eq!((events.len(), events[0].id.as_str()), (1, "7"));
        assert_eq!(events[0].record.as_ref().unwrap()["status"]["raw"], "Closed");

        engine.receive(account.id(), delivery(&secret, "7", "Production")).await.unwrap();
        engine.receive(account.id(), delivery(&secret, "7", "Closed")).await.unwrap();
        assert_eq!(told(&store, ORDER_STATUSES).await.len(), 2, "what comes late again is no news");
    });
}

#[test]
fn what_is_forged_too_large_or_not_ours_leaves_nothing_behind() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let engine = engine(&store, &account);
        let secret = platform.shop().webhook_secret();
        let status = |result: Result<_, ReceiveError>| result.map(|_| ()).unwrap_err().status();
        assert_eq!(status(engine.receive(account.id(), delivery("wrong", "7", "Closed")).await), 401);
        assert_eq!(status(engine.receive("nobody/here", delivery(&secret, "7", "Closed")).await), 404);
        let large = WebhookRequest { body: vec![b' '; (1 << 20) + 1], ..delivery(&secret, "7", "Closed") };
        assert_eq!(status(engine.receive(account.id(), large).await), 413);
        assert_eq!(store.delivery_counts().await.unwrap(), DeliveryCounts::default());
        assert_eq!(store.last_position().await.unwrap(), 0);

        let odd = WebhookRequest { body: b"<html>".to_vec(), ..delivery(&secret, "7", "Closed") };
        assert_eq!(status(engine.receive(account.id(), odd).await), 422);
        let counts = store.delivery_counts().await.unwrap();
        assert_eq!((counts.failed, counts.unread), (1, 0));
    });
}

/// Somebody who knows the bytes of a delivery, and not the secret, sends them first and at the same time.
#[test]
fn a_genuine_delivery_is_taken_whatever_becomes_of_forged_ones_with_the_same_bytes() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let engine = engine(&store, &account);
        let secret = platform.shop().webhook_secret();
        let forged = delivery("wrong", "6", "Closed");
        store.keep_delivery(NewDelivery::new(account.id(), forged.clone())).await.unwrap();
        let answer = engine.receive(account.id(), delivery(&secret, "6", "Closed")).await.unwrap();
        assert_eq!((answer.status, told(&store, ORDER_STATUSES).await.len()), (200, 1), "kept with the forged headers");

        for round in 0..20 {
            let (id, mut all) = (format!("7{round}"), Vec::new());
            for place in 0..8 {
                all.push(delivery(if place == round % 8 { &secret } else { "wrong" }, &id, "Closed"));
            }
            let answers = join_all(all.into_iter().map(|request| engine.receive(account.id(), request))).await;
            let genuine = &answers[round % 8];
            assert_eq!(genuine.as_ref().map(|answer| answer.status).unwrap(), 200, "round {round}");
            assert_eq!(told(&store, ORDER_STATUSES).await.len(), round + 2, "round {round}");
        }
        assert_eq!(store.delivery_counts().await.unwrap().unread, 0);
    });
}

#[test]
fn a_delivery_at_any_step_of_which_the_engine_dies_is_told_of_once() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let secret = platform.shop().webhook_secret();
        let whole = {
            let store = new_store();
            let counted = Arc::new(DyingStore::new(Arc::clone(&store), None));
            let dying: Arc<dyn Store> = counted.clone();
            engine(&dying, &account).receive(account.id(), delivery(&secret, "7", "Closed")).await.unwrap();
            counted.calls()
        };
        assert!(whole >= 2, "{whole} calls");
        for death in (0..whole).flat_map(|call| [Death::Before(call), Death::After(call)]) {
            let store = new_store();
            let dying: Arc<dyn Store> = Arc::new(DyingStore::new(Arc::clone(&store), Some(death)));
            let died = engine(&dying, &account).receive(account.id(), delivery(&secret, "7", "Closed")).await;
            assert!(died.is_err(), "{death:?}: answered before it was safe");
            let again = engine(&store, &account).receive(account.id(), delivery(&secret, "7", "Closed")).await;
            assert_eq!(again.unwrap().status, 200);
            assert_eq!(told(&store, ORDER_STATUSES).await.len(), 1, "{death:?}");
        }
    });
}

#[test]
fn a_delivery_that_was_kept_and_left_behind_is_read_by_the_next_daemon() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let dying: Arc<dyn Store> = Arc::new(DyingStore::new(Arc::clone(&store), Some(Death::After(0))));
        let request = delivery(&platform.shop().webhook_secret(), "7", "Closed");
        assert!(engine(&dying, &account).receive(account.id(), request).await.is_err());
        assert_eq!(store.delivery_counts().await.unwrap().unread, 1);

        let engine = engine(&store, &account);
        let is_told = async {
            while told(&store, ORDER_STATUSES).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), engine.run(is_told, |_| {})).await.unwrap();
        assert_eq!(told(&store, ORDER_STATUSES).await.len(), 1);
    });
}

#[test]
fn an_order_that_was_handed_over_is_followed_to_its_end() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let engine = engine(&store, &account);
        let address = json!({"first_name": "John", "last_name": "Doe", "company": "", "lines": ["Main Street 10"],
            "city": "Wroclaw", "postcode": "50-001", "region_code": "DS", "region_name": null, "country_code": "PL",
            "country_name": null, "phone": null, "email": null});
        let order = json!({"reference": "R1", "placed_at": "2026-03-02T12:00:00Z", "address": address,
            "items": [{"sku": "GL64000-00007-0046", "quantity": "2"}]});
        let operation = "fulfilment.submit".to_owned();
        engine.enqueue(account.id(), Order { operation, arguments: json!({"order": order}), key: None }).await.unwrap();
        let followed = async {
            loop {
                for id in platform.shop().order_ids() {
                    platform.shop().advance(id);
                }
                let last = told(&store, "fulfilment").await.pop().and_then(|event| event.record);
                if last.is_some_and(|record| record["status"]["order"] == "closed") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), engine.run(followed, |_| {})).await.unwrap();
        assert!(store.due_readings(9, 0).await.unwrap().is_empty(), "nobody asks for what is closed");
    });
}
