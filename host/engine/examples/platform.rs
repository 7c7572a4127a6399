//! A platform that embeds the engine: it learns of a marketplace's orders from the event feed, takes each up and ships it, and shows how
//! everything stands in the end.
//!
//! ```sh
//! cargo run -p tradepost-engine --example platform
//! ```
//!
//! The marketplace is a loopback one, so nothing leaves this machine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tradepost_engine::command::{Command, CommandOutcome};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::record::RecordQuery;
use tradepost_engine::store::{self, Store};
use tradepost_engine::{Engine, EngineOptions, Order};
use tradepost_platforms::{HardToFind, Platform};
use tradepost_runtime::{Account, AccountConfig, Grants, Runtime};

/// How many orders the marketplace holds; those that are ready are shipped.
const ORDERS: u64 = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let marketplace = HardToFind::builder().orders(ORDERS).start().await?;

    // What a platform has: a store, accounts, and an engine for them.
    let store: Arc<dyn Store> = Arc::new(store::open(directory.path())?);
    let account = open_account(&marketplace, Arc::clone(&store)).await?;
    let options = EngineOptions { tick: Duration::from_millis(100), ..EngineOptions::default() };
    let engine = Engine::new(store, [account.clone()], options);

    // The engine works in a task of its own until it is told to stop.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run(async { stopped.await.unwrap_or_default() }, |_| {}).await }
    });

    // The platform reads the feed on from where it was, which it keeps where it keeps everything else, and does what its business asks for.
    let kept = directory.path().join("position");
    let from = std::fs::read_to_string(&kept).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let filter = EventFilter { account: Some(account.id().to_owned()), kind: Some("orders".to_owned()) };
    let mut feed = std::pin::pin!(engine.events(from, filter));
    let mut known = 0;
    while known < ORDERS {
        let event = feed.next().await.context("the feed does not end")??;
        let record = event.record.unwrap_or_default();
        println!("{:>3} {:?} order {} is {}", event.position, event.change, event.id, record["status"]["raw"]);
        if event.change == Change::Created {
            known += 1;
            if record["status"]["raw"] == "READY" {
                take_up_and_ship(&engine, account.id(), &event.id).await?;
            }
        }
        // Kept after what it led to: what is told again after a crash meets the same keys.
        std::fs::write(&kept, event.position.to_string())?;
    }

    let query = RecordQuery { account: Some(account.id().to_owned()), limit: 3, ..RecordQuery::default() };
    for stored in engine.store().records(&query).await? {
        println!("{} {} has version {}", stored.kind, stored.id, stored.version);
    }
    let _stopped = stop.send(());
    working.await?;
    println!("the marketplace's ledger: {:?}", marketplace.ledger().effects());
    marketplace.stop().await;
    Ok(())
}

/// Hands two commands in, each under the platform's own key, and waits for what comes of them.
async fn take_up_and_ship(engine: &Engine, account: &str, order: &str) -> Result<()> {
    let shipment = json!({"id": null, "carrier": "Australia Post", "tracking_number": format!("T-{order}"), "tracking_url": null,
        "shipped_at": null, "lines": []});
    let steps = [
        ("order-acceptance.acknowledge", json!({ "id": order }), format!("take-up-{order}")),
        ("shipments.ship", json!({ "order_id": order, "shipment": shipment }), format!("ship-{order}")),
    ];
    for (operation, arguments, key) in steps {
        let order = Order { operation: operation.to_owned(), arguments, key: Some(key) };
        let command = engine.enqueue(account, order).await?;
        println!("    {operation}: {}", outcome(&engine.settled(command.id).await?));
    }
    Ok(())
}

/// Execution and business outcome are two things: a refusal is done, a parked command waits for a person.
fn outcome(command: &Command) -> String {
    match &command.outcome {
        Some(CommandOutcome::Applied(result)) => format!("applied, the order is {}", result["raw"]),
        Some(CommandOutcome::Refused(error)) => format!("refused: {}", error["message"]),
        Some(other) => format!("{other:?}"),
        None => format!("parked: {}", command.reason.as_deref().unwrap_or_default()),
    }
}

async fn open_account(marketplace: &HardToFind, store: Arc<dyn Store>) -> Result<Account> {
    let component =
        tokio::task::spawn_blocking(|| tradepost_components::build("hardtofind", |line| eprintln!("{line}"))).await??;
    let runtime = Runtime::new()?;
    let connector = runtime.load(std::fs::read(component)?).await?;
    let credentials = marketplace.credentials();
    let settings = json!({ "root-url": marketplace.root_url(), "username": credentials.username });
    let config = AccountConfig {
        id: "acme/hardtofind".to_owned(),
        settings: serde_json::from_value::<serde_json::Map<String, Value>>(settings)?,
        secrets: [("password".to_owned(), credentials.password.into())].into(),
        auth: None,
        // The marketplace is on this machine: that has to be granted by name.
        grants: Grants { private_hosts: vec![marketplace.root_url().parse()?], ..Grants::default() },
    };
    Ok(runtime.open(&connector, config, store)?)
}
