//! Stock upload: a heading in the documentation and nothing below it, so the function's number is a setting.
//!
//! The shape of `data` is this connector's assumption: an array of `{"Artikelnummer": "A-1", "Bestand": 3}`, absolute levels, so
//! that sending them twice is the same as once. Nothing can be read back, so nothing is called confirmed. The categories are
//! read first, so that an expired token is found by a read, which the host may repeat.

use tradepost_sdk::prelude::*;

use crate::account::{self, Settings};
use crate::{OmniSeller, categories, endpoint};

impl StockUpdates for OmniSeller {
    fn set(changes: Vec<StockChange>) -> Result<Vec<StockResult>, Error> {
        let settings: Settings = settings::get()?;
        let function = account::undocumented(settings.stock_function, "stock-function", "stock")?;
        let mut levels = json::Array::new();
        let mut results = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            let (outcome, message) = match level(change) {
                Ok(_) if is_superseded(&changes, index) => {
                    (StockOutcome::Refused, "a newer change of the same SKU stands in this batch")
                }
                Ok(level) => {
                    levels = levels.raw(&level);
                    (StockOutcome::Unconfirmed, "sent; the shop does not show its stock")
                }
                Err(reason) => (StockOutcome::Refused, reason),
            };
            results.push(StockResult { article: article(change), outcome, message: message.into() });
        }
        if results.iter().any(|result| result.outcome == StockOutcome::Unconfirmed) {
            categories::fetch()?;
            endpoint::write(&function, &levels.finish(), Effect::Repeatable)?;
        }
        Ok(results)
    }
}

/// One level as it is sent, or why it cannot be.
fn level(change: &StockChange) -> Result<String, &'static str> {
    let sku = sku(change).ok_or("the shop finds articles by SKU only, and this change has none")?;
    if change.available.coefficient < 0 {
        return Err("there cannot be fewer than none");
    }
    if change.list_price.is_some() {
        return Err("the shop is not known to take a price with a stock level: upload the product");
    }
    Ok(json::Object::new().text("Artikelnummer", sku).number("Bestand", change.available).finish())
}

fn sku(change: &StockChange) -> Option<&str> {
    change.sku.as_deref().filter(|sku| !sku.trim().is_empty())
}

/// What the change named its article by.
fn article(change: &StockChange) -> String {
    let named = [&change.sku, &change.product_id, &change.variant_id].into_iter().flatten().next();
    named.cloned().unwrap_or_default()
}

/// Whether another change of the same SKU wins over the one at `index`: one that was true later, else one that stands later.
fn is_superseded(changes: &[StockChange], index: usize) -> bool {
    let this = &changes[index];
    changes.iter().enumerate().any(|(other_index, other)| {
        let is_same = other_index != index && sku(other) == sku(this) && level(other).is_ok();
        is_same
            && match (&other.as_of, &this.as_of) {
                (Some(other), Some(this)) if time::is_before(this, other) => true,
                (Some(other), Some(this)) if time::is_before(other, this) => false,
                _ => other_index > index,
            }
    })
}
