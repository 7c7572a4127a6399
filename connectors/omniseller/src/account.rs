//! The account's settings, and the proof that they work.

use tradepost_sdk::prelude::*;

use crate::endpoint::{self, NO_DATA, SERVICE, function};
use crate::{OmniSeller, categories, manifest};

json::record! {
    /// The settings that the connector itself reads; the host has checked them against the schema.
    #[derive(Default)]
    pub(crate) struct Settings {
        "product-upload-function" => pub product_upload_function: Option<String>,
        "stock-function" => pub stock_function: Option<String>,
        "order-data" => pub order_data: Option<String>,
        "order-route" => pub order_route: Option<String>,
        pub currency: Option<String>,
        "utc-offset-minutes" => pub utc_offset_minutes: Option<i32>,
        "order-fields" => pub order_fields: Option<OrderFields>,
    }

    /// Where this shop's orders hold what: RFC 6901 pointers into an order, those of a line into one line.
    #[derive(Default)]
    pub(crate) struct OrderFields {
        pub total: Option<String>,
        pub currency: Option<String>,
        "placed-at" => pub placed_at: Option<String>,
        "buyer-name" => pub buyer_name: Option<String>,
        "buyer-email" => pub buyer_email: Option<String>,
        pub lines: Option<String>,
        "line-sku" => pub line_sku: Option<String>,
        "line-title" => pub line_title: Option<String>,
        "line-quantity" => pub line_quantity: Option<String>,
        "line-unit-price" => pub line_unit_price: Option<String>,
    }
}

/// The number of a function that the documentation does not give. Fails with `unsupported` where the account has none.
pub(crate) fn undocumented(number: Option<String>, setting: &str, operation: &str) -> Result<String, Error> {
    number.ok_or_else(|| {
        let message = format!(
            "This account cannot do that: the platform's documentation has only a heading for {operation}. \
             Ask the shop for its function number and put it into the setting `{setting}`."
        );
        error::unsupported(message).with_detail(format!("the setting `{setting}` has no value"))
    })
}

impl Connector for OmniSeller {
    fn describe() -> Manifest {
        manifest::describe()
    }

    /// Reads the categories, the shorter of the two lists. The interface tells nothing of whose account it is.
    fn check() -> Result<AccountIdentity, Error> {
        let answer = endpoint::reading(SERVICE, function::CATEGORIES, NO_DATA).send()?;
        let reply = endpoint::read(&answer, function::CATEGORIES)?;
        let count = categories::decode(&reply)?.len();
        Ok(AccountIdentity {
            id: None,
            name: None,
            server: shop_system(&reply.debug_message).map(|system| format!("HTKService4 on {system}")),
            facts: vec![("categories".into(), count.to_string())],
        })
    }
}

/// The shop system in a routine's name: `Oxid6` of `Oxid6_GetCategories` (seed 004). Other texts say nothing.
fn shop_system(routine: &str) -> Option<&str> {
    let system = routine.strip_suffix("_GetCategories")?;
    let is_name = (1..=40).contains(&system.len()) && system.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some(system)
}
