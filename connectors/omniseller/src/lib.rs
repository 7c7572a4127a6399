//! Tradepost connector for HTKService4, the PHP interface between a web shop and the OmniSeller cloud.
//!
//! The shop serves this API and the cloud calls it, so the connector plays the cloud: its root URL is the shop's own address.
//! What is documented (seed document `004_a455986015387a37.txt`, protocol notes section 5) is the login, the categories and the
//! heads of orders. Of an order's content, of the product upload and of stock there are only headings. So an order is its head
//! plus the shop's own JSON, from which the settings may name further fields; and what is uploaded needs the function numbers
//! of the shop at hand, and nothing that was sent is called confirmed.

mod account;
mod categories;
mod content;
mod endpoint;
mod heads;
mod manifest;
mod order;
mod orders;
mod products;
mod stock;

/// The connector.
#[derive(Debug)]
pub struct OmniSeller;

#[cfg(feature = "component")]
tradepost_sdk::export!(OmniSeller: orders, categories, product_writes, stock_updates);
