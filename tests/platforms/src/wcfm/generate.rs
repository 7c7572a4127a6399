//! Generated orders, products and notifications: renumbered copies of recorded ones. The n-th is always the same.

use serde_json::{Value, json};

use crate::clock::{self, KOLKATA, OPENING};

/// The id of the first generated order; the recorded ones end at 75.
const FIRST_ORDER: u64 = 1_001;
/// The id of the first generated product. WordPress numbers orders and products together.
const FIRST_PRODUCT: u64 = 5_000_001;
/// The id of the first generated variation.
const FIRST_VARIATION: u64 = 8_000_001;
/// The id of the first generated notification; the recorded ones end at 61.
const FIRST_NOTIFICATION: u64 = 1_001;
/// Generated orders are made within this many seconds before the opening, and after the recorded ones.
const SPAN: u64 = 9 * 86_400;

/// The id of a generated order.
pub(super) fn order_id(index: u64) -> u64 {
    FIRST_ORDER + index
}

/// When a generated order of `of` was made.
pub(super) fn order_created(index: u64, of: u64) -> i64 {
    let left = (of - index).saturating_mul(SPAN) / of;
    OPENING - i64::try_from(left).unwrap_or_default()
}

/// A generated order of `of`, in the shape of the list.
pub(super) fn order(index: u64, of: u64, recorded: &[Value]) -> Value {
    let source = usize::try_from(index % recorded.len() as u64).unwrap_or_default();
    copy_order(&recorded[source], order_id(index), order_created(index, of))
}

/// A copy of an order under another id and made at another time, its lines numbered anew.
pub(super) fn copy_order(source: &Value, id: u64, created: i64) -> Value {
    let mut order = source.clone();
    order["id"] = id.into();
    order["number"] = id.to_string().into();
    order["order_key"] = format!("wc_order_{id:013}").into();
    set_dates(&mut order, "date_created", created);
    set_dates(&mut order, "date_modified", created);
    for name in ["date_paid", "date_completed"] {
        if order[name].is_string() {
            set_dates(&mut order, name, created);
        }
    }
    let mut places = Vec::new();
    for (place, line) in order["line_items"].as_array_mut().into_iter().flatten().enumerate() {
        places.push((line["id"].clone(), id * 10 + place as u64));
        line["id"] = (id * 10 + place as u64).into();
    }
    renumber_tracking(&mut order, &places);
    let newest_first: Vec<String> = places.iter().rev().map(|(_, new)| new.to_string()).collect();
    let details = &mut order["vendor_order_details"];
    details["ID"] = newest_first.first().cloned().into();
    details["item_id"] = newest_first.first().cloned().into();
    details["order_item_ids"] = newest_first.join(",").into();
    details["commission_ids"] = newest_first.join(",").into();
    details["order_id"] = id.to_string().into();
    details["created"] = clock::database(created, KOLKATA).into();
    order
}

/// Gives the lines in an order's tracking, if it has any, their new numbers.
fn renumber_tracking(order: &mut Value, places: &[(Value, u64)]) {
    let renumber = |id: &mut Value| {
        if let Some((_, new)) = places.iter().find(|(old, _)| old == id) {
            *id = (*new).into();
        }
    };
    // Pointers, because indexing would put a null in place of what is missing.
    if let Some(Value::Array(each)) = order.pointer_mut("/shipment_tracking/each_data") {
        for shipped in each {
            renumber(&mut shipped["item_id"]);
        }
    }
    if let Some(Value::Array(ids)) = order.pointer_mut("/shipment_tracking/mark_all/order_item_ids") {
        ids.iter_mut().for_each(renumber);
    }
}

/// Writes a date of WordPress and its twin in UTC.
pub(super) fn set_dates(record: &mut Value, name: &str, seconds: i64) {
    record[name] = clock::without_offset(seconds, KOLKATA).into();
    record[format!("{name}_gmt")] = clock::without_offset(seconds, time::UtcOffset::UTC).into();
}

/// What is known of a generated product without making it.
pub(super) struct ProductPlan {
    pub(super) id: u64,
    pub(super) sku: String,
    pub(super) created: i64,
    pub(super) variations: Vec<u64>,
    /// The recorded product it is a copy of.
    pub(super) source: u64,
}

/// The plan of a generated product of `of`. One in ten is variable, four in ten count their stock.
pub(super) fn product_plan(index: u64, of: u64) -> ProductPlan {
    let source = match index % 10 {
        0 => 17,
        1..=4 => 28,
        _ => 42,
    };
    let variations =
        if source == 17 { (0..4).map(|place| FIRST_VARIATION + index * 4 + place).collect() } else { Vec::new() };
    ProductPlan {
        id: FIRST_PRODUCT + index,
        sku: format!("GEN-{index}"),
        // After the recorded ones, one a second at the least apart where they fit.
        created: OPENING - i64::try_from((of - index).saturating_mul(60 * 86_400) / of).unwrap_or_default(),
        variations,
        source,
    }
}

/// A generated product of `of`.
pub(super) fn product(index: u64, of: u64, recorded: &[Value]) -> Value {
    let plan = product_plan(index, of);
    let source = recorded.iter().find(|product| product["id"] == plan.source).unwrap_or(&recorded[0]);
    let mut product = source.clone();
    let slug = format!("generated-{index}");
    product["permalink"] = (with_last_part(&source["permalink"], &slug) + "/").into();
    let link = with_last_part(&source["_links"]["self"][0]["href"], &plan.id.to_string());
    product["_links"]["self"][0]["href"] = link.into();
    product["id"] = plan.id.into();
    product["name"] = format!("Generated product {index}").into();
    product["slug"] = slug.into();
    product["sku"] = plan.sku.clone().into();
    // A list that is not empty comes in another order each time, which would keep the text from being kept.
    product["related_ids"] = json!([]);
    set_dates(&mut product, "date_created", plan.created);
    set_dates(&mut product, "date_modified", plan.created);
    if product["manage_stock"] == true {
        let quantity = index % 40;
        product["stock_quantity"] = quantity.into();
        product["in_stock"] = (quantity > 0).into();
        product["backorders"] = "no".into();
        product["backorders_allowed"] = false.into();
        product["backordered"] = false.into();
    }
    for (place, variation) in product["variations"].as_array_mut().into_iter().flatten().enumerate() {
        variation["variation_id"] = plan.variations[place].into();
        variation["sku"] = format!("{}-{place}", plan.sku).into();
    }
    product
}

/// An address with another last part, without a slash at the end.
fn with_last_part(address: &Value, part: &str) -> String {
    let address = address.as_str().unwrap_or_default().trim_end_matches('/');
    let (before, _) = address.rsplit_once('/').unwrap_or_default();
    format!("{before}/{part}")
}

/// A generated notification of `of`.
pub(super) fn notification(index: u64, of: u64) -> Value {
    let created = OPENING - i64::try_from(of - index).unwrap_or_default();
    json!({
        "ID": (FIRST_NOTIFICATION + index).to_string(),
        "message": format!("You have received an Order #{} for Generated product {index}", order_id(index)),
        "message_type": "order",
        "created": clock::database(created, KOLKATA),
    })
}
