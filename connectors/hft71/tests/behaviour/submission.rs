//! Orders are handed over as documented, checked first, and never in doubt silently.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::samples::{ORDER, ORDER_REQUEST, SETTINGS, SKU, address, assert_kind, issues, order, refusals, value};

fn submit_to(host: &Host, order: FulfilmentOrder) -> Result<Receipt, Error> {
    host.run(|| Hft71::submit(order))
}

fn answered(answer: Answer) -> Result<Receipt, Error> {
    submit_to(&Host::new().settings(SETTINGS).then(answer), order())
}

/// The body that is sent for an order.
fn body(order: FulfilmentOrder) -> serde_json::Value {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, ORDER));
    submit_to(&host, order).unwrap();
    value(host.requests()[0].body_text())
}

#[test]
fn the_documented_order_is_sent_field_by_field() {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, ORDER));
    let receipt = submit_to(&host, order()).unwrap();
    let [request] = &host.requests()[..] else { panic!("one request") };
    assert_eq!((request.method(), request.url()), (Method::Post, "/order"));
    assert_eq!((request.effective_effect(), request.is_authenticated()), (Effect::Once, true));
    assert_eq!(request.header_value("content-type"), Some("application/json"));
    assert_eq!(value(request.body_text()), value(ORDER_REQUEST));
    assert_eq!(receipt.id, "123456", "an integer there, opaque text here");
    assert_eq!(receipt.at, Some(time::parse_zoned("2026-03-02T12:00:00Z").unwrap()));
}

#[test]
fn the_date_is_the_day_at_the_orders_own_offset() {
    for (placed_at, date) in [
        ("2026-03-02T00:30:00+01:00", "2026-03-02"),
        ("2026-03-02T23:30:00-05:00", "2026-03-02"),
        ("2026-03-01T23:30:00Z", "2026-03-01"),
        ("2024-02-29T12:00:00.5+14:00", "2024-02-29"),
    ] {
        let placed_at = time::parse_zoned(placed_at).unwrap();
        assert_eq!(body(FulfilmentOrder { placed_at, ..order() })["orderDate"], date);
    }
}

#[test]
fn nothing_of_an_address_is_lost() {
    let text = |text: &str| text.to_owned();
    let written = |address: Address| body(FulfilmentOrder { address, ..order() })["address"].clone();
    let more = written(Address {
        company: text("Acme"),
        lines: vec![text("Main Street 10"), text(" Stair B "), text(" "), text("Floor 3")],
        region_code: None,
        country_code: Some(text("pl")),
        phone: None,
        email: None,
        ..address()
    });
    assert_eq!((&more["address1"], &more["address2"]), (&"Main Street 10".into(), &"Acme, Stair B, Floor 3".into()));
    assert_eq!((&more["state"], &more["country"]), (&"Dolnośląskie".into(), &"PL".into()));
    assert_eq!((&more["email"], &more["mobile"]), (&"".into(), &"".into()));
    let nowhere = written(Address { region_code: Some(text(" ")), region_name: None, ..address() });
    assert_eq!(nowhere["state"], "");
    let company = written(Address { first_name: text(""), last_name: text(" "), company: text("Acme"), ..address() });
    assert_eq!((&company["customerName"], &company["address2"]), (&"Acme".into(), &"".into()));
    let one_name = written(Address { first_name: text(""), last_name: text("John \"JD\" Doe"), ..address() });
    assert_eq!(one_name["customerName"], "John \"JD\" Doe");
}

#[test]
fn lines_stay_apart_and_quantities_are_integers() {
    let item =
        |sku: &str, quantity: &str| FulfilmentItem { sku: sku.into(), quantity: decimal::parse(quantity).unwrap() };
    let items = vec![item("A", "1"), item("B", "3.00"), item("A", "2")];
    assert_eq!(
        body(FulfilmentOrder { items, ..order() })["items"].to_string(),
        r#"[{"quantity":1,"sku":"A"},{"quantity":3,"sku":"B"},{"quantity":2,"sku":"A"}]"#
    );
}

#[test]
fn everything_that_is_wrong_is_named_at_once_and_nothing_is_sent() {
    // A scripted host without answers: a request would end the test.
    let refused = |order: FulfilmentOrder| issues(submit_to(&Host::new().settings(SETTINGS), order).unwrap_err());
    let issue = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let item =
        |sku: &str, quantity: &str| FulfilmentItem { sku: sku.into(), quantity: decimal::parse(quantity).unwrap() };
    let blank = Address {
        first_name: " ".into(),
        last_name: String::new(),
        company: String::new(),
        lines: vec!["  ".into()],
        city: String::new(),
        postcode: " ".into(),
        country_code: None,
        ..address()
    };
    let order_of_mistakes = FulfilmentOrder {
        reference: " ".into(),
        placed_at: Timestamp { epoch_seconds: 0, nanoseconds: 0, offset_minutes: 0 },
        address: blank,
        items: vec![item("", "1"), item("A", "0"), item("B", "-1"), item("C", "1.5"), item("D", "2.0")],
    };
    assert_eq!(
        refused(order_of_mistakes),
        [
            issue("/reference", "missing"),
            issue("/placed-at", "implausible"),
            issue("/address/last-name", "missing"),
            issue("/address/lines", "missing"),
            issue("/address/city", "missing"),
            issue("/address/postcode", "missing"),
            issue("/address/country-code", "missing"),
            issue("/items/0/sku", "missing"),
            issue("/items/1/quantity", "not-a-whole-number"),
            issue("/items/2/quantity", "not-a-whole-number"),
            issue("/items/3/quantity", "not-a-whole-number"),
        ]
    );
    assert_eq!(refused(FulfilmentOrder { items: vec![], ..order() }), [issue("/items", "missing")]);
    assert_eq!(
        refused(FulfilmentOrder { address: Address { lines: vec![], ..address() }, ..order() }),
        [issue("/address/lines", "missing")]
    );
    for code in ["Poland", "P", "P1", "ÖL", "48"] {
        let address = Address { country_code: Some(code.into()), ..address() };
        assert_eq!(
            refused(FulfilmentOrder { address, ..order() }),
            [issue("/address/country-code", "not-a-country-code")],
            "{code}"
        );
    }
}

#[test]
fn a_refused_order_was_not_made() {
    for (answer, expected) in refusals() {
        let status = answer.status;
        let error = answered(answer).unwrap_err();
        assert_kind(&error, expected, status);
    }
    for (status, expected) in [(400, "InvalidInput("), (422, "InvalidInput("), (409, "Conflict"), (302, "Protocol(")] {
        assert_kind(&answered(Answer::new(status, "no")).unwrap_err(), expected, status);
    }
    assert!(answered(Answer::new(404, "")).unwrap_err().message.contains("root-url"));
}

#[test]
fn a_server_that_failed_may_have_made_the_order() {
    for answer in [
        Answer::new(500, "boom"),
        Answer::new(502, "boom"),
        Answer::new(503, "boom").with_header("retry-after", "5"),
        Answer::new(504, "boom"),
        Answer::new(408, "boom"),
    ] {
        let status = answer.status;
        let error = answered(answer).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutcomeUnknown, "{status}");
        assert!(error.detail.contains(&status.to_string()) && error.detail.contains("boom"), "{}", error.detail);
    }
}

#[test]
fn an_accepted_order_without_an_id_is_in_doubt_and_keeps_its_evidence() {
    for body in [
        "",
        "<html>login</html>",
        "{}",
        "[]",
        r#"{"orderId":null}"#,
        r#"{"orderId":0}"#,
        r#"{"orderId":""}"#,
        r#"{"orderId":1.5}"#,
        r#"{"orderId":123456"#,
    ] {
        let error = answered(Answer::json(200, body)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutcomeUnknown, "{body}");
        assert!(error.detail.ends_with(&format!("HTTP 200: {body}")), "{}", error.detail);
    }
    let lacking = answered(Answer::json(201, r#"{"id":1}"#)).unwrap_err();
    assert!(lacking.detail.contains("/orderId"), "{}", lacking.detail);
}

#[test]
fn a_send_date_that_is_none_does_not_cost_the_id() {
    for (json, lines) in [
        (r#"{"orderId":"00123"}"#, 0),
        (r#"{"orderId":"00123","sendDate":null}"#, 0),
        (r#"{"orderId":"00123","sendDate":"soon"}"#, 1),
        (r#"{"orderId":"00123","sendDate":"1970-01-01T00:00:00Z"}"#, 1),
        (r#"{"orderId":"00123","sendDate":{"day":1}}"#, 1),
    ] {
        let host = Host::new().settings(SETTINGS).then(Answer::json(201, json));
        assert_eq!(submit_to(&host, order()).unwrap(), Receipt { id: "00123".into(), at: None }, "{json}");
        assert_eq!(host.log().len(), lines, "{json}");
    }
    let planned = answered(Answer::json(200, r#"{"orderId":9007199254740993,"sendDate":"2031-05-01T08:00:00+02:00"}"#));
    let planned = planned.unwrap();
    assert_eq!(planned.id, "9007199254740993");
    assert_eq!(planned.at.map(|at| time::to_rfc3339(&at)).as_deref(), Some("2031-05-01T08:00:00+02:00"));
}

#[test]
fn a_lost_answer_stays_what_the_host_says_it_is() {
    let host = Host::new().settings(SETTINGS);
    let host = host.respond_with(|_| Err(error::outcome_unknown("The connection broke after the request was sent.")));
    assert_eq!(submit_to(&host, order()).unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(host.requests().len(), 1, "never sent again by itself");
    assert_eq!(value(host.requests()[0].body_text())["items"][0]["sku"], SKU);
}
