//! `POST /batch`: stock and list prices of variants by SKU (protocol notes, section 1.6).
//!
//! It runs later, in the background, and unknown or ambiguous SKUs are ignored in silence: nothing it accepts is confirmed.
//! All values are absolute, so sending them twice is the same as once.

use tradepost_sdk::prelude::*;

use crate::HardToFind;

impl StockUpdates for HardToFind {
    fn set(changes: Vec<StockChange>) -> Result<Vec<StockResult>, Error> {
        let mut entities = json::Array::new();
        let mut results = Vec::with_capacity(changes.len());
        let mut sent = false;
        for (index, change) in changes.iter().enumerate() {
            let entity = entity(change).and_then(|entity| match newer(&changes, index) {
                Some(_) => Err("a newer change of the same SKU stands in this batch"),
                None => Ok(entity),
            });
            let (outcome, message) = match entity {
                Ok(entity) => {
                    entities = entities.raw(&entity);
                    sent = true;
                    (StockOutcome::Unconfirmed, "sent; hardtofind does not tell whether it took")
                }
                Err(reason) => (StockOutcome::Refused, reason),
            };
            results.push(StockResult { article: article(change), outcome, message: message.into() });
        }
        if sent {
            let body = json::Object::new()
                .text("action", "update")
                .text("entity_type", "variant")
                .raw("entities", &entities.finish())
                .finish();
            http::post("/batch").effect(Effect::Repeatable).json(body).send()?.checked()?;
        }
        Ok(results)
    }
}

/// One entity of the batch, or why there can be none.
fn entity(change: &StockChange) -> Result<String, &'static str> {
    let sku = sku(change).ok_or("hardtofind finds articles by SKU only, and this change has none")?;
    let inventory = decimal::to_int(&change.available).ok_or("hardtofind counts whole pieces only")?;
    if inventory < 0 {
        return Err("there cannot be fewer than none");
    }
    let entity = json::Object::new().text("sku", sku).integer("inventory", inventory);
    match change.list_price {
        Some(price) if price.coefficient < 0 => Err("a list price cannot be negative"),
        Some(price) => Ok(entity.number("rrp", price).finish()),
        None => Ok(entity.finish()),
    }
}

fn sku(change: &StockChange) -> Option<&str> {
    change.sku.as_deref().filter(|sku| !sku.trim().is_empty())
}

/// What the change named its article by.
fn article(change: &StockChange) -> String {
    let named = [&change.sku, &change.product_id, &change.variant_id].into_iter().flatten().next();
    named.cloned().unwrap_or_default()
}

/// A change of the same SKU that is to win over the one at `index`: the one that was true later, else the one that stands
/// later. In the background nobody knows in which order they would be carried out.
fn newer(changes: &[StockChange], index: usize) -> Option<&StockChange> {
    let this = &changes[index];
    changes.iter().enumerate().find_map(|(other_index, other)| {
        let same = other_index != index && sku(other) == sku(this) && entity(other).is_ok();
        let wins = match (&other.as_of, &this.as_of) {
            (Some(other), Some(this)) if time::is_before(this, other) => true,
            (Some(other), Some(this)) if time::is_before(other, this) => false,
            _ => other_index > index,
        };
        (same && wins).then_some(other)
    })
}
