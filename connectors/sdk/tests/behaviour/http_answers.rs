//! Requests are built as told, and plain statuses get the plain reading.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

/// 2026-01-01T00:00:00Z, the scripted host's clock.
const NOW: &str = "Thu, 01 Jan 2026 00:01:30 GMT";

#[test]
fn statuses_become_errors_by_the_plain_reading_of_http() {
    let name = |answer: Answer| match Host::new().run(|| answer.error()).kind {
        ErrorKind::AuthExpired => "auth-expired".to_owned(),
        ErrorKind::Forbidden => "forbidden".into(),
        ErrorKind::NotFound => "not-found".into(),
        ErrorKind::Conflict => "conflict".into(),
        ErrorKind::InvalidInput(issues) => format!("invalid-input {}", issues[0].code),
        ErrorKind::RateLimited(hint) => format!("rate-limited {:?}", hint.retry_after_ms),
        ErrorKind::Transient(hint) => format!("transient {:?}", hint.retry_after_ms),
        ErrorKind::Unavailable(hint) => format!("unavailable {:?}", hint.retry_after_ms),
        ErrorKind::Protocol(unexpected) => format!("protocol {}", unexpected.excerpt),
        other => panic!("unexpected kind {other:?}"),
    };
    let status = |status| Answer::new(status, "why");
    for (answer, expected) in [
        (status(400), "invalid-input http-400"),
        (status(401), "auth-expired"),
        (status(403), "forbidden"),
        (status(404), "not-found"),
        (status(409), "conflict"),
        (status(410), "not-found"),
        (status(422), "invalid-input http-422"),
        (status(429), "rate-limited None"),
        (status(429).with_header("Retry-After", "120"), "rate-limited Some(120000)"),
        (status(429).with_header("Retry-After", NOW), "rate-limited Some(90000)"),
        (status(429).with_header("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"), "rate-limited Some(0)"),
        (status(429).with_header("Retry-After", "18446744073709551615"), "rate-limited Some(86400000)"),
        (status(429).with_header("Retry-After", "soon"), "rate-limited None"),
        (status(500), "transient None"),
        (status(503), "transient None"),
        (status(503).with_header("retry-after", "5"), "unavailable Some(5000)"),
        (status(502).with_header("retry-after", "5"), "transient Some(5000)"),
        (status(302), "protocol why"),
        (status(418), "protocol why"),
    ] {
        let label = format!("{} {:?}", answer.status, answer.headers);
        assert_eq!(name(answer), expected, "{label}");
    }
}

#[test]
fn requests_carry_credentials_and_ask_for_json_unless_told_otherwise() {
    let host = Host::new().respond(|_| Answer::json(200, "{}"));
    host.run(|| {
        http::get("/orders").query("status", "on hold&x=ü").query("page", 2).send().unwrap();
        http::post("/search").anonymous().effect(Effect::Read).json("{}").header("Accept", "text/html").send().unwrap();
        http::put("/p/1").body([1, 2, 3]).send().unwrap();
    });
    let [get, post, put] = &host.requests()[..] else { panic!("three requests") };
    assert_eq!(get.url(), "/orders?status=on%20hold%26x%3D%C3%BC&page=2");
    assert_eq!((get.path(), get.query_value("status").as_deref()), ("/orders", Some("on hold&x=ü")));
    assert_eq!((get.is_authenticated(), get.header_value("accept")), (true, Some("application/json")));
    assert_eq!((get.effective_effect(), put.effective_effect()), (Effect::Read, Effect::Repeatable));
    assert_eq!((post.is_authenticated(), post.effective_effect()), (false, Effect::Read));
    assert_eq!(
        (post.header_value("accept"), post.header_value("content-type")),
        (Some("text/html"), Some("application/json"))
    );
    assert_eq!(http::post("/x").effective_effect(), Effect::Once);
    assert_eq!(put.body_bytes(), [1, 2, 3]);
}

#[test]
fn many_requests_are_answered_in_their_order() {
    let host = Host::new().respond(|request| Answer::new(200, request.url().to_owned()));
    let answers = host.run(|| http::send_all(vec![http::get("/a"), http::get("/b")]));
    let bodies: Vec<Vec<u8>> = answers.into_iter().map(|answer| answer.unwrap().body).collect();
    assert_eq!(bodies, [b"/a".to_vec(), b"/b".to_vec()]);
}

#[test]
fn a_body_that_is_not_text_is_a_protocol_error_with_its_place() {
    let error = Answer::new(200, [b'a', b'b', 0xff, b'c']).text().unwrap_err();
    let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
    assert_eq!(
        (unexpected.expected.as_str(), unexpected.excerpt.as_str()),
        ("UTF-8 text (byte 2 is not)", "ab\u{fffd}c")
    );
}

#[test]
fn path_segments_keep_ids_opaque() {
    assert_eq!(http::segment("a/b?c#d%2e"), "a%2Fb%3Fc%23d%252e");
}
