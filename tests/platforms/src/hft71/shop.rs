//! What is behind HFT71's routes: what it holds, and the changes a test can make to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Opening;
use super::delivery::{Delivery, SentSecret};
use super::orders::{Order, Orders};
use super::routes;
use super::stock::Stock;
use super::webhook::Webhook;
use crate::clock::Clock;
use crate::exchange::{Answer, Request};
use crate::ledger::Ledger;
use crate::live_tokens::LiveTokens;
use crate::pace::Pace;
use crate::site::Marketplace;

/// What it holds.
pub(super) struct Stores {
    pub(super) orders: Orders,
    pub(super) stock: Stock,
    pub(super) tokens: LiveTokens<()>,
    pub(super) pace: Option<Pace>,
}

/// The producer.
pub(super) struct Shop {
    pub(super) opening: Opening,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    webhook: Webhook,
    stores: Mutex<Stores>,
}

impl Shop {
    /// Opens it.
    pub(super) fn open(ledger: Ledger, webhook: Webhook, opening: Opening) -> Self {
        let stores = Stores {
            orders: Orders::default(),
            stock: Stock::open(&opening),
            tokens: LiveTokens::new(opening.token_life),
            pace: opening.requests_per_second.map(Pace::new),
        };
        Self { opening, ledger, clock: Clock::new(), webhook, stores: Mutex::new(stores) }
    }

    /// What it holds, to look at and to change.
    pub(super) fn stores(&self) -> MutexGuard<'_, Stores> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the webhook an order's word if it is another than before.
    pub(super) fn announce(&self, id: u64, before: Option<&str>, order: &Order) {
        if let Some(word) = order.word().filter(|word| Some(*word) != before) {
            self.webhook.announce(&id.to_string(), word, SentSecret::Right);
        }
    }
}

impl Marketplace for Shop {
    fn answer(&self, request: &Request) -> Answer {
        routes::answer(self, request)
    }

    fn held(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("stock".to_owned(), self.stores().stock.len())])
    }

    /// Nothing is kept as text.
    fn prepare(&self) {}
}

/// The inside of an [`Hft71`](super::Hft71). Changes made here are the producer's own and are not in the ledger; those of an order's
/// status are told by webhook. Copies share the same inside.
#[derive(Clone)]
pub struct Hft71Shop(Arc<Shop>);

impl Hft71Shop {
    pub(super) fn of(shop: Arc<Shop>) -> Self {
        Self(shop)
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Order) -> bool) -> bool {
        let mut stores = self.0.stores();
        let Some(order) = stores.orders.get_mut(id) else {
            return false;
        };
        let before = order.word().map(str::to_owned);
        let changed = change(order);
        if changed {
            self.0.clock.tick();
            self.0.announce(id, before.as_deref(), order);
        }
        changed
    }

    /// The order with this id, in the shape of `GET /order/{id}`, whether that route is there or not.
    pub fn order(&self, id: u64) -> Option<Value> {
        self.0.stores().orders.get(id).map(Order::json)
    }

    /// The ids of all orders, in the order in which they were handed over.
    pub fn order_ids(&self) -> Vec<u64> {
        self.0.stores().orders.ids()
    }

    /// The ids of the orders with this `referenceId`: more than one when it was handed over more than once.
    pub fn order_ids_by_reference(&self, reference: &str) -> Vec<u64> {
        self.0.stores().orders.ids_by_reference(reference)
    }

    /// The last order that was handed over with this `referenceId`, in the shape of `GET /order/{id}`.
    pub fn order_by_reference(&self, reference: &str) -> Option<Value> {
        let stores = self.0.stores();
        let id = stores.orders.ids_by_reference(reference).pop()?;
        stores.orders.get(id).map(Order::json)
    }

    /// The status of each line, as `GET /order/{id}/status` shows it.
    pub fn statuses(&self, id: u64) -> Option<Value> {
        self.0.stores().orders.get(id).map(Order::statuses)
    }

    /// Moves an order to its next stage: `In Production`, then `Item Finished` for the buyer, then `Closed`, with which it is sent.
    /// Tells whether there is such an order and a next stage.
    pub fn advance(&self, id: u64) -> bool {
        self.change(id, Order::advance)
    }

    /// Sends an order: `Closed`, with a carrier, a tracking number and one for the way back. Tells whether there is one.
    pub fn send_order(&self, id: u64, carrier: &str, tracking: &str, return_tracking: &str) -> bool {
        self.change(id, |order| {
            order.send([carrier, tracking, return_tracking].map(str::to_owned));
            true
        })
    }

    /// Gives all lines of an order a status, known or not. Tells whether there is one.
    pub fn set_status(&self, id: u64, word: &str) -> bool {
        self.change(id, |order| {
            order.set_status(word);
            true
        })
    }

    /// Gives one line of an order, counted from 0, a status. Tells whether there is one.
    pub fn set_line_status(&self, id: u64, line: usize, word: &str) -> bool {
        self.change(id, |order| order.set_line_status(line, word))
    }

    /// Gives all lines of an order a status in the words for the buyer, which no webhook tells. Tells whether there is one.
    pub fn set_customer_status(&self, id: u64, word: &str) -> bool {
        self.change(id, |order| {
            order.set_customer_status(word);
            true
        })
    }

    /// The stock of an article as the API shows it.
    pub fn stock(&self, sku: &str) -> Option<Value> {
        self.0.stores().stock.level(sku)
    }

    /// Sets the stock of an article, to anything that JSON has. A new article comes last.
    pub fn set_stock(&self, sku: &str, stock: impl Into<Value>) {
        self.0.clock.tick();
        self.0.stores().stock.set(sku, stock.into());
    }

    /// Puts a row of the stock in exactly as given, before all others, so that these move on by one.
    pub fn insert_stock_json(&self, row: Value) {
        self.0.clock.tick();
        self.0.stores().stock.insert_first(row);
    }

    /// Takes an article out of the stock, so that those after it move up by one. Tells whether there was one.
    pub fn remove_article(&self, sku: &str) -> bool {
        self.0.stores().stock.remove(sku)
    }

    /// Makes every token issued so far invalid, as if its time were over.
    pub fn expire_tokens(&self) {
        self.0.stores().tokens.expire_all();
    }

    /// Tells changes of status to this address from now on, `http://` only, with this secret.
    pub fn send_webhooks_to(&self, url: impl Into<String>, secret: impl Into<String>) {
        self.0.webhook.set_secret(secret.into());
        self.0.webhook.set_url(Some(url.into()));
    }

    /// Tells nobody from now on.
    pub fn send_no_webhooks(&self) {
        self.0.webhook.set_url(None);
    }

    /// The agreed secret.
    pub fn webhook_secret(&self) -> String {
        self.0.webhook.secret()
    }

    /// Tells a word about an order by webhook although nothing changed, the order known or not, with a secret of one's choice. Tells
    /// whether there is an address to send to.
    pub fn announce(&self, external_id: &str, status: &str, secret: SentSecret) -> bool {
        self.0.webhook.announce(external_id, status, secret)
    }

    /// Makes the delivery with this number, counted from 1, once more. Tells whether there was one and there is an address.
    pub fn redeliver(&self, number: usize) -> bool {
        self.redeliver_with(number, SentSecret::Right)
    }

    /// The same with a secret of one's choice.
    pub fn redeliver_with(&self, number: usize, secret: SentSecret) -> bool {
        self.0.webhook.repeat(number, secret)
    }

    /// The deliveries made so far, the failed ones among them.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.0.webhook.deliveries()
    }

    /// Waits until everything that was to be told before this call was delivered, and answers all deliveries.
    pub async fn settled_deliveries(&self) -> Vec<Delivery> {
        self.0.webhook.settled().await
    }

    /// Delivers nothing more.
    pub(super) fn stop_webhooks(&self) {
        self.0.webhook.stop();
    }
}
