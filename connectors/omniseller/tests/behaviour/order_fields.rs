//! Fields of an order that the settings name by pointer.

use serde_json::{Value, json};
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;

use super::shop::{Shop, ok};

fn order(content: &Value, settings: &Value) -> Result<Order, Error> {
    let shop = Shop::with_orders(["a"]);
    shop.give("a", ok(content));
    shop.host(&settings.to_string()).run(|| <OmniSeller as Orders>::get("a".into()))
}

/// An order with one field named by `/x` and this value there.
fn with(field: &str, value: &Value) -> Result<Order, Error> {
    order(&json!({"x": value}), &json!({"currency": "EUR", "utc-offset-minutes": 60, "order-fields": {field: "/x"}}))
}

fn pointer(result: Result<Order, Error>) -> String {
    let error = result.unwrap_err();
    let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
    assert!(error.message.starts_with("Order a:"), "{}", error.message);
    unexpected.pointer
}

fn money(coefficient: i64, scale: u8) -> Decimal {
    Decimal { coefficient, scale }
}

#[test]
fn every_field_is_read_where_the_settings_say() {
    let content = json!({
        "Bestellung": {"Summe": "1249,9000", "Waehrung": "chf", "Datum": "2021-07-19 14:11:00"},
        "Kunde": [{"Na/me": " Erika Muster ", "E~Mail": "erika@shop.example"}],
        "Positionen": [
            {"Artikel": {"Nr": "T-1"}, "Text": "Tisch", "Menge": "2,000", "Preis": "600,00"},
            {"Artikel": {"Nr": 44}, "Text": null, "Menge": 1, "Preis": 49.9},
        ],
    });
    let fields = json!({
        "total": "/Bestellung/Summe", "currency": "/Bestellung/Waehrung", "placed-at": "/Bestellung/Datum",
        "buyer-name": "/Kunde/0/Na~1me", "buyer-email": "/Kunde/0/E~0Mail", "lines": "/Positionen",
        "line-sku": "/Artikel/Nr", "line-title": "/Text", "line-quantity": "/Menge", "line-unit-price": "/Preis",
    });
    let settings = json!({"currency": "EUR", "utc-offset-minutes": 120, "order-fields": fields});
    let order = order(&content, &settings).unwrap();
    assert_eq!((order.totals.total, order.currency.as_deref()), (Some(money(12_499_000, 4)), Some("CHF")));
    let placed = Timestamp { epoch_seconds: 1_626_696_660, nanoseconds: 0, offset_minutes: 120 };
    assert_eq!(order.placed_at, Some(placed));
    assert_eq!((order.buyer.name.as_str(), order.buyer.email.as_deref()), ("Erika Muster", Some("erika@shop.example")));
    let [first, second] = &order.lines[..] else { panic!("two lines") };
    assert_eq!((first.id.as_str(), first.synthetic_id, first.sku.as_deref()), ("1-T-1", true, Some("T-1")));
    assert_eq!(
        (first.title.as_str(), first.quantity, first.unit_price),
        ("Tisch", money(2000, 3), Some(money(60000, 2)))
    );
    assert_eq!((second.id.as_str(), second.sku.as_deref(), second.title.as_str()), ("2-44", Some("44"), ""));
    assert_eq!((second.quantity, second.unit_price, second.total), (money(1, 0), Some(money(499, 1)), None));
    assert_eq!(order.raw, Some(content.to_string()));
}

#[test]
fn amounts_may_have_a_decimal_comma_and_are_never_guessed() {
    for (written, expected) in [
        (json!("10,0000"), money(100_000, 4)),
        (json!("10.50"), money(1050, 2)),
        (json!(" -3,5 "), money(-35, 1)),
        (json!(19.9), money(199, 1)),
        (json!(0), money(0, 0)),
    ] {
        assert_eq!(with("total", &written).unwrap().totals.total, Some(expected), "{written}");
    }
    for nothing in [json!(""), json!(null), json!(false), json!([]), json!("  ")] {
        assert_eq!(with("total", &nothing).unwrap().totals.total, None, "{nothing}");
    }
    for refused in [
        json!("1.234,50"),
        json!("1,234.50"),
        json!("1,234,567"),
        json!("10,00 EUR"),
        json!(","),
        json!(true),
        json!([1]),
    ] {
        assert_eq!(pointer(with("total", &refused)), "/data/x", "{refused}");
    }
}

#[test]
fn dates_need_a_zone_or_the_shops_offset() {
    let at = |value: &str| with("placed-at", &json!(value));
    let local = at("2021-02-17 13:50:25").unwrap().placed_at.unwrap();
    assert_eq!((local.epoch_seconds, local.offset_minutes), (1_613_566_225, 60));
    let zoned = at("2021-02-17T13:50:25+02:00").unwrap().placed_at.unwrap();
    assert_eq!((zoned.epoch_seconds, zoned.offset_minutes), (1_613_562_625, 120));
    assert_eq!(at("0000-00-00 00:00:00").unwrap().placed_at, None);
    for refused in ["17.02.2021", "1613566225", "1970-01-01 00:00:00", "2099-01-01 00:00:00"] {
        assert_eq!(pointer(at(refused)), "/data/x", "{refused}");
    }
    let without_offset = json!({"order-fields": {"placed-at": "/x"}});
    let of = |value: &str| order(&json!({"x": value}), &without_offset).unwrap().placed_at;
    assert_eq!(of("2021-02-17 13:50:25"), None, "left out, not guessed");
    assert!(of("2021-02-17T13:50:25Z").is_some());
}

#[test]
fn the_currency_is_the_orders_own_or_the_settings() {
    assert_eq!(with("currency", &json!("USD")).unwrap().currency.as_deref(), Some("USD"));
    assert_eq!(with("currency", &json!("")).unwrap().currency.as_deref(), Some("EUR"));
    assert_eq!(pointer(with("currency", &json!("€"))), "/data/x");
    assert_eq!(order(&json!({"x": 1}), &json!({})).unwrap().currency, None);
}

#[test]
fn pointers_that_lead_nowhere_are_none() {
    for place in ["/y", "/x/0", "/x/y/z", "/l/2", "/l/-1", "/l/01"] {
        let settings = json!({"order-fields": {"total": place}});
        assert_eq!(order(&json!({"x": "5", "l": [1, 2]}), &settings).unwrap().totals.total, None, "{place}");
    }
    let settings = json!({"order-fields": {"total": "/l/1"}});
    assert_eq!(order(&json!({"l": [1, 2]}), &settings).unwrap().totals.total, Some(money(2, 0)));
}

#[test]
fn lines_come_as_lists_and_each_needs_its_quantity() {
    let settings = json!({"order-fields": {"lines": "/p", "line-quantity": "/m"}});
    let lines = |value: Value| order(&json!({"p": value}), &settings);
    assert_eq!(lines(json!([{"m": 1}, {"m": "2,5"}])).unwrap().lines[1].quantity, money(25, 1));
    assert_eq!(lines(json!({"1": {"m": 1}, "4": {"m": 2}})).unwrap().lines.len(), 2);
    for nothing in [json!([]), json!(""), json!(null)] {
        assert!(lines(nothing).unwrap().lines.is_empty());
    }
    assert_eq!(pointer(lines(json!([{"m": 1}, {}]))), "/data/p/1/m");
    assert_eq!(pointer(lines(json!([{"m": 1}, {"m": "viele"}]))), "/data/p/1/m");
    assert_eq!(pointer(lines(json!("keine"))), "/data/p");
}
