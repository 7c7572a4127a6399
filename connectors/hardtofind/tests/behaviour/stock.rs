//! Stock goes out in one batch, and nothing is called confirmed.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

fn change(sku: &str, available: &str) -> StockChange {
    StockChange {
        sku: Some(sku.into()),
        product_id: None,
        variant_id: None,
        available: decimal::parse(available).unwrap(),
        list_price: None,
        as_of: None,
    }
}

fn set(changes: Vec<StockChange>) -> (Vec<(String, StockOutcome)>, Vec<serde_json::Value>) {
    let host = Host::new().respond(|request| {
        assert_eq!((request.method(), request.url()), (Method::Post, "/batch"));
        assert_eq!(request.effective_effect(), Effect::Repeatable);
        Answer::new(202, "")
    });
    let results = host.run(|| HardToFind::set(changes)).unwrap();
    let bodies = host.requests().iter().map(|request| serde_json::from_str(request.body_text()).unwrap()).collect();
    (results.into_iter().map(|result| (result.article, result.outcome)).collect(), bodies)
}

fn outcome(article: &str, outcome: StockOutcome) -> (String, StockOutcome) {
    (article.into(), outcome)
}

#[test]
fn levels_and_list_prices_go_out_in_one_batch_unconfirmed() {
    let priced = StockChange { list_price: Some(decimal::parse("19.90").unwrap()), ..change("B", "3.00") };
    let (results, bodies) = set(vec![change("A", "0"), priced]);
    assert_eq!(results, [outcome("A", StockOutcome::Unconfirmed), outcome("B", StockOutcome::Unconfirmed)]);
    let [body] = &bodies[..] else { panic!("one request") };
    assert_eq!((body["action"].as_str(), body["entity_type"].as_str()), (Some("update"), Some("variant")));
    assert_eq!(body["entities"].to_string(), r#"[{"inventory":0,"sku":"A"},{"inventory":3,"rrp":19.9,"sku":"B"}]"#);
}

#[test]
fn what_the_platform_cannot_take_is_refused_and_the_rest_goes_out() {
    let nameless = StockChange { sku: None, product_id: Some("111".into()), ..change("", "1") };
    let free = StockChange { list_price: Some(decimal::parse("-1").unwrap()), ..change("D", "1") };
    let (results, bodies) = set(vec![change("A", "1.5"), nameless, change("C", "-1"), free, change("E", "5")]);
    assert_eq!(
        results,
        [
            outcome("A", StockOutcome::Refused),
            outcome("111", StockOutcome::Refused),
            outcome("C", StockOutcome::Refused),
            outcome("D", StockOutcome::Refused),
            outcome("E", StockOutcome::Unconfirmed),
        ]
    );
    assert_eq!(bodies[0]["entities"].to_string(), r#"[{"inventory":5,"sku":"E"}]"#);
}

#[test]
fn of_two_changes_of_one_article_the_newer_one_goes_out() {
    let at = |epoch_seconds| Some(Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes: 0 });
    let dated = |available, as_of| StockChange { as_of, ..change("A", available) };
    let (results, bodies) = set(vec![dated("9", at(200)), dated("1", at(100)), change("B", "1"), change("B", "2")]);
    assert_eq!(
        results.iter().map(|(_, outcome)| *outcome == StockOutcome::Unconfirmed).collect::<Vec<_>>(),
        [true, false, false, true]
    );
    assert_eq!(bodies[0]["entities"].to_string(), r#"[{"inventory":9,"sku":"A"},{"inventory":2,"sku":"B"}]"#);
}

#[test]
fn nothing_to_send_sends_nothing() {
    assert_eq!(set(vec![]), (vec![], vec![]));
    assert!(set(vec![change("A", "0.5")]).1.is_empty());
}

#[test]
fn a_batch_that_was_not_accepted_fails_as_a_whole() {
    let host = Host::new().then(Answer::new(503, "").with_header("retry-after", "60"));
    let error = host.run(|| HardToFind::set(vec![change("A", "1")])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable(RetryHint { retry_after_ms: Some(60_000) }));
}
