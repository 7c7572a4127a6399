//! The shop behind WCFM's routes: what it holds, and the changes a test can make to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::edition::Edition;
use super::feedback::{Enquiries, Reviews};
use super::notifications::Notifications;
use super::order_notes::Notes;
use super::orders::Orders;
use super::products::Products;
use super::recorded::Recordings;
use super::{Behaviour, Opening, routes};
use crate::clock::Clock;
use crate::exchange::{Answer, Request};
use crate::ledger::Ledger;
use crate::site::Marketplace;

/// What the shop holds.
pub(super) struct Stores {
    pub(super) orders: Orders,
    pub(super) products: Products,
    pub(super) notifications: Notifications,
    pub(super) notes: Notes,
    pub(super) reviews: Reviews,
    pub(super) enquiries: Enquiries,
}

/// The shop.
pub(super) struct Shop {
    /// Where WordPress is, without a slash at the end.
    pub(super) site: String,
    /// The path of `site`.
    pub(super) prefix: String,
    pub(super) edition: Edition,
    pub(super) behaviour: Behaviour,
    pub(super) recordings: Recordings,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    /// The categories, which nothing changes.
    pub(super) categories: Vec<Value>,
    stores: Mutex<Stores>,
}

impl Shop {
    /// Opens the shop for an address.
    pub(super) fn open(site: &str, prefix: &str, ledger: Ledger, opening: &Opening) -> Self {
        let recordings = Recordings::new(site, opening.edition);
        Self {
            site: site.to_owned(),
            prefix: prefix.to_owned(),
            edition: opening.edition,
            behaviour: opening.behaviour,
            ledger,
            clock: Clock::new(),
            categories: recordings.categories(),
            stores: Mutex::new(Stores {
                orders: Orders::open(&recordings, opening.orders),
                products: Products::open(&recordings, opening.products, opening.behaviour.generation),
                notifications: Notifications::open(&recordings, opening.notifications),
                notes: Notes::default(),
                reviews: Reviews::open(opening.reviews),
                enquiries: Enquiries::open(opening.enquiries),
            }),
            recordings,
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
            ("products".to_owned(), stores.products.listable()),
            ("stock".to_owned(), stores.products.sellable()),
            ("categories".to_owned(), self.categories.len() as u64),
            // A connector reads all three as notifications.
            ("notifications".to_owned(), stores.notifications.unread() + stores.reviews.len() + stores.enquiries.len()),
            ("sellers".to_owned(), self.recordings.store_vendors().len() as u64),
        ])
    }

    fn prepare(&self) {
        let mut stores = self.stores();
        let ids: Vec<u64> = stores.orders.ids().collect();
        for id in ids {
            stores.orders.text(id);
        }
        let ids: Vec<u64> = stores.products.newest_first().iter().map(|product| product.id).collect();
        for id in ids {
            stores.products.text(id);
        }
    }
}

/// The inside of a [`Wcfm`](super::Wcfm). Changes made here are the marketplace's own and are not in the ledger. Copies share the
/// same shop.
#[derive(Clone)]
pub struct WcfmShop(Arc<Shop>);

impl WcfmShop {
    pub(super) fn of(shop: Arc<Shop>) -> Self {
        Self(shop)
    }

    /// The order with this id, as the list shows it.
    pub fn order(&self, id: u64) -> Option<Value> {
        self.0.stores().orders.json(id)
    }

    /// The ids of all orders, newest first.
    pub fn order_ids(&self) -> Vec<u64> {
        let stores = self.0.stores();
        stores.orders.ids().filter(|id| stores.orders.contains(*id)).collect()
    }

    /// Puts a new order in, the newest of all: a copy of a recorded one with this status. Answers its id.
    pub fn insert_order(&self, status: &str) -> u64 {
        let now = self.0.clock.tick();
        self.0.stores().orders.insert_copy(status, now)
    }

    /// Puts an order in exactly as given, in the shape of the list. Without a whole number as `id` nothing happens and the answer is
    /// no.
    pub fn insert_order_json(&self, order: Value) -> bool {
        self.0.stores().orders.insert(order)
    }

    /// Updates an order without changing more of it than its date. Tells whether there is one.
    pub fn touch_order(&self, id: u64) -> bool {
        let now = self.0.clock.tick();
        self.0.stores().orders.touch(id, now)
    }

    /// Gives an order another status, as the shop's administrator would, and updates it. Tells whether there is one.
    pub fn set_order_status(&self, id: u64, status: &str) -> bool {
        let now = self.0.clock.tick();
        self.0.stores().orders.set_status(id, status, now)
    }

    /// Gives an amount of an order back, with something of each of these lines, as the shop's administrator would: the whole order if
    /// nothing is left of its total. Tells whether there is one.
    pub fn refund_order(&self, id: u64, amount: f64, lines: &[u64]) -> bool {
        let now = self.0.clock.tick();
        self.0.stores().orders.refund(id, amount, lines, now)
    }

    /// Deletes an order for good while its row in the commission table stays, as it happens on the newer generation: from then on
    /// every page of the list with its place on it is a crash, on any generation that is played. Tells whether there was one.
    pub fn leave_ghost_of_order(&self, id: u64) -> bool {
        self.0.stores().orders.leave_ghost(id)
    }

    /// Takes an order out. Tells whether there was one.
    pub fn remove_order(&self, id: u64) -> bool {
        self.0.stores().orders.remove(id)
    }

    /// The product with this id, as the API shows it.
    pub fn product(&self, id: u64) -> Option<Value> {
        self.0.stores().products.json(id)
    }

    /// The ids of the vendor's products, in whatever state.
    pub fn product_ids(&self) -> Vec<u64> {
        self.0.stores().products.ids_of(super::login::VENDOR.id)
    }

    /// Puts a product in exactly as given, or replaces the one with its id. It needs an `id`, a `post_author` and a `date_created` as
    /// the API has them; without one of them nothing happens and the answer is no.
    pub fn insert_product_json(&self, product: Value) -> bool {
        self.0.stores().products.insert(product)
    }

    /// Puts a new unread notification in, the newest of all. Answers its id.
    pub fn insert_notification(&self, kind: &str, message: &str) -> String {
        let now = self.0.clock.tick();
        self.0.stores().notifications.insert(kind, message, now)
    }

    /// Puts a new review in, the newest of all and approved. Answers its id.
    pub fn insert_review(&self, stars: u64, title: &str, text: &str) -> String {
        let now = self.0.clock.tick();
        self.0.stores().reviews.insert(stars, title, text, now)
    }

    /// Puts a new enquiry in, the newest of all and not replied to. Answers its id.
    pub fn insert_enquiry(&self, text: &str) -> String {
        let now = self.0.clock.tick();
        self.0.stores().enquiries.insert(text, now)
    }

    /// Takes a product out. Tells whether there was one.
    pub fn remove_product(&self, id: u64) -> bool {
        self.0.stores().products.remove(id).is_some()
    }
}
