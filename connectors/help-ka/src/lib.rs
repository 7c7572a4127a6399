//! Tradepost connector for help-ka.ru Market, one marketplace that runs WCFM.
//!
//! All code is the WCFM connector's; what differs is data: where the site is (WordPress stands in the folder `/market`), what
//! the settings are called, and that no restrictions of a seller can be read: its documentation (seed
//! `003_308ae6f370856631.txt`) lacks that section. The site answers in Russian, which changes nothing, because codes decide
//! and never messages (protocol notes, section 4).

use tradepost_wcfm::WcfmConnector;
use tradepost_wcfm::manifest::Marketplace;

/// The marketplace.
#[derive(Debug, Clone, Copy)]
pub struct Market;

impl Marketplace for Market {
    const ID: &'static str = "help-ka";
    const NAME: &'static str = "help-ka.ru Market";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const PLATFORM: &'static str = "help-ka.ru Market REST API (WCFM, wcfmmp/v1)";
    const HOMEPAGE: &'static str = "https://help-ka.ru/market";
    const SETTINGS_SCHEMA: &'static str = include_str!("settings-schema.json");
}

/// The connector.
pub type HelpKa = WcfmConnector<Market>;

#[cfg(feature = "component")]
tradepost_sdk::export!(
    HelpKa: orders, order_notes, order_status, refunds, shipments, products, product_writes, categories, stock,
    stock_updates, seller_settings, notifications, sellers, sales_figures
);
