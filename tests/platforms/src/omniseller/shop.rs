//! The shop behind the OmniSeller interface: what it holds, and the changes a test can make to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Opening;
use super::categories::Categories;
use super::generate::AmountStyle;
use super::orders::Orders;
use super::products::Products;
use super::routes;
use crate::clock::Clock;
use crate::exchange::{Answer, Request};
use crate::ledger::Ledger;
use crate::live_tokens::LiveTokens;
use crate::site::Marketplace;

/// What the shop holds.
pub(super) struct Stores {
    pub(super) categories: Categories,
    pub(super) orders: Orders,
    pub(super) products: Products,
    pub(super) tokens: LiveTokens<()>,
}

/// The shop.
pub(super) struct Shop {
    pub(super) opening: Opening,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    stores: Mutex<Stores>,
}

impl Shop {
    /// Opens the shop.
    pub(super) fn open(ledger: Ledger, opening: Opening) -> Self {
        let style = AmountStyle { decimal_point: opening.decimal_point };
        let stores = Stores {
            categories: Categories::open(opening.categories),
            orders: Orders::open(opening.orders, style),
            products: Products::open(opening.products),
            tokens: LiveTokens::new(opening.token_life),
        };
        Self { opening, ledger, clock: Clock::new(), stores: Mutex::new(stores) }
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
        BTreeMap::from([("categories".to_owned(), stores.categories.len()), ("orders".to_owned(), stores.orders.len())])
    }

    /// Nothing is kept as text.
    fn prepare(&self) {}

    fn php_notice(&self) -> &'static str {
        "<br />\n<b>Notice</b>:  Undefined index: OXBILLSAL in <b>/srv/www/omniseller/HTKService4.php</b> on line <b>412</b><br />\n"
    }
}

/// The inside of an [`OmniSeller`](super::OmniSeller). Changes made here are the shop's own and are not in the ledger. Copies share the
/// same shop.
#[derive(Clone)]
pub struct OmniSellerShop(Arc<Shop>);

impl OmniSellerShop {
    pub(super) fn of(shop: Arc<Shop>) -> Self {
        Self(shop)
    }

    /// The order with this id, as function 11 shows it.
    pub fn order(&self, id: &str) -> Option<Value> {
        self.0.stores().orders.json(id).cloned()
    }

    /// The ids of all orders, in the order in which they came.
    pub fn order_ids(&self) -> Vec<String> {
        self.0.stores().orders.ids()
    }

    /// Puts a new order in with this status, placed now. Answers its id.
    pub fn insert_order(&self, status: i64) -> String {
        let now = self.0.clock.tick();
        self.0.stores().orders.insert_new(status, now)
    }

    /// Puts an order in exactly as given, in place of the one with its `ID`. Without a text as `ID` nothing happens and the answer is
    /// no.
    pub fn insert_order_json(&self, order: Value) -> bool {
        self.0.stores().orders.insert(order)
    }

    /// Gives an order another status. Tells whether there is one.
    pub fn set_order_status(&self, id: &str, status: i64) -> bool {
        self.0.clock.tick();
        self.0.stores().orders.set_status(id, status)
    }

    /// Takes an order out. Tells whether there was one.
    pub fn remove_order(&self, id: &str) -> bool {
        self.0.stores().orders.remove(id)
    }

    /// All categories, as function 5 shows them.
    pub fn categories(&self) -> Value {
        self.0.stores().categories.json()
    }

    /// Puts a category in last, exactly as given.
    pub fn insert_category_json(&self, row: Value) {
        self.0.stores().categories.insert(row);
    }

    /// Takes a category out. Tells whether there was one.
    pub fn remove_category(&self, id: &str) -> bool {
        self.0.stores().categories.remove(id)
    }

    /// A product by its article number, with everything that was ever uploaded of it.
    pub fn product(&self, sku: &str) -> Option<Value> {
        self.0.stores().products.get(sku).cloned()
    }

    /// The stock of a product as it was sent last.
    pub fn stock(&self, sku: &str) -> Option<Value> {
        self.0.stores().products.get(sku).map(|product| product["Bestand"].clone())
    }

    /// Makes every token issued so far invalid, as if its time were over.
    pub fn expire_tokens(&self) {
        self.0.stores().tokens.expire_all();
    }
}
