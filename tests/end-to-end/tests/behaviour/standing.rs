//! Accounts that are held back: what leads to it, that nothing is sent for them, and how they come back.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradepost_end_to_end::{account, config, connector, host, keep, run};
use tradepost_engine::command::CommandState;
use tradepost_engine::pull::PullError;
use tradepost_engine::standing::AccountState;
use tradepost_engine::store::{self, Store};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::{CommandError, Engine, EngineOptions, Order};
use tradepost_platforms::{HardToFind, Platform};
use tradepost_runtime::{Account, Limits, MemoryStorage, Runtime};

fn engine(store: &Arc<dyn Store>, account: &Account) -> Engine {
    let options = EngineOptions { tick: Duration::from_millis(20), ..EngineOptions::default() };
    Engine::new(Arc::clone(store), [account.clone()], options)
}

fn new_store() -> Arc<dyn Store> {
    Arc::new(store::in_memory().unwrap())
}

async fn state(store: &Arc<dyn Store>) -> AccountState {
    store.standings(None).await.unwrap().first().map_or(AccountState::Active, |standing| standing.state)
}

#[test]
fn an_account_whose_login_is_refused_is_held_back_with_its_commands_until_it_has_another_credential() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let mut wrong = config(&platform).await;
        wrong.secrets.insert("password".into(), "not the password".into());
        let loaded = connector("hardtofind").await;
        let refused = host().open(&loaded, wrong.clone(), Arc::new(MemoryStorage::new())).unwrap();
        let store = new_store();
        let held = engine(&store, &refused);
        let orders = StreamKey::new(refused.id(), "orders");
        held.pull(&orders, |_| {}).await.unwrap_err();
        assert_eq!(state(&store).await, AccountState::NeedsReauth);

        let acknowledge =
            Order { operation: "order-acceptance.acknowledge".into(), arguments: json!({"id": "123456"}), key: None };
        let command = held.enqueue(refused.id(), acknowledge).await.unwrap();
        let requests = platform.ledger().requests();
        let soon = async { tokio::time::sleep(Duration::from_millis(300)).await };
        held.run(soon, |_| {}).await;
        assert_eq!(platform.ledger().requests(), requests, "nothing is sent for it");
        assert_eq!(store.command(command.id).await.unwrap().unwrap().state, CommandState::Waiting);

        let mut right = config(&platform).await;
        right.id = wrong.id;
        let accepted = host().open(&loaded, right, Arc::new(MemoryStorage::new())).unwrap();
        let back = engine(&store, &accepted);
        assert!(back.resume(accepted.id()).await.unwrap());
        let done = async {
            while store.command(command.id).await.unwrap().unwrap().state != CommandState::Done {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), back.run(done, |_| {})).await.unwrap();
        assert_eq!(platform.ledger().of("order.process").len(), 1);
    });
}

#[test]
fn a_connector_that_breaks_off_again_and_again_is_not_run_any_more() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let limits = Limits { host_calls: 1, ..Limits::default() };
        let runtime = Runtime::builder().limits(limits).build().unwrap();
        let path =
            tokio::task::spawn_blocking(|| tradepost_components::build("hardtofind", |_| {})).await.unwrap().unwrap();
        let loaded = runtime.load(std::fs::read(path).unwrap()).await.unwrap();
        let broken = runtime.open(&loaded, config(&platform).await, Arc::new(MemoryStorage::new())).unwrap();
        let store = new_store();
        let engine = engine(&store, &broken);
        let orders = StreamKey::new(broken.id(), "orders");
        for _ in 0..5 {
            assert_eq!(state(&store).await, AccountState::Active);
            engine.pull(&orders, |_| {}).await.unwrap_err();
        }
        assert_eq!(state(&store).await, AccountState::Quarantined);
        assert!(store.due_streams(9, 0).await.unwrap().is_empty());
    });
}

#[test]
fn a_command_for_what_does_not_exist_or_with_foreign_arguments_is_refused_before_it_is_recorded() {
    run(async {
        let platform = HardToFind::builder().orders(3).start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        let engine = engine(&store, &account);
        let order = |id: serde_json::Value| Order {
            operation: "order-acceptance.acknowledge".into(),
            arguments: json!({ "id": id }),
            key: None,
        };
        let refused = engine.enqueue(account.id(), order(json!("999"))).await.unwrap_err();
        assert!(matches!(refused, CommandError::NoSuchRecord { .. }), "{refused}");
        let refused = engine.enqueue(account.id(), order(json!(999))).await.unwrap_err();
        assert!(matches!(refused, CommandError::Arguments(_)), "{refused}");
        assert_eq!(store.last_position().await.unwrap(), 0);

        // Where the platform cannot be asked, the command is recorded: it finds out.
        platform.set_fault(Some("503".parse().unwrap()));
        engine.enqueue(account.id(), order(json!("123456"))).await.unwrap();
        platform.set_fault(None);
        assert_eq!(store.last_position().await.unwrap(), 1);
        keep(account.check().await).await.unwrap();
    });
}

#[test]
fn an_account_whose_credential_belongs_to_another_seller_is_held_back_before_anything_is_read_or_written() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let (account, store) = (account(&platform).await, new_store());
        store.bind_identity(account.id(), "somebody-else").await.unwrap();
        let orders = StreamKey::new(account.id(), "orders");
        let foreign = engine(&store, &account).pull(&orders, |_| {}).await.unwrap_err();
        assert!(matches!(foreign, PullError::Foreign(_)), "{foreign}");
        assert_eq!(state(&store).await, AccountState::Foreign);
        assert!(store.streams().await.unwrap().is_empty(), "the stream was not touched");

        let engine = engine(&store, &account);
        store.set_standing(account.id(), AccountState::Active, None, None).await.unwrap();
        engine.pull(&orders, |_| {}).await.unwrap();
        assert_eq!(state(&store).await, AccountState::Active, "it is bound anew");
    });
}
