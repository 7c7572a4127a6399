//! Creating a product: `POST /products`, the one write that must not be sent twice.
//!
//! A create that failed may have created all the same: a duplicate article number leaves a draft behind and answers nothing,
//! a picture that cannot be fetched leaves a published product and answers 400 (recordings 308, 318, 476, 483). So after any
//! failure the newest products are compared with those from before, and the error names what was left behind.

use tradepost_sdk::prelude::*;

use crate::account::Account;
use crate::answer::{self, Body};
use crate::own_products::{self, OwnProduct};
use crate::product_fields::{self, Issues};
use crate::products;

/// Makes a product.
///
/// Fails with `invalid-input` for fields that the shop would not store as given and for an article number in use, with
/// `conflict` where the shop failed after it had made the product, with `outcome-unknown` where it cannot be told.
pub fn create(fields: &ProductFields) -> Result<Product, Error> {
    let clock = Account::of_call()?.clock;
    let kind = check(fields)?;
    if let Some(sku) = fields.sku.as_deref() {
        refuse_used_sku(sku, None)?;
    }
    let name = fields.name.as_deref().unwrap_or_default();
    let newest_before = newest_id(&own_products::newest()?);
    let body = product_fields::creation(fields, kind);
    let answer = match http::post("/products").json(body).effect(Effect::Once).send() {
        // The connection failed after sending. A product that is there now was made by this call.
        Err(fault) if fault.kind == ErrorKind::OutcomeUnknown => {
            let created = created_since(newest_before, name)?.ok_or(fault)?;
            return products::get(&created.id);
        }
        sent => sent?,
    };
    let fault = match answer::read(&answer) {
        Ok(Body::Json(_)) => match products::decode_single(clock, &answer) {
            Ok(product) => return Ok(product),
            // Made, and told in words that cannot be read: it is read again.
            Err(unreadable) => {
                return match created_since(newest_before, name)? {
                    Some(product) => products::get(&product.id),
                    None => Err(in_doubt(&unreadable)),
                };
            }
        },
        Ok(Body::Empty) => refused_in_silence(),
        Err(fault) => fault,
    };
    // Nothing runs before the site knows who asks: such a refusal has made nothing.
    if matches!(
        fault.kind,
        ErrorKind::AuthExpired | ErrorKind::AuthRejected | ErrorKind::Forbidden | ErrorKind::Unsupported
    ) {
        return Err(fault);
    }
    match created_since(newest_before, name)? {
        Some(product) => Err(left_behind(fault, &product)),
        None => Err(fault),
    }
}

fn check(fields: &ProductFields) -> Result<&'static str, Error> {
    let mut issues = Issues::default();
    if fields.name.is_none() {
        issues.add("/name", "missing", "A product needs a name.");
    }
    let kind = fields.kind.and_then(product_fields::kind_word);
    match (fields.kind, kind) {
        (None, _) => issues.add("/kind", "missing", "A product needs a kind: simple, variable, grouped or external."),
        (_, None) => issues.add("/kind", "not-settable", "WCFM makes simple, variable, grouped and external products."),
        _ => {}
    }
    product_fields::check(fields, kind.unwrap_or_default(), fields.regular_price.as_ref(), &mut issues);
    for (index, tag) in fields.tags.iter().flatten().enumerate() {
        if tag.contains(',') || tag.trim().is_empty() {
            let message = format!("`{tag}` cannot be a tag: WCFM separates tags by commas.");
            issues.add(&format!("/tags/{index}"), "not-a-tag", message);
        }
    }
    issues.into_result()?;
    Ok(kind.unwrap_or("simple"))
}

/// Fails where another of the seller's articles has this number. In a shop too large to tell, the server's own check stands.
pub(crate) fn refuse_used_sku(sku: &str, except: Option<&str>) -> Result<(), Error> {
    let using = match own_products::by_skus(&[sku]) {
        Err(fault) if fault.kind == ErrorKind::Unsupported => return Ok(()),
        found => found?,
    };
    match using.iter().find(|product| Some(product.id.as_str()) != except) {
        Some(other) => {
            let message = format!(
                "The article number {sku} is in use by product {} ({}).",
                other.id,
                html::plain_text(&other.name)
            );
            Err(error::invalid("/sku", "duplicate", message))
        }
        None => Ok(()),
    }
}

fn in_doubt(unreadable: &Error) -> Error {
    error::outcome_unknown(
        "The shop's answer cannot be read: look whether the product is there before creating it again.",
    )
    .with_detail(unreadable.detail.clone())
}

/// An empty answer: the shop refused and does not say why. Its usual reason is an article number that another seller uses.
fn refused_in_silence() -> Error {
    error::invalid(
        "",
        "refused",
        "The shop refused the product without a reason. The usual one is an article number that is in use.",
    )
    .with_detail("POST /products answered 200 with an empty body")
}

/// The number of the newest product, or 0.
fn newest_id(products: &[OwnProduct]) -> u64 {
    products.iter().filter_map(|product| product.id.parse().ok()).max().unwrap_or(0)
}

/// The product of this name that was not there before.
fn created_since(newest_before: u64, name: &str) -> Result<Option<OwnProduct>, Error> {
    let is_new = |product: &OwnProduct| product.id.parse::<u64>().is_ok_and(|id| id > newest_before);
    let mut new = own_products::newest()?.into_iter().filter(is_new);
    Ok(new.find(|product| comparable(&product.name) == comparable(name)))
}

/// A name as the server may have stored it: without tags, slashes and doubled blanks (recordings 321, 329).
fn comparable(name: &str) -> String {
    let plain = html::plain_text(name).replace('\\', "");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The shop failed and left a product: nobody should create it again.
fn left_behind(fault: Error, product: &OwnProduct) -> Error {
    let hint = format!(
        "The shop made product {} all the same: update or delete that one, and do not create it again.",
        product.id
    );
    let message = format!("{} {hint}", fault.message);
    match fault.kind {
        ErrorKind::InvalidInput(mut issues) => {
            for issue in &mut issues {
                issue.message = format!("{} {hint}", issue.message);
            }
            Error { kind: ErrorKind::InvalidInput(issues), message, detail: fault.detail }
        }
        // What could be tried again would be made twice.
        _ => error::conflict(message).with_detail(fault.detail),
    }
}
