//! The manifest: help-ka's address, with its folder in every URL.

use serde_json::Value;
use tradepost_help_ka::HelpKa;
use tradepost_sdk::prelude::*;

/// A template with the schema's defaults in it.
fn filled(template: &str) -> String {
    let schema: Value = serde_json::from_str(&HelpKa::describe().settings_schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let defaults = properties.iter().filter_map(|(name, field)| Some((name, field["default"].as_str()?)));
    defaults.fold(template.to_owned(), |text, (name, default)| text.replace(&format!("{{{name}}}"), default))
}

#[test]
fn every_url_keeps_the_folder_of_the_market() {
    let manifest = HelpKa::describe();
    let root = filled(&manifest.root_url);
    // Seed 003 writes its endpoints with this address.
    assert_eq!(root, "https://help-ka.ru/market/wp-json/wcfmmp/v1");
    assert_eq!(manifest.hosts.iter().map(|host| filled(host)).collect::<Vec<_>>(), ["https://help-ka.ru/market"]);
    let logins: Vec<String> = manifest
        .auth
        .iter()
        .filter_map(|recipe| match &recipe.method {
            AuthMethod::Login(login) => Some(filled(&login.url)),
            _ => None,
        })
        .collect();
    assert_eq!(logins, ["https://help-ka.ru/market/wp-json/jwt-auth/v1/token"]);
    let order = tradepost_sdk::testing::Host::new().respond(|_| Answer::json(200, "[]"));
    let _ = order.run(|| <HelpKa as Orders>::get("274".into()));
    let url = format!("{root}{}", order.requests()[0].url());
    assert_eq!(url, "https://help-ka.ru/market/wp-json/wcfmmp/v1/orders/274");
}

#[test]
fn it_is_a_connector_of_its_own_that_only_needs_a_login() {
    let manifest = HelpKa::describe();
    assert_eq!((manifest.id.as_str(), manifest.name.as_str()), ("help-ka", "help-ka.ru Market"));
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["username", "password"]));
    let properties = schema["properties"].as_object().unwrap();
    let secrets: Vec<&String> =
        properties.iter().filter(|(_, field)| field["writeOnly"] == true).map(|(name, _)| name).collect();
    assert_eq!(secrets, ["password"]);
    assert_eq!(schema["properties"]["utc-offset-minutes"].get("default"), None, "the site's zone is not documented");
    let streams: Vec<&str> = manifest.streams.iter().map(|stream| stream.interface.as_str()).collect();
    assert_eq!(streams, ["orders", "products", "categories", "stock", "notifications", "sellers"]);
    assert!(manifest.effects.iter().all(|effect| !effect.operation.starts_with("seller-restrictions")));
}
