//! Orders as they stand on the wire (seed 001, "Standard Order structure"; protocol notes, section 1.5).
//!
//! Nullability is nowhere documented: only the id, the status and the total are insisted on.

use tradepost_sdk::json::{Amount, Id, Loose, PhpList, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::time::Zoned;

json::record! {
    pub(crate) struct OrderJson<'a> {
        pub id: Id,
        pub status: Text<'a>,
        "_links" => pub links: Loose<LinksJson<'a>>,
        pub dates: Loose<DatesJson>,
        pub payment_summary: PaymentJson,
        pub lines: PhpList<LineJson<'a>>,
        pub gift_wrapping: Loose<GiftJson<'a>>,
        pub shipping: Loose<ShippingJson<'a>>,
        pub shipments: PhpList<ShipmentJson<'a>>,
    }

    pub(crate) struct LinksJson<'a> {
        "self" => pub this: Text<'a>,
        pub manage: Text<'a>,
        pub packing_slip: Text<'a>,
    }

    pub(crate) struct DatesJson {
        pub created_at: Loose<Zoned>,
        pub updated_at: Loose<Zoned>,
        pub dispatch_due_at: Loose<Zoned>,
    }

    pub(crate) struct PaymentJson {
        pub price: Option<Amount>,
        pub shipping: Option<Amount>,
        pub value_addition: Option<Amount>,
        pub discount: Option<Amount>,
        pub credit: Option<Amount>,
        pub payment: Option<Amount>,
        pub total: Amount,
    }

    pub(crate) struct LineJson<'a> {
        pub description: Text<'a>,
        pub price: Option<Amount>,
        pub product_id: Loose<Id>,
        pub quantity: Amount,
        pub sku: Text<'a>,
        pub variant_data: PhpList<LabelJson<'a>>,
        pub personalisations: PhpList<LabelJson<'a>>,
    }

    pub(crate) struct LabelJson<'a> {
        pub label: Text<'a>,
        pub value: Text<'a>,
    }

    pub(crate) struct GiftJson<'a> {
        pub description: Text<'a>,
        pub message: Text<'a>,
        pub price: Option<Amount>,
        pub quantity: Option<Amount>,
    }

    pub(crate) struct ShippingJson<'a> {
        pub address: Loose<AddressJson<'a>>,
        pub method: Loose<MethodJson<'a>>,
        pub instructions: Text<'a>,
    }

    pub(crate) struct AddressJson<'a> {
        pub first_name: Text<'a>,
        pub last_name: Text<'a>,
        pub line_one: Text<'a>,
        pub line_two: Text<'a>,
        pub suburb: Text<'a>,
        pub state: Text<'a>,
        pub postcode: Text<'a>,
        pub country: Text<'a>,
        pub company: Text<'a>,
    }

    pub(crate) struct MethodJson<'a> {
        pub description: Text<'a>,
        pub price: Option<Amount>,
    }

    pub(crate) struct ShipmentJson<'a> {
        pub shipment_date: Loose<Zoned>,
        pub tracking_number: Text<'a>,
        pub shipping_provider_name: Text<'a>,
    }
}
