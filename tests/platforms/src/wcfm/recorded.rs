//! What the recorded shop held, with the addresses of this server in place of the recorded one's.

use serde_json::Value;

use super::edition::Edition;

/// The recorded site as it stands in the recordings.
const RECORDED_SITE: &str = r"http:\/\/127.0.0.1:8099";

const ORDERS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/vendor-orders.json");
const PRODUCTS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/vendor-products.json");
const OTHER_PRODUCTS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/other-vendors-products.json");
const UNREAD: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/unread-notifications.json");
const READ: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/read-notifications.json");
const CATEGORIES: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/categories.json");
const SETTINGS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/settings.json");
const RESTRICTIONS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/restricted-capabilities.json");
const SALES: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/sales-stats.json");
const VENDORS: &str = include_str!("../../../fixtures/wcfm-1.5.3/shop/store-vendors.json");

/// The recordings as one shop serves them.
pub(super) struct Recordings {
    site: String,
    edition: Edition,
}

impl Recordings {
    /// The recordings with another site in place of the recorded one, in the currency of an edition.
    pub(super) fn new(site: &str, edition: Edition) -> Self {
        Self { site: site.to_owned(), edition }
    }

    fn read(&self, text: &str) -> Value {
        let text = self.edition.localised(text.replace(RECORDED_SITE, &self.site));
        serde_json::from_str(&text).expect("the recordings are JSON")
    }

    fn read_list(&self, text: &str) -> Vec<Value> {
        match self.read(text) {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    /// The vendor's 24 orders as its list shows them, newest first.
    pub(super) fn orders(&self) -> Vec<Value> {
        self.read_list(ORDERS)
    }

    /// The vendor's 24 products, drafts and pending ones last.
    pub(super) fn products(&self) -> Vec<Value> {
        self.read_list(PRODUCTS)
    }

    /// The other vendor's product.
    pub(super) fn other_products(&self) -> Vec<Value> {
        self.read_list(OTHER_PRODUCTS)
    }

    /// The vendor's unread notifications, newest first.
    pub(super) fn unread_notifications(&self) -> Vec<Value> {
        self.read_list(UNREAD)
    }

    /// The vendor's read notifications, newest first.
    pub(super) fn read_notifications(&self) -> Vec<Value> {
        self.read_list(READ)
    }

    /// The shop's categories.
    pub(super) fn categories(&self) -> Vec<Value> {
        self.read_list(CATEGORIES)
    }

    /// The vendor's settings.
    pub(super) fn settings(&self) -> Value {
        self.read(SETTINGS)
    }

    /// What the vendor may not do.
    pub(super) fn restricted_capabilities(&self) -> Value {
        self.read(RESTRICTIONS)
    }

    /// The vendor's sales.
    pub(super) fn sales_stats(&self) -> Value {
        self.read(SALES)
    }

    /// All vendors as anyone sees them.
    pub(super) fn store_vendors(&self) -> Vec<Value> {
        self.read_list(VENDORS)
    }
}
