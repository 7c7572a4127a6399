//! Records as they stand on the wire (seed 000), the paths they stand under, and what a 404 means there.

use tradepost_sdk::json::{Amount, Decode, DecodeError, Id, Loose, Raw, Reader, Text};
use tradepost_sdk::prelude::*;

/// A value whose key must be there, also where `null` may stand for it: a list without that key is not the documented one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Present<T>(pub(crate) T);

impl<'a, T: Decode<'a>> Decode<'a> for Present<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        T::decode(reader).map(Self)
    }
}

json::record! {
    /// The answer to `POST /order`.
    pub(crate) struct ReceiptJson<'a> {
        "orderId" => pub order_id: Id,
        /// Not decoded yet: an odd date must not cost the order's id.
        "sendDate" => pub send_date: Option<Raw<'a>>,
    }

    /// An element of `GET /order/{id}/status` and of `GET /order/{id}/customer-status`.
    pub(crate) struct ItemJson<'a> {
        pub sku: Present<Text<'a>>,
        pub status: Present<Text<'a>>,
    }

    /// The answer to `GET /order/{id}`, of which only the parcel's fields are known (protocol notes, section 2.2).
    pub(crate) struct OrderJson<'a> {
        pub shipping: Loose<ShippingJson<'a>>,
    }

    pub(crate) struct ShippingJson<'a> {
        pub carrier: Text<'a>,
        pub tracking: Text<'a>,
        "trackingRet" => pub return_tracking: Text<'a>,
    }

    /// An element of `GET /stock/available`.
    pub(crate) struct StockJson<'a> {
        pub sku: Present<Text<'a>>,
        pub stock: Present<Loose<Amount>>,
    }

    /// The body of a webhook. The id is a string here and a number in the API.
    pub(crate) struct WebhookJson<'a> {
        pub external_id: Id,
        pub status: Present<Text<'a>>,
    }
}

/// A page of stock, pages counted from 1.
pub(crate) fn stock_page(page: u32, count: u32) -> http::Request {
    http::get("/stock/available").query("page", page).query("count", count)
}

/// The path of one order. Fails with `invalid-input` for what can be no id: it would make the path of something else.
pub(crate) fn order_path(id: &str) -> Result<String, Error> {
    if matches!(id.trim(), "" | "." | "..") {
        let message = "HFT71 finds an order by its id, as `submit` returned it.";
        return Err(error::invalid_input(vec![error::issue("/id", "missing", message)]));
    }
    Ok(format!("/order/{}", http::segment(id)))
}

/// A successful answer about one order, else its error.
pub(crate) fn of_order(id: &str, answer: Answer) -> Result<Answer, Error> {
    if answer.status == 404 {
        let message = format!("HFT71 has no order {id} (or the setting `root-url` is wrong).");
        return Err(answer.error().with_message(message));
    }
    answer.checked()
}

/// A successful answer of an address that always exists, else its error: a 404 there means a wrong base URL (protocol
/// notes, section 2.7).
pub(crate) fn of_service(answer: Answer) -> Result<Answer, Error> {
    if answer.status == 404 {
        let message = "HFT71 does not know this address: check the setting `root-url`.";
        return Err(answer.error().with_message(message));
    }
    answer.checked()
}
