//! Writes a setting into its log.

use tradepost_corner_shop::{ReadAmount, corner_shop, exactly, list, once};
use tradepost_sdk::prelude::*;

fn talkative(query: &ListQuery, cursor: Option<&str>, amount: ReadAmount) -> Result<OrderPage, Error> {
    log::info("reading orders", &[("settings", &settings::text())]);
    list(query, cursor, amount)
}

corner_shop!(list: talkative, amount: exactly, send: once);
