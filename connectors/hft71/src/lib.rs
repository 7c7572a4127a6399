//! Tradepost connector for the HFT71 production API: hand orders over, follow them, read stock, receive webhooks.
//!
//! The platform's rules come from the API examples of its WooCommerce plugin (seed document `000_920806443f91ce92.txt`,
//! protocol notes section 2). What they leave open is read cautiously: an order whose submission was not plainly answered
//! is in doubt and never sent twice; a status word that is not documented becomes `unknown`; messages for people are
//! never matched on.

mod account;
mod address;
mod fulfilment;
mod manifest;
mod order_status;
mod status_words;
mod stock;
mod updates;
mod webhooks;
mod wire;

/// The connector.
#[derive(Debug)]
pub struct Hft71;

#[cfg(feature = "component")]
tradepost_sdk::export!(Hft71: fulfilment, fulfilment_updates, customer_status, stock, webhooks);
