//! The engine dies at each of its steps and another one goes on: nothing is lost, nothing is done twice, judged by what the platform holds
//! and by its ledger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tradepost_end_to_end::dying_store::{Death, DyingStore};
use tradepost_end_to_end::{account, keep, run};
use tradepost_engine::command::{Command, CommandOutcome, CommandState, NewCommand, Resolution};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::store::{self, Store};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::{Engine, EngineOptions, Order};
use tradepost_platforms::{HardToFind, Hft71, Platform};
use tradepost_runtime::Account;

fn store_in(directory: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(store::open(directory.path()).unwrap())
}

fn engine(store: Arc<dyn Store>, account: &Account) -> Engine {
    Engine::new(store, [account.clone()], EngineOptions::default())
}

/// An engine after a restart: the leases of the dead are ended.
async fn restarted(store: &Arc<dyn Store>, account: &Account) -> Engine {
    store.end_leases().await.unwrap();
    engine(Arc::clone(store), account)
}

async fn events(store: &Arc<dyn Store>, kind: &str) -> Vec<Event> {
    let filter = EventFilter { account: None, kind: Some(kind.to_owned()) };
    store.events(0, 100_000, &filter).await.unwrap()
}

/// Carries a command out until nobody has to do anything about it any more.
async fn settle(engine: &Engine, id: u64) -> Command {
    for _ in 0..20 {
        let command = engine.carry_out(id).await.unwrap();
        if Engine::is_settled(&command) {
            return command;
        }
        let waited = command.due_at.saturating_sub(command.recorded_at).min(2_000);
        tokio::time::sleep(Duration::from_millis(waited)).await;
    }
    panic!("command {id} does not settle: {:?}", engine.store().command(id).await);
}

#[test]
fn a_second_pull_tells_only_what_changed() {
    run(async {
        let platform = HardToFind::builder().orders(120).start().await.unwrap();
        let account = account(&platform).await;
        let directory = tempfile::tempdir().unwrap();
        let store = store_in(&directory);
        let engine = engine(Arc::clone(&store), &account);
        let orders = StreamKey::new(account.id(), "orders");
        let first = engine.pull(&orders, |_| {}).await.unwrap();
        assert_eq!((first.records.created, first.records.updated), (120, 0));
        assert_eq!(engine.pull(&orders, |_| {}).await.unwrap().records.created, 0);

        platform.shop().touch_order("123456");
        let third = engine.pull(&orders, |_| {}).await.unwrap();
        assert_eq!((third.records.created, third.records.updated), (0, 1));
        let told = events(&store, "orders").await;
        assert_eq!(told.len(), 121);
        assert!(told.iter().zip(1..).all(|(event, position)| event.position == position), "the feed has no gaps");
        let last = told.last().unwrap();
        assert_eq!((last.id.as_str(), last.change, last.version), ("123456", Change::Updated, 2));
    });
}

#[test]
fn what_changes_leave_out_is_found_when_everything_is_read_again() {
    run(async {
        let platform = HardToFind::builder().orders(120).start().await.unwrap();
        let account = account(&platform).await;
        let store: Arc<dyn Store> = Arc::new(store::in_memory().unwrap());
        let orders = StreamKey::new(account.id(), "orders");
        let changes = engine(Arc::clone(&store), &account);
        changes.pull(&orders, |_| {}).await.unwrap();
        platform.shop().remove_order("123456");
        for _ in 0..3 {
            let walk = changes.pull(&orders, |_| {}).await.unwrap();
            assert!(walk.records.deleted == 0 && walk.pages < 2, "a walk of changes: {walk:?}");
        }
        let options = EngineOptions { reconcile_every: Duration::ZERO, ..EngineOptions::default() };
        let everything = Engine::new(Arc::clone(&store), [account.clone()], options);
        for deleted in [0, 1, 0] {
            let walk = everything.pull(&orders, |_| {}).await.unwrap();
            assert_eq!((walk.records.unchanged, walk.records.deleted), (119, deleted), "one walk proves nothing");
        }
        let gone = events(&store, "orders").await.pop().unwrap();
        assert_eq!((gone.id.as_str(), gone.change), ("123456", Change::Deleted));
    });
}

#[test]
fn a_pull_that_dies_at_any_step_loses_nothing_and_tells_nothing_twice() {
    run(async {
        let platform = HardToFind::builder().orders(230).start().await.unwrap();
        let account = account(&platform).await;
        let orders = StreamKey::new(account.id(), "orders");
        let whole = {
            let directory = tempfile::tempdir().unwrap();
            let counted = Arc::new(DyingStore::new(store_in(&directory), None));
            engine(counted.clone(), &account).pull(&orders, |_| {}).await.unwrap();
            counted.calls()
        };
        assert!(whole >= 5, "the walk has several pages: {whole} calls");
        for death in (0..whole).flat_map(|call| [Death::Before(call), Death::After(call)]) {
            let directory = tempfile::tempdir().unwrap();
            let store = store_in(&directory);
            let dying = Arc::new(DyingStore::new(Arc::clone(&store), Some(death)));
            let died = engine(dying, &account).pull(&orders, |_| {}).await;
            assert!(died.is_err(), "{death:?}");
            restarted(&store, &account).await.pull(&orders, |_| {}).await.unwrap();

            let mut told: BTreeMap<String, usize> = BTreeMap::new();
            for event in events(&store, "orders").await {
                assert_eq!(event.change, Change::Created, "{death:?}: {} {}", event.position, event.id);
                *told.entry(event.id).or_default() += 1;
            }
            assert_eq!(told.len() as u64, platform.held()["orders"], "{death:?}: orders lost");
            assert!(told.values().all(|times| *times == 1), "{death:?}: orders told twice");
        }
    });
}

fn ship(tracking: &str) -> Order {
    let shipment = json!({"id": null, "carrier": "Australia Post", "tracking_number": tracking, "tracking_url": null,
        "shipped_at": null, "lines": []});
    Order {
        operation: "shipments.ship".into(),
        arguments: json!({"order_id": "123456", "shipment": shipment}),
        key: Some(format!("ship-{tracking}")),
    }
}

#[test]
fn a_shipment_that_dies_at_any_step_is_made_once() {
    run(async {
        let whole = {
            let (platform, account, directory) = processed().await;
            let counted = Arc::new(DyingStore::new(store_in(&directory), None));
            let engine = engine(counted.clone(), &account);
            let command = engine.enqueue(account.id(), ship("A1")).await.unwrap();
            assert_eq!(settle(&engine, command.id).await.state, CommandState::Done);
            assert_eq!(platform.ledger().of("order.ship").len(), 1);
            counted.calls()
        };
        assert!(whole >= 5, "{whole} calls");
        for death in (0..whole).flat_map(|call| [Death::Before(call), Death::After(call)]) {
            let (platform, account, directory) = processed().await;
            let store = store_in(&directory);
            let dying = engine(Arc::new(DyingStore::new(Arc::clone(&store), Some(death))), &account);
            if let Ok(command) = dying.enqueue(account.id(), ship("A1")).await {
                let _died = dying.carry_out(command.id).await;
            }
            let again = restarted(&store, &account).await;
            // Whoever wanted it and was not told wants it again, by the same key.
            let command = again.enqueue(account.id(), ship("A1")).await.unwrap();
            let mut ended = settle(&again, command.id).await;
            if ended.state == CommandState::Parked {
                // It died when the request was about to be sent: nobody can tell, and the order is shown as not shipped. What the platform
                // shows is evidence for a person and no proof, because it may show it late.
                let requests = store.requests_of(command.id).await.unwrap();
                assert!(requests.iter().any(|request| request.answer.is_none()), "{death:?}: parked without doubt");
                assert_eq!(
                    platform.ledger().of("order.ship").len(),
                    0,
                    "{death:?}: what is shown as shipped is no doubt"
                );
                store.resolve(command.id, Resolution::Retry).await.unwrap();
                ended = settle(&again, command.id).await;
            }
            assert_eq!(ended.state, CommandState::Done, "{death:?}: {:?}", ended.reason);
            let Some(CommandOutcome::Applied(status)) = &ended.outcome else {
                panic!("{death:?}: {:?}", ended.outcome)
            };
            assert_eq!(status["raw"], "SHIPPED");
            assert_eq!(platform.ledger().of("order.ship").len(), 1, "{death:?}");
        }
    });
}

/// A hardtofind whose sample order is taken up.
async fn processed() -> (HardToFind, Account, tempfile::TempDir) {
    let platform = HardToFind::builder().start().await.unwrap();
    let account = account(&platform).await;
    keep(account.acknowledge_order("123456").await).await.unwrap();
    (platform, account, tempfile::tempdir().unwrap())
}

fn submit(reference: &str) -> Order {
    let address = json!({"first_name": "John", "last_name": "Doe", "company": "", "lines": ["Main Street 10"],
        "city": "Wroclaw", "postcode": "50-001", "region_code": "DS", "region_name": null, "country_code": "PL",
        "country_name": null, "phone": null, "email": null});
    let items = json!([{"sku": "GL64000-00007-0046", "quantity": "2"}]);
    let order =
        json!({"reference": reference, "placed_at": "2026-03-02T12:00:00Z", "address": address, "items": items});
    Order { operation: "fulfilment.submit".into(), arguments: json!({"order": order}), key: Some(reference.to_owned()) }
}

#[test]
fn an_order_to_a_producer_is_never_sent_twice_and_never_lost_without_a_word() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let whole = {
            let directory = tempfile::tempdir().unwrap();
            let counted = Arc::new(DyingStore::new(store_in(&directory), None));
            let engine = engine(counted.clone(), &account);
            let command = engine.enqueue(account.id(), submit("first")).await.unwrap();
            assert_eq!(settle(&engine, command.id).await.state, CommandState::Done);
            counted.calls()
        };
        for (number, death) in (0..whole).flat_map(|call| [Death::Before(call), Death::After(call)]).enumerate() {
            let reference = format!("order-{number}");
            let directory = tempfile::tempdir().unwrap();
            let store = store_in(&directory);
            let dying = engine(Arc::new(DyingStore::new(Arc::clone(&store), Some(death))), &account);
            if let Ok(command) = dying.enqueue(account.id(), submit(&reference)).await {
                let _died = dying.carry_out(command.id).await;
            }
            let again = restarted(&store, &account).await;
            let command = again.enqueue(account.id(), submit(&reference)).await.unwrap();
            let ended = settle(&again, command.id).await;
            let sent = platform.shop().order_ids_by_reference(&reference).len();
            match ended.state {
                CommandState::Done => assert_eq!(sent, 1, "{death:?}"),
                // Only where the request was about to be sent, or was sent, and its answer did not reach the journal.
                CommandState::Parked => {
                    assert!(sent <= 1, "{death:?}");
                    let requests = store.requests_of(command.id).await.unwrap();
                    assert!(requests.iter().any(|request| request.answer.is_none()), "{death:?}: parked without doubt");
                    assert!(ended.reason.is_some_and(|reason| reason.contains("POST /order")), "{death:?}");
                }
                other => panic!("{death:?}: {other:?}"),
            }
        }
    });
}

#[test]
fn what_is_parked_waits_for_a_person_and_holds_back_what_comes_after_it() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let directory = tempfile::tempdir().unwrap();
        let store = store_in(&directory);
        let engine = engine(Arc::clone(&store), &account);
        keep(account.check().await).await.unwrap();
        platform.set_fault(Some("reset:path=/order".parse().unwrap()));
        let command = engine.enqueue(account.id(), submit("77")).await.unwrap();
        let parked = settle(&engine, command.id).await;
        assert_eq!(parked.state, CommandState::Parked);
        platform.set_fault(None);

        let second = Order { key: None, ..submit("77") };
        let behind = engine.enqueue(account.id(), second).await.unwrap();
        assert_eq!(engine.carry_out(behind.id).await.unwrap().state, CommandState::Waiting);
        assert_eq!(platform.ledger().of("order.submit").len(), 0);

        store.resolve(command.id, Resolution::Retry).await.unwrap();
        assert_eq!(settle(&engine, command.id).await.state, CommandState::Done);
        assert_eq!(platform.shop().order_ids_by_reference("77").len(), 1);
        store.resolve(behind.id, Resolution::Retry).await.unwrap_err();
        assert_eq!(settle(&engine, behind.id).await.state, CommandState::Done);
    });
}

#[test]
fn a_refusal_is_an_outcome_and_a_passing_failure_is_tried_again() {
    run(async {
        let (platform, account, directory) = processed().await;
        let engine = engine(store_in(&directory), &account);
        // It was there when the command was recorded.
        let unknown = NewCommand {
            account: account.id().to_owned(),
            operation: "order-acceptance.acknowledge".into(),
            arguments: json!({"id": "999"}),
            entity: "orders/999".into(),
            key: None,
        };
        let command = engine.store().enqueue(unknown).await.unwrap();
        let refused = settle(&engine, command.id).await;
        let Some(CommandOutcome::Refused(error)) = refused.outcome else { panic!("{refused:?}") };
        assert_eq!(error["kind"], "not-found");

        let command = engine.enqueue(account.id(), ship("B1")).await.unwrap();
        platform.set_fault(Some("503:next=1".parse().unwrap()));
        let ended = settle(&engine, command.id).await;
        assert_eq!((ended.state, ended.attempts), (CommandState::Done, 2), "{:?}", ended.reason);
        assert_eq!(platform.ledger().of("order.ship").len(), 1);
    });
}

#[test]
fn a_write_that_came_too_fast_is_sent_again_and_one_that_failed_there_is_not() {
    run(async {
        let (platform, account, directory) = processed().await;
        let engine = engine(store_in(&directory), &account);
        platform.set_fault(Some("429=1:path=/transition:next=1".parse().unwrap()));
        let command = engine.enqueue(account.id(), ship("F1")).await.unwrap();
        let ended = settle(&engine, command.id).await;
        assert_eq!((ended.state, ended.attempts), (CommandState::Done, 2), "{:?}", ended.reason);
        assert_eq!(platform.ledger().of("order.ship").len(), 1);

        platform.shop().insert_order("777", "READY");
        platform.set_fault(Some("503:path=/transition:next=1".parse().unwrap()));
        let arguments = json!({"id": "777"});
        let order = Order { operation: "order-acceptance.acknowledge".into(), arguments, key: None };
        let command = engine.enqueue(account.id(), order).await.unwrap();
        let ended = settle(&engine, command.id).await;
        assert_eq!(ended.state, CommandState::Parked, "a failed write may have been carried out: {ended:?}");
        assert!(ended.reason.is_some_and(|reason| reason.contains("transition")));
    });
}

#[test]
fn what_is_no_command_is_refused_before_it_is_recorded() {
    run(async {
        let (_platform, account, directory) = processed().await;
        let store = store_in(&directory);
        let engine = engine(Arc::clone(&store), &account);
        let order = |operation: &str| Order { operation: operation.into(), arguments: json!({}), key: None };
        assert!(engine.enqueue("nobody/here", order("shipments.ship")).await.is_err());
        assert!(engine.enqueue(account.id(), order("orders.list")).await.is_err());
        assert!(engine.enqueue(account.id(), order("product-writes.create")).await.is_err());
        assert!(events(&store, "commands").await.is_empty());
    });
}

/// An engine that runs beside the test.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    fn begin(engine: &Engine) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let engine = engine.clone();
        let task = tokio::spawn(async move { engine.run(async { stopped.await.unwrap_or_default() }, |_| {}).await });
        Self { stop, task }
    }

    /// Follows the feed until then, and stops the engine.
    async fn until_orders_came_and_a_command_was_done(self, engine: &Engine) {
        let mut feed = std::pin::pin!(engine.events(0, EventFilter::default()));
        let (mut has_order, mut is_done) = (false, false);
        while !(has_order && is_done) {
            let event = feed.next().await.unwrap().unwrap();
            has_order |= event.kind == "orders";
            is_done |= event.kind == "commands" && event.record.is_some_and(|record| record["state"] == "done");
        }
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[test]
fn a_running_engine_keeps_streams_and_carries_commands_out_until_it_is_told_to_stop() {
    run(async {
        let (platform, account, directory) = processed().await;
        let store = store_in(&directory);
        let options = EngineOptions { tick: Duration::from_millis(20), ..EngineOptions::default() };
        let engine = Engine::new(Arc::clone(&store), [account.clone()], options);
        let command = engine.enqueue(account.id(), ship("C1")).await.unwrap();
        let running = Running::begin(&engine);
        running.until_orders_came_and_a_command_was_done(&engine).await;
        assert_eq!(store.command(command.id).await.unwrap().unwrap().state, CommandState::Done);
        assert_eq!(platform.ledger().of("order.ship").len(), 1);
    });
}

#[test]
fn an_account_that_is_added_to_a_running_engine_is_worked_on() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let store = store_in(&directory);
        let options = EngineOptions { tick: Duration::from_millis(20), ..EngineOptions::default() };
        let engine = Engine::new(Arc::clone(&store), [], options);
        let running = Running::begin(&engine);
        let (platform, account, _) = processed().await;
        assert!(engine.add(account.clone()).await.unwrap());
        assert!(!engine.add(account.clone()).await.unwrap(), "it is there already");
        let command = engine.enqueue(account.id(), ship("C1")).await.unwrap();
        running.until_orders_came_and_a_command_was_done(&engine).await;
        assert_eq!(store.command(command.id).await.unwrap().unwrap().state, CommandState::Done);
        assert_eq!(platform.ledger().of("order.ship").len(), 1);
    });
}
