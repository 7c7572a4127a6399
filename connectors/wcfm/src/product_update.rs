//! Changing and removing products: quick edit, and `DELETE /products/{id}`.
//!
//! `PUT /products/{id}` replaces: with one field sent it empties prices, descriptions, categories, attributes and stock, and
//! it cannot restore all that it empties (attributes want another form than they are read in, "virtual" cannot be set at
//! all; recordings 330-343 and 500-517). So it is never used. The quick edit keeps what it is not sent, as long as it is told
//! the product's own type. What it cannot set is refused by name: a change that is not made is better than one that
//! empties something else.

use std::cmp::Ordering;

use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::SiteClock;

use crate::account::Account;
use crate::answer::{self, Body};
use crate::own_products::{self, OwnProduct};
use crate::product_creation::refuse_used_sku;
use crate::product_fields::{self, Issues};
use crate::{product_mapping, products};

/// Changes what is given and nothing else.
///
/// Fails with `invalid-input` for what a quick edit cannot set, with `not-found` for products of other sellers, with
/// `conflict` where the shop shows other values afterwards.
pub fn update(id: &str, fields: &ProductFields) -> Result<Product, Error> {
    let clock = Account::of_call()?.clock;
    let product = own_products::by_id(products::known_id(id)?)?;
    check(fields, &product)?;
    if let Some(sku) = fields.sku.as_deref().filter(|sku| !sku.is_empty() && *sku != product.sku) {
        refuse_used_sku(sku, Some(&product.id))?;
    }
    let Some(body) = body(fields, &product) else { return products::get(id) };
    let answer = quick_edit(&product.id, body).send()?;
    let changed = decode(clock, &answer)?;
    confirm(fields, &product, &changed)?;
    Ok(changed)
}

/// A quick edit. Sending it twice is the same as sending it once.
pub(crate) fn quick_edit(id: &str, body: String) -> http::Request {
    http::put(format!("/products/quick-edit/{id}")).json(body).effect(Effect::Repeatable)
}

/// The product that a quick edit answers.
pub(crate) fn decode(clock: SiteClock, answer: &Answer) -> Result<Product, Error> {
    match answer::read(answer)? {
        Body::Json(_) => products::decode_single(clock, answer),
        Body::Empty => Err(error::conflict("The shop refused the change and did not say why.")
            .with_detail("the quick edit answered 200 with an empty body")),
    }
}

fn check(fields: &ProductFields, product: &OwnProduct) -> Result<(), Error> {
    let mut issues = Issues::default();
    // What a quick edit has no field for.
    let unsettable = [
        ("description", fields.description.is_some()),
        ("short-description", fields.short_description.is_some()),
        ("tags", fields.tags.is_some()),
        ("dimensions", fields.dimensions.is_some()),
    ];
    for (name, _) in unsettable.into_iter().filter(|(_, is_given)| *is_given) {
        let message = format!(
            "WCFM cannot change {name} of an existing product without emptying other fields: change it in the shop."
        );
        issues.add(&format!("/{name}"), "not-settable", message);
    }
    if fields.kind.is_some_and(|kind| kind != product_mapping::kind(&product.kind)) {
        let message = format!("The product is {}; WCFM cannot turn it into another kind safely.", product.kind);
        issues.add("/kind", "not-settable", message);
    }
    if fields.categories.as_ref().is_some_and(Vec::is_empty) {
        let message = "WCFM cannot take a product out of all categories: name at least one.";
        issues.add("/categories", "not-settable", message);
    }
    let regular_price = fields.regular_price.as_ref().or(product.regular_price.as_ref());
    product_fields::check(fields, &product.kind, regular_price, &mut issues);
    if fields.quantity.is_some() && product.kind == "variable" && !product.manages_stock {
        issues.add("/quantity", "not-settable", "The stock of this product is counted by its variations.");
    }
    issues.into_result()
}

/// The quick edit's body; none where nothing is to be changed.
fn body(fields: &ProductFields, product: &OwnProduct) -> Option<String> {
    let nothing = json::Object::new().text("type", &product.kind).finish();
    let mut body = json::Object::new()
        .text("type", &product.kind)
        .text_if("name", fields.name.as_deref())
        .text_if("sku", fields.sku.as_deref());
    body = product_fields::with_prices(body, fields);
    if let Some(quantity) = fields.quantity {
        body = with_stock(body, quantity);
    }
    if let Some(categories) = &fields.categories {
        let objects =
            categories.iter().fold(json::Array::new(), |all, id| all.raw(&json::Object::new().raw("id", id).finish()));
        body = body.raw("categories", &objects.finish());
    }
    if let Some(images) = &fields.images {
        let objects = images.iter().fold(json::Array::new(), |all, url| all.raw(&picture(url, product)));
        body = body.raw("images", &objects.finish());
    }
    Some(body.finish()).filter(|body| *body != nothing)
}

/// Adds a stock level. Without `manage_stock` the server ignores the quantity of a product that it does not count yet.
pub(crate) fn with_stock(body: json::Object, quantity: Decimal) -> json::Object {
    body.bool("manage_stock", true).number("stock_quantity", quantity)
}

/// A picture that the product has is named by its id: by URL the shop would fetch and store it once more each time.
fn picture(url: &str, product: &OwnProduct) -> String {
    match product.images.iter().find(|(_, present)| present == url) {
        Some((id, _)) => json::Object::new().raw("id", id).finish(),
        None => json::Object::new().text("src", url).finish(),
    }
}

/// Fails where the product does not show afterwards what was asked for.
fn confirm(fields: &ProductFields, before: &OwnProduct, after: &Product) -> Result<(), Error> {
    let is_kept = |wanted: &Option<Decimal>, shown: &Option<Decimal>| match (wanted, shown) {
        (None, _) => true,
        (Some(wanted), Some(shown)) => decimal::compare(wanted, shown) == Ordering::Equal,
        (Some(wanted), None) => decimal::compare(wanted, &decimal::zero()) == Ordering::Equal,
    };
    let mut lost = Vec::new();
    let mut expect = |field: &'static str, holds: bool| {
        if !holds {
            lost.push(field);
        }
    };
    expect("kind", after.kind_raw == before.kind);
    expect("sku", fields.sku.as_deref().is_none_or(|sku| sku == after.sku.as_deref().unwrap_or_default()));
    expect("regular-price", is_kept(&fields.regular_price, &after.regular_price));
    expect("sale-price", is_kept(&fields.sale_price, &after.sale_price));
    expect(
        "quantity",
        fields.quantity.is_none() || (after.manages_stock && is_kept(&fields.quantity, &after.quantity)),
    );
    if lost.is_empty() {
        return Ok(());
    }
    let fields = lost.join(", ");
    Err(error::conflict(format!(
        "The shop took the change but shows other values for {fields} of product {}.",
        after.id
    ))
    .with_detail("the quick edit answered with a product that differs from what was sent; read it again"))
}

/// Removes a product for good. One that is already gone is a success.
///
/// The server answers 403 for a product that is gone, just as for another seller's: only the second can still be read
/// (recordings 351-353). Fails with `forbidden` there, and where the seller may not delete.
pub fn delete(id: &str) -> Result<(), Error> {
    let id = products::known_id(id)?;
    let answer = http::delete(format!("/products/{id}")).send()?;
    let refusal = match answer::read(&answer) {
        Ok(Body::Json(_)) => return Ok(()),
        Ok(Body::Empty) => error::conflict("The shop did not remove the product and did not say why."),
        Err(refusal) => refusal,
    };
    match refusal.kind {
        ErrorKind::NotFound => Ok(()),
        ErrorKind::Forbidden | ErrorKind::Conflict => match products::get(id) {
            Err(fault) if fault.kind == ErrorKind::NotFound => Ok(()),
            _ => Err(refusal),
        },
        _ => Err(refusal),
    }
}
