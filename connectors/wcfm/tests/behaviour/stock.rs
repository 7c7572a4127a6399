//! Stock levels: what products tell, and setting them without touching anything else.

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

fn change(sku: Option<&str>, product_id: Option<&str>, available: &str) -> StockChange {
    StockChange {
        sku: sku.map(str::to_owned),
        product_id: product_id.map(str::to_owned),
        variant_id: None,
        available: decimal::parse(available).unwrap(),
        list_price: None,
        as_of: None,
    }
}

/// A seller with a counted product 34, a variable product 17 and a set 24; every quick edit does as it is told.
fn shop() -> Host {
    shop_that(|request| {
        let id = request.path().rsplit('/').next().unwrap().to_owned();
        let body: serde_json::Value = serde_json::from_slice(request.body_bytes()).unwrap();
        let price = body["regular_price"].as_str().unwrap_or("13.96");
        let quantity = &body["stock_quantity"];
        Answer::json(
            200,
            format!(
                r#"{{"id":{id},"type":{},"manage_stock":true,"stock_quantity":{quantity},"regular_price":"{price}"}}"#,
                body["type"]
            ),
        )
    })
}

fn shop_that(quick_edit: impl Fn(&Request) -> Answer + 'static) -> Host {
    let products = r#"[
        {"id":34,"name":"Bulk item 4","sku":"BULK-4","type":"simple","manage_stock":true,"stock_quantity":2},
        {"id":17,"name":"V-Neck","sku":"VNECK","type":"variable","manage_stock":false,"variations":[
            {"variation_id":18,"sku":"VNECK-0","max_qty":9,"is_in_stock":true,"attributes":[]}]},
        {"id":24,"name":"Set","sku":"","type":"grouped","manage_stock":false}]"#;
    host().respond(move |request| match request.method() {
        Method::Get => Answer::json(200, products),
        Method::Put => quick_edit(request),
        other => panic!("{other:?}"),
    })
}

fn set(host: &Host, changes: Vec<StockChange>) -> Result<Vec<StockResult>, Error> {
    host.run(|| <Wcfm as StockUpdates>::set(changes))
}

fn writes(host: &Host) -> Vec<(String, String)> {
    let writes = host.requests().into_iter().filter(|request| request.method() != Method::Get);
    writes.map(|request| (request.path().to_owned(), request.body_text().to_owned())).collect()
}

#[test]
fn a_level_is_set_by_quick_edit_with_the_products_own_type_and_confirmed_by_its_answer() {
    let host = shop();
    let results = set(&host, vec![change(Some("BULK-4"), None, "9")]).unwrap();
    assert_eq!(
        results,
        [StockResult { article: "BULK-4".into(), outcome: StockOutcome::Confirmed, message: String::new() }]
    );
    let body = r#"{"type":"simple","manage_stock":true,"stock_quantity":9}"#;
    assert_eq!(writes(&host), [("/products/quick-edit/34".to_owned(), body.to_owned())]);
    let lookup = &host.requests()[0];
    assert_eq!(lookup.query_value("sku"), None, "?sku= crashes the server");
    assert_eq!(lookup.query_value("status").as_deref(), Some("any"));
}

#[test]
fn products_are_looked_up_among_the_sellers_own() {
    let host = shop();
    let results = set(&host, vec![change(None, Some("34"), "0"), change(None, Some("43"), "5")]).unwrap();
    let outcomes: Vec<StockOutcome> = results.iter().map(|result| result.outcome).collect();
    assert_eq!(
        outcomes,
        [StockOutcome::Confirmed, StockOutcome::NotFound],
        "43 is another seller's and must not be touched"
    );
    assert_eq!(writes(&host).len(), 1);
    let lookup = &host.requests()[0];
    assert!(lookup.url().contains("include%5B%5D=34&include%5B%5D=43"), "one request for both: {}", lookup.url());
}

#[test]
fn what_cannot_be_set_safely_is_refused_and_nothing_sent() {
    let variant = StockChange { variant_id: Some("18".into()), ..change(None, Some("17"), "3") };
    let cases = [
        (variant, "prices"),
        (change(Some("VNECK-0"), None, "3"), "prices"),
        (change(Some("VNECK"), None, "3"), "variations"),
        (change(None, Some("24"), "3"), "grouped"),
        (change(Some("BULK-4"), None, "2.5"), "whole"),
        (change(Some("BULK-4"), None, "-1"), "whole"),
        (StockChange { list_price: decimal::parse("-1").ok(), ..change(Some("BULK-4"), None, "1") }, "negative"),
    ];
    for (change, word) in cases {
        let host = shop();
        let results = set(&host, vec![change]).unwrap();
        assert_eq!(results[0].outcome, StockOutcome::Refused);
        assert!(results[0].message.contains(word), "{}", results[0].message);
        assert_eq!(writes(&host), []);
    }
    let results = set(&shop(), vec![change(None, None, "1"), change(Some("NONE"), None, "1")]).unwrap();
    assert!(results.iter().all(|result| result.outcome == StockOutcome::NotFound), "{results:?}");
}

#[test]
fn the_last_change_of_an_article_counts() {
    let host = shop();
    let results = set(&host, vec![change(Some("BULK-4"), None, "1"), change(None, Some("34"), "2")]).unwrap();
    assert_eq!(results[0].outcome, StockOutcome::Refused);
    assert_eq!((results[1].outcome, results[1].article.as_str()), (StockOutcome::Confirmed, "34"));
    assert!(writes(&host)[0].1.contains(r#""stock_quantity":2"#));
}

#[test]
fn a_price_goes_with_the_level_where_one_is_given() {
    let host = shop();
    let price = Some(decimal::parse("45.50").unwrap());
    let results = set(&host, vec![StockChange { list_price: price, ..change(Some("BULK-4"), None, "9") }]).unwrap();
    assert_eq!(results[0].outcome, StockOutcome::Confirmed);
    assert_eq!(
        writes(&host)[0].1,
        r#"{"type":"simple","regular_price":"45.50","manage_stock":true,"stock_quantity":9}"#
    );
}

#[test]
fn an_answer_that_shows_another_level_confirms_nothing() {
    let cases = [
        Answer::json(200, r#"{"id":34,"type":"simple","manage_stock":true,"stock_quantity":2}"#),
        Answer::json(200, r#"{"id":34,"type":"simple","manage_stock":false,"stock_quantity":null}"#),
        Answer::json(200, ""),
        recorded::answer("424"),
    ];
    for answer in cases {
        let body = answer.clone();
        let results = set(&shop_that(move |_| answer.clone()), vec![change(Some("BULK-4"), None, "9")]).unwrap();
        assert_eq!(results[0].outcome, StockOutcome::Refused, "{body:?}");
        assert!(!results[0].message.is_empty());
    }
}

#[test]
fn the_recorded_quick_edit_confirms() {
    let host = shop_that(|_| recorded::answer("508"));
    assert_eq!(set(&host, vec![change(Some("BULK-4"), None, "9")]).unwrap()[0].outcome, StockOutcome::Confirmed);
}

#[test]
fn a_site_that_is_down_fails_the_call_and_a_wrong_password_stops_it() {
    for (number, expected) in [("411", "Transient"), ("003", "AuthRejected"), ("410", "Unavailable")] {
        let fault =
            set(&shop_that(move |_| recorded::answer(number)), vec![change(Some("BULK-4"), None, "9")]).unwrap_err();
        assert!(format!("{:?}", fault.kind).contains(expected), "{fault:?}");
    }
}

#[test]
fn more_changes_than_a_call_can_send_are_refused_whole() {
    let host = host();
    let fault = set(&host, vec![change(Some("BULK-4"), None, "9"); 21]).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(_)));
    assert_eq!(host.requests(), []);
}

#[test]
fn levels_are_those_of_articles_and_of_variations() {
    let list = format!(
        "[{},{}]",
        recorded::answer("082").text().unwrap().trim(),
        recorded::answer("081").text().unwrap().trim()
    );
    let host = host().respond(move |_| Answer::json(200, list.clone()));
    let page = host.run(|| <Wcfm as Stock>::list(None)).unwrap();
    let found: Vec<_> = page
        .items
        .iter()
        .map(|level| {
            let available = level.available.as_ref().map(decimal::to_text);
            (level.product_id.as_deref(), level.variant_id.as_deref(), available, level.in_stock)
        })
        .collect();
    let variant =
        |id, available: Option<&str>, in_stock| (Some("17"), Some(id), available.map(str::to_owned), Some(in_stock));
    assert_eq!(
        found[..4],
        [
            variant("18", Some("9"), true),
            variant("19", Some("3"), true),
            variant("20", None, false),
            variant("21", None, true)
        ],
        "the parent is no article and counts nothing"
    );
    assert_eq!((found.len(), found[4].0, found[4].1), (5, Some("16"), None));
    assert!(page.end);
    assert!(host.requests()[0].query_value("_fields").unwrap().contains("stock_quantity"));
}
