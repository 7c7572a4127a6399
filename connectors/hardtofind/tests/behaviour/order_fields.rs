//! Every field of the documented order, and what happens to odd ones.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{ORDER, SETTINGS};

fn get(json: &str) -> Result<Order, Error> {
    Host::new().settings(SETTINGS).then(Answer::json(200, json)).run(|| <HardToFind as Orders>::get("123456".into()))
}

/// The documented order with one part changed.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Result<Order, Error> {
    let mut order: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    change(&mut order);
    get(&order.to_string())
}

fn money(coefficient: i64, scale: u8) -> Decimal {
    Decimal { coefficient, scale }
}

fn at(epoch_seconds: i64) -> Timestamp {
    Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes: 600 }
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), value: value.into() }
}

#[test]
fn the_documented_order_is_read_field_by_field() {
    let order = get(ORDER).unwrap();
    assert_eq!((order.id.as_str(), order.number.as_str()), ("123456", "123456"));
    assert_eq!(
        order.status,
        Status {
            order: OrderState::Open,
            payment: PaymentState::Paid,
            fulfilment: FulfilmentState::Unfulfilled,
            raw: "READY".into()
        }
    );
    assert_eq!(order.placed_at, Some(at(1_471_495_402)));
    assert_eq!(order.updated_at, Some(at(1_471_495_402)));
    assert_eq!(order.dispatch_due_at, Some(at(1_471_918_680)));
    assert_eq!(order.paid_at, None);
    assert_eq!((order.currency.as_deref(), order.prices_include_tax), (Some("AUD"), None));
    assert_eq!(
        order.totals,
        Totals {
            scope: TotalsScope::SellerPart,
            items: Some(money(9995, 2)),
            shipping: Some(money(0, 0)),
            discount: Some(money(0, 0)),
            fees: Some(money(0, 0)),
            tax: None,
            credit: Some(money(0, 0)),
            paid: Some(money(9995, 2)),
            refunded: None,
            total: Some(money(9995, 2)),
        }
    );
    assert_eq!(order.buyer, Buyer { id: None, name: "Tim Massey".into(), email: None, phone: None });
    assert_eq!(order.billing_address, None);
    assert_eq!(
        order.shipping_address,
        Some(Address {
            first_name: "Tim".into(),
            last_name: "Massey".into(),
            company: "Company Name".into(),
            lines: vec!["12 Address Street".into()],
            city: "Suburbia".into(),
            postcode: "1001".into(),
            region_code: Some("ACT".into()),
            region_name: None,
            country_code: Some("AU".into()),
            country_name: Some("Australia".into()),
            phone: None,
            email: None,
        })
    );
    let [line] = &order.lines[..] else { panic!("one line") };
    assert!(line.synthetic_id && line.id.starts_with("1-") && line.id.len() == 18, "{}", line.id);
    assert_eq!(
        (line.sku.as_deref(), line.product_id.as_deref(), line.variant_id.as_deref()),
        (Some("SKU-111"), Some("111"), None)
    );
    assert_eq!((line.title.as_str(), line.quantity), ("Product title here", money(1, 0)));
    assert_eq!((line.unit_price, line.total), (Some(money(9995, 2)), Some(money(9995, 2))));
    assert_eq!((line.tax, line.commission), (None, None));
    assert_eq!(line.options, [attribute("Clothing size", "XL")]);
    assert_eq!(
        line.personalisations,
        [
            attribute("First personalisation", "Something personal"),
            attribute("Second personalisation", "Something even more personal")
        ]
    );
    assert_eq!(
        order.shipping_lines,
        [ShippingLine {
            title: "Shipping - FREE standard shipping".into(),
            code: None,
            price: Some(money(0, 0)),
            tax: None
        }]
    );
    assert!(
        order.fees.is_empty() && order.discounts.is_empty() && order.notes.is_empty() && order.extensions.is_empty()
    );
    assert_eq!(
        order.gift,
        Some(Gift {
            description: "Free gift wrap with personal message".into(),
            message: "Have a lovely time!".into(),
            price: Some(money(0, 0)),
            quantity: money(1, 0),
        })
    );
    assert_eq!(
        order.shipments,
        [Shipment {
            id: None,
            carrier: Some("Provider Name Here".into()),
            tracking_number: Some("TRACK-1234".into()),
            tracking_url: None,
            shipped_at: Some(at(1_473_310_657)),
            lines: vec![],
        }]
    );
    assert_eq!(order.payment_method, None);
    assert_eq!(order.delivery_instructions.as_deref(), Some("If no-one home - please leave on front step."));
    let documents: Vec<(&str, &str)> =
        order.documents.iter().map(|document| (document.kind.as_str(), document.url.as_str())).collect();
    assert_eq!(
        documents,
        [
            ("packing-slip", "https://api.hardtofind.com.au/order/123456/packing-slip"),
            ("manage", "https://www.hardtofind.com.au/mfadmin/sales_order_part/view/123456"),
            ("self", "https://api.hardtofind.com.au/order/123456"),
        ]
    );
    assert_eq!(order.raw.as_deref(), Some(ORDER.trim()));
}

#[test]
fn a_status_nobody_documented_is_kept_and_blocks_nothing() {
    let order = changed(|order| order["status"] = "AWAITING_PICKUP".into()).unwrap();
    assert_eq!((order.status.order, order.status.raw.as_str()), (OrderState::Unknown, "AWAITING_PICKUP"));
}

#[test]
fn an_accounts_own_status_table_counts() {
    let settings = r#"{"status-table":{"READY":{"order":"on-hold","payment":"paid","fulfilment":"unfulfilled"}}}"#;
    let host = Host::new().settings(settings).then(Answer::json(200, ORDER));
    let order = host.run(|| <HardToFind as Orders>::get("123456".into())).unwrap();
    assert_eq!(order.status.order, OrderState::OnHold);
}

#[test]
fn parts_that_may_be_missing_are_missing() {
    let order = get(r#"{"id":7,"status":"READY","payment_summary":{"total":"5.50"}}"#).unwrap();
    assert_eq!((order.id.as_str(), order.totals.total, order.totals.items), ("7", Some(money(550, 2)), None));
    assert!(order.lines.is_empty() && order.shipments.is_empty() && order.documents.is_empty());
    assert_eq!((order.gift, order.shipping_address, order.updated_at), (None, None, None));
    for key in ["_links", "dates", "lines", "gift_wrapping", "shipping", "shipments"] {
        for nothing in [serde_json::json!(null), serde_json::json!([])] {
            let order = changed(|order| order[key] = nothing.clone());
            assert!(order.is_ok(), "{key} {nothing}: {order:?}");
        }
    }
}

#[test]
fn money_is_exact_and_never_guessed() {
    let total = |text: &str| {
        get(&ORDER.replace("\"total\": 99.95", &format!("\"total\": {text}"))).map(|order| order.totals.total.unwrap())
    };
    for (text, expected) in [
        ("0", money(0, 0)),
        ("1234567890123.45", money(123_456_789_012_345, 2)),
        ("0.1", money(1, 1)),
        ("1e2", money(100, 0)),
        ("19.439999999999998", money(19_439_999_999_999_998, 15)),
        ("\"40.00\"", money(4000, 2)),
    ] {
        assert_eq!(total(text).unwrap(), expected, "{text}");
    }
    for text in ["\"12,50\"", "\"1,234.50\"", "null", "\"\"", "true", "1e400"] {
        let error = total(text).unwrap_err();
        let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{text}: {error:?}") };
        assert_eq!(unexpected.pointer, "/payment_summary/total", "{text}");
    }
    let discounted = changed(|order| order["payment_summary"]["discount"] = (-5.5).into()).unwrap();
    assert_eq!(discounted.totals.discount, Some(money(55, 1)));
}

#[test]
fn a_price_is_of_a_piece_or_of_a_line_by_what_adds_up() {
    let line = |price: f64, goods: f64| {
        let order = changed(|order| {
            order["lines"][0]["price"] = price.into();
            order["lines"][0]["quantity"] = 3.into();
            order["payment_summary"]["price"] = goods.into();
        });
        let line = order.unwrap().lines.remove(0);
        (line.unit_price.map(|price| decimal::to_text(&price)), line.total.map(|total| decimal::to_text(&total)))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(line(10.5, 31.5), (text("10.5"), text("31.5")));
    assert_eq!(line(31.5, 31.5), (None, text("31.5")));
    assert_eq!(line(10.5, 99.5), (text("10.5"), None));
}

#[test]
fn dates_that_only_a_mistake_can_produce_are_refused() {
    for (key, text) in [
        ("created_at", "1970-01-18T00:00:00+0000"),
        ("updated_at", "2031-01-01T00:00:00+0000"),
        ("updated_at", "2016-08-18T14:43:22"),
        ("dispatch_due_at", "tomorrow"),
    ] {
        let error = changed(|order| order["dates"][key] = text.into()).unwrap_err();
        let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
        assert_eq!(unexpected.pointer, format!("/dates/{key}"), "{text}");
    }
    // A due date lies in the future by its nature.
    assert!(changed(|order| order["dates"]["dispatch_due_at"] = "2026-03-01T00:00:00+1000".into()).is_ok());
}

#[test]
fn the_same_line_keeps_its_id_and_another_one_does_not() {
    let id = |change: &dyn Fn(&mut serde_json::Value)| changed(change).unwrap().lines.remove(0).id;
    let unchanged = id(&|_| {});
    assert_eq!(id(&|order| order["lines"][0]["price"] = 5.into()), unchanged);
    assert_ne!(id(&|order| order["lines"][0]["sku"] = "SKU-112".into()), unchanged);
    assert_ne!(id(&|order| order["lines"][0]["personalisations"][0]["value"] = "Else".into()), unchanged);
}

#[test]
fn countries_and_states_keep_what_was_written() {
    let address = |country: &str, state: &str| {
        let order = changed(|order| {
            order["shipping"]["address"]["country"] = country.into();
            order["shipping"]["address"]["state"] = state.into();
        });
        order.unwrap().shipping_address.unwrap()
    };
    let known = address("New Zealand", "Auckland");
    assert_eq!((known.country_code.as_deref(), known.country_name.as_deref()), (Some("NZ"), Some("New Zealand")));
    assert_eq!((known.region_code.as_deref(), known.region_name.as_deref()), (None, Some("Auckland")));
    let unknown = address("Ruritania", "");
    assert_eq!((unknown.country_code.as_deref(), unknown.country_name.as_deref()), (None, Some("Ruritania")));
    assert_eq!((unknown.region_code, unknown.region_name), (None, None));
}

#[test]
fn an_order_that_is_not_there_is_not_found() {
    let host = Host::new().settings(SETTINGS).then(Answer::new(404, "{}"));
    let error = host.run(|| <HardToFind as Orders>::get("a/b".into())).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::NotFound, "hardtofind has no order a/b for this store.")
    );
    assert_eq!(host.requests()[0].url(), "/order/a%2Fb");
}
