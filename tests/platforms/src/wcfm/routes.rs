//! The routes as WordPress finds them: any letter case, any number of slashes, `?rest_route=`, and 404 for a wrong method.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::login::{self, User};
use super::shop::Shop;
use super::{
    Generation, feedback, notifications, order_notes, order_routes, order_status, product_list, product_routes,
    quick_edit, reply, seller, tracking,
};
use crate::exchange::{Answer, Request};

/// A route and what is variable in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Index,
    Namespace,
    Products,
    Product(u64),
    QuickEdit(u64),
    Variations(u64),
    Attributes(u64),
    Categories,
    Orders,
    Order(u64),
    Note(u64),
    Tracking,
    SettingsById(u64),
    SettingsByEmail(&'a str),
    Capabilities,
    Notifications,
    SiteDetails,
    SalesStats,
    Reviews,
    Enquiries,
    StoreVendors,
    StoreVendor(u64),
}

impl<'a> Route<'a> {
    /// The route of a path below `/wp-json`.
    fn of(path: &'a str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
        let words: Vec<&str> = lower.iter().map(String::as_str).collect();
        let ["wcfmmp", "v1", rest @ ..] = words.as_slice() else {
            return words.is_empty().then_some(Self::Index);
        };
        Some(match rest {
            [] => Self::Namespace,
            ["products"] => Self::Products,
            ["products", "categories"] => Self::Categories,
            ["products", "quick-edit", id] => Self::QuickEdit(number(id)?),
            ["products", id] => Self::Product(number(id)?),
            ["products", id, "variations"] => Self::Variations(number(id)?),
            ["products", id, "attributes"] => Self::Attributes(number(id)?),
            ["orders"] => Self::Orders,
            ["orders", "shipment_tracking"] => Self::Tracking,
            ["orders", "note", id] => Self::Note(number(id)?),
            ["orders", id] => Self::Order(number(id)?),
            ["settings", "id", id] => Self::SettingsById(number(id)?),
            ["settings", "email", _] => Self::SettingsByEmail(parts.last()?),
            ["restricted-capabilities"] => Self::Capabilities,
            ["notifications"] => Self::Notifications,
            ["site-details"] => Self::SiteDetails,
            ["sales-stats"] => Self::SalesStats,
            ["reviews"] => Self::Reviews,
            ["enquiries"] => Self::Enquiries,
            ["store-vendors"] => Self::StoreVendors,
            ["store-vendors", id] => Self::StoreVendor(number(id)?),
            _ => return None,
        })
    }

    /// The methods it knows, as the `Allow` header lists them.
    fn methods(self) -> &'static str {
        match self {
            Self::Products => "GET, POST",
            Self::Product(_) => "GET, POST, PUT, PATCH, DELETE",
            Self::QuickEdit(_) | Self::Tracking => "POST, PUT, PATCH",
            Self::Order(_) | Self::Note(_) => "GET, POST, PUT, PATCH",
            _ => "GET",
        }
    }
}

/// A number of any length; one too long for the server's integers is no record's.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().unwrap_or(u64::MAX))
}

/// Answers any request.
pub(super) fn answer(shop: &Shop, request: &Request) -> Answer {
    shop.edition.spoken(answer_in_english(shop, request))
}

fn answer_in_english(shop: &Shop, request: &Request) -> Answer {
    let Some(path) = rest_path(shop, request) else {
        return Answer::new(
            StatusCode::NOT_FOUND,
            "text/html; charset=UTF-8",
            "<!DOCTYPE html>\n<title>Page not found</title>\n",
        );
    };
    // The plugin looks at the credentials before there is a route.
    let user = match login::caller(request, &shop.site) {
        Ok(user) => user,
        Err(answer) => return reply::with_headers(answer, &shop.site, ""),
    };
    if user.is_some() {
        shop.ledger.count_login();
    }
    let method = method(request);
    let is_there = |route: &Route<'_>| {
        let known = shop.edition.has_restricted_capabilities() || *route != Route::Capabilities;
        known && route.methods().split(", ").any(|known| known == method)
    };
    let Some(route) = Route::of(&path).filter(is_there) else {
        return reply::with_headers(reply::no_route(), &shop.site, "");
    };
    let body = match parameters(request) {
        Ok(body) => body,
        Err(answer) => return reply::with_headers(answer, &shop.site, route.methods()),
    };
    let is_read = method == "GET";
    let answer = match user {
        _ if is_public(shop, route, is_read) => answer_anyone(shop, request, user, route),
        Some(user) if is_read => answer_read(shop, request, user, route),
        Some(user) => answer_write(shop, request, user, route, &method, body),
        // Arguments are checked before rights.
        None if matches!(route, Route::Notifications | Route::Orders | Route::Reviews | Route::Enquiries) => {
            super::paging::Page::of(request).err().unwrap_or_else(|| reply::forbidden(false))
        }
        None => reply::forbidden(false),
    };
    reply::with_headers(answer, &shop.site, route.methods())
}

/// The path below `/wp-json`, however it was asked for.
fn rest_path(shop: &Shop, request: &Request) -> Option<String> {
    let path = request.path.strip_prefix(&shop.prefix)?;
    if let Some(route) = request.parameter("rest_route").filter(|_| ["", "/", "/index.php"].contains(&path)) {
        return Some(route);
    }
    let path = path.strip_prefix("/index.php").unwrap_or(path);
    path.strip_prefix("/wp-json").map(str::to_owned)
}

/// The method, which a parameter or a header may override.
fn method(request: &Request) -> String {
    let overriding =
        request.parameter("_method").or_else(|| request.header("x-http-method-override").map(str::to_owned));
    match overriding {
        Some(method) if request.method == Method::POST => method.to_uppercase(),
        // A HEAD is a GET whose body is kept back.
        _ if request.method == Method::HEAD => "GET".to_owned(),
        _ => request.method.to_string(),
    }
}

/// The parameters of a write: the fields of the body, JSON or form, and those of the query for what the body has not.
fn parameters(request: &Request) -> Result<Value, Answer> {
    let media_type = request.header("content-type").unwrap_or_default();
    let mut fields = if media_type.contains("json") && !request.body.is_empty() {
        match request.json().map_err(|_| reply::invalid_json())? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    } else if media_type.contains("x-www-form-urlencoded") {
        url::form_urlencoded::parse(&request.body).map(|(name, value)| (name.into_owned(), value.into())).collect()
    } else {
        Map::new()
    };
    for (name, value) in request.parameters() {
        fields.entry(name).or_insert(Value::String(value));
    }
    Ok(Value::Object(fields))
}

/// Whether a route needs no login of its own.
fn is_public(shop: &Shop, route: Route<'_>, is_read: bool) -> bool {
    match route {
        Route::Products | Route::Product(_) => is_read,
        Route::Variations(_) | Route::Attributes(_) => shop.behaviour.generation == Generation::V1_5,
        Route::Index
        | Route::Namespace
        | Route::SettingsById(_)
        | Route::SettingsByEmail(_)
        | Route::SiteDetails
        | Route::StoreVendors
        | Route::StoreVendor(_) => true,
        _ => false,
    }
}

fn answer_anyone(shop: &Shop, request: &Request, user: Option<&User>, route: Route<'_>) -> Answer {
    match route {
        Route::Index => reply::ok(&json!({"name": "WCFM Sandbox", "url": shop.site, "namespaces": ["wcfmmp/v1"]})),
        Route::Namespace => reply::ok(
            &json!({"namespace": "wcfmmp/v1", "routes": {"/wcfmmp/v1": {"namespace": "wcfmmp/v1", "methods": ["GET"]}}}),
        ),
        Route::Products => product_list::list(shop, request, user),
        Route::Product(id) => product_routes::single(shop, request, user, id),
        Route::Variations(id) => product_routes::variations(shop, user, id),
        Route::Attributes(id) => product_routes::attributes(shop, user, id),
        Route::SettingsById(id) => seller::settings_by_id(shop, user, id),
        Route::SettingsByEmail(email) => seller::settings_by_email(shop, user, email),
        Route::SiteDetails => seller::site_details(shop),
        Route::StoreVendors => seller::store_vendors(shop, request),
        Route::StoreVendor(id) => seller::store_vendor(shop, id),
        _ => reply::no_route(),
    }
}

fn answer_read(shop: &Shop, request: &Request, user: &User, route: Route<'_>) -> Answer {
    match route {
        Route::Variations(id) => product_routes::variations(shop, Some(user), id),
        Route::Attributes(id) => product_routes::attributes(shop, Some(user), id),
        Route::Categories => product_routes::categories(shop, request),
        Route::Orders => order_routes::list(shop, request, user),
        Route::Order(id) => order_routes::single(shop, request, user, id),
        Route::Note(id) => order_notes::list(shop, user, id),
        Route::Capabilities => seller::restricted_capabilities(shop, user),
        Route::Notifications => notifications::list(shop, request, user),
        Route::Reviews => feedback::reviews(shop, request, user),
        Route::Enquiries => feedback::enquiries(shop, request, user),
        Route::SalesStats => seller::sales_stats(shop, user),
        _ => reply::no_route(),
    }
}

fn answer_write(shop: &Shop, request: &Request, user: &User, route: Route<'_>, method: &str, body: Value) -> Answer {
    match route {
        Route::Products => product_routes::create(shop, request, user, body),
        Route::Product(id) if method == "DELETE" => product_routes::delete(shop, request, user, id),
        Route::Product(id) => product_routes::replace(shop, request, user, id, body),
        Route::QuickEdit(id) => quick_edit::put(shop, request, user, id, body),
        Route::Order(id) => order_status::put(shop, request, user, id, body),
        Route::Note(id) => order_notes::add(shop, request, user, id, body),
        Route::Tracking => tracking::post(shop, request, user, body),
        _ => reply::no_route(),
    }
}
