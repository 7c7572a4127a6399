//! Stock upload: only with the shop's function number, in one batch, and nothing is called confirmed.

use serde_json::json;
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{Shop, body, functions, no, ok};

fn shop(upload: Answer) -> Host {
    let shop = Shop::default();
    *shop.upload.borrow_mut() = Some(upload);
    shop.host(r#"{"stock-function":"8"}"#)
}

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

fn set(host: &Host, changes: Vec<StockChange>) -> Result<Vec<(String, StockOutcome)>, Error> {
    let results = host.run(|| OmniSeller::set(changes))?;
    Ok(results.into_iter().map(|result| (result.article, result.outcome)).collect())
}

fn outcome(article: &str, outcome: StockOutcome) -> (String, StockOutcome) {
    (article.into(), outcome)
}

#[test]
fn without_the_function_number_nothing_is_sent_and_the_setting_is_named() {
    let host = Shop::default().host(r#"{"product-upload-function":"7"}"#);
    let error = set(&host, vec![change("A", "1")]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("stock-function") && error.message.contains("only a heading"), "{}", error.message);
    assert!(host.requests().is_empty());
}

#[test]
fn levels_go_out_in_one_batch_unconfirmed() {
    let host = shop(ok(&json!("")));
    let results = set(&host, vec![change("A", "0"), change("B", "2.50")]).unwrap();
    assert_eq!(results, [outcome("A", StockOutcome::Unconfirmed), outcome("B", StockOutcome::Unconfirmed)]);
    assert_eq!(functions(&host), ["5", "8"], "a read goes first: it finds an expired token without having written");
    let upload = &host.requests()[1];
    assert_eq!(upload.effective_effect(), Effect::Repeatable);
    assert_eq!(
        upload.body_text(),
        r#"{"function":"8","data":[{"Artikelnummer":"A","Bestand":0},{"Artikelnummer":"B","Bestand":2.50}]}"#
    );
}

#[test]
fn what_the_shop_cannot_take_is_refused_and_the_rest_goes_out() {
    let nameless = StockChange { sku: None, product_id: Some("111".into()), ..change("", "1") };
    let priced = StockChange { list_price: Some(decimal::from_int(5)), ..change("D", "1") };
    let host = shop(ok(&json!("")));
    let results = set(&host, vec![nameless, change(" ", "1"), change("C", "-1"), priced, change("E", "5")]).unwrap();
    assert_eq!(
        results,
        [
            outcome("111", StockOutcome::Refused),
            outcome(" ", StockOutcome::Refused),
            outcome("C", StockOutcome::Refused),
            outcome("D", StockOutcome::Refused),
            outcome("E", StockOutcome::Unconfirmed),
        ]
    );
    assert_eq!(body(&host.requests()[1])["data"], json!([{"Artikelnummer": "E", "Bestand": 5}]));

    let idle = shop(ok(&json!("")));
    assert_eq!(set(&idle, vec![]).unwrap(), []);
    assert_eq!(set(&idle, vec![change("C", "-1")]).unwrap(), [outcome("C", StockOutcome::Refused)]);
    assert!(idle.requests().is_empty(), "nothing to send sends nothing");
}

#[test]
fn of_two_changes_of_one_article_the_newer_one_goes_out() {
    let at = |epoch_seconds| Some(Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes: 0 });
    let dated = |available, as_of| StockChange { as_of, ..change("A", available) };
    let host = shop(ok(&json!("")));
    let changes = vec![dated("9", at(200)), dated("1", at(100)), change("B", "1"), change("B", "2"), change("B", "-3")];
    let sent: Vec<bool> =
        set(&host, changes).unwrap().iter().map(|(_, outcome)| *outcome == StockOutcome::Unconfirmed).collect();
    assert_eq!(sent, [true, false, false, true, false]);
    assert_eq!(
        body(&host.requests()[1])["data"],
        json!([{"Artikelnummer": "A", "Bestand": 9}, {"Artikelnummer": "B", "Bestand": 2}])
    );
}

#[test]
fn a_batch_that_was_not_accepted_fails_as_a_whole() {
    let refused = set(&shop(no("Artikel unbekannt")), vec![change("A", "1")]).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(
        refused.detail.contains("function 8") && refused.detail.contains("Artikel unbekannt"),
        "{}",
        refused.detail
    );
    let broken = set(&shop(Answer::new(502, "")), vec![change("A", "1")]).unwrap_err();
    assert!(matches!(broken.kind, ErrorKind::Transient(_)));
    let expired = Host::new().settings(r#"{"stock-function":"8"}"#).then(no("Token abgelaufen"));
    assert_eq!(set(&expired, vec![change("A", "1")]).unwrap_err().kind, ErrorKind::AuthExpired);
    assert_eq!(functions(&expired), ["5"]);
}
