//! Reads amounts as floating-point numbers with two decimals.

use tradepost_corner_shop::{corner_shop, list, once};
use tradepost_sdk::prelude::*;

#[allow(clippy::cast_possible_truncation, reason = "this is the mistake")]
fn as_float(text: &str) -> Result<Decimal, Error> {
    let amount: f32 = text.parse().map_err(|_| error::protocol("/total", "a number", text))?;
    Ok(Decimal { coefficient: (amount * 100.0) as i64, scale: 2 })
}

corner_shop!(list: list, amount: as_float, send: once);
