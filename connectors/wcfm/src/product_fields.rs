//! What is asked for a product, checked before anything is sent and written as the server wants it.
//!
//! The server mends bad values in silence: "12,50" becomes 1250, a sale price above the regular one vanishes, unknown
//! categories become "Uncategorized" (recordings 311-316). So whatever it would not store as given is refused here.

use std::cmp::Ordering;

use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::record_id;

/// Collects what is wrong, so that a person is told all of it at once.
#[derive(Debug, Default)]
pub(crate) struct Issues(Vec<FieldIssue>);

impl Issues {
    pub(crate) fn add(&mut self, pointer: &str, code: &str, message: impl Into<String>) {
        self.0.push(error::issue(pointer, code, message));
    }

    pub(crate) fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(error::invalid_input(self.0)) }
    }
}

/// The server's word for a kind that can be made.
pub(crate) fn kind_word(kind: ProductKind) -> Option<&'static str> {
    match kind {
        ProductKind::Simple => Some("simple"),
        ProductKind::Variable => Some("variable"),
        ProductKind::Grouped => Some("grouped"),
        ProductKind::External => Some("external"),
        ProductKind::Other => None,
    }
}

/// Checks what is wrong for any product of kind `kind`. `regular_price` is the one it will have.
pub(crate) fn check(fields: &ProductFields, kind: &str, regular_price: Option<&Decimal>, issues: &mut Issues) {
    if fields.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        issues.add("/name", "missing", "A product needs a name.");
    }
    let zero = decimal::zero();
    let prices = [("/regular-price", fields.regular_price.as_ref()), ("/sale-price", fields.sale_price.as_ref())];
    for (pointer, price) in prices {
        let Some(price) = price else { continue };
        if matches!(kind, "variable" | "grouped") {
            issues.add(pointer, "not-settable", format!("A {kind} product has no price of its own: its parts have."));
        } else if decimal::compare(price, &zero) == Ordering::Less {
            issues.add(pointer, "negative", "A price cannot be negative.");
        }
    }
    if let Some(sale) = &fields.sale_price
        && regular_price.is_none_or(|regular| decimal::compare(sale, regular) != Ordering::Less)
    {
        issues.add(
            "/sale-price",
            "not-below-regular",
            "A sale price must be below the regular price: WCFM drops any other.",
        );
    }
    if let Some(quantity) = &fields.quantity {
        check_quantity(quantity, kind, "/quantity", issues);
    }
    for (index, id) in fields.categories.iter().flatten().enumerate() {
        if record_id(id).is_none() {
            let message = format!("`{id}` is not the id of a category.");
            issues.add(&format!("/categories/{index}"), "not-an-id", message);
        }
    }
    for (index, url) in fields.images.iter().flatten().enumerate() {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            let message = format!("`{url}` is not a URL that the shop can fetch a picture from.");
            issues.add(&format!("/images/{index}"), "not-a-url", message);
        }
    }
}

/// Checks a stock level: the shop counts whole pieces of articles.
pub(crate) fn check_quantity(quantity: &Decimal, kind: &str, pointer: &str, issues: &mut Issues) {
    if matches!(kind, "grouped" | "external") {
        issues.add(pointer, "not-settable", format!("WCFM counts no stock of {kind} products."));
    } else if decimal::to_int(quantity).is_none_or(|pieces| pieces < 0) {
        let message = format!("WCFM counts whole pieces from 0; {} is none.", decimal::to_text(quantity));
        issues.add(pointer, "not-whole", message);
    }
}

/// The body of `POST /products` for fields that passed [`check`]. Names of fields are those that the server reads, not those
/// that its documentation lists (protocol notes, section 3.10).
pub(crate) fn creation(fields: &ProductFields, kind: &str) -> String {
    let mut body = json::Object::new()
        .text("name", fields.name.as_deref().unwrap_or_default())
        .text("type", kind)
        // Both must be there, or PHP notes their absence in front of the answer.
        .text("description", fields.description.as_deref().unwrap_or_default())
        .text("short_description", fields.short_description.as_deref().unwrap_or_default())
        .text_if("sku", fields.sku.as_deref());
    body = with_prices(body, fields);
    if let Some(quantity) = fields.quantity {
        body = body.bool("manage_stock", true).number("stock_quantity", quantity);
    }
    if let Some(categories) = &fields.categories {
        let ids = categories.iter().fold(json::Array::new(), |ids, id| ids.text(id));
        body = body.raw("categories", &ids.finish());
    }
    if let Some(tags) = &fields.tags {
        body = body.text("product_tags", &tags.join(", "));
    }
    if let Some((main, gallery)) = fields.images.as_deref().and_then(<[String]>::split_first) {
        let picture = |url: &String| json::Object::new().text("src", url).finish();
        body = body.raw("featured_image", &picture(main));
        let gallery = gallery.iter().fold(json::Array::new(), |gallery, url| gallery.raw(&picture(url)));
        body = body.raw("gallery_images", &gallery.finish());
    }
    if let Some(size) = &fields.dimensions {
        let sides = [("weight", size.weight), ("length", size.length), ("width", size.width), ("height", size.height)];
        for (name, side) in sides {
            body = body.text_if(name, side.as_ref().map(decimal::to_text).as_deref());
        }
    }
    body.finish()
}

/// Adds prices as texts with a decimal point, which every shop reads as such, whatever its own notation (recordings 435, 436).
pub(crate) fn with_prices(body: json::Object, fields: &ProductFields) -> json::Object {
    body.text_if("regular_price", fields.regular_price.as_ref().map(decimal::to_text).as_deref())
        .text_if("sale_price", fields.sale_price.as_ref().map(decimal::to_text).as_deref())
}
