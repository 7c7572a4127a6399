//! Stock is read whole, page by page, at servers with habits of their own.

use std::collections::BTreeSet;

use tradepost_hft71::Hft71;
use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::samples::{SETTINGS, SKU, STOCK, assert_kind, failures, protocol};

/// More calls than any walk here may take.
const TOO_MANY_CALLS: usize = 100;

/// Calls `list` until the walk ends, each call going on from the cursor of the one before.
fn walk(host: &Host) -> Result<Vec<StockLevel>, Error> {
    let (mut levels, mut cursor) = (Vec::new(), None);
    for _ in 0..TOO_MANY_CALLS {
        let page = host.run(|| <Hft71 as Stock>::list(cursor))?;
        levels.extend(page.items);
        if page.end {
            return Ok(levels);
        }
        cursor = page.next;
    }
    panic!("the walk has no end")
}

/// Rows `first` to `last`, each with its number as stock.
fn rows(first: usize, last: usize) -> String {
    let rows: Vec<_> = (first..=last).map(|row| serde_json::json!({"sku": format!("A-{row}"), "stock": row})).collect();
    serde_json::Value::from(rows).to_string()
}

/// A server with so many articles that gives at most `most` a page.
fn server(articles: usize, most: usize, settings: &str) -> Host {
    Host::new().settings(settings).respond(move |request| {
        let (page, count) = page_and_count(request);
        let count = count.min(most);
        let first = (page - 1) * count + 1;
        Answer::json(200, rows(first, articles.min(first + count - 1)))
    })
}

fn page_and_count(request: &Request) -> (usize, usize) {
    assert_eq!((request.method(), request.path()), (Method::Get, "/stock/available"));
    assert!(request.is_authenticated());
    let number = |name: &str| request.query_value(name).unwrap().parse().unwrap();
    (number("page"), number("count"))
}

fn skus(levels: &[StockLevel]) -> BTreeSet<&str> {
    levels.iter().filter_map(|level| level.sku.as_deref()).collect()
}

#[test]
fn the_documented_level_is_read_field_by_field() {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, STOCK)).then(Answer::json(200, "[]"));
    let levels = walk(&host).unwrap();
    assert_eq!(
        levels,
        [StockLevel {
            sku: Some(SKU.into()),
            product_id: None,
            variant_id: None,
            location: None,
            available: Some(decimal::from_int(18)),
            in_stock: None,
        }]
    );
    assert_eq!(host.requests()[0].url(), "/stock/available?page=1&count=200");
}

#[test]
fn every_article_arrives_whatever_a_page_holds() {
    for (articles, most, settings, requests) in [
        (0, 500, SETTINGS, 1),
        (1, 500, SETTINGS, 2),
        (200, 500, SETTINGS, 2),
        (201, 500, SETTINGS, 2),
        (450, 500, SETTINGS, 3),
        // The server gives fewer rows than it is asked for: a first page that is short is not the end.
        (450, 100, SETTINGS, 5),
        (1200, 500, r#"{"stock-page-size":1000}"#, 3),
        (7, 500, r#"{"stock-page-size":3}"#, 3),
    ] {
        let host = server(articles, most, settings);
        let levels = walk(&host).unwrap();
        assert_eq!((levels.len(), skus(&levels).len()), (articles, articles), "{articles} by {most}");
        assert_eq!(host.requests().len(), requests, "{articles} by {most}");
    }
}

#[test]
fn a_walk_is_read_whole_again_each_time() {
    let host = server(201, 500, SETTINGS);
    let first = host.run(|| <Hft71 as Stock>::list(None)).unwrap();
    let second = host.run(|| <Hft71 as Stock>::list(first.next.clone())).unwrap();
    assert_eq!((first.end, first.items.len()), (false, 200), "one page a call");
    assert_eq!((second.end, second.items.len()), (true, 1));
    let again = host.run(|| <Hft71 as Stock>::list(second.next.clone())).unwrap();
    assert_eq!((again.end, again.items.len()), (false, 200));
}

#[test]
fn a_server_that_ignores_the_page_ends_the_walk_with_an_error() {
    let error = walk(&Host::new().settings(SETTINGS).respond(|_| Answer::json(200, rows(1, 200)))).unwrap_err();
    assert!(protocol(error).excerpt.contains("A-1"));
    // Also while its articles come and go, and where the first row of the page has no name.
    let mut asked = 0;
    let restless = Host::new().settings(SETTINGS).respond(move |_| {
        asked += 1;
        Answer::json(
            200,
            format!(r#"[{{"sku":null,"stock":1}},{{"sku":"A","stock":{asked}}},{{"sku":"B-{asked}","stock":1}}]"#),
        )
    });
    assert!(protocol(walk(&restless).unwrap_err()).expected.contains("to differ from the pages before it"));
    assert!(restless.requests().len() < 20);
}

#[test]
fn levels_are_exact_and_never_guessed() {
    let level = |stock: &str| {
        let page = Answer::json(200, format!(r#"[{{"sku":"A","stock":{stock}}}]"#));
        let levels = walk(&Host::new().settings(SETTINGS).then(page).then(Answer::json(200, "[]")))?;
        Ok::<_, Error>(levels[0].available.map(|available| decimal::to_text(&available)))
    };
    for (stock, expected) in [
        ("0", Some("0")),
        ("-3", Some("-3")),
        ("\"18\"", Some("18")),
        ("2.5", Some("2.5")),
        ("null", None),
        ("\"\"", None),
    ] {
        assert_eq!(level(stock).unwrap().as_deref(), expected, "{stock}");
    }
    for stock in ["\"12,5\"", "\"many\"", "true", "{\"a\":1}"] {
        assert_eq!(protocol(level(stock).unwrap_err()).pointer, "/0/stock", "{stock}");
    }
}

#[test]
fn an_article_without_a_sku_is_left_out_and_told() {
    let page = r#"[{"sku":null,"stock":1},{"sku":"A","stock":2},{"sku":"","stock":3}]"#;
    let nameless = r#"[{"sku":null,"stock":1},{"sku":null,"stock":1},{"sku":null,"stock":1}]"#;
    let host = Host::new().settings(SETTINGS);
    // A page of nothing but such rows is not an empty page.
    let host = [page, nameless, r#"[{"sku":"B","stock":2}]"#]
        .into_iter()
        .fold(host, |host, body| host.then(Answer::json(200, body)));
    let levels = walk(&host).unwrap();
    assert_eq!(skus(&levels), BTreeSet::from(["A", "B"]));
    let lines = host.log();
    let [line] = &lines[..] else { panic!("one line") };
    assert_eq!(line.fields, [("rows".to_owned(), "5".to_owned())]);
}

#[test]
fn what_is_not_the_documented_list_is_refused() {
    for (body, pointer) in [
        (r#"{"data":[]}"#, ""),
        (r#"[{"sku":"A","stock":1},{"sku":"B"}]"#, "/1/stock"),
        (r#"[{"name":"A","stock":1}]"#, "/0/sku"),
        ("", ""),
        (r#"[{"sku":"A","stock":1}"#, ""),
    ] {
        let host = Host::new().settings(SETTINGS).then(Answer::json(200, body));
        assert_eq!(protocol(host.run(|| <Hft71 as Stock>::list(None)).unwrap_err()).pointer, pointer, "{body}");
    }
    let foreign = Host::new().settings(SETTINGS).run(|| <Hft71 as Stock>::list(Some("page-2".into())));
    assert_kind(&foreign.unwrap_err(), "InvalidInput(", "a cursor of something else");
}

#[test]
fn failures_are_told_apart() {
    for (answer, expected) in failures() {
        let status = answer.status;
        let host = Host::new().settings(SETTINGS).then(answer);
        assert_kind(&host.run(|| <Hft71 as Stock>::list(None)).unwrap_err(), expected, status);
    }
}
