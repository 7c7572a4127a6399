//! Walking lists: what is asked for, where it ends, and how a site that crashes over rows is read all the same.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

/// An order as short as the decoder takes it.
fn order(id: u32) -> String {
    format!(r#"{{"id":{id},"status":"processing","currency":"INR","total":"1.00","line_items":[]}}"#)
}

fn query() -> ListQuery {
    ListQuery { updated_since: None, statuses: Vec::new(), page_size: None, include_raw: false }
}

fn number(request: &Request, name: &str) -> u32 {
    request
        .query_value(name)
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("{name} in {}", request.url()))
}

/// A shop with these orders, newest first, that crashes over pages holding one of `damaged`.
fn shop(orders: impl IntoIterator<Item = u32>, damaged: &[u32]) -> Host {
    let orders: Vec<u32> = orders.into_iter().collect();
    let damaged: BTreeSet<u32> = damaged.iter().copied().collect();
    host().respond(move |request| {
        assert_eq!(request.path(), "/orders");
        let (size, page) = (number(request, "per_page"), number(request, "page"));
        let start = usize::try_from((page - 1) * size).unwrap();
        let rows: Vec<u32> = orders.iter().copied().skip(start).take(size as usize).collect();
        if rows.iter().any(|id| damaged.contains(id)) {
            return recorded::answer("376");
        }
        let rows: Vec<String> = rows.into_iter().map(order).collect();
        Answer::json(200, format!("[{}]", rows.join(",")))
    })
}

fn walk(host: &Host) -> Result<Vec<u32>, Error> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = host.run(|| <Wcfm as Orders>::list(query(), cursor.clone()))?;
        found.extend(page.items.iter().map(|order| order.id.parse::<u32>().unwrap()));
        if page.end {
            return Ok(found);
        }
        cursor = page.next;
        assert!(found.len() < 10_000, "the walk does not end");
    }
}

#[test]
fn a_walk_reads_every_order_and_ends_with_a_short_page() {
    for count in [0, 1, 99, 100, 101, 250] {
        let host = shop((1..=count).rev(), &[]);
        assert_eq!(walk(&host).unwrap(), (1..=count).rev().collect::<Vec<_>>(), "{count} orders");
        assert_eq!(host.requests().len(), usize::try_from(count / 100 + 1).unwrap());
        assert!(host.requests().iter().all(|request| number(request, "per_page") == 100));
        assert!(
            host.requests()
                .iter()
                .all(|request| request.query_value("orderby").is_none() && request.query_value("after").is_none())
        );
    }
}

#[test]
fn orders_that_crash_the_site_are_left_out_and_all_others_are_read() {
    let all = || (1..=250).rev();
    for damaged in [vec![250], vec![1], vec![151, 150], vec![240, 130, 30], (60..=75).collect()] {
        let host = shop(all(), &damaged);
        let expected: Vec<u32> = all().filter(|id| !damaged.contains(id)).collect();
        assert_eq!(walk(&host).unwrap(), expected, "{damaged:?}");
        assert!(host.log().iter().any(|line| line.message.contains("left out")), "{damaged:?}");
    }
}

#[test]
fn a_site_that_crashes_over_everything_is_down_and_nothing_is_skipped() {
    let host = shop((1..=250).rev(), &(1..=250).collect::<Vec<_>>());
    let fault = walk(&host).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::Transient(_)), "{fault:?}");
    assert!(host.requests().len() <= 11, "{} requests", host.requests().len());
}

#[test]
fn reading_a_damaged_page_stays_within_a_calls_requests() {
    // Five parts of ten, each with a crash: the worst that is still read.
    let host = shop((1..=100).rev(), &[5, 15, 25, 35, 45]);
    assert_eq!(walk(&host).unwrap().len(), 95);
    assert!(host.requests().len() <= 64, "{} requests", host.requests().len());
}

#[test]
fn orders_are_filtered_by_status_here_because_the_server_ignores_it() {
    let host = host().respond(|_| recorded::answer("381"));
    let query = ListQuery { statuses: vec!["processing".into(), "refunded".into()], include_raw: true, ..query() };
    let page = host.run(|| <Wcfm as Orders>::list(query, None)).unwrap();
    let found: Vec<(&str, &str)> =
        page.items.iter().map(|order| (order.id.as_str(), order.status.raw.as_str())).collect();
    assert_eq!(
        found,
        [("59", "processing"), ("58", "refunded"), ("57", "processing"), ("52", "processing"), ("49", "processing")]
    );
    assert!(page.end && page.total.is_none());
    assert!(page.items.iter().all(|order| order.raw.as_deref().unwrap().starts_with("{\"id\":")));
}

#[test]
fn a_cursor_of_somebody_else_is_refused() {
    for cursor in ["", "wcfm1;orders;0", "{}", "\u{0}"] {
        let fault = shop([1], &[]).run(|| <Wcfm as Orders>::list(query(), Some(cursor.into()))).unwrap_err();
        assert!(matches!(fault.kind, ErrorKind::InvalidInput(_)), "{cursor}: {fault:?}");
    }
}

#[test]
fn a_source_that_gives_the_same_page_for_ever_is_found_out() {
    let page: Vec<String> = (1..=100).map(order).collect();
    let body = format!("[{}]", page.join(","));
    let host = host().respond(move |_| Answer::json(200, body.clone()));
    let fault = walk(&host).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::Protocol(_)), "{fault:?}");
}

#[test]
fn an_error_of_the_walk_is_the_sites_error() {
    for (number, kind) in
        [("003", ErrorKind::AuthRejected), ("006", ErrorKind::Forbidden), ("412", ErrorKind::Unsupported)]
    {
        let fault = host()
            .respond(move |_| recorded::answer(number))
            .run(|| <Wcfm as Orders>::list(query(), None))
            .unwrap_err();
        assert_eq!(fault.kind, kind, "{number}");
    }
    let fault = host().respond(|_| recorded::answer("410")).run(|| <Wcfm as Orders>::list(query(), None)).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unavailable(RetryHint { retry_after_ms: Some(600_000) }));
}

#[test]
fn products_are_asked_for_in_every_status_and_in_a_stable_order() {
    let host = host().respond(|_| recorded::answer("480"));
    let page = host.run(|| <Wcfm as Products>::list(query(), None));
    // The recording left most fields out; what counts is the request and the total.
    let page = page.unwrap();
    assert_eq!((page.items.len(), page.total, page.end), (44, Some(44), true));
    let request = &host.requests()[0];
    let parameters = ["status", "orderby", "order", "per_page", "page"].map(|name| request.query_value(name).unwrap());
    assert_eq!(parameters, ["any", "ID", "asc", "100", "1"]);
    assert_eq!(request.header_value("accept"), Some("application/json"), "else crashes come as HTML");
}

#[test]
fn products_of_some_statuses_are_asked_for_by_name() {
    let host = host().respond(|_| recorded::answer("482"));
    let query = ListQuery { statuses: vec!["draft".into(), "pending".into()], ..query() };
    assert_eq!(host.run(|| <Wcfm as Products>::list(query, None)).unwrap().items.len(), 4);
    assert_eq!(host.requests()[0].query_value("status").as_deref(), Some("draft,pending"));
}

#[test]
fn a_total_that_fell_sends_the_walk_back_so_that_no_product_is_missed() {
    // 250 products; while the second page is fetched, the ten oldest go, and the rest moves up.
    let products = Rc::new(RefCell::new((1..=250_u32).collect::<Vec<_>>()));
    let shelf = Rc::clone(&products);
    let host = host().respond(move |request| {
        let (size, page) = (number(request, "per_page"), number(request, "page"));
        if page == 2 && shelf.borrow().len() == 250 {
            shelf.borrow_mut().drain(..10);
        }
        let shelf = shelf.borrow();
        let rows = shelf.iter().skip(((page - 1) * size) as usize).take(size as usize);
        let rows: Vec<String> = rows.map(|id| format!(r#"{{"id":{id},"type":"simple","status":"publish"}}"#)).collect();
        Answer::json(200, format!("[{}]", rows.join(","))).with_header("x-wp-total", shelf.len().to_string())
    });
    let mut found = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = host.run(|| <Wcfm as Products>::list(query(), cursor)).unwrap();
        found.extend(page.items.iter().map(|product| product.id.parse::<u32>().unwrap()));
        if page.end {
            break;
        }
        cursor = page.next;
    }
    assert_eq!(found.into_iter().skip_while(|id| *id <= 10).collect::<Vec<_>>(), (11..=250).collect::<Vec<_>>());
}

#[test]
fn notifications_come_unread_first_and_read_ones_on_request() {
    let host = host().respond(|request| match request.query_value("notification_status").as_deref() {
        Some("unread") => recorded::answer("248"),
        Some("read") => recorded::answer("238"),
        // The reviews and enquiries of the recorded site.
        _ => recorded::answer(if request.path() == "/reviews" { "262" } else { "263" }),
    });
    let list = |kind: Option<&str>, include_read| {
        let query = NotificationQuery { kind: kind.map(str::to_owned), include_read, page_size: None };
        host.run(|| <Wcfm as Notifications>::list(query, None)).unwrap()
    };
    assert_eq!((list(None, false).items.len(), list(None, false).end), (31, true));
    let all = list(Some("order"), true);
    assert_eq!((all.items.len(), all.end), (34, true));
    assert_eq!(host.requests().last().unwrap().query_value("notification_type").as_deref(), Some("order"));
    assert_eq!(all.items[1].text, "Hello all & \"vendors\" – link");
}

#[test]
fn categories_come_in_one_answer_as_plain_text() {
    let host = host().respond(|_| recorded::answer("105"));
    let page = host.run(|| <Wcfm as Categories>::list(None)).unwrap();
    assert!(page.end && page.next.is_none());
    let first = &page.items[0];
    assert_eq!((first.id.as_str(), first.name.as_str(), &first.parent_id), ("46", "Music & Books", &None));
}
