//! The manifest, and whether the account works.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::samples::{LOGIN, LOGIN_REQUEST, SETTINGS, STOCK, assert_kind, failures, value};

#[test]
fn the_login_recipe_fits_the_documented_login() {
    let manifest = Hft71::describe();
    assert_eq!((manifest.id.as_str(), manifest.root_url.as_str()), ("hft71", "{root-url}"));
    assert_eq!((manifest.hosts.as_slice(), manifest.pace), (&["{root-url}".to_owned()][..], None));
    let [recipe] = &manifest.auth[..] else { panic!("one recipe") };
    let AuthMethod::Login(login) = &recipe.method else { panic!("a login") };
    assert_eq!((login.url.as_str(), login.body, login.margin_seconds), ("/authentication/login", LoginBody::Json, 60));
    // The fields, filled in as the host does, are the documented request.
    let mut body = serde_json::Map::new();
    for (name, template) in &login.fields {
        let filled = template.replace("{username}", "api-user@example.com").replace("{password}", "your-password");
        body.insert(name.clone(), filled.into());
    }
    assert_eq!(serde_json::Value::Object(body), value(LOGIN_REQUEST));
    // The pointers lead to the documented answer's values.
    let answer = value(LOGIN);
    assert_eq!(answer.pointer(&login.token).unwrap(), "eyJhbGciOi...");
    let TokenLifetime::Answer(lifetime) = &login.lifetime else { panic!("the answer tells the lifetime") };
    assert_eq!(answer.pointer(lifetime).unwrap(), 300);
    let Placement::Header(header) = &recipe.placement else { panic!("a header") };
    assert_eq!((header.name.as_str(), header.prefix.as_str()), ("Authorization", "Bearer "));
    assert_eq!(header.prefix.trim_end(), answer["token_type"]);
}

#[test]
fn the_settings_schema_hides_what_is_secret() {
    let schema = value(&Hft71::describe().settings_schema);
    assert_eq!(schema["required"], serde_json::json!(["root-url", "username", "password"]));
    let fields = schema["properties"].as_object().unwrap();
    let secret: Vec<&str> =
        fields.iter().filter(|(_, field)| field["writeOnly"] == true).map(|(name, _)| name.as_str()).collect();
    assert_eq!(secret, ["password", "webhook-secret"]);
    assert!(fields["root-url"].get("default").is_none(), "the host is not published");
    assert_eq!(fields["accept-unsigned-webhooks"]["default"], false);
    let size = &fields["stock-page-size"];
    assert_eq!((&size["minimum"], &size["maximum"], &size["default"]), (&1.into(), &1000.into(), &200.into()));
    assert!(fields.contains_key("status-table"));
}

#[test]
fn effects_and_streams_are_told() {
    let manifest = Hft71::describe();
    let effects: Vec<(&str, Effect)> =
        manifest.effects.iter().map(|effect| (effect.operation.as_str(), effect.effect)).collect();
    assert_eq!(effects, [("fulfilment.submit", Effect::Once), ("fulfilment-updates.update", Effect::Repeatable)]);
    let [stock] = &manifest.streams[..] else { panic!("one stream") };
    assert_eq!((stock.interface.as_str(), stock.paging, stock.incremental), ("stock", Paging::Numbered, false));
}

#[test]
fn every_documented_status_is_mapped_and_none_speaks_of_payment() {
    use {FulfilmentState as Goods, OrderState as State};
    let manifest = Hft71::describe();
    assert!(manifest.statuses.iter().all(|mapping| mapping.payment.is_none()));
    let table = StatusTable::new(manifest.statuses);
    for (word, order, fulfilment) in [
        ("In Production", State::InProgress, Goods::InProduction),
        ("Item Finished", State::InProgress, Goods::ReadyToShip),
        ("Closed", State::Closed, Goods::NotReported),
    ] {
        let status = table.lookup(word);
        assert_eq!(
            (status.order, status.payment, status.fulfilment),
            (order, PaymentState::NotReported, fulfilment),
            "{word}"
        );
    }
}

#[test]
fn check_reads_the_smallest_page_of_stock() {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, STOCK));
    let identity = host.run(Hft71::check).unwrap();
    assert_eq!((identity.id, identity.name), (None, None), "HFT71 does not say whose account it is");
    assert_eq!(identity.facts, [("user".to_owned(), "api-user@example.com".to_owned())]);
    let request = &host.requests()[0];
    assert_eq!((request.method(), request.url()), (Method::Get, "/stock/available?page=1&count=1"));
    assert!(request.is_authenticated());
    let empty = Host::new().settings(SETTINGS).then(Answer::json(200, "[]"));
    assert!(empty.run(Hft71::check).is_ok());
}

#[test]
fn check_tells_failures_apart_and_what_a_wrong_address_looks_like() {
    for (answer, expected) in failures() {
        let status = answer.status;
        let error = Host::new().settings(SETTINGS).then(answer).run(Hft71::check).unwrap_err();
        assert_kind(&error, expected, status);
        if status == 404 {
            assert!(error.message.contains("root-url"), "{}", error.message);
        }
    }
}
