//! One product: reading, creating, replacing and deleting it, its variations and attributes, and the shop's categories.

use http::StatusCode;
use serde_json::{Value, json};

use super::login::User;
use super::product_form::{self, FormError};
use super::shop::Shop;
use super::{Generation, generate, reply};
use crate::exchange::{Answer, Request};

fn invalid_id(message: &str) -> Answer {
    reply::error(StatusCode::NOT_FOUND, "wcfmapi_rest_invalid_product_id", message)
}

/// Whether a visitor may read products: with a login, or with the older generation.
fn may_read(shop: &Shop, user: Option<&User>) -> bool {
    user.is_some() || shop.behaviour.generation == Generation::V1_5
}

/// Answers `GET /products/{id}`, whoever's product it is.
pub(super) fn single(shop: &Shop, request: &Request, user: Option<&User>, id: u64) -> Answer {
    if !may_read(shop, user) {
        return reply::forbidden(false);
    }
    let mut stores = shop.stores();
    if stores.products.is_variation(id) {
        return invalid_id(
            "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.",
        );
    }
    let (fields, context) = (request.parameter("_fields"), request.parameter("context"));
    if fields.is_none() && context.as_deref() != Some("edit") {
        return match stores.products.text(id) {
            Some(text) => reply::text(StatusCode::OK, text),
            None => invalid_id("Invalid ID"),
        };
    }
    let Some(mut product) = stores.products.json(id) else {
        return invalid_id("Invalid ID");
    };
    if context.as_deref() == Some("edit") {
        for name in ["description", "short_description", "purchase_note"] {
            product[name] = raw(product[name].as_str().unwrap_or_default()).into();
        }
    }
    reply::ok(&reply::only_fields(product, fields.as_deref(), &["_links"]))
}

/// Text as it was entered, from the paragraphs that it is shown in.
fn raw(rendered: &str) -> String {
    rendered.replace("</p>\n<p>", "\n\n").replace("<p>", "").replace("</p>\n", "")
}

/// Answers `GET /products/{id}/variations`.
pub(super) fn variations(shop: &Shop, user: Option<&User>, id: u64) -> Answer {
    part(shop, user, id, |product| json!({"variations": product["variations"], "attributes": product["attributes"]}))
}

/// Answers `GET /products/{id}/attributes`.
pub(super) fn attributes(shop: &Shop, user: Option<&User>, id: u64) -> Answer {
    part(shop, user, id, |product| product["attributes"].clone())
}

fn part(shop: &Shop, user: Option<&User>, id: u64, part: impl Fn(&Value) -> Value) -> Answer {
    if !may_read(shop, user) {
        return reply::forbidden(false);
    }
    match shop.stores().products.json(id) {
        Some(product) => reply::ok(&part(&product)),
        None => invalid_id("Invalid ID"),
    }
}

/// Answers `GET /products/categories`, all of them whatever the page.
pub(super) fn categories(shop: &Shop, request: &Request) -> Answer {
    let categories = Value::from(shop.categories.clone());
    reply::ok(&reply::only_fields(categories, request.parameter("_fields").as_deref(), &[]))
}

/// Answers `POST /products`. Success is 200. A refusal is an empty 200, and one for a duplicate SKU leaves a draft behind; one for an
/// image is a 400 and leaves the product behind.
pub(super) fn create(shop: &Shop, request: &Request, user: &User, body: Value) -> Answer {
    if !user.is_vendor {
        return match shop.behaviour.generation {
            Generation::V1_5 => reply::no_permission(),
            Generation::V1_6 => reply::forbidden(true),
        };
    }
    let mut stores = shop.stores();
    let now = shop.clock.now() + 1;
    let id = stores.products.next_id();
    let mut product = stores.products.blank();
    product["id"] = id.into();
    product["post_author"] = user.id.to_string().into();
    product["total_sales"] = 0.into();
    product["_links"]["self"][0]["href"] = format!("{}/wp-json/wcfmmp/v1/products/{id}", shop.site).into();
    generate::set_dates(&mut product, "date_created", now);
    let filled = product_form::fill(&mut product, &body, &shop.categories, now);
    shop.edition.localise_price(&mut product);
    let duplicate = stores.products.has_other_with_sku(id, product["sku"].as_str().unwrap_or_default());
    let slug = product_form::slug(product["name"].as_str().unwrap_or_default());
    product["permalink"] = format!("{}/product/{slug}/", shop.site).into();
    product["slug"] = slug.into();
    match filled {
        Err(FormError::Crash) => return reply::crash(request),
        Err(FormError::NoName) => return reply::nothing(),
        Ok(()) | Err(FormError::Image { .. }) => {}
    }
    shop.clock.tick();
    let key = id.to_string();
    if duplicate {
        product["sku"] = "".into();
        product["status"] = "draft".into();
        stores.products.insert(product);
        shop.ledger.enter(request, "product.stray-draft", key, body);
        return reply::nothing();
    }
    stores.products.insert(product.clone());
    shop.ledger.enter(request, "product.create", key, body);
    match filled {
        Err(FormError::Image { code, message }) => reply::error(StatusCode::BAD_REQUEST, code, &message),
        _ => reply::ok(&product),
    }
}

/// Answers `PUT`, `POST` and `PATCH` of a product: a full replacement, whosever it is. An unknown id, no name or a duplicate SKU is an
/// empty 200.
pub(super) fn replace(shop: &Shop, request: &Request, user: &User, id: u64, body: Value) -> Answer {
    if !user.is_vendor {
        return reply::forbidden(true);
    }
    let mut stores = shop.stores();
    let Some(mut product) = stores.products.json(id) else {
        return reply::nothing();
    };
    let filled = product_form::fill(&mut product, &body, &shop.categories, shop.clock.now() + 1);
    shop.edition.localise_price(&mut product);
    match filled {
        Err(FormError::Crash) => return reply::crash(request),
        Err(FormError::NoName) => return reply::nothing(),
        Ok(()) | Err(FormError::Image { .. }) => {}
    }
    if stores.products.has_other_with_sku(id, product["sku"].as_str().unwrap_or_default()) {
        return reply::nothing();
    }
    shop.clock.tick();
    stores.products.insert(product.clone());
    shop.ledger.enter(request, "product.replace", id.to_string(), body);
    match filled {
        Err(FormError::Image { code, message }) => reply::error(StatusCode::BAD_REQUEST, code, &message),
        _ => reply::ok(&product),
    }
}

/// Answers `DELETE /products/{id}`: gone for good, with or without `force`. An unknown or another vendor's one is a 403.
pub(super) fn delete(shop: &Shop, request: &Request, user: &User, id: u64) -> Answer {
    let mut stores = shop.stores();
    if stores.products.author(id) != Some(user.id) {
        return reply::forbidden(true);
    }
    let product = stores.products.remove(id).unwrap_or_default();
    shop.clock.tick();
    shop.ledger.enter(request, "product.delete", id.to_string(), Value::Null);
    reply::ok(&product)
}
