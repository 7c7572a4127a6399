//! Whose account it is: what a check reads.
//!
//! `/site-details` tells the version without a login; a read of the seller's orders proves the login and the seller's role;
//! `/user-profile` and the settings name the seller. The first and the last two are not there on every version, and their
//! absence fails nothing (protocol notes, sections 3.5 and 3.12; recordings 260, 265).

use tradepost_sdk::json::{Id, Loose, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::is_crash;

use crate::{answer, seller_settings, site};

json::record! {
    struct UserJson<'a> {
        id: Option<Id>,
        username: Text<'a>,
        role: Text<'a>,
    }

    struct NewestOrderJson<'a> {
        vendor_order_details: Loose<VendorJson<'a>>,
    }

    struct VendorJson<'a> {
        vendor_id: Text<'a>,
    }
}

/// Proves settings and credential, and says whose account it is. Fails as reading orders would.
pub fn check() -> Result<AccountIdentity, Error> {
    let mut proof = http::get("/orders").query("per_page", 1).query("page", 1).send()?;
    if is_crash(&proof) {
        // The newest order may be one that the site crashes over (see `list_page`); notifications prove as much.
        proof = http::get("/notifications").query("per_page", 1).send()?;
    }
    let rows: Vec<NewestOrderJson<'_>> = json::decode(answer::list(&proof)?)?;
    let newest = rows.into_iter().next().and_then(|order| order.vendor_order_details.into_option());
    let id = newest.and_then(|vendor| vendor.vendor_id.into_option());
    let mut identity = AccountIdentity { id, name: None, server: None, facts: Vec::new() };

    if let Some(site) = site::decode(&site::request().send()) {
        identity.server = site.wcfm_rest_api_version.into_option().map(|version| format!("WCFM REST API {version}"));
        let add_on = site.is_wcfm_ultimate.map(|is_there| if is_there { "installed" } else { "not installed" });
        let title = Some(site.site_title.into_plain()).filter(|title| !title.is_empty());
        let facts =
            [("site", title), ("site-url", site.site_url.into_option()), ("wcfm-ultimate", add_on.map(str::to_owned))];
        identity.facts = facts.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect();
    }
    if let Ok(answer) = http::get("/user-profile").send()
        && let Ok(user) = answer::json(&answer).and_then(json::decode::<UserJson<'_>>)
    {
        identity.id = user.id.and_then(Id::nonzero).or(identity.id);
        identity.name = user.username.into_option();
        identity.facts.extend(user.role.into_option().map(|role| ("role".to_owned(), role)));
    }
    if let Some(id) = identity.id.clone()
        && let Ok(profile) = seller_settings::get(&Selector::Id(id))
    {
        identity.name = profile.store_name.or(identity.name);
    }
    Ok(identity)
}
