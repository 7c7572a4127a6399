//! A check that nothing can fail is none: each description here says one untrue thing of a platform that is played well, each component
//! says one of itself, and the check that looks at it fails with a line that names the place.

use tradepost_conformance::{Description, Options, Verdict, run};

/// A check, what is changed in the description of WCFM, and what the evidence must name.
const LIES: [(&str, &str, &str, &[&str]); 16] = [
    ("exports-match-manifest", "seller-restrictions.list", "gift-cards.get", &["gift-cards.get", "not exported"]),
    ("money-exact", "\"/total\" = \"/totals/total\"", "\"/total\" = \"/totals/tax\"", &["orders.list", "/totals/tax"]),
    (
        "money-exact",
        "\"/weight\" = \"/dimensions/weight\"",
        "\"/weight\" = \"/dimensions/kit\"",
        &["products.list", "/weight"],
    ),
    (
        "dates-exact",
        "[second]\" }\n\"/date_modified\"",
        "[second]\", offset-minutes = 60 }\n\"/date_modified\"",
        &["/date_created_gmt", "3600 s off"],
    ),
    (
        "dates-exact",
        "\"/date_created_gmt\" = \"/placed_at\"",
        "\"/date_created_gmt\" = \"/dispatch_due_at\"",
        &["/dispatch_due_at"],
    ),
    (
        "text-safe",
        "texts = { \"/customer_note\"",
        "texts = { \"/line_items/0/name\" = \"/lines/0/title\", \"/customer_note\"",
        &["HTML entities", "/lines/0/title"],
    ),
    (
        "text-safe",
        "\"/billing/city\" = \"/billing_address/city\"",
        "\"/billing/city\" = \"/shipping_address/city\"",
        &["/billing/city", "emoji"],
    ),
    ("ids-are-opaque", "id = \"/product_id\"", "id = \"/sku\"", &["stock.list", "BEANIE-1"]),
    ("unknown-status-preserved", "status = \"/state_raw\"", "status = \"/kind_raw\"", &["products.list", "/kind_raw"]),
    ("mapping-total", "\"auto-draft\", \"trash\"]", "\"auto-draft\", \"kit-word\"]", &["kit-word", "unknown"]),
    ("raw-roundtrip", "raw = \"/raw\"", "raw = \"/number\"", &["orders.list", "byte 0"]),
    (
        "missing-and-null-fields",
        "\"/number\", \"/date_paid\"",
        "\"/total\", \"/date_paid\"",
        &["/total", "optional", "protocol"],
    ),
    (
        "no-secret-material-visible",
        "\"role\": \"wcfm_vendor\"",
        "\"role\": \"kit-token-1\"",
        &["connector.check", "kit-token-"],
    ),
    (
        "refunds-as-given",
        "\"refunded_amount\": \"0\"",
        "\"refunded_amount\": \"1\"",
        &["nothing was given back", "\"1\""],
    ),
    ("refunds-as-given", "{\"amount\": \"317.54\"", "{\"amount\": \"317.5\"", &["/0/amount", "317.54"]),
    ("egress-declared", "name = \"orders.get\"\nrecord", "name = \"orders.take\"\nrecord", &["orders.take"]),
];

/// A check, what is changed in the component's own texts (the same length, so that it stays a component), and what must be named.
const PATCHES: [(&str, &str, &str, &[&str]); 7] = [
    ("egress-declared", "/store-vendors", "https://ab.co/", &["sellers.list", "denied", "https://ab.co"]),
    ("optional-absent-works", "\"default\": \"wp-json\"", "\"defaulu\": \"wp-json\"", &["api-prefix"]),
    ("secrets-marked", "\"writeOnly\": true", "\"writeonly\": true", &["/password", "writeOnly"]),
    ("config-schema-form-safe", "\"title\": \"Password\"", "\"titel\": \"Password\"", &["/password", "title"]),
    ("config-schema-form-safe", "\"status-table\": {", "\"status table\": {", &["/status table", "name"]),
    ("exports-match-manifest", "stock-updates.set", "stock-updates.sit", &["stock-updates.set", "effect"]),
    ("mapping-total", "checkout-draft", "checkout-drift", &["checkout-draft", "unknown"]),
];

#[test]
fn a_component_that_lies_fails_the_check_that_looks() {
    let component = tradepost_components::build("wcfm", |line| eprintln!("{line}")).unwrap();
    let honest = std::fs::read(component).unwrap();
    let mut unseen = Vec::new();
    for (check, truth, lie, named) in PATCHES {
        assert_eq!(truth.len(), lie.len(), "{lie}");
        let mut patched = honest.clone();
        let places = places(&honest, truth.as_bytes());
        assert!(!places.is_empty(), "{check}: the component does not say {truth}");
        for place in places {
            patched[place..place + lie.len()].copy_from_slice(lie.as_bytes());
        }
        let report = run(patched, None, Options { seeds: 1, only: vec![check.to_owned()] }, |_| {}).unwrap();
        let found = &report.checks[0];
        if found.result != Verdict::Failed || !named.iter().all(|name| found.evidence.contains(name)) {
            unseen.push(format!("{check} with {lie}: {}: {}", found.result, found.evidence));
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}

fn places(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text).map(|(place, _)| place).collect()
}

#[test]
fn a_description_that_lies_fails_the_check_that_looks() {
    let component = tradepost_components::build("wcfm", |line| eprintln!("{line}")).unwrap();
    let component = std::fs::read(component).unwrap();
    let honest = include_str!("../descriptions/wcfm.toml");
    let mut unseen = Vec::new();
    for (check, truth, lie, named) in LIES {
        assert!(honest.contains(truth), "{check}: the description does not say {truth}");
        let description = Description::parse(&honest.replacen(truth, lie, 1)).unwrap();
        let options = Options { seeds: 1, only: vec![check.to_owned()] };
        let report = run(component.clone(), Some(description), options, |_| {}).unwrap();
        let found = &report.checks[0];
        if found.result != Verdict::Failed || !named.iter().all(|name| found.evidence.contains(name)) {
            unseen.push(format!("{check} with {lie}: {}: {}", found.result, found.evidence));
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}
