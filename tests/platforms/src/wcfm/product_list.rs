//! `GET /products`: the only list with totals. Without `status` it shows what is published and the vendor's own private products.

use http::StatusCode;
use http::header::{HeaderName, LINK};
use serde_json::Value;

use super::login::User;
use super::paging::Page;
use super::products::Products;
use super::shop::Shop;
use super::{Generation, reply};
use crate::clock::{self, KOLKATA};
use crate::exchange::{Answer, Request};

/// Answers the list. The older generation shows all vendors' products to nobody in particular.
pub(super) fn list(shop: &Shop, request: &Request, user: Option<&User>) -> Answer {
    let page = match Page::of(request) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let old = shop.behaviour.generation == Generation::V1_5;
    match user {
        None if !old => return reply::forbidden(false),
        Some(user) if !user.is_vendor && !old => return reply::forbidden(true),
        _ => {}
    }
    let parameters = request.parameters();
    // These reach a method that the server has not, or an array function that gets a text.
    if parameters
        .iter()
        .any(|(name, _)| ["sku", "include", "tax_class", "min_price", "max_price"].contains(&name.as_str()))
    {
        return reply::crash(request);
    }
    let mut stores = shop.stores();
    let found = find(&mut stores.products, request, &parameters, user);
    let offset = request.parameter("offset").and_then(|offset| offset.parse().ok());
    let shown: Vec<u64> = found.iter().skip(offset.unwrap_or(page.skipped())).take(page.size).copied().collect();
    let answer = if let Some(fields) = request.parameter("_fields") {
        let products: Value = shown.iter().filter_map(|id| stores.products.json(*id)).collect();
        reply::ok(&reply::only_fields(products, Some(&fields), &[]))
    } else {
        let mut text = vec![b'['];
        for id in &shown {
            if text.len() > 1 {
                text.push(b',');
            }
            text.extend_from_slice(&stores.products.text(*id).unwrap_or_default());
        }
        text.push(b']');
        reply::text(StatusCode::OK, text)
    };
    if shown.is_empty() { answer } else { with_totals(answer, shop, &parameters, page, found.len()) }
}

/// The ids that the filters leave, in order.
fn find(products: &mut Products, request: &Request, parameters: &[(String, String)], user: Option<&User>) -> Vec<u64> {
    let statuses: Vec<&str> = parameters
        .iter()
        .filter(|(name, _)| ["status", "status[]", "post_status"].contains(&name.as_str()))
        .flat_map(|(_, value)| value.split(','))
        .filter(|status| !status.is_empty())
        .collect();
    let is_shown = |status: &str, own: bool| {
        if statuses.is_empty() {
            status == "publish" || (own && status == "private")
        } else {
            statuses.contains(&status) || (statuses.contains(&"any") && status != "trash")
        }
    };
    let mut ids: Vec<u64> = products
        .newest_first()
        .iter()
        .filter(|product| {
            let own = user.is_some_and(|user| user.id == product.author);
            (own || user.is_none()) && is_shown(&product.status, own)
        })
        .map(|product| product.id)
        .collect();
    let list = |name: &str| -> Vec<u64> {
        parameters.iter().filter(|(key, _)| key == name).filter_map(|(_, value)| value.parse().ok()).collect()
    };
    let (include, exclude) = (list("include[]"), list("exclude[]"));
    ids.retain(|id| (include.is_empty() || include.contains(id)) && !exclude.contains(id));
    let filters: Vec<Filter> = Filter::of(request);
    if !filters.is_empty() {
        ids.retain(|id| products.json(*id).is_some_and(|product| filters.iter().all(|filter| filter.passes(&product))));
    }
    let by_title = request.parameter("orderby").as_deref() == Some("title");
    if by_title {
        let title = |id: &u64| products.json(*id).and_then(|product| Some(product["name"].as_str()?.to_lowercase()));
        ids.sort_by_cached_key(|id| std::cmp::Reverse(title(id)));
    }
    if request.parameter("order").is_some_and(|order| order.eq_ignore_ascii_case("asc")) {
        ids.reverse();
    }
    ids
}

/// A filter that has to look into the product.
enum Filter {
    Search(String),
    Slug(String),
    Type(String),
    Category(u64),
    After(i64),
    Before(i64),
}

impl Filter {
    fn of(request: &Request) -> Vec<Self> {
        let date = |name| {
            let text = request.parameter(name)?;
            clock::parse_without_offset(text.get(..19).unwrap_or_default(), KOLKATA)
        };
        [
            request.parameter("search").map(|text| Self::Search(text.to_lowercase())),
            request.parameter("slug").map(Self::Slug),
            request.parameter("type").map(Self::Type),
            request.parameter("category").and_then(|id| id.parse().ok()).map(Self::Category),
            date("after").map(Self::After),
            date("before").map(Self::Before),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn passes(&self, product: &Value) -> bool {
        let text = |name: &str| product[name].as_str().unwrap_or_default();
        let created = || clock::parse_without_offset(text("date_created"), KOLKATA).unwrap_or_default();
        match self {
            Self::Search(part) => {
                ["name", "description", "short_description"].iter().any(|name| text(name).to_lowercase().contains(part))
            }
            Self::Slug(slug) => text("slug") == slug,
            Self::Type(kind) => text("type") == kind,
            Self::Category(id) => {
                product["categories"].as_array().into_iter().flatten().any(|category| category["id"] == *id)
            }
            Self::After(second) => created() > *second,
            Self::Before(second) => created() < *second,
        }
    }
}

/// Adds `X-WP-Total`, `X-WP-TotalPages` and the links to the pages before and after.
fn with_totals(answer: Answer, shop: &Shop, parameters: &[(String, String)], page: Page, total: usize) -> Answer {
    let pages = total.div_ceil(page.size);
    let link = |number: usize, relation: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters.iter().filter(|(name, _)| name != "page"));
        query.append_pair("page", &number.to_string());
        format!("<{}/wp-json/wcfmmp/v1/products?{}>; rel=\"{relation}\"", shop.site, query.finish())
    };
    let mut links = Vec::new();
    if page.number > 1 {
        links.push(link(page.number - 1, "prev"));
    }
    if page.number < pages {
        links.push(link(page.number + 1, "next"));
    }
    let answer = answer
        .with(HeaderName::from_static("x-wp-total"), &total.to_string())
        .with(HeaderName::from_static("x-wp-totalpages"), &pages.to_string());
    if links.is_empty() { answer } else { answer.with(LINK, &links.join(", ")) }
}
