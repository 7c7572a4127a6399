//! The samples of seed 000, and what the tests share: the account, the documented order, answers that are failures.

use tradepost_sdk::prelude::*;

pub(crate) const LOGIN_REQUEST: &str = include_str!("../../../../tests/fixtures/seeds/hft71-login-request.json");
pub(crate) const LOGIN: &str = include_str!("../../../../tests/fixtures/seeds/hft71-login.json");
pub(crate) const ORDER_REQUEST: &str = include_str!("../../../../tests/fixtures/seeds/hft71-order-request.json");
pub(crate) const ORDER: &str = include_str!("../../../../tests/fixtures/seeds/hft71-order.json");
pub(crate) const STATUS: &str = include_str!("../../../../tests/fixtures/seeds/hft71-status.json");
pub(crate) const CUSTOMER_STATUS: &str = include_str!("../../../../tests/fixtures/seeds/hft71-customer-status.json");
pub(crate) const WEBHOOK_REQUEST: &str = include_str!("../../../../tests/fixtures/seeds/hft71-webhook-request.json");
pub(crate) const WEBHOOK_ANSWER: &str = include_str!("../../../../tests/fixtures/seeds/hft71-webhook-answer.json");
pub(crate) const STOCK: &str = include_str!("../../../../tests/fixtures/seeds/hft71-stock.json");
pub(crate) const UPDATE_STATUS: &str =
    include_str!("../../../../tests/fixtures/seeds/hft71-update-status-request.json");
pub(crate) const UPDATE_ADDRESS: &str =
    include_str!("../../../../tests/fixtures/seeds/hft71-update-address-request.json");

pub(crate) const SKU: &str = "GL64000-00007-0046";
pub(crate) const SETTINGS: &str = r#"{"root-url":"https://api.hft71.example","username":"api-user@example.com"}"#;

/// A text as a JSON value, to compare bodies by their members.
pub(crate) fn value(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn address() -> Address {
    Address {
        first_name: "John".into(),
        last_name: "Doe".into(),
        company: String::new(),
        lines: vec!["Main Street 10".into()],
        city: "Wroclaw".into(),
        postcode: "50-001".into(),
        region_code: Some("DS".into()),
        region_name: Some("Dolnośląskie".into()),
        country_code: Some("PL".into()),
        country_name: Some("Poland".into()),
        phone: Some("+48123456789".into()),
        email: Some("john@example.com".into()),
    }
}

/// The order whose submission seed 000 shows.
pub(crate) fn order() -> FulfilmentOrder {
    FulfilmentOrder {
        reference: "72774".into(),
        placed_at: time::parse_zoned("2026-03-02T10:30:00+01:00").unwrap(),
        address: address(),
        items: vec![FulfilmentItem { sku: SKU.into(), quantity: decimal::from_int(2) }],
    }
}

/// Pointer and code of each issue of an `invalid-input`.
pub(crate) fn issues(error: Error) -> Vec<(String, String)> {
    let ErrorKind::InvalidInput(issues) = error.kind else { panic!("{error:?}") };
    issues.into_iter().map(|issue| (issue.pointer, issue.code)).collect()
}

pub(crate) fn protocol(error: Error) -> UnexpectedAnswer {
    let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
    unexpected
}

/// The beginning of an error's kind, as it is shown to authors.
pub(crate) fn assert_kind(error: &Error, expected: &str, case: impl std::fmt::Debug) {
    assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{case:?}: {error:?}");
}

/// Answers that mean the same everywhere, with the kind that they become.
pub(crate) fn refusals() -> [(Answer, &'static str); 4] {
    [
        (Answer::new(401, "{}"), "AuthExpired"),
        (Answer::new(403, ""), "Forbidden"),
        (Answer::new(404, "<html>"), "NotFound"),
        (Answer::new(429, "").with_header("retry-after", "3"), "RateLimited(RetryHint { retry-after-ms: Some(3000) })"),
    ]
}

/// The same for requests that only read, or may be repeated.
pub(crate) fn failures() -> [(Answer, &'static str); 7] {
    let [expired, forbidden, absent, limited] = refusals();
    [
        expired,
        forbidden,
        absent,
        limited,
        (Answer::new(500, "<html>"), "Transient(RetryHint { retry-after-ms: None })"),
        (Answer::new(200, "<html>login</html>"), "Protocol("),
        (Answer::new(302, ""), "Protocol("),
    ]
}
