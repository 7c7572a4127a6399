//! `PUT /products/quick-edit/{id}`: the partial update that the documentation does not name. It keeps what is not sent, with two
//! traps: without `type` a variable product becomes simple, and the product becomes the caller's.

use serde_json::Value;

use super::login::User;
use super::product_form::{self, price, set_prices, set_stock_level};
use super::shop::Shop;
use super::{generate, reply};
use crate::exchange::{Answer, Request};

/// Answers a quick edit.
pub(super) fn put(shop: &Shop, request: &Request, user: &User, id: u64, body: Value) -> Answer {
    if !user.is_vendor {
        return reply::forbidden(true);
    }
    let mut stores = shop.stores();
    let Some(mut product) = stores.products.json(id) else {
        return reply::crash(request);
    };
    let sku = body["sku"].as_str().unwrap_or_default();
    if stores.products.has_other_with_sku(id, sku) {
        return reply::nothing();
    }
    merge(&mut product, &body, &shop.categories);
    shop.edition.localise_price(&mut product);
    product["post_author"] = user.id.to_string().into();
    generate::set_dates(&mut product, "date_modified", shop.clock.tick());
    stores.products.insert(product.clone());
    shop.ledger.enter(request, "product.quick-edit", id.to_string(), body);
    reply::ok(&product)
}

fn merge(product: &mut Value, body: &Value, categories: &[Value]) {
    for name in ["name", "sku", "catalog_visibility"] {
        if let Some(text) = body[name].as_str() {
            product[name] = text.into();
        }
    }
    if let Some(featured) = body["featured"].as_bool() {
        product["featured"] = featured.into();
    }
    if body.get("regular_price").is_some() || body.get("sale_price").is_some() {
        let wanted = |name: &str| price(body.get(name).unwrap_or(&product[name]));
        let (regular, sale) = (wanted("regular_price"), wanted("sale_price"));
        set_prices(product, &regular, &sale);
    }
    merge_stock(product, body);
    if let Some(wish) = body["categories"].as_array() {
        let chosen = wish.iter().filter_map(|wish| categories.iter().find(|category| category["id"] == wish["id"]));
        let short = chosen.map(
            |category| serde_json::json!({"id": category["id"], "name": category["name"], "slug": category["slug"]}),
        );
        product["categories"] = short.collect();
    }
    let kind = body["type"].as_str().unwrap_or("simple").to_owned();
    if product["type"] == "variable" && kind != "variable" {
        product_form::without_variations(product);
        product["variation_attributes"] = serde_json::json!([]);
        set_prices(product, "", "");
    }
    product["type"] = kind.into();
}

/// Stock: a quantity counts only for a product whose stock is counted, before or from now on.
fn merge_stock(product: &mut Value, body: &Value) {
    let before = product["stock_quantity"].as_i64().unwrap_or_default();
    let counts = body["manage_stock"].as_bool().unwrap_or(product["manage_stock"] == true);
    let quantity = body["stock_quantity"]
        .as_i64()
        .or_else(|| body["inventory_delta"].as_i64().map(|delta| before + delta))
        .unwrap_or(before);
    let backorders = body["backorders"].as_str().or(product["backorders"].as_str()).unwrap_or("no").to_owned();
    set_stock_level(product, counts, quantity, &backorders);
    if !counts && let Some(in_stock) = body.get("in_stock") {
        // Only a JSON `true` counts as in stock.
        product["in_stock"] = (in_stock == true).into();
    }
}
