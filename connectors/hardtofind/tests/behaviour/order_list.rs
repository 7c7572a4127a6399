//! Listing orders: every status, page by page, in the platform's envelope.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{ORDER, SETTINGS};

fn query() -> ListQuery {
    ListQuery { updated_since: None, statuses: vec![], page_size: None, include_raw: false }
}

/// A page of `count` copies of the documented order, numbered from `first`.
fn envelope(first: usize, count: usize, page: usize, pages: usize, total: usize) -> String {
    let rows: Vec<String> = (first..first + count).map(|id| ORDER.replace("123456", &id.to_string())).collect();
    format!(
        r#"{{"data":[{}],"page_size":2,"page_number":{page},"total_results":{total},"pages":{pages}}}"#,
        rows.join(",")
    )
}

/// Three READY orders on two pages, one SHIPPED order, nothing else.
fn shop() -> Host {
    Host::new().settings(SETTINGS).respond(|request| {
        assert_eq!((request.method(), request.path()), (Method::Get, "/orders"));
        let status = request.query_value("status").expect("the status is always sent");
        let page = request.query_value("page_number").expect("the page is always sent");
        Answer::json(
            200,
            match (status.as_str(), page.as_str()) {
                ("READY", "1") => envelope(1, 2, 1, 2, 3),
                ("READY", "2") => envelope(3, 1, 2, 2, 3),
                ("SHIPPED", "1") => envelope(9, 1, 1, 1, 1),
                (_, "1") => envelope(0, 0, 1, 0, 0),
                other => panic!("nobody should ask for {other:?}"),
            },
        )
    })
}

fn ids(page: &OrderPage) -> String {
    page.items.iter().map(|order| order.id.as_str()).collect::<Vec<_>>().join(",")
}

#[test]
fn every_status_is_listed_because_orders_move_between_them() {
    let shop = shop();
    let page = shop.run(|| <HardToFind as Orders>::list(query(), None)).unwrap();
    assert_eq!((ids(&page).as_str(), page.end, page.total), ("1,2,3,9", true, None));
    assert!(page.items.iter().all(|order| order.raw.is_none()));
    let asked: Vec<String> = shop.requests().iter().map(|request| request.url().to_owned()).collect();
    assert_eq!(
        asked,
        [
            "/orders?status=READY&page_number=1",
            "/orders?status=READY&page_number=2",
            "/orders?status=PROCESSED&page_number=1",
            "/orders?status=SHIPPED&page_number=1",
            "/orders?status=RETURNED&page_number=1",
            "/orders?status=REFUNDED&page_number=1",
            "/orders?status=CANCELLED&page_number=1",
        ]
    );
}

#[test]
fn a_list_goes_on_where_its_cursor_stands() {
    let shop = shop();
    let small = ListQuery { page_size: Some(2), statuses: vec!["READY".into()], include_raw: true, ..query() };
    let first = shop.run(|| <HardToFind as Orders>::list(small.clone(), None)).unwrap();
    assert_eq!((ids(&first).as_str(), first.end, first.total), ("1,2", false, Some(3)));
    assert!(first.items[0].raw.as_ref().unwrap().contains("\"id\": \"1\""));
    let second = shop.run(|| <HardToFind as Orders>::list(small.clone(), first.next)).unwrap();
    assert_eq!((ids(&second).as_str(), second.end), ("3", true));
    let error = shop.run(|| <HardToFind as Orders>::list(small, Some("page=2".into()))).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::InvalidInput(_)));
}

#[test]
fn a_damaged_page_is_reported_with_its_place() {
    let list = |body: String| {
        let host = Host::new().settings(SETTINGS).then(Answer::json(200, body));
        let error = host.run(|| <HardToFind as Orders>::list(query(), None)).unwrap_err();
        let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
        unexpected.pointer
    };
    assert_eq!(
        list(envelope(1, 2, 1, 1, 2).replacen("\"quantity\": 1", "\"quantity\": {}", 1)),
        "/data/0/lines/0/quantity"
    );
    assert_eq!(
        list(envelope(1, 2, 1, 1, 2).replace("2016-08-18T14:43:22+1000", "1970-01-18T00:00:00+0000")),
        "/data/0/dates/created_at"
    );
    assert_eq!(list("{}".into()), "/data");
    assert_eq!(list("<html>maintenance</html>".into()), "");
    let cut = envelope(1, 2, 1, 1, 2);
    assert_eq!(list(cut[..cut.find("Suburbia").unwrap()].into()), "/data/0/shipping/address/suburb");
}

#[test]
fn failures_in_the_middle_of_a_list_fail_the_call() {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, envelope(1, 2, 1, 2, 3)));
    let host = host.then(Answer::new(429, "").with_header("retry-after", "2"));
    let error = host.run(|| <HardToFind as Orders>::list(query(), None)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::RateLimited(RetryHint { retry_after_ms: Some(2000) }));
}
