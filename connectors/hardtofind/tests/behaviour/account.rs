//! The manifest, and who the account is.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

#[test]
fn the_manifest_says_how_to_log_in() {
    let manifest = HardToFind::describe();
    assert_eq!((manifest.id.as_str(), manifest.root_url.as_str()), ("hardtofind", "{root-url}"));
    assert_eq!(manifest.hosts, ["{root-url}"]);
    let [recipe] = &manifest.auth[..] else { panic!("one recipe") };
    let AuthMethod::Login(login) = &recipe.method else { panic!("a login") };
    assert_eq!((login.url.as_str(), login.token.as_str(), login.margin_seconds), ("/authenticate", "/token", 120));
    assert!(matches!(login.lifetime, TokenLifetime::Seconds(900)));
    let fields: Vec<(&str, &str)> = login.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("username", "{username}"), ("password", "{password}")]);
    let Placement::Header(header) = &recipe.placement else { panic!("a header") };
    assert_eq!((header.name.as_str(), header.prefix.as_str()), ("X-Auth-Token", ""));
    let pace = manifest.pace.unwrap();
    assert_eq!((pace.requests, pace.per_ms), (5, 1000));
}

#[test]
fn the_settings_schema_is_json_and_hides_the_password_only() {
    let schema: serde_json::Value = serde_json::from_str(&HardToFind::describe().settings_schema).unwrap();
    assert_eq!(schema["properties"]["root-url"]["default"], "https://api.hardtofind.com.au");
    // Both servers of the documentation are there to choose from; whatever is chosen is the whole root.
    let servers = serde_json::json!(["https://api.hardtofind.com.au", "https://staging-api.hardtofind.com.au"]);
    assert_eq!(schema["properties"]["root-url"]["examples"], servers);
    let secret: Vec<&String> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, field)| field["writeOnly"] == true)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(secret, ["password"]);
}

#[test]
fn every_documented_status_is_mapped() {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    let table = StatusTable::new(HardToFind::describe().statuses);
    for (word, order, payment, fulfilment) in [
        ("READY", State::Open, Money::Paid, Goods::Unfulfilled),
        ("PROCESSED", State::InProgress, Money::Paid, Goods::Unfulfilled),
        ("SHIPPED", State::Completed, Money::Paid, Goods::Shipped),
        ("RETURNED", State::Closed, Money::Paid, Goods::Returned),
        ("REFUNDED", State::Closed, Money::Refunded, Goods::NotReported),
        ("CANCELLED", State::Cancelled, Money::Unknown, Goods::Cancelled),
        ("PENDING", State::Unknown, Money::Unknown, Goods::Unfulfilled),
    ] {
        let status = table.lookup(word);
        assert_eq!((status.order, status.payment, status.fulfilment), (order, payment, fulfilment), "{word}");
    }
}

#[test]
fn check_tells_whose_account_it_is() {
    // Protocol notes, section 1.2: ids are numbers here and strings elsewhere.
    let info = r#"{"user_id":111,"seller_account_id":222,"created":"x","expires":"y","roles":["seller","admin"]}"#;
    let host = Host::new().respond(move |request| {
        assert_eq!((request.method(), request.url()), (Method::Get, "/info"));
        Answer::json(200, info)
    });
    let identity = host.run(HardToFind::check).unwrap();
    assert_eq!(identity.id.as_deref(), Some("222"));
    assert_eq!(identity.facts, [("user".to_owned(), "111".to_owned()), ("roles".into(), "seller, admin".into())]);
}

#[test]
fn check_tells_failures_apart() {
    for (answer, expected) in [
        (Answer::new(401, "{}"), "AuthExpired"),
        (Answer::new(403, ""), "Forbidden"),
        (Answer::new(429, "").with_header("retry-after", "3"), "RateLimited(RetryHint { retry-after-ms: Some(3000) })"),
        (Answer::new(500, "<html>"), "Transient(RetryHint { retry-after-ms: None })"),
        (Answer::new(200, "<html>login</html>"), "Protocol("),
        (Answer::new(302, ""), "Protocol("),
    ] {
        let status = answer.status;
        let error = Host::new().then(answer).run(HardToFind::check).unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{status}: {error:?}");
    }
}
