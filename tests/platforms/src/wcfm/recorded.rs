//! What the recorded shop held, with the addresses of this server in place of the recorded one's.

use serde_json::Value;

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

fn read(text: &str, site: &str) -> Value {
    serde_json::from_str(&text.replace(RECORDED_SITE, site)).expect("the recordings are JSON")
}

fn read_list(text: &str, site: &str) -> Vec<Value> {
    match read(text, site) {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The vendor's 24 orders as its list shows them, newest first.
pub(super) fn orders(site: &str) -> Vec<Value> {
    read_list(ORDERS, site)
}

/// The vendor's 24 products, drafts and pending ones last.
pub(super) fn products(site: &str) -> Vec<Value> {
    read_list(PRODUCTS, site)
}

/// The other vendor's product.
pub(super) fn other_products(site: &str) -> Vec<Value> {
    read_list(OTHER_PRODUCTS, site)
}

/// The vendor's unread notifications, newest first.
pub(super) fn unread_notifications() -> Vec<Value> {
    read_list(UNREAD, "")
}

/// The vendor's read notifications, newest first.
pub(super) fn read_notifications() -> Vec<Value> {
    read_list(READ, "")
}

/// The shop's categories.
pub(super) fn categories(site: &str) -> Vec<Value> {
    read_list(CATEGORIES, site)
}

/// The vendor's settings.
pub(super) fn settings() -> Value {
    read(SETTINGS, "")
}

/// What the vendor may not do.
pub(super) fn restricted_capabilities() -> Value {
    read(RESTRICTIONS, "")
}

/// The vendor's sales.
pub(super) fn sales_stats() -> Value {
    read(SALES, "")
}

/// All vendors as anyone sees them.
pub(super) fn store_vendors(site: &str) -> Vec<Value> {
    read_list(VENDORS, site)
}
