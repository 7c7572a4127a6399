//! Changes of an order that was handed over go out as documented.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::samples::{SETTINGS, UPDATE_ADDRESS, UPDATE_STATUS, address, assert_kind, failures, issues, value};

fn update(host: &Host, change: Change) -> Result<(), Error> {
    host.run(|| Hft71::update("123456".into(), change))
}

#[test]
fn the_documented_changes_are_sent_field_by_field() {
    let moved = Address { lines: vec!["Main Street 11".into()], ..address() };
    for (change, sample) in [(Change::Status("Closed".into()), UPDATE_STATUS), (Change::Address(moved), UPDATE_ADDRESS)]
    {
        // What HFT71 answers is not documented.
        for answer in [Answer::new(204, ""), Answer::json(200, r#"{"ok":1}"#), Answer::new(200, "OK")] {
            let host = Host::new().settings(SETTINGS).then(answer);
            update(&host, change.clone()).unwrap();
            let [request] = &host.requests()[..] else { panic!("one request") };
            assert_eq!((request.method(), request.url()), (Method::Put, "/order/123456"));
            assert_eq!((request.effective_effect(), request.is_authenticated()), (Effect::Repeatable, true));
            assert_eq!(value(request.body_text()), value(sample));
        }
    }
}

#[test]
fn a_change_that_says_nothing_is_refused_before_it_is_sent() {
    let silent = Host::new().settings(SETTINGS);
    let refused = |change: Change| issues(update(&silent, change).unwrap_err());
    assert_eq!(refused(Change::Status(" ".into())), [("/change/status".to_owned(), "missing".to_owned())]);
    let nowhere = Address { lines: vec![], city: String::new(), country_code: Some("Poland".into()), ..address() };
    let pointers: Vec<String> = refused(Change::Address(nowhere)).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/change/address/lines", "/change/address/city", "/change/address/country-code"]);
}

#[test]
fn failures_are_told_apart() {
    for (answer, expected) in failures() {
        let status = answer.status;
        let error = update(&Host::new().settings(SETTINGS).then(answer), Change::Status("Closed".into())).unwrap_err();
        assert_kind(&error, expected, status);
    }
}
