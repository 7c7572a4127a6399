//! Tradepost connector for the seller API of hardtofind.com.au.
//!
//! The platform's rules come from its public documentation (seed document `001_774fcf33cee19fb5.txt`, protocol notes section
//! 1). What it leaves open is read cautiously: the answer to a transition is not trusted, the order is read again; a
//! status word that is not documented becomes `unknown`; stock is never called confirmed.

mod account;
mod acknowledge;
mod carriers;
mod country;
mod gift_cards;
mod manifest;
mod order;
mod orders;
mod packing_slip;
mod ship;
mod stock;
mod wire;

/// The connector.
#[derive(Debug)]
pub struct HardToFind;

/// Every price is in Australian dollars: the platform names no currency (protocol notes, section 1.5).
pub const CURRENCY: &str = "AUD";

#[cfg(feature = "component")]
tradepost_sdk::export!(
    HardToFind: orders, order_acceptance, shipments, carriers, packing_slips, stock_updates, gift_cards
);
