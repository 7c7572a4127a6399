//! The manifest, and the proof that an account works.

use serde_json::Value;
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{assert_is_sample, ok, seed};

#[test]
fn the_login_is_the_documented_one() {
    let manifest = OmniSeller::describe();
    assert_eq!((manifest.id.as_str(), manifest.root_url.as_str()), ("omniseller", "{root-url}"));
    assert_eq!(manifest.hosts, ["{root-url}"]);
    let [recipe] = &manifest.auth[..] else { panic!("one recipe") };
    let AuthMethod::Login(login) = &recipe.method else { panic!("a login") };
    assert_eq!(
        (login.url.as_str(), login.body, login.margin_seconds),
        ("/omniseller/Tokenrequest.php", LoginBody::Json, 60)
    );
    // What is sent: the sample's keys, filled from the settings of the same names.
    let sample: Value = serde_json::from_str(seed!("token-request")).unwrap();
    let sent: Value =
        login.fields.iter().map(|(key, value)| (key.clone(), Value::from(value.trim_matches(['{', '}'])))).collect();
    assert_eq!(sent, sample);
    // What is read from the sample's answer.
    let answer: Value = serde_json::from_str(seed!("token")).unwrap();
    assert_eq!(answer.pointer(&login.token).unwrap(), "410C2DC6-88F0-4DAA-81DF-F3A62299B467");
    let TokenLifetime::Answer(lifetime) = &login.lifetime else { panic!("the answer names its life") };
    assert_eq!(answer.pointer(lifetime).unwrap(), 900);
    // Where the token goes: the sample's own key.
    let Placement::JsonBody(field) = &recipe.placement else { panic!("in the body") };
    let request: Value = serde_json::from_str(seed!("categories-request")).unwrap();
    assert_eq!(request[field], "00000000-0000-0000-0000-000000000000");
}

#[test]
fn the_settings_schema_hides_the_password_only_and_has_the_documented_defaults() {
    let schema: Value = serde_json::from_str(&OmniSeller::describe().settings_schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let secret: Vec<&String> =
        properties.iter().filter(|(_, field)| field["writeOnly"] == true).map(|(name, _)| name).collect();
    assert_eq!(secret, ["apipass"]);
    assert_eq!(schema["required"], serde_json::json!(["root-url", "apiuser", "apipass"]));
    assert_eq!(properties["order-route"]["default"], "/omniseller/HTKService4.php");
    assert_eq!(properties["order-data"]["default"], "id");
    for undocumented in ["product-upload-function", "stock-function", "currency", "order-fields", "utc-offset-minutes"]
    {
        assert!(
            properties[undocumented].is_object() && properties[undocumented].get("default").is_none(),
            "{undocumented}"
        );
    }
}

#[test]
fn every_inbound_status_is_mapped_and_two_is_not() {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    let table = StatusTable::new(OmniSeller::describe().statuses);
    for (word, order, payment, fulfilment) in [
        ("0", State::Open, Money::NotReported, Goods::Unfulfilled),
        ("1", State::InProgress, Money::NotReported, Goods::Unfulfilled),
        ("2", State::Unknown, Money::Unknown, Goods::Unknown),
        ("3", State::OnHold, Money::NotReported, Goods::Unfulfilled),
        ("4", State::Cancelled, Money::NotReported, Goods::Cancelled),
        ("5", State::Closed, Money::Refunded, Goods::NotReported),
        ("6", State::Failed, Money::NotReported, Goods::Unfulfilled),
        ("7", State::Closed, Money::NotReported, Goods::NotReported),
        ("9", State::Unknown, Money::Unknown, Goods::Unknown),
    ] {
        let status = table.lookup(word);
        assert_eq!((status.order, status.payment, status.fulfilment), (order, payment, fulfilment), "{word}");
    }
}

#[test]
fn each_walk_reads_everything_and_every_write_has_its_effect() {
    let manifest = OmniSeller::describe();
    let streams: Vec<_> =
        manifest.streams.iter().map(|stream| (stream.interface.as_str(), stream.paging, stream.incremental)).collect();
    assert_eq!(streams, [("orders", Paging::Single, false), ("categories", Paging::Single, false)]);
    let effects: Vec<_> = manifest.effects.iter().map(|effect| (effect.operation.as_str(), effect.effect)).collect();
    assert_eq!(
        effects,
        [
            ("product-writes.create", Effect::Once),
            ("product-writes.update", Effect::Repeatable),
            ("product-writes.delete", Effect::Read),
            ("stock-updates.set", Effect::Repeatable),
        ]
    );
}

#[test]
fn check_reads_the_categories_and_tells_the_shop_system_where_it_is_named() {
    let host = Host::new().then(Answer::json(200, seed!("categories")));
    let identity = host.run(OmniSeller::check).unwrap();
    assert_eq!((identity.id, identity.name), (None, None));
    assert_eq!(identity.server.as_deref(), Some("HTKService4 on Oxid6"));
    assert_eq!(identity.facts, [("categories".to_owned(), "1".to_owned())]);
    let [request] = &host.requests()[..] else { panic!("one request") };
    assert_is_sample(request, seed!("categories-request"));
    assert_eq!(request.effective_effect(), Effect::Read);

    // `string`, as in the other samples, names nothing.
    let silent = Host::new().then(ok(&serde_json::json!([]))).run(OmniSeller::check).unwrap();
    assert_eq!((silent.server, silent.facts[0].1.as_str()), (None, "0"));
}
