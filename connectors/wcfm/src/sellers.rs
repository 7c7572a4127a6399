//! The public directory of sellers: `GET /store-vendors` and `GET /store-vendors/{id}`.
//!
//! What a store hides in its own pages stands in the answer all the same, so it is left out here; so are people's login names.
//! A seller that cannot be read is a serialised error, with status 200, by itself and among others (protocol notes, sections
//! 3.3 and 3.12; recording 264).

use tradepost_sdk::json::{Id, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{PageOf, Walk};
use tradepost_sdk::wordpress::{Flag, record_id};

use crate::{WcfmConnector, answer, list_page, site};

json::record! {
    struct SellerJson<'a> {
        vendor_id: Option<Id>,
        vendor_shop_name: Text<'a>,
        store_hide_email: Flag,
        store_hide_phone: Flag,
        store_hide_address: Flag,
        store_hide_description: Flag,
        vendor_email: Text<'a>,
        vendor_phone: Text<'a>,
        vendor_address: Text<'a>,
        vendor_description: Text<'a>,
        store_rating: Text<'a>,
        disable_vendor: Option<Flag>,
        is_store_offline: Option<Flag>,
        vendor_shop_logo: Text<'a>,
    }
}

impl<M> Sellers for WcfmConnector<M> {
    fn list(cursor: Option<String>) -> Result<SellerPage, Error> {
        let step = Walk::unfiltered().unsorted().step(cursor.as_deref(), &mut |_: Option<&str>, page: u32| {
            let answer = list_page::numbered(&http::get("/store-vendors"), list_page::ROWS, page).send()?;
            site::since("1.2.2", &answer)?;
            let sellers = decode_list(&answer)?;
            let last = sellers.len() < list_page::ROWS as usize;
            Ok(PageOf { rows: sellers.into_iter().flatten().collect(), total: None, last })
        })?;
        Ok(SellerPage { items: step.items, next: step.next, end: step.end })
    }

    fn get(id: String) -> Result<Seller, Error> {
        let id = record_id(&id).ok_or_else(no_such_seller)?;
        let answer = http::get(format!("/store-vendors/{id}")).send()?;
        site::since("1.3.0", &answer)?;
        seller(json::decode(answer::json(&answer)?)?).ok_or_else(no_such_seller)
    }
}

/// The sellers of one answer; none in the place of one that cannot be read.
pub fn decode_list(answer: &Answer) -> Result<Vec<Option<Seller>>, Error> {
    json::map_array(answer::list(answer)?, |source, _| seller(source))
}

fn no_such_seller() -> Error {
    error::not_found("The marketplace has no such seller.")
}

fn seller(source: SellerJson<'_>) -> Option<Seller> {
    let shown = |hidden: Flag, text: Text<'_>| Some(text.into_plain()).filter(|text| !hidden.0 && !text.is_empty());
    let is_closed = [source.disable_vendor, source.is_store_offline]
        .into_iter()
        .flatten()
        .reduce(|one, other| Flag(one.0 || other.0));
    let logo = source.vendor_shop_logo.into_option();
    Some(Seller {
        id: source.vendor_id?.nonzero()?,
        name: source.vendor_shop_name.into_plain(),
        email: shown(source.store_hide_email, source.vendor_email),
        phone: shown(source.store_hide_phone, source.vendor_phone),
        address: shown(source.store_hide_address, source.vendor_address),
        description: if source.store_hide_description.0 {
            String::new()
        } else {
            source.vendor_description.into_string()
        },
        rating: decimal::parse(&source.store_rating).ok(),
        open: is_closed.map(|closed| !closed.0),
        extensions: logo.map(|value| Attribute { name: "wcfm.logo".into(), value }).into_iter().collect(),
    })
}
