//! Orders: the list of heads, the content of each, and what happens when the two do not fit together.

use serde_json::json;
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{Host, Level};

use super::shop::{ORDER_ID, Shop, assert_is_sample, body, functions, no, ok, seed};

fn query() -> ListQuery {
    ListQuery { updated_since: None, statuses: vec![], page_size: None, include_raw: false }
}

fn list(host: &Host, query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
    host.run(|| <OmniSeller as Orders>::list(query, cursor))
}

fn get(host: &Host, id: &str) -> Result<Order, Error> {
    host.run(|| <OmniSeller as Orders>::get(id.into()))
}

fn ids(page: &OrderPage) -> String {
    page.items.iter().map(|order| order.id.as_str()).collect::<Vec<_>>().join(",")
}

/// Where a protocol error stands, and all that it says.
fn at(error: Error) -> (String, String) {
    let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
    (unexpected.pointer, format!("{} {}", error.message, error.detail))
}

#[test]
fn the_documented_head_is_read_field_by_field() {
    let host = Host::new().then(Answer::json(200, seed!("order-ids"))).then(ok(&json!({"Kunde": "x"})));
    let page = list(&host, ListQuery { include_raw: true, ..query() }, None).unwrap();
    assert_eq!((page.next, page.end, page.total), (None, true, Some(1)));
    let [order] = &page.items[..] else { panic!("one order") };
    assert_eq!((order.id.as_str(), order.number.as_str()), (ORDER_ID, "2"));
    assert_eq!(order.payment_method.as_deref(), Some("oxidinvoice"));
    assert_eq!(
        order.status,
        Status {
            order: OrderState::Open,
            payment: PaymentState::NotReported,
            fulfilment: FulfilmentState::Unfulfilled,
            raw: "0".into()
        }
    );
    assert_eq!(order.raw.as_deref(), Some(r#"{"Kunde":"x"}"#));
    // Nothing is mapped by default: the rest stays in the raw JSON.
    assert_eq!((order.totals.total, order.currency.as_deref(), order.placed_at), (None, None, None));
    assert_eq!((order.totals.scope, order.buyer.name.as_str(), order.lines.len()), (TotalsScope::WholeOrder, "", 0));

    let [heads, content] = &host.requests()[..] else { panic!("two requests") };
    assert_is_sample(heads, seed!("order-ids-request"));
    // The sample's `data` is empty; the id goes there.
    assert_is_sample(content, &seed!("order-request").replace(r#""data": """#, &format!(r#""data": "{ORDER_ID}""#)));
    assert!(host.requests().iter().all(|request| request.effective_effect() == Effect::Read));
}

#[test]
fn the_documented_content_is_empty_and_so_no_order() {
    let unlisted = Host::new().then(Answer::json(200, seed!("order"))).then(ok(&json!([])));
    assert_eq!(get(&unlisted, ORDER_ID).unwrap_err().kind, ErrorKind::NotFound);
    // An order that is listed all the same cannot be missing.
    let listed = Host::new().then(Answer::json(200, seed!("order"))).then(Answer::json(200, seed!("order-ids")));
    let (pointer, words) = at(get(&listed, ORDER_ID).unwrap_err());
    assert_eq!(pointer, "/data");
    assert!(words.contains(ORDER_ID) && words.contains("order-data"), "{words}");
}

#[test]
fn heads_may_be_text_numbers_or_bare() {
    let shop = Shop::default();
    for (head, id, number, status, payment) in [
        (json!({"ID": 7, "DisplayID": "R-7", "Paymenttype": "", "OrderStatus": "4"}), "7", "R-7", "4", None),
        (json!({"ID": "8", "DisplayID": 0, "Paymenttype": "bar", "OrderStatus": 2}), "8", "0", "2", Some("bar")),
        (json!({"ID": "9", "Extra": {}}), "9", "9", "", None),
    ] {
        *shop.heads.borrow_mut() = vec![head];
        shop.give(id, ok(&json!({"Nr": 1})));
        let order = list(&shop.host("{}"), query(), None).unwrap().items.remove(0);
        assert_eq!((order.id.as_str(), order.number.as_str(), order.status.raw.as_str()), (id, number, status));
        assert_eq!(order.payment_method.as_deref(), payment);
        assert_eq!(order.status.order, if status == "4" { OrderState::Cancelled } else { OrderState::Unknown });
    }
    for head in [json!({"DisplayID": 1}), json!({"ID": ""}), json!({"ID": 1.5}), json!({"ID": "x".repeat(256)})] {
        *shop.heads.borrow_mut() = vec![head.clone()];
        assert_eq!(at(list(&shop.host("{}"), query(), None).unwrap_err()).0, "/data/0/ID", "{head}");
    }
}

#[test]
fn the_content_is_an_object_or_an_array_with_one() {
    let shop = Shop::with_orders(["a"]);
    for data in [json!({"Nr": 1}), json!([{"Nr": 1}])] {
        shop.give("a", ok(&data));
        assert_eq!(get(&shop.host("{}"), "a").unwrap().raw.as_deref(), Some(r#"{"Nr":1}"#), "{data}");
    }
    for (data, pointer) in [
        (json!([{"Nr": 1}, {"Nr": 2}]), "/data/1"),
        (json!("Bestellung"), "/data"),
        (json!(5), "/data"),
        (json!([[1]]), "/data/0"),
    ] {
        shop.give("a", ok(&data));
        assert_eq!(at(get(&shop.host("{}"), "a").unwrap_err()).0, pointer, "{data}");
    }
    shop.unlist("a");
    for nothing in [json!(""), json!([]), json!(null), json!({}), json!(false), json!([""]), json!([{}])] {
        shop.give("a", ok(&nothing));
        assert_eq!(get(&shop.host("{}"), "a").unwrap_err().kind, ErrorKind::NotFound, "{nothing}");
    }
}

#[test]
fn another_order_than_the_one_asked_for_is_never_taken_for_it() {
    let shop = Shop::with_orders(["a", "b"]);
    shop.give("b", ok(&json!({"ID": "a"})));
    let (pointer, words) = at(list(&shop.host("{}"), query(), None).unwrap_err());
    assert_eq!(pointer, "/data/ID");
    assert!(words.starts_with("Order b:") && words.contains("order-data"), "{words}");
    shop.give("b", ok(&json!({"ID": "b"})));
    assert_eq!(ids(&list(&shop.host("{}"), query(), None).unwrap()), "a,b");
}

#[test]
fn settings_say_how_and_where_an_order_is_asked_for() {
    let shop = Shop::with_orders(["a\"b"]);
    let host = shop.host(r#"{"order-data":"object","order-route":"/omniseller/Tokenrequest.php"}"#);
    list(&host, query(), None).unwrap();
    let [heads, content] = &host.requests()[..] else { panic!("two requests") };
    assert_eq!(heads.url(), "/omniseller/HTKService4.php");
    assert_eq!((content.url(), &body(content)["data"]), ("/omniseller/Tokenrequest.php", &json!({"ID": "a\"b"})));
}

#[test]
fn an_order_that_disappears_meanwhile_is_left_out_with_a_line_in_the_log() {
    for gone in [ok(&json!("")), no("Bestellung nicht vorhanden")] {
        let heads = |ids: &[&str]| ok(&ids.iter().map(|id| json!({"ID": id, "OrderStatus": 1})).collect());
        let host = Host::new().then(heads(&["a", "b", "c"]));
        let host = host.then(ok(&json!({"Nr": 1}))).then(gone).then(ok(&json!({"Nr": 3}))).then(heads(&["a", "c"]));
        let page = list(&host, query(), None).unwrap();
        assert_eq!((ids(&page).as_str(), page.end, page.total), ("a,c", true, Some(3)));
        assert_eq!(functions(&host), ["12", "11", "11", "11", "12"]);
        let [line] = &host.log()[..] else { panic!("one line") };
        assert_eq!((line.level, &line.fields[..]), (Level::Info, &[("order".to_owned(), "b".to_owned())][..]));
    }
}

#[test]
fn a_listed_order_without_content_fails_the_call_and_is_not_dropped() {
    let shop = Shop::with_orders(["a", "b"]);
    shop.give("b", ok(&json!("")));
    let (pointer, words) = at(list(&shop.host("{}"), query(), None).unwrap_err());
    assert_eq!(pointer, "/data");
    assert!(words.starts_with("Order b:") && words.contains("order-data"), "{words}");

    shop.give("b", no("Datenbankfehler"));
    let refused = list(&shop.host("{}"), query(), None).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(
        refused.message.starts_with("Order b:") && refused.detail.ends_with("Datenbankfehler"),
        "{}",
        refused.detail
    );
    assert_eq!(get(&shop.host("{}"), "b").unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn failures_in_the_middle_of_a_list_fail_the_call() {
    let shop = Shop::with_orders(["a", "b"]);
    for (answer, expected) in [
        (no("Token ungültig"), "AuthExpired"),
        (Answer::new(429, ""), "RateLimited"),
        (Answer::new(500, ""), "Transient"),
        (Answer::new(200, "<b>Notice</b>"), "Protocol"),
    ] {
        shop.give("b", answer);
        let host = shop.host("{}");
        let error = list(&host, query(), None).unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{error:?}");
        assert_eq!(functions(&host), ["12", "11", "11"], "no failure is taken for a missing order");
        assert!(error.message.starts_with("Order b:"), "{}", error.message);
    }
}

#[test]
fn a_walk_reads_every_order_once_in_pages_of_fifty() {
    let all: Vec<String> = (0..120).map(|number| format!("{:03}", number * 7 % 120)).collect();
    let shop = Shop::with_orders(all.iter().map(String::as_str));
    shop.heads.borrow_mut().push(json!({"ID": "000", "OrderStatus": 0}));
    let (mut read, mut cursor, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let host = shop.host("{}");
        let page = list(&host, query(), cursor).unwrap();
        assert_eq!(page.total, Some(120));
        assert!(host.requests().len() <= 64);
        assert!(page.items.iter().all(|order| order.raw.is_none()), "only where it is asked for");
        sizes.push(page.items.len());
        read.extend(page.items.into_iter().map(|order| order.id));
        assert_eq!(page.end, page.next.is_none());
        if page.end {
            break;
        }
        cursor = page.next;
    }
    assert_eq!(sizes, [50, 50, 20]);
    let mut expected = all;
    expected.sort();
    assert_eq!(read, expected);
}

#[test]
fn a_page_is_as_small_as_wished_and_goes_on_behind_an_order_that_is_gone() {
    let shop = Shop::with_orders(["a", "b", "c"]);
    let small = ListQuery { page_size: Some(1), ..query() };
    let first = list(&shop.host("{}"), small.clone(), None).unwrap();
    assert_eq!((ids(&first).as_str(), first.end), ("a", false));
    shop.unlist("a");
    let second = list(&shop.host("{}"), small.clone(), first.next).unwrap();
    assert_eq!(ids(&second), "b");
    shop.unlist("c");
    let last = list(&shop.host("{}"), small, second.next).unwrap();
    assert_eq!((ids(&last).as_str(), last.end, last.next), ("", true, None));
    let none = list(&shop.host("{}"), ListQuery { page_size: Some(0), ..query() }, None).unwrap();
    assert_eq!(none.items.len(), 1, "a page of nothing would never end");
}

#[test]
fn a_cursor_of_something_else_is_refused_before_anything_is_asked() {
    let shop = Shop::with_orders(["a"]);
    for cursor in [
        "",
        "a",
        "{}",
        "[1]",
        r#"{"version":"signpost-1","marks":[]}"#,
        r#"{"version":"omniseller-orders-2","after":"a"}"#,
    ] {
        let host = shop.host("{}");
        let ErrorKind::InvalidInput(issues) = list(&host, query(), Some(cursor.into())).unwrap_err().kind else {
            panic!("{cursor}")
        };
        assert_eq!((issues[0].pointer.as_str(), issues[0].code.as_str()), ("/cursor", "invalid-cursor"), "{cursor}");
        assert!(host.requests().is_empty());
    }
}

#[test]
fn statuses_are_filtered_before_any_content_is_read() {
    let shop = Shop::with_orders(["a", "b", "c"]);
    shop.heads.borrow_mut()[1]["OrderStatus"] = json!("3");
    let host = shop.host("{}");
    let page = list(&host, ListQuery { statuses: vec!["3".into(), "5".into()], ..query() }, None).unwrap();
    assert_eq!((ids(&page).as_str(), page.total, page.items[0].status.order), ("b", Some(1), OrderState::OnHold));
    assert_eq!(functions(&host), ["12", "11"]);
}

#[test]
fn one_order_takes_its_status_from_the_list_and_its_content_first() {
    let shop = Shop::with_orders(["a", "b"]);
    shop.heads.borrow_mut()[1]["OrderStatus"] = json!(5);
    let host = shop.host("{}");
    let order = get(&host, "b").unwrap();
    assert_eq!((order.number.as_str(), order.status.payment), ("2", PaymentState::Refunded));
    assert_eq!(order.raw.as_deref(), Some(r#"{"Nr":"b"}"#));
    assert_eq!(functions(&host), ["11", "12"]);

    // Off the list, but the shop still knows it: only the status is unknown.
    shop.unlist("b");
    let order = get(&shop.host("{}"), "b").unwrap();
    assert_eq!((order.id.as_str(), order.number.as_str(), order.status.order), ("b", "b", OrderState::Unknown));

    shop.give("b", no("Bestellung unbekannt"));
    let error = get(&shop.host("{}"), "b").unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotFound, "The shop has no order b."));
    assert!(error.detail.contains("Bestellung unbekannt"), "{}", error.detail);
    shop.give("b", no("Token abgelaufen"));
    assert_eq!(get(&shop.host("{}"), "b").unwrap_err().kind, ErrorKind::AuthExpired);
}

#[test]
fn an_accounts_own_status_table_counts() {
    let shop = Shop::with_orders(["a"]);
    let settings = r#"{"status-table":{"0":{"order":"pending","payment":"unpaid"}}}"#;
    let order = get(&shop.host(settings), "a").unwrap();
    assert_eq!((order.status.order, order.status.payment), (OrderState::Pending, PaymentState::Unpaid));
}
