//! Tradepost connector for WCFM Marketplace, the multi-vendor plugin for WooCommerce.
//!
//! It speaks the REST API `wcfmmp/v1` with a seller's login, to the servers in use: 1.5.3 and 1.6.x, and as far as they go
//! their forerunners. The two generations differ in what they answer, and both contradict their documentation, so the code
//! follows recordings of real servers (`tests/fixtures/wcfm-1.5.3`) and names the one it rests on.
//!
//! Each operation of the contract is a function in a module of its own, so that a connector for one marketplace that runs
//! WCFM can reuse them all: with `default-features = false` this crate exports no component, and
//! [`manifest::Marketplace`] holds what differs.

pub mod account;
pub mod answer;
pub mod categories;
pub mod clock;
pub mod identity;
pub mod list_page;
pub mod manifest;
pub mod notifications;
pub mod order_json;
pub mod order_mapping;
pub mod order_status;
pub mod orders;
mod own_products;
pub mod product_creation;
mod product_fields;
pub mod product_json;
pub mod product_mapping;
pub mod product_update;
pub mod products;
mod record_id;
pub mod refusal;
pub mod seller_restrictions;
pub mod seller_settings;
pub mod shipments;
pub mod status;
pub mod stock_updates;
pub mod text;

use tradepost_sdk::prelude::*;

/// The connector.
pub struct Wcfm;

impl Connector for Wcfm {
    fn describe() -> Manifest {
        manifest::manifest(&manifest::WCFM)
    }

    fn check() -> Result<AccountIdentity, Error> {
        identity::check()
    }
}

impl Orders for Wcfm {
    fn list(query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
        orders::list(&query, cursor.as_deref())
    }

    fn get(id: String) -> Result<Order, Error> {
        orders::get(&id)
    }
}

impl OrderStatus for Wcfm {
    fn set(id: String, target: Target) -> Result<Status, Error> {
        order_status::set(&id, &target)
    }
}

impl Shipments for Wcfm {
    fn ship(order_id: String, shipment: Shipment) -> Result<Status, Error> {
        shipments::ship(&order_id, &shipment)
    }
}

impl Products for Wcfm {
    fn list(query: ListQuery, cursor: Option<String>) -> Result<ProductPage, Error> {
        products::list(&query, cursor.as_deref())
    }

    fn get(id: String) -> Result<Product, Error> {
        products::get(&id)
    }
}

impl ProductWrites for Wcfm {
    fn create(fields: ProductFields) -> Result<Product, Error> {
        product_creation::create(&fields)
    }

    fn update(id: String, fields: ProductFields) -> Result<Product, Error> {
        product_update::update(&id, &fields)
    }

    fn delete(id: String) -> Result<(), Error> {
        product_update::delete(&id)
    }
}

impl Categories for Wcfm {
    fn list(_cursor: Option<String>) -> Result<CategoryPage, Error> {
        categories::list()
    }
}

impl Stock for Wcfm {
    fn list(cursor: Option<String>) -> Result<StockPage, Error> {
        products::stock(cursor.as_deref())
    }
}

impl StockUpdates for Wcfm {
    fn set(changes: Vec<StockChange>) -> Result<Vec<StockResult>, Error> {
        stock_updates::set(&changes)
    }
}

impl SellerSettings for Wcfm {
    fn get(selector: Selector) -> Result<SellerProfile, Error> {
        seller_settings::get(&selector)
    }
}

impl SellerRestrictions for Wcfm {
    fn list() -> Result<Vec<Restriction>, Error> {
        seller_restrictions::list()
    }
}

impl Notifications for Wcfm {
    fn list(query: NotificationQuery, cursor: Option<String>) -> Result<NotificationPage, Error> {
        notifications::list(&query, cursor.as_deref())
    }
}

#[cfg(feature = "component")]
tradepost_sdk::export!(
    Wcfm: orders, order_status, shipments, products, product_writes, categories, stock, stock_updates, seller_settings,
    seller_restrictions, notifications
);
