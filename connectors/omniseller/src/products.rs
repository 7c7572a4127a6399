//! Product upload: a heading in the documentation and nothing below it, so the function's number is a setting.
//!
//! The shape of `data` is this connector's assumption: one object, its keys German like those of the vendor's other interfaces
//! (protocol notes, section 5.7), its numbers exact.
//!
//! ```json
//! {"Artikelnummer": "A-1", "Bezeichnung": "...", "Beschreibung": "...", "Kurzbeschreibung": "...", "Preis": 19.90,
//!  "Aktionspreis": 14.90, "Bestand": 3, "Kategorien": ["..."], "Bilder": ["https://..."]}
//! ```
//!
//! The article number is the contract's SKU and stands for the product's id, since the interface shows none. Only what is given is sent; that the shop
//! leaves the rest alone is assumed, too. The categories are read first: they are checked against what is given, and an expired
//! token is found by a read, which the host may repeat.

use tradepost_sdk::prelude::*;

use crate::account::{self, Settings};
use crate::{OmniSeller, categories, endpoint};

impl ProductWrites for OmniSeller {
    fn create(fields: ProductFields) -> Result<Product, Error> {
        let function = function_number()?;
        let sku = fields.sku.clone().unwrap_or_default();
        let mut issues = check(&sku, &fields);
        if fields.name.is_none() {
            issues.push(error::issue("/name", "missing", "A product needs a name."));
        }
        if fields.kind.is_none() {
            issues.push(error::issue("/kind", "missing", "A product needs a kind: simple."));
        }
        upload(&function, sku, fields, issues, Effect::Once)
    }

    fn update(id: String, fields: ProductFields) -> Result<Product, Error> {
        let function = function_number()?;
        let mut issues = check(&id, &fields);
        if fields.sku.as_ref().is_some_and(|sku| *sku != id) {
            let message = "The shop finds a product by its SKU, so an upload cannot change it.";
            issues.push(error::issue("/sku", "not-changeable", message));
        }
        upload(&function, id, fields, issues, Effect::Repeatable)
    }

    fn delete(_id: String) -> Result<(), Error> {
        Err(error::unsupported("OmniSeller's interface cannot delete products.")
            .with_detail("no function of HTKService4 is known to delete anything"))
    }
}

fn function_number() -> Result<String, Error> {
    let settings: Settings = settings::get()?;
    account::undocumented(settings.product_upload_function, "product-upload-function", "the product upload")
}

/// What cannot be sent, or would be lost in silence.
fn check(sku: &str, fields: &ProductFields) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    let mut add = |pointer: &str, code: &str, message: &str| issues.push(error::issue(pointer, code, message));
    if sku.trim().is_empty() {
        add("/sku", "missing", "A product needs a SKU: the shop finds it by that.");
    }
    if fields.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        add("/name", "empty", "A product's name cannot be empty.");
    }
    if fields.kind.is_some_and(|kind| kind != ProductKind::Simple) {
        add(
            "/kind",
            "unsupported",
            "Only simple products can be uploaded: how variants are written is not documented.",
        );
    }
    let numbers =
        [("/regular-price", fields.regular_price), ("/sale-price", fields.sale_price), ("/quantity", fields.quantity)];
    for (pointer, _) in numbers.into_iter().filter(|(_, number)| number.is_some_and(|number| number.coefficient < 0)) {
        add(pointer, "negative", "Prices and quantities cannot be negative.");
    }
    for (index, image) in fields.images.iter().flatten().enumerate() {
        if !image.starts_with("https://") && !image.starts_with("http://") {
            add(&format!("/images/{index}"), "not-a-url", "A picture is given by its URL.");
        }
    }
    if fields.tags.is_some() {
        add("/tags", "unsupported", "The shop is not known to take tags.");
    }
    if fields.dimensions.is_some() {
        add("/dimensions", "unsupported", "The shop is not known to take sizes and weights.");
    }
    issues
}

fn upload(
    function: &str,
    sku: String,
    fields: ProductFields,
    issues: Vec<FieldIssue>,
    effect: Effect,
) -> Result<Product, Error> {
    refuse(issues)?;
    let known = categories::fetch()?;
    let (mut given, mut unknown) = (Vec::new(), Vec::new());
    for (index, id) in fields.categories.iter().flatten().enumerate() {
        if let Some(category) = known.iter().find(|category| category.id == *id) {
            given.push(CategoryRef { id: id.clone(), name: category.name.clone() });
        } else {
            let message = format!("The shop has no category {id}.");
            unknown.push(error::issue(format!("/categories/{index}"), "unknown", message));
        }
    }
    refuse(unknown)?;
    endpoint::write(function, &body(&sku, &fields), effect)?;
    Ok(as_sent(sku, fields, given))
}

fn refuse(issues: Vec<FieldIssue>) -> Result<(), Error> {
    if issues.is_empty() { Ok(()) } else { Err(error::invalid_input(issues)) }
}

fn body(sku: &str, fields: &ProductFields) -> String {
    let list = |values: &[String]| values.iter().fold(json::Array::new(), |list, value| list.text(value)).finish();
    let mut body = json::Object::new()
        .text("Artikelnummer", sku)
        .text_if("Bezeichnung", fields.name.as_deref())
        .text_if("Beschreibung", fields.description.as_deref())
        .text_if("Kurzbeschreibung", fields.short_description.as_deref());
    let numbers = [("Preis", fields.regular_price), ("Aktionspreis", fields.sale_price), ("Bestand", fields.quantity)];
    for (key, number) in numbers.into_iter().filter_map(|(key, number)| Some((key, number?))) {
        body = body.number(key, number);
    }
    for (key, values) in [("Kategorien", &fields.categories), ("Bilder", &fields.images)] {
        if let Some(values) = values {
            body = body.raw(key, &list(values));
        }
    }
    body.finish()
}

/// The product as it was sent: the interface shows none. What was not sent is not known.
fn as_sent(sku: String, fields: ProductFields, categories: Vec<CategoryRef>) -> Product {
    let image = |url: String| Image { id: None, url, alt: String::new() };
    Product {
        id: sku.clone(),
        sku: Some(sku),
        name: fields.name.unwrap_or_default(),
        kind: ProductKind::Simple,
        kind_raw: String::new(),
        state: ProductState::Unknown,
        state_raw: String::new(),
        description: fields.description.unwrap_or_default(),
        short_description: fields.short_description.unwrap_or_default(),
        currency: None,
        price: None,
        regular_price: fields.regular_price,
        sale_price: fields.sale_price,
        manages_stock: fields.quantity.is_some(),
        quantity: fields.quantity,
        in_stock: None,
        categories,
        tags: Vec::new(),
        images: fields.images.unwrap_or_default().into_iter().map(image).collect(),
        attributes: Vec::new(),
        variants: Vec::new(),
        dimensions: None,
        url: None,
        owner_id: None,
        created_at: None,
        updated_at: None,
        raw: None,
        extensions: vec![Attribute { name: "omniseller.unconfirmed".into(), value: "as sent, not read back".into() }],
    }
}
