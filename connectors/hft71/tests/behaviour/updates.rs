//! Changes of an order that was handed over go out as documented.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::samples::{
    SETTINGS, STATUS, UPDATE_ADDRESS, UPDATE_STATUS, address, assert_kind, failures, issues, protocol, value,
};

/// A server that answers changes with these bodies, one after the other, and reading the status with this.
fn silent<const N: usize>(answers: [&'static str; N], status: Answer) -> Host {
    let mut answers = answers.into_iter();
    Host::new().settings(SETTINGS).respond(move |request| match (request.method(), request.url()) {
        (Method::Put, "/order/123456") => Answer::json(200, answers.next().expect("no more changes")),
        (Method::Get, "/order/123456/status") => status.clone(),
        other => panic!("nobody asked for {other:?}"),
    })
}

fn items(words: &[&str]) -> Answer {
    let items: Vec<_> = words.iter().map(|word| serde_json::json!({"sku": "A", "status": word})).collect();
    Answer::json(200, serde_json::Value::from(items).to_string())
}

fn methods(host: &Host) -> Vec<Method> {
    host.requests().iter().map(tradepost_sdk::http::Request::method).collect()
}

fn update(host: &Host, change: Change) -> Result<(), Error> {
    host.run(|| Hft71::update("123456".into(), change))
}

#[test]
fn the_documented_changes_are_sent_field_by_field() {
    let moved = Address { lines: vec!["Main Street 11".into()], ..address() };
    for (change, sample) in [(Change::Status("Closed".into()), UPDATE_STATUS), (Change::Address(moved), UPDATE_ADDRESS)]
    {
        // What HFT71 answers is not documented.
        for answer in [Answer::new(204, ""), Answer::json(200, "{}"), Answer::new(200, "OK")] {
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

#[test]
fn an_answer_without_content_counts_when_every_item_shows_the_status() {
    for empty in ["", " \n", "null"] {
        for shown in [&["Closed"][..], &["closed", "CLOSED"], &[" Closed "]] {
            let host = silent([empty], items(shown));
            update(&host, Change::Status("Closed".into())).unwrap();
            assert_eq!(methods(&host), [Method::Put, Method::Get], "{empty:?} {shown:?}");
        }
    }
    let polish = silent([""], items(&["ZAMKNIĘTE"]));
    update(&polish, Change::Status("Zamknięte".into())).unwrap();
}

#[test]
fn a_status_that_does_not_show_is_sent_again_and_then_left_for_later() {
    for shown in [items(&["Closed", "In Production"]), items(&[]), Answer::json(200, STATUS)] {
        let host = silent(["", "", ""], shown.clone());
        let error = update(&host, Change::Status("Closed".into())).unwrap_err();
        assert_kind(&error, "Transient(", shown.text());
        assert!(error.message.contains("123456") && error.message.contains("`Closed`"), "{}", error.message);
        assert_eq!(methods(&host), [Method::Put, Method::Get].repeat(3));
        let sent: Vec<_> = host.requests().into_iter().filter(|request| request.method() == Method::Put).collect();
        assert!(sent.iter().all(|request| value(request.body_text()) == value(UPDATE_STATUS)), "the same each time");
        // The second one gets through.
        let host = silent(["", "{\"orderId\":123456}"], shown);
        update(&host, Change::Status("Closed".into())).unwrap();
        assert_eq!(methods(&host), [Method::Put, Method::Get, Method::Put]);
    }
}

#[test]
fn a_look_that_fails_refuses_no_change() {
    for (answer, expected) in [
        (Answer::new(200, ""), "Transient("),
        (Answer::new(200, "<html>login</html>"), "Transient("),
        (Answer::new(302, ""), "Transient("),
        (Answer::new(403, ""), "Transient("),
        (Answer::new(404, ""), "Transient("),
        (Answer::new(500, ""), "Transient("),
        (Answer::new(401, ""), "AuthExpired"),
        (Answer::new(429, ""), "RateLimited("),
    ] {
        let host = silent([""], answer.clone());
        assert_kind(&update(&host, Change::Status("Closed".into())).unwrap_err(), expected, answer.status);
    }
}

#[test]
fn an_address_that_is_answered_with_nothing_is_for_a_person() {
    let host = silent(["", "null", ""], Answer::new(500, "nobody reads it"));
    let error = update(&host, Change::Address(address())).unwrap_err();
    assert!(error.message.contains("look there") && error.message.contains("123456"), "{}", error.message);
    assert_eq!(protocol(error).expected, "an answer that says something");
    assert_eq!(methods(&host), [Method::Put; 3]);
    let host = silent(["", "OK"], Answer::new(500, "nobody reads it"));
    update(&host, Change::Address(address())).unwrap();
}
