//! The shop behind hardtofind's routes: what it holds, and the changes a test can make to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Opening;
use super::catalogue::Catalogue;
use super::gift_cards::GiftCards;
use super::orders::Orders;
use super::routes;
use super::tokens::Tokens;
use crate::clock::Clock;
use crate::exchange::{Answer, Request};
use crate::ledger::Ledger;
use crate::pace::Pace;
use crate::site::Marketplace;

/// The carriers, the documentation's sample first.
pub(super) const CARRIERS: [&str; 3] = ["Royal Mail", "Australia Post", "Sendle"];

/// What the shop holds.
pub(super) struct Stores {
    pub(super) orders: Orders,
    pub(super) catalogue: Catalogue,
    pub(super) gift_cards: GiftCards,
    pub(super) tokens: Tokens,
    pub(super) pace: Option<Pace>,
}

/// The shop.
pub(super) struct Shop {
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    /// Whether the account may sell gift cards.
    pub(super) gift_cards: bool,
    stores: Mutex<Stores>,
}

impl Shop {
    /// Opens the shop for an address.
    pub(super) fn open(root_url: &str, ledger: Ledger, opening: &Opening) -> Self {
        Self {
            ledger,
            clock: Clock::new(),
            gift_cards: opening.gift_cards,
            stores: Mutex::new(Stores {
                orders: Orders::open(root_url, opening.orders, opening.page_size),
                catalogue: Catalogue::open(opening.variants),
                gift_cards: GiftCards::default(),
                tokens: Tokens::new(opening.token_life),
                pace: opening.requests_per_second.map(Pace::new),
            }),
        }
    }

    /// What it holds, to look at and to change.
    pub(super) fn stores(&self) -> MutexGuard<'_, Stores> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marketplace for Shop {
    fn answer(&self, request: &Request) -> Answer {
        routes::answer(self, request)
    }

    fn held(&self) -> BTreeMap<String, u64> {
        let stores = self.stores();
        BTreeMap::from([
            ("orders".to_owned(), stores.orders.len()),
            ("stock".to_owned(), stores.catalogue.len()),
            ("carriers".to_owned(), CARRIERS.len() as u64),
        ])
    }

    fn prepare(&self) {
        let mut stores = self.stores();
        for id in stores.orders.ids() {
            stores.orders.text(&id);
        }
    }
}

/// The inside of a [`HardToFind`](super::HardToFind). Changes made here are the marketplace's own and are not in the ledger. Copies
/// share the same shop.
#[derive(Clone)]
pub struct HardToFindShop(Arc<Shop>);

impl HardToFindShop {
    pub(super) fn of(shop: Arc<Shop>) -> Self {
        Self(shop)
    }

    /// The order with this id, as the API would send it.
    pub fn order(&self, id: &str) -> Option<Value> {
        self.0.stores().orders.json(id)
    }

    /// The ids of all orders, most recently updated first.
    pub fn order_ids(&self) -> Vec<String> {
        self.0.stores().orders.ids()
    }

    /// Puts a new order in: a copy of the documentation's sample with this id and status, created and updated now. An order that has
    /// the id is replaced.
    pub fn insert_order(&self, id: &str, status: &str) {
        let now = self.0.clock.tick();
        self.0.stores().orders.insert_copy(id, status, now);
    }

    /// Puts an order in exactly as given. It needs an `id`, a `status` and `dates.updated_at` with an offset such as `+1000`; without
    /// one of them nothing happens and the answer is no.
    pub fn insert_order_json(&self, order: Value) -> bool {
        self.0.stores().orders.insert(order)
    }

    /// Updates an order without changing more of it than its date, so that it becomes the first of its list. Tells whether there is
    /// one.
    pub fn touch_order(&self, id: &str) -> bool {
        let now = self.0.clock.tick();
        self.0.stores().orders.change(id, now, |_| {})
    }

    /// Gives an order another status and updates it. Tells whether there is one.
    pub fn set_order_status(&self, id: &str, status: &str) -> bool {
        let now = self.0.clock.tick();
        self.0.stores().orders.change(id, now, |order| order["status"] = status.into())
    }

    /// Takes an order out. Tells whether there was one.
    pub fn remove_order(&self, id: &str) -> bool {
        self.0.stores().orders.remove(id)
    }

    /// The inventory of an SKU, if one variant and no more carries it.
    pub fn inventory(&self, sku: &str) -> Option<i64> {
        self.0.stores().catalogue.inventory(sku)
    }

    /// A gift card as `GET /gift_card/{code}` shows it.
    pub fn gift_card(&self, code: &str) -> Option<Value> {
        self.0.stores().gift_cards.json(code, true)
    }

    /// The codes of the gift cards that a transaction issued.
    pub fn gift_cards_by_transaction(&self, transaction: &str) -> Vec<String> {
        self.0.stores().gift_cards.codes_by_transaction(transaction)
    }

    /// Makes every token issued so far invalid, as if its time were over.
    pub fn expire_tokens(&self) {
        self.0.stores().tokens.expire_all();
    }
}
