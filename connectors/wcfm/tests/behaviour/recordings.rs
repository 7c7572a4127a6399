//! All 390 recorded answers of a real server, each through the decoder of the operation that would meet it.
//!
//! `recordings.tsv` says for each file which operation that is and what must come out: values or a typed error. Requests that
//! the connector never makes are listed with the reason; their answers still pass the reading of errors. Values are
//! compared with the same file read by another JSON library.

use std::collections::BTreeMap;

use serde_json::Value;
use tradepost_sdk::prelude::*;
use tradepost_sdk::time;
use tradepost_wcfm::Wcfm;
use tradepost_wcfm::account::Account;
use tradepost_wcfm::answer::{self, Body};
use tradepost_wcfm::{
    categories, notifications, order_notes, order_status, orders, product_mapping, products, sales_figures,
    seller_restrictions, seller_settings, sellers,
};

use crate::recorded::{self, Recording, fixture, host};

/// What came out, in words that fit into a table.
fn outcome(found: Result<String, Error>) -> String {
    let fault = match found {
        Ok(found) => return found,
        Err(fault) => fault,
    };
    assert!(!fault.message.contains(['<', '>']) && !fault.message.contains("&#"), "markup in: {}", fault.message);
    match fault.kind {
        ErrorKind::AuthExpired => "auth-expired".into(),
        ErrorKind::AuthRejected => "auth-rejected".into(),
        ErrorKind::Forbidden => "forbidden".into(),
        ErrorKind::NotFound => "not-found".into(),
        ErrorKind::InvalidInput(issues) => {
            let pointers: Vec<String> =
                issues.into_iter().map(|issue| format!("{} {}", issue.pointer, issue.code)).collect();
            format!("invalid-input {}", pointers.join(", "))
        }
        ErrorKind::Conflict => "conflict".into(),
        ErrorKind::Unsupported => "unsupported".into(),
        ErrorKind::Transient(_) => "transient".into(),
        ErrorKind::Protocol(place) => format!("protocol: not {}", place.expected),
        ErrorKind::Unavailable(hint) => format!("unavailable for {} s", hint.retry_after_ms.unwrap_or(0) / 1000),
        other => format!("{other:?}"),
    }
}

/// The JSON of an answer by another library, notices in front of it cut off by hand.
fn oracle(answer: &Answer) -> Value {
    let text = answer.text().unwrap();
    let start = if text.starts_with('<') {
        ["[{\"id\"", "{\"store_name\""].into_iter().find_map(|start| text.find(start)).unwrap()
    } else {
        0
    };
    serde_json::from_str(&text[start..]).unwrap()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn amount(value: Option<Decimal>) -> Option<String> {
    value.as_ref().map(decimal::to_text)
}

fn assert_date(found: Option<Timestamp>, source: &Value, field: &str) {
    let (local, utc) = (&source[field], &source[format!("{field}_gmt")]);
    match found {
        None => assert!(local.is_null() && utc.is_null(), "{field} of {}", source["id"]),
        Some(found) => {
            assert_eq!(time::to_rfc3339(&found)[..19], *local.as_str().unwrap(), "{field} of {}", source["id"]);
            let in_utc = Timestamp { offset_minutes: 0, ..found };
            assert_eq!(time::to_rfc3339(&in_utc)[..19], *utc.as_str().unwrap(), "{field}_gmt of {}", source["id"]);
        }
    }
}

/// Compares an order with the same text read by another library.
pub(crate) fn assert_order(order: &Order, source: &Value, raw: Option<&str>) {
    assert_eq!(Some(order.id.clone()), text(&source["id"]));
    assert_eq!(Some(order.number.clone()), text(&source["number"]));
    assert_eq!(order.status.raw, source["status"]);
    assert_ne!(order.status.order, OrderState::Unknown, "{}", order.status.raw);
    assert_eq!(order.currency.as_deref(), source["currency"].as_str());
    assert_eq!(order.prices_include_tax, source["prices_include_tax"].as_bool());
    assert_date(order.placed_at, source, "date_created");
    assert_date(order.updated_at, source, "date_modified");
    assert_date(order.paid_at, source, "date_paid");
    assert_eq!(order.totals.scope, TotalsScope::WholeOrder);
    assert_eq!(order.totals.total.as_ref().map(decimal::to_text), text(&source["total"]));
    assert_eq!(amount(order.totals.tax), text(&source["total_tax"]));
    assert_eq!(amount(order.totals.shipping), text(&source["shipping_total"]));
    assert_eq!(amount(order.totals.discount), text(&source["discount_total"]));
    assert_eq!(amount(order.totals.refunded), text(&source["vendor_order_details"]["refunded_amount"]));
    assert_eq!(order.buyer.id, text(&source["customer_id"]).filter(|id| id != "0"));
    assert_eq!(order.payment_method, text(&source["payment_method_title"]));
    assert_eq!(order.delivery_instructions, text(&source["customer_note"]));
    for (address, source) in
        [(&order.billing_address, &source["billing"]), (&order.shipping_address, &source["shipping"])]
    {
        let Some(address) = address else {
            assert!(source.as_object().unwrap().values().all(|value| text(value).is_none()), "{source}");
            continue;
        };
        assert_eq!(address.last_name, source["last_name"]);
        assert_eq!(address.company, source["company"]);
        assert_eq!(address.city, source["city"]);
        assert_eq!(address.postcode, source["postcode"]);
        assert_eq!(address.country_code, text(&source["country"]));
        assert_eq!(address.region_code.clone().or(address.region_name.clone()), text(&source["state"]));
        assert_eq!(address.phone, text(&source["phone"]));
        assert_eq!(address.email, text(&source["email"]));
        let lines = [text(&source["address_1"]), text(&source["address_2"])];
        assert_eq!(address.lines, lines.into_iter().flatten().collect::<Vec<_>>());
    }
    let compact = raw.map(|raw| raw.split_whitespace().collect::<String>());
    let lines = source["line_items"].as_array().unwrap();
    assert_eq!(order.lines.len(), lines.len());
    for (line, source) in order.lines.iter().zip(lines) {
        assert_eq!(Some(line.id.clone()), text(&source["id"]));
        assert_eq!(line.sku, text(&source["sku"]));
        assert_eq!(line.product_id, text(&source["product_id"]).filter(|id| id != "0"));
        assert_eq!(line.variant_id, text(&source["variation_id"]).filter(|id| id != "0"));
        assert_eq!(amount(Some(line.quantity)), text(&source["quantity"]));
        // The other library rounds floats; the text itself shows that their noise stays as it is.
        for (found, key) in [(line.unit_price, "price"), (line.commission, "commission_value")] {
            let number = source[key].as_f64();
            assert_eq!(found.is_some(), number.is_some(), "{key}");
            let written = amount(found).map(|text| format!("\"{key}\":{text}"));
            assert!(written.is_none_or(|written| compact.as_ref().unwrap().contains(&written)), "{key} {found:?}");
        }
        assert_eq!(amount(line.total), text(&source["total"]));
        assert_eq!(amount(line.tax), text(&source["total_tax"]));
        let wishes = source["meta_data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|fact| !fact["key"].as_str().unwrap().starts_with('_'));
        assert_eq!(line.options.len() + line.personalisations.len(), wishes.count());
    }
    let parts = [
        (order.shipping_lines.len(), "shipping_lines"),
        (order.fees.len(), "fee_lines"),
        (order.discounts.len(), "coupon_lines"),
    ];
    for (count, name) in parts {
        assert_eq!(count, source[name].as_array().unwrap().len(), "{name}");
    }
    assert_eq!(order.shipments, []);
    if let Some(raw) = raw {
        assert_eq!(serde_json::from_str::<Value>(raw).unwrap(), *source);
    }
}

/// Compares a product with the same text read by another library.
pub(crate) fn assert_product(product: &Product, source: &Value) {
    assert_eq!(Some(product.id.clone()), text(&source["id"]));
    let given = |name: &str| source.get(name).is_some();
    if given("type") {
        assert_eq!(product.kind_raw, source["type"]);
    }
    if given("status") {
        assert_eq!(product.state_raw, source["status"]);
        assert_ne!(product.state, ProductState::Unknown, "{}", product.state_raw);
    }
    assert_eq!(product.sku, text(&source["sku"]));
    assert_eq!(amount(product.price), text(&source["price"]));
    assert_eq!(amount(product.regular_price), text(&source["regular_price"]));
    assert_eq!(amount(product.sale_price), text(&source["sale_price"]));
    assert_eq!(product.manages_stock, source["manage_stock"] == true);
    assert_eq!(amount(product.quantity), text(&source["stock_quantity"]));
    assert_eq!(product.in_stock, source["in_stock"].as_bool());
    assert_eq!(product.owner_id, text(&source["post_author"]));
    assert_eq!(product.url, text(&source["permalink"]));
    assert_eq!(product.description, text(&source["description"]).unwrap_or_default());
    if given("date_created") && given("date_created_gmt") {
        assert_date(product.created_at, source, "date_created");
        assert_date(product.updated_at, source, "date_modified");
    }
    let list = |name: &str| source[name].as_array().cloned().unwrap_or_default();
    let ids = |name: &str, key: &str| -> Vec<String> {
        list(name).iter().filter_map(|item| text(&item[key])).filter(|id| id != "0").collect()
    };
    let category_ids: Vec<String> = product.categories.iter().map(|category| category.id.clone()).collect();
    assert_eq!(category_ids, ids("categories", "id"));
    let image_ids: Vec<String> = product.images.iter().filter_map(|image| image.id.clone()).collect();
    assert_eq!(image_ids, ids("images", "id"));
    let variants: Vec<String> = product.variants.iter().map(|variant| variant.id.clone()).collect();
    assert_eq!(variants, ids("variations", "variation_id"));
    assert_eq!(product.tags.len(), list("tags").len());
    assert_eq!(product.attributes.len(), list("attributes").len());
    for (attribute, source) in product.attributes.iter().zip(list("attributes")) {
        assert_eq!(attribute.options.len(), source["options"].as_array().unwrap().len());
        assert!(attribute.options.iter().all(|option| !option.is_empty()));
    }
}

/// Feeds a recording to the decoder of an operation.
fn decode(account: &Account, operation: &str, recording: &Recording) -> Result<String, Error> {
    let answer = &recording.answer;
    let elements = || oracle(answer).as_array().cloned().unwrap_or_default();
    Ok(match operation {
        "orders.list" => {
            let (orders, total) = orders::decode_list(account, true, answer)?;
            let elements = elements();
            assert_eq!((orders.len(), total), (elements.len(), None));
            for (order, source) in orders.iter().zip(&elements) {
                assert_order(order, source, order.raw.as_deref());
            }
            format!("{} orders", orders.len())
        }
        "orders.get" => {
            let order = orders::decode_single(account, answer)?;
            assert_order(&order, &oracle(answer), order.raw.as_deref());
            format!("order {} {}", order.id, order.status.raw)
        }
        "order-status.set" => match answer::read(answer)? {
            Body::Empty => "nothing: the order is read again".into(),
            Body::Json(json) => format!("order {}", json::decode::<IdJson>(json)?.id.as_str()),
        },
        "order-status.read" => {
            let status = order_status::decode(account, answer)?;
            assert_eq!(status.raw, oracle(answer)["status"]);
            status.raw
        }
        "products.list" => {
            let clock = account.clock;
            let (products, total) =
                products::decode_list(answer, |source, raw| product_mapping::product(clock, source, Some(raw)))?;
            let elements = elements();
            assert_eq!(products.len(), elements.len());
            products.iter().zip(&elements).for_each(|(product, source)| assert_product(product, source));
            format!("{} products of {}", products.len(), total.map_or_else(|| "?".into(), |total| total.to_string()))
        }
        "products.get" | "product-writes.delete" => {
            let product = products::decode_single(account.clock, answer)?;
            assert_product(&product, &oracle(answer));
            format!("product {} {}", product.id, product.state_raw)
        }
        "product-writes.create" | "product-writes.update" => match answer::read(answer)? {
            Body::Empty => "nothing: refused".into(),
            Body::Json(_) => {
                let product = products::decode_single(account.clock, answer)?;
                assert_product(&product, &oracle(answer));
                format!("product {} {} {}", product.id, product.kind_raw, product.state_raw)
            }
        },
        "categories.list" => format!("{} categories", categories::decode(answer)?.len()),
        "seller-settings.get" => {
            let profile = seller_settings::decode(answer)?;
            let source = oracle(answer);
            assert_eq!(profile.store_name, text(&source["store_name"]));
            assert!(
                profile
                    .details
                    .iter()
                    .all(|detail| !detail.name.starts_with("payment") && !detail.value.contains("test@test"))
            );
            format!("{}, {} details", profile.store_name.unwrap_or_default(), profile.details.len())
        }
        "seller-restrictions.list" => {
            let restrictions = seller_restrictions::decode(answer)?;
            let source = oracle(answer);
            let denied = source.as_object().map_or(0, |map| map.values().filter(|value| *value == "yes").count());
            assert_eq!(restrictions.iter().filter(|restriction| restriction.denied).count(), denied);
            format!("{} restrictions", restrictions.len())
        }
        "notifications.list" => {
            let (messages, _) = notifications::decode_list(account.clock, answer)?;
            for (message, source) in messages.iter().zip(elements()) {
                assert_eq!(message.id, source["ID"]);
                assert_eq!(message.kind, source["message_type"]);
                let at = time::to_rfc3339(message.at.as_ref().unwrap());
                assert_eq!(at.replace('T', " ")[..19], *source["created"].as_str().unwrap());
            }
            format!("{} notifications", messages.len())
        }
        "notifications.list of reviews" => {
            format!("{} reviews", notifications::decode_reviews(account.clock, answer)?.0.len())
        }
        "notifications.list of enquiries" => {
            format!("{} enquiries", notifications::decode_enquiries(account.clock, answer)?.0.len())
        }
        "order-notes.list" => {
            let notes = order_notes::decode(account.clock, answer)?;
            for (note, source) in notes.iter().zip(elements()) {
                assert_eq!(Some(note.id.clone()), text(&source["id"]));
                assert_eq!(
                    (note.author.as_str(), note.text.as_str()),
                    (text(&source["added_by"]).unwrap().as_str(), text(&source["content"]).unwrap().as_str())
                );
                assert_eq!(note.audience == Audience::Buyer, source["customer_note"] == true);
                let at = time::to_rfc3339(note.at.as_ref().unwrap());
                assert!(source["date_created"]["date"].as_str().unwrap().starts_with(&at.replace('T', " ")[..19]));
            }
            format!("{} notes", notes.len())
        }
        "order-notes.add" => {
            let note = answer.clone();
            // The recorded site says of itself that it has not the add-on (recording 260).
            let host = host().respond(move |request| match request.path() {
                "/site-details" => recorded::answer("260"),
                _ => note.clone(),
            });
            let notes = host.run(|| <Wcfm as OrderNotes>::add("48".into(), "hello".into(), Audience::Buyer))?;
            format!("{} notes", notes.len())
        }
        "sales-figures.get" => {
            let figures = sales_figures::decode(answer)?;
            let source = oracle(answer);
            for (period, key) in figures.periods.iter().zip(["week", "month", "last_month"]) {
                assert_eq!(period.name, key.replace('_', "-"));
                assert_eq!(amount(period.gross), text(&source["gross_sales"][key]));
                assert_eq!(amount(period.earnings), text(&source["earnings"][key]));
            }
            format!("{}, {} periods", figures.currency, figures.periods.len())
        }
        "sellers.list" => {
            let found = sellers::decode_list(answer)?;
            for (seller, source) in found.iter().flatten().zip(elements()) {
                assert_eq!(Some(seller.id.clone()), text(&source["vendor_id"]));
                assert_eq!(seller.email, text(&source["vendor_email"]));
                assert_eq!(seller.phone, text(&source["vendor_phone"]));
                assert_eq!(seller.address, text(&source["vendor_address"]));
                assert_eq!(seller.description, source["vendor_description"]);
                assert_eq!((seller.rating, seller.open), (None, Some(true)));
                assert!(
                    !format!("{seller:?}").contains(source["vendor_display_name"].as_str().unwrap())
                        || seller.id == "4"
                );
            }
            format!("{} sellers", found.iter().flatten().count())
        }
        "connector.check" => format!("{} bytes of JSON", answer::json(answer)?.len()),
        other => panic!("{}: no such operation: {other}", recording.file),
    })
}

json::record! {
    struct IdJson {
        id: tradepost_sdk::json::Id,
    }
}

#[test]
fn every_recorded_answer_gives_what_the_table_says() {
    let account = host().run(Account::of_call).unwrap();
    let table = include_str!("recordings.tsv");
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split('\t').collect()).collect();
    let recordings = recorded::all();
    assert_eq!((recordings.len(), rows.len()), (390, 390));
    assert_eq!(fixture("wcfm-1.5.3/INDEX.tsv").lines().count(), 391);

    let mut operations: BTreeMap<String, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for (recording, row) in recordings.iter().zip(rows) {
        assert_eq!(row[0], recording.file);
        let found = if let Some(reason) = row[1].strip_prefix("never: ") {
            assert!(reason.len() > 10, "{}: why is it never asked?", recording.file);
            *operations.entry("never".into()).or_default() += 1;
            outcome(answer::read(&recording.answer).map(|body| match body {
                Body::Empty => "nothing".to_owned(),
                Body::Json(_) => "JSON".to_owned(),
            }))
        } else {
            *operations.entry(row[1].to_owned()).or_default() += 1;
            outcome(decode(&account, row[1], recording))
        };
        if found != row[2] {
            differences.push(format!("{}\t{}\t{found}", recording.file, row[1]));
        }
    }
    assert!(differences.is_empty(), "{} rows differ:\n{}", differences.len(), differences.join("\n"));
    let counted: Vec<(&str, usize)> =
        operations.iter().map(|(operation, count)| (operation.as_str(), *count)).collect();
    let expected = [
        ("categories.list", 1),
        ("connector.check", 2),
        ("never", 90),
        ("notifications.list", 21),
        ("notifications.list of enquiries", 1),
        ("notifications.list of reviews", 1),
        ("order-notes.add", 1),
        ("order-notes.list", 1),
        ("order-status.read", 8),
        ("order-status.set", 16),
        ("orders.get", 37),
        ("orders.list", 50),
        ("product-writes.create", 37),
        ("product-writes.delete", 8),
        ("product-writes.update", 5),
        ("products.get", 35),
        ("products.list", 47),
        ("sales-figures.get", 1),
        ("seller-restrictions.list", 7),
        ("seller-settings.get", 20),
        ("sellers.list", 1),
    ];
    assert_eq!(counted, expected);
    assert_eq!(expected.iter().map(|(_, count)| count).sum::<usize>(), 390);
}
