//! Tradepost connector for WCFM Marketplace, the multi-vendor plugin for WooCommerce.
//!
//! It speaks the REST API `wcfmmp/v1` with a seller's login, to the servers in use: 1.5.3 and 1.6.x, and as far as they go
//! their forerunners. The two generations differ in what they answer, and both contradict their documentation, so the code
//! follows recordings of real servers (`tests/fixtures/wcfm-1.5.3`) and names the one it rests on.
//!
//! Each interface of the contract is implemented in a module of its own, for every [`Marketplace`](manifest::Marketplace): a
//! connector for one marketplace that runs WCFM says what it is called and lists what it exports. With
//! `default-features = false` this crate exports no component itself.

pub mod account;
pub mod answer;
pub mod categories;
pub mod identity;
pub mod list_page;
pub mod manifest;
pub mod notifications;
pub mod order_json;
pub mod order_mapping;
pub mod order_notes;
pub mod order_status;
pub mod orders;
mod own_products;
pub mod product_creation;
mod product_fields;
pub mod product_json;
pub mod product_mapping;
pub mod product_update;
mod product_writes;
pub mod products;
pub mod refunds;
pub mod refusal;
pub mod sales_figures;
pub mod seller_restrictions;
pub mod seller_settings;
pub mod sellers;
pub mod shipments;
mod site;
pub mod status;
pub mod stock_updates;

use std::marker::PhantomData;

/// The connector for a marketplace that runs WCFM. It implements every interface; a component exports those that the
/// marketplace has.
#[derive(Debug)]
pub struct WcfmConnector<M>(PhantomData<M>);

/// The connector for any such marketplace.
pub type Wcfm = WcfmConnector<manifest::AnyMarketplace>;

#[cfg(feature = "component")]
tradepost_sdk::export!(
    Wcfm: orders, order_notes, order_status, refunds, shipments, products, product_writes, categories, stock,
    stock_updates, seller_settings, seller_restrictions, notifications, sellers, sales_figures
);
