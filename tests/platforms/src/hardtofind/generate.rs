//! Generated orders: copies of the documentation's sample order that differ where orders differ. The n-th is always the same.

use serde_json::{Value, json};

use crate::clock::{self, OPENING, SYDNEY};

/// The documentation's sample order, verbatim.
const SAMPLE: &str = include_str!("../../../fixtures/seeds/hardtofind-order.json");

/// The id of the first generated order; the sample is 123456.
const FIRST_ID: u64 = 200_001;

/// Of twenty orders in a row, the status of each: most wait for the seller or are on their way.
const STATUSES: [&str; 20] = [
    "READY",
    "SHIPPED",
    "READY",
    "PROCESSED",
    "SHIPPED",
    "READY",
    "SHIPPED",
    "READY",
    "PROCESSED",
    "RETURNED", //
    "READY",
    "SHIPPED",
    "READY",
    "PROCESSED",
    "SHIPPED",
    "READY",
    "REFUNDED",
    "READY",
    "PROCESSED",
    "CANCELLED",
];

/// Buyers, with text that is awkward to carry.
const BUYERS: [(&str, &str, &str, &str, &str); 5] = [
    ("Tim", "Massey", "Suburbia", "ACT", "1001"),
    ("Zoë", "O'Brien", "Fitzroy North", "VIC", "3068"),
    ("小明", "王", "Haymarket", "NSW", "2000"),
    ("Anne-Marie", "D\u{2019}Souza", "Woolloongabba", "QLD", "4102"),
    ("J\u{fc}rgen", "M\u{fc}ller & S\u{f6}hne", "Glenelg", "SA", "5045"),
];

/// The sample order.
pub(super) fn sample() -> Value {
    serde_json::from_str(SAMPLE).expect("the sample order is JSON")
}

/// The id of a generated order.
pub(super) fn id(index: u64) -> String {
    (FIRST_ID + index).to_string()
}

/// The status of a generated order.
pub(super) fn status(index: u64) -> &'static str {
    STATUSES[usize::try_from(index % 20).unwrap_or_default()]
}

/// When a generated order of `of` was last updated. Two in a row share the second, so that an order of equal dates has to be lived
/// with.
pub(super) fn updated_at(index: u64, of: u64) -> i64 {
    OPENING - 3600 - i64::try_from(of.saturating_sub(index) / 2).unwrap_or_default() * 1200
}

/// A generated order of `of`.
pub(super) fn order(index: u64, of: u64, root_url: &str) -> Value {
    let (id, status, updated_at) = (id(index), status(index), updated_at(index, of));
    let mut order = copy(&id, status, root_url, updated_at - 7200, updated_at);
    let sku = format!("SKU-{}", 1000 + index % 100);
    let quantity = 1 + index % 3;
    // Cents 0 to 99: whole amounts are written as integers and others as floats, as in the sample.
    let cents = 1000 + (index * 737) % 20_000;
    let shipping = if index.is_multiple_of(2) { 0 } else { 995 };
    order["payment_summary"] = json!({
        "price": amount(cents * quantity),
        "shipping": amount(shipping),
        "value_addition": 0,
        "discount": 0,
        "credit": 0,
        "payment": amount(cents * quantity + shipping),
        "total": amount(cents * quantity + shipping),
    });
    order["shipping"]["method"]["price"] = amount(shipping);
    let line = &mut order["lines"][0];
    line["description"] = format!("Generated product {}", index % 100).into();
    line["price"] = amount(cents);
    line["product_id"] = (5000 + index % 100).to_string().into();
    line["quantity"] = quantity.into();
    line["sku"] = sku.into();
    if !index.is_multiple_of(4) {
        line["personalisations"] = json!([]);
        order["gift_wrapping"] = Value::Null;
    }
    let (first_name, last_name, suburb, state, postcode) = BUYERS[usize::try_from(index % 5).unwrap_or_default()];
    let address = &mut order["shipping"]["address"];
    for (field, value) in [
        ("first_name", first_name),
        ("last_name", last_name),
        ("suburb", suburb),
        ("state", state),
        ("postcode", postcode),
        ("company", ""),
    ] {
        address[field] = value.into();
    }
    if ["SHIPPED", "RETURNED"].contains(&status) {
        order["shipments"] = json!([{
            "shipment_date": clock::offset_without_colon(updated_at, SYDNEY),
            "tracking_number": format!("TRACK-{id}"),
            "shipping_provider_name": "Australia Post",
        }]);
    }
    order
}

/// The sample under another id, with links to this server and without a shipment.
pub(super) fn copy(id: &str, status: &str, root_url: &str, created_at: i64, updated_at: i64) -> Value {
    let mut order = sample();
    order["id"] = id.into();
    order["status"] = status.into();
    order["_links"] = json!({
        "self": format!("{root_url}/order/{id}"),
        "manage": format!("https://www.hardtofind.com.au/mfadmin/sales_order_part/view/{id}"),
        "packing_slip": format!("{root_url}/order/{id}/packing-slip"),
    });
    order["dates"] = json!({
        "created_at": clock::offset_without_colon(created_at, SYDNEY),
        "updated_at": clock::offset_without_colon(updated_at, SYDNEY),
        "dispatch_due_at": clock::offset_without_colon(created_at + 5 * 86_400, SYDNEY),
    });
    order["shipments"] = json!([]);
    order
}

fn amount(cents: u64) -> Value {
    if cents.is_multiple_of(100) {
        return (cents / 100).into();
    }
    // Reading the decimal gives the float that prints as the same decimal.
    format!("{}.{:02}", cents / 100, cents % 100).parse::<f64>().map_or(Value::Null, Value::from)
}
