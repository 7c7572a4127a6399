//! Setting stock levels: a quick edit for each product, confirmed by the product it answers.
//!
//! Variations are refused. The only route that writes them (`PUT /products/{id}/variations/{vid}`) empties their prices
//! unless it is sent them, and no route tells a seller a variation's stored prices: what can be read are prices as displayed,
//! with or without tax (protocol notes, section 3.10).

use std::cmp::Ordering;

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::SiteClock;

use crate::WcfmConnector;
use crate::account::Account;
use crate::own_products::{self, OwnProduct};
use crate::product_fields::{self, Issues};
use crate::product_update;

/// Most changes in one call. Each takes a request of its own, finding the products up to a few more, and a host allows 64.
pub const CHANGES: usize = 20;

/// The quick edit that a change comes to, or what became of it without one.
type Plan = Result<Request, (StockOutcome, String)>;

impl<M> StockUpdates for WcfmConnector<M> {
    /// In the order given. Articles are named by product id, or by article number, which the seller's whole list is read for.
    /// A `list_price` is sent with the level as the regular price.
    ///
    /// Fails as a whole, with nothing lost by repeating it, where the site cannot be reached or does not take the login; and
    /// with `invalid-input` for more than [`CHANGES`] changes, before anything is sent.
    fn set(changes: Vec<StockChange>) -> Result<Vec<StockResult>, Error> {
        let clock = Account::of_call()?.clock;
        if changes.len() > CHANGES {
            let message = format!(
                "WCFM takes stock levels one by one: send at most {CHANGES} in one call, not {}.",
                changes.len()
            );
            return Err(error::invalid("", "too-many", message));
        }
        let products = find(&changes)?;
        let targets: Vec<Option<&OwnProduct>> = changes.iter().map(|change| target(change, &products)).collect();
        let plan_of = |(index, change): (usize, &StockChange)| {
            let is_superseded = targets[index]
                .is_some_and(|product| targets[index + 1..].iter().flatten().any(|later| later.id == product.id));
            plan(change, targets[index], is_superseded)
        };
        let plans: Vec<Plan> = changes.iter().enumerate().map(plan_of).collect();
        let mut answers = http::send_all(plans.iter().filter_map(|plan| plan.clone().ok()).collect()).into_iter();
        let outcomes = changes.iter().zip(plans).filter_map(|(change, plan)| match plan {
            Ok(_) => answers.next().map(|answer| outcome(clock, change, answer)),
            Err(settled) => Some(Ok(settled)),
        });
        let outcomes = outcomes.collect();
        results(&changes, outcomes)
    }
}

/// The products that the changes name.
fn find(changes: &[StockChange]) -> Result<Vec<OwnProduct>, Error> {
    let ids: Vec<&str> = changes.iter().filter_map(|change| change.product_id.as_deref()).collect();
    let without_id = changes.iter().filter(|change| change.product_id.is_none() && change.variant_id.is_none());
    let skus: Vec<&str> = without_id.filter_map(|change| change.sku.as_deref()).collect();
    let mut products = if ids.is_empty() { Vec::new() } else { own_products::by_ids(&ids)? };
    if !skus.is_empty() {
        products.extend(own_products::by_skus(&skus)?);
    }
    Ok(products)
}

fn target<'a>(change: &StockChange, products: &'a [OwnProduct]) -> Option<&'a OwnProduct> {
    let mut products = products.iter();
    match (&change.product_id, &change.sku) {
        (Some(id), _) => products.find(|product| product.id == *id),
        (None, Some(sku)) => products.find(|product| product.sku == *sku || product.variation_with(sku).is_some()),
        (None, None) => None,
    }
}

fn plan(change: &StockChange, product: Option<&OwnProduct>, is_superseded: bool) -> Plan {
    let refuse = |message: &str| Err((StockOutcome::Refused, message.to_owned()));
    let names_variation = change.variant_id.is_some()
        || (change.product_id.is_none()
            && product.zip(change.sku.as_deref()).is_some_and(|(product, sku)| product.sku != sku));
    if names_variation {
        return refuse("WCFM empties a variation's prices when its stock is set over the API: set it in the shop.");
    }
    let Some(product) = product else {
        let message = if change.product_id.is_none() && change.sku.is_none() {
            "The change names no article: give a product id or an article number."
        } else {
            "This seller has no such article."
        };
        return Err((StockOutcome::NotFound, message.into()));
    };
    if is_superseded {
        return refuse("A later change in the same call sets this article.");
    }
    if product.kind == "variable" && !product.manages_stock {
        return refuse("The stock of this product is counted by its variations.");
    }
    let mut issues = Issues::default();
    product_fields::check_quantity(&change.available, &product.kind, "/available", &mut issues);
    if change.list_price.is_some_and(|price| !product.is_article() || price.coefficient < 0) {
        issues.add("/list-price", "not-settable", "The price is negative, or the product has none of its own.");
    }
    if let Err(fault) = issues.into_result() {
        return refuse(&fault.message);
    }
    let mut body = json::Object::new().text("type", &product.kind);
    body = body.text_if("regular_price", change.list_price.as_ref().map(decimal::to_text).as_deref());
    let body = product_update::with_stock(body, change.available).finish();
    Ok(product_update::quick_edit(&product.id, body))
}

/// What one answer says of its change; an error where it concerns the whole call, or may pass.
fn outcome(
    clock: SiteClock,
    change: &StockChange,
    answer: Result<Answer, Error>,
) -> Result<(StockOutcome, String), Error> {
    let product = match answer.and_then(|answer| product_update::decode(clock, &answer)) {
        Ok(product) => product,
        Err(fault) => {
            return match fault.kind {
                ErrorKind::NotFound => Ok((StockOutcome::NotFound, fault.message)),
                ErrorKind::Forbidden | ErrorKind::InvalidInput(_) | ErrorKind::Conflict | ErrorKind::Protocol(_) => {
                    Ok((StockOutcome::Refused, fault.message))
                }
                _ => Err(fault),
            };
        }
    };
    let is = |wanted: &Decimal, shown: &Option<Decimal>| {
        shown.as_ref().is_some_and(|shown| decimal::compare(wanted, shown) == Ordering::Equal)
    };
    if !product.manages_stock || !is(&change.available, &product.quantity) {
        let shown = product.quantity.as_ref().map_or_else(|| "no count".into(), decimal::to_text);
        let message =
            format!("The shop shows {shown} afterwards; stock management may be switched off for the whole shop.");
        return Ok((StockOutcome::Refused, message));
    }
    if change.list_price.is_some_and(|price| !is(&price, &product.regular_price)) {
        return Ok((StockOutcome::Refused, "The shop took the stock level and not the price.".into()));
    }
    Ok((StockOutcome::Confirmed, String::new()))
}

/// A product that alone fails in passing is told so, for the others went through; where nothing went through, the call failed.
fn results(
    changes: &[StockChange],
    outcomes: Vec<Result<(StockOutcome, String), Error>>,
) -> Result<Vec<StockResult>, Error> {
    let went_through = outcomes.iter().any(|outcome| matches!(outcome, Ok((StockOutcome::Confirmed, _))));
    let mut results = Vec::new();
    for (change, outcome) in changes.iter().zip(outcomes) {
        let (outcome, message) = match outcome {
            Err(fault) if went_through && matches!(fault.kind, ErrorKind::Transient(_)) => {
                (StockOutcome::Refused, format!("{} Only this article failed.", fault.message))
            }
            outcome => outcome?,
        };
        let names = [&change.variant_id, &change.product_id, &change.sku];
        let article = names.into_iter().flatten().next().cloned().unwrap_or_default();
        results.push(StockResult { article, outcome, message });
    }
    Ok(results)
}
