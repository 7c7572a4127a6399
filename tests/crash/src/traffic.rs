//! What comes in while the daemon lives and dies: orders that change, and commands.

use std::collections::BTreeSet;

use anyhow::Result;
use fastrand::Rng;
use serde_json::{Value, json};
use tradepost_engine::command::{Command, CommandQuery, CommandState, NewCommand};
use tradepost_engine::store::Store;
use tradepost_platforms::{HardToFindShop, Hft71Shop};

use crate::desk::Desk;
use crate::points::Traffic;

/// The accounts of a run: a marketplace and a producer.
pub(crate) const SELLER: &str = "crash/hardtofind";
pub(crate) const PRODUCER: &str = "crash/hft71";

/// Orders that the marketplace gets while a run lasts have ids from here.
const FIRST_ORDER: u64 = 900_000;
/// Commands that a flood leaves open. The marketplace takes five requests a second and a command makes a few: more would take minutes to
/// be done, however fast the daemon is, and a slow machine would let more of them come in.
const MOST_OPEN: usize = 60;
/// Orders that the producer has before it tells what becomes of them.
const ORDERS_TOLD_OF: usize = 2;

/// Everything that happens outside the daemon.
pub(crate) struct Work {
    seller: HardToFindShop,
    producer: Hft71Shop,
    random: Rng,
    /// Orders that came in, orders that were handed over, and changes of those.
    sold: u64,
    submitted: u64,
    updated: u64,
    /// Words about orders that the producer sent.
    told: u64,
}

impl Work {
    pub(crate) fn new(seller: HardToFindShop, producer: Hft71Shop, random: Rng) -> Self {
        Self { seller, producer, random, sold: 0, submitted: 0, updated: 0, told: 0 }
    }

    /// Lets something happen.
    pub(crate) async fn happen(&mut self, traffic: Traffic, desk: &Desk) -> Result<()> {
        match traffic {
            Traffic::Walks => self.change_orders(),
            Traffic::Webhooks => {
                let orders = self.producer.order_ids();
                let store = desk.store()?;
                if !open(&commands(&store).await?).is_empty() {
                } else if orders.len() < ORDERS_TOLD_OF {
                    self.submit(&*store).await?;
                } else {
                    self.told += 1;
                    let order = orders[self.random.usize(0..orders.len())];
                    self.producer.set_status(order, &format!("Told {}", self.told));
                }
            }
            Traffic::OneByOne | Traffic::Sales | Traffic::Updates => {
                if self.random.u8(0..4) == 0 {
                    self.change_orders();
                }
                let store = desk.store()?;
                let all = commands(&store).await?;
                if all.iter().all(|command| is_settled(command) || is_held_back(command, &all)) {
                    self.next_command(traffic, &*store).await?;
                }
            }
            Traffic::Flood => {
                self.change_orders();
                let store = desk.store()?;
                if open(&commands(&store).await?).len() >= MOST_OPEN {
                    return Ok(());
                }
                match self.random.u8(0..4) {
                    0 => self.sell(&*store).await?,
                    1 => self.submit(&*store).await?,
                    2 => self.update(&*store).await?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Lets something happen at a rate that the marketplace's pace of five requests a second keeps up with, if called a few times a second.
    pub(crate) async fn happen_slowly(&mut self, store: &dyn Store) -> Result<()> {
        match self.random.u8(0..48) {
            0..6 => self.change_orders(),
            6 => self.sell(store).await?,
            7..9 => self.submit(store).await?,
            9..13 => self.update(store).await?,
            _ => {}
        }
        Ok(())
    }

    /// What is left to do when nothing dies any more: something of everything.
    pub(crate) async fn finish(&mut self, desk: &Desk) -> Result<()> {
        let store = desk.store()?;
        self.sell(&*store).await?;
        self.submit(&*store).await?;
        self.update(&*store).await?;
        self.submit(&*store).await?;
        for _ in 0..4 {
            self.change_orders();
        }
        Ok(())
    }

    async fn next_command(&mut self, traffic: Traffic, store: &dyn Store) -> Result<()> {
        match (traffic, self.random.u8(0..4)) {
            (Traffic::Sales, _) => self.sell(store).await,
            (Traffic::Updates, _) if self.submitted > 0 => self.update(store).await,
            (Traffic::Updates, _) | (_, 0 | 1) => self.submit(store).await,
            (_, 2) if self.submitted > 0 => self.update(store).await,
            _ => self.sell(store).await,
        }
    }

    fn change_orders(&mut self) {
        let orders = self.seller.order_ids();
        match self.random.u8(0..4) {
            0 => {
                self.sold += 1;
                self.seller.insert_order(&(FIRST_ORDER + self.sold).to_string(), "READY");
            }
            1 | 2 if !orders.is_empty() => {
                let order = &orders[self.random.usize(0..orders.len())];
                self.seller.touch_order(order);
            }
            _ => {
                // Only orders that no command is about: a status that the seller gives would make a command a refused one.
                let old: Vec<&String> = orders.iter().filter(|id| id.len() != 6 || !id.starts_with('9')).collect();
                if let Some(order) = self.random.choice(&old) {
                    let status = ["RETURNED", "REFUNDED", "CANCELLED"][self.random.usize(0..3)];
                    self.seller.set_order_status(order, status);
                }
            }
        }
    }

    /// An order comes in, is taken up and shipped: two commands to the same order.
    async fn sell(&mut self, store: &dyn Store) -> Result<()> {
        self.sold += 1;
        let id = (FIRST_ORDER + self.sold).to_string();
        self.seller.insert_order(&id, "READY");
        store.enqueue(acknowledge(&id)).await?;
        store.enqueue(ship(&id)).await?;
        Ok(())
    }

    /// An order is handed to the producer.
    pub(crate) async fn submit(&mut self, store: &dyn Store) -> Result<()> {
        self.submitted += 1;
        store.enqueue(submit(self.submitted)).await?;
        Ok(())
    }

    /// An order that was handed over gets another status.
    async fn update(&mut self, store: &dyn Store) -> Result<()> {
        let orders = self.producer.order_ids();
        let Some(order) = self.random.choice(&orders) else { return self.submit(store).await };
        self.updated += 1;
        store.enqueue(update(*order, self.updated)).await?;
        Ok(())
    }
}

/// All commands, newest first.
pub(crate) async fn commands(store: &std::sync::Arc<dyn Store>) -> Result<Vec<Command>> {
    Ok(store.commands(&CommandQuery { limit: usize::MAX, ..CommandQuery::default() }).await?)
}

/// Whether a command needs nobody any more.
pub(crate) fn is_settled(command: &Command) -> bool {
    matches!(command.state, CommandState::Done | CommandState::Parked)
}

/// Whether a command waits for a parked one before it.
pub(crate) fn is_held_back(command: &Command, all: &[Command]) -> bool {
    command.state == CommandState::Waiting
        && all.iter().any(|other| {
            other.id < command.id
                && (&other.account, &other.entity) == (&command.account, &command.entity)
                && other.state == CommandState::Parked
        })
}

/// The commands that wait or run.
pub(crate) fn open(all: &[Command]) -> BTreeSet<u64> {
    let open = all.iter().filter(|command| !is_settled(command) && !is_held_back(command, all));
    open.map(|command| command.id).collect()
}

fn command(account: &str, operation: &str, entity: String, key: String, arguments: Value) -> NewCommand {
    NewCommand { account: account.to_owned(), operation: operation.to_owned(), arguments, entity, key: Some(key) }
}

pub(crate) fn acknowledge(order: &str) -> NewCommand {
    let (entity, key) = (format!("orders/{order}"), format!("acknowledge-{order}"));
    command(SELLER, "order-acceptance.acknowledge", entity, key, json!({"id": order}))
}

pub(crate) fn ship(order: &str) -> NewCommand {
    let shipment = json!({"id": null, "carrier": "Australia Post", "tracking_number": format!("T{order}"),
        "tracking_url": null, "shipped_at": null, "lines": []});
    let arguments = json!({"order_id": order, "shipment": shipment});
    command(SELLER, "shipments.ship", format!("orders/{order}"), format!("ship-{order}"), arguments)
}

pub(crate) fn submit(number: u64) -> NewCommand {
    let reference = format!("R{number}");
    let address = json!({"first_name": "John", "last_name": "Doe", "company": "", "lines": ["Main Street 10"],
        "city": "Wroclaw", "postcode": "50-001", "region_code": "DS", "region_name": null, "country_code": "PL",
        "country_name": null, "phone": null, "email": null});
    let items = json!([{"sku": "GL64000-00007-0046", "quantity": "2"}]);
    let order =
        json!({"reference": reference, "placed_at": "2026-03-02T12:00:00Z", "address": address, "items": items});
    let (entity, key) = (format!("fulfilment/reference/{reference}"), format!("submit-{reference}"));
    command(PRODUCER, "fulfilment.submit", entity, key, json!({"order": order}))
}

/// The word that change number so-and-so gives an order.
pub(crate) fn word(number: u64) -> String {
    format!("Word {number}")
}

pub(crate) fn update(order: u64, number: u64) -> NewCommand {
    let arguments = json!({"id": order.to_string(), "change": {"status": word(number)}});
    let key = format!("update-{order}-{}", word(number));
    command(PRODUCER, "fulfilment-updates.update", format!("fulfilment/{order}"), key, arguments)
}
