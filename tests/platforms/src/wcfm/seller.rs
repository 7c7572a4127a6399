//! What the API tells about the vendor and the shop: settings, restricted capabilities, sales, the public lists.

use http::StatusCode;
use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::paging::Page;
use super::shop::Shop;
use super::{Generation, reply};
use crate::exchange::{Answer, Request};

/// The settings of a user: those of the vendor, nothing of one who never saved any, and only to himself.
fn settings(shop: &Shop, user: &User, is_own: bool) -> Answer {
    if !is_own {
        return reply::forbidden(true);
    }
    if user.id == VENDOR.id { reply::ok(&shop.recordings.settings()) } else { reply::ok(&json!("")) }
}

/// `GET /settings/id/{id}`. The id 0 is the visitor's own, who has no settings: `false`.
pub(super) fn settings_by_id(shop: &Shop, user: Option<&User>, id: u64) -> Answer {
    match user {
        None if id == 0 => reply::ok(&json!(false)),
        None => reply::forbidden(false),
        Some(user) => settings(shop, user, user.id == id),
    }
}

/// `GET /settings/email/{email}`. The address must stand in the path as it is: another letter case or an escaped `@` is someone
/// else's.
pub(super) fn settings_by_email(shop: &Shop, user: Option<&User>, email: &str) -> Answer {
    match user {
        None => reply::forbidden(false),
        Some(user) => settings(shop, user, user.email == email),
    }
}

/// `GET /restricted-capabilities`: an object, or an empty array when there is nothing in it.
pub(super) fn restricted_capabilities(shop: &Shop, user: &User) -> Answer {
    if !user.is_vendor {
        return reply::forbidden(true);
    }
    reply::ok(&if shop.behaviour.unrestricted { json!([]) } else { shop.recordings.restricted_capabilities() })
}

/// `GET /sales-stats`.
pub(super) fn sales_stats(shop: &Shop, user: &User) -> Answer {
    let nothing = json!({"last_month": 0, "month": 0, "week": 0});
    reply::ok(&if user.id == VENDOR.id {
        shop.recordings.sales_stats()
    } else {
        json!({"gross_sales": nothing, "earnings": nothing, "currency": shop.edition.currency()})
    })
}

/// `GET /site-details`, the only place that names the version.
pub(super) fn site_details(shop: &Shop) -> Answer {
    let version = match shop.behaviour.generation {
        Generation::V1_5 => "1.5.3",
        Generation::V1_6 => "1.6.2",
    };
    reply::ok(&json!({
        "is_wcfm_ultimate": shop.behaviour.tracking_add_on,
        "is_wc_booking": false,
        "site_url": shop.site,
        "site_title": "WCFM Sandbox",
        "wcfm_url": format!("{}/store-manager/", shop.site),
        "wcfm_rest_api_version": version,
    }))
}

/// `GET /store-vendors`, in pages without totals.
pub(super) fn store_vendors(shop: &Shop, request: &Request) -> Answer {
    let page = match Page::of(request) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let vendors: Value = shop.recordings.store_vendors().into_iter().skip(page.skipped()).take(page.size).collect();
    reply::ok(&reply::only_fields(vendors, request.parameter("_fields").as_deref(), &[]))
}

/// `GET /store-vendors/{id}`. An unknown one is 200 with PHP's error object.
pub(super) fn store_vendor(shop: &Shop, id: u64) -> Answer {
    match shop.recordings.store_vendors().into_iter().find(|vendor| vendor["vendor_id"] == id) {
        Some(vendor) => reply::ok(&vendor),
        None => reply::ok(&json!({
            "errors": {"wcfmapi_rest_invalid_vendor": ["Invalid Vendor"]},
            "error_data": {"wcfmapi_rest_invalid_vendor": {"status": StatusCode::NOT_FOUND.as_u16()}},
        })),
    }
}
