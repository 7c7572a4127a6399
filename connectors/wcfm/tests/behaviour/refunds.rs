//! Refunds: what a seller's row of the list tells, and what it leaves open.

use tradepost_sdk::prelude::*;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

/// The refunds of an order at a site that answers its search like this.
fn refunds(id: &str, found: &Answer) -> Result<Vec<Refund>, Error> {
    let found = found.clone();
    let host = host().respond(move |request| match request.query_value("search") {
        Some(_) => found.clone(),
        None => recorded::answer("170"),
    });
    host.run(|| <Wcfm as Refunds>::list(id.into()))
}

fn listed(details: &str) -> Answer {
    let order = format!(
        r#"[{{"id":7,"status":"processing","currency":"INR","total":"100.00","vendor_order_details":{details}}}]"#
    );
    Answer::json(200, order)
}

#[test]
fn a_recorded_refund_is_told_as_far_as_the_row_tells_it() {
    let sum = |amount: &str, line: &str, is_whole_order| Refund {
        id: None,
        is_sum: true,
        amount: Money { amount: decimal::parse(amount).unwrap(), currency: "INR".into() },
        at: None,
        reason: None,
        is_whole_order: Some(is_whole_order),
        lines: vec![RefundedLine { line_id: line.into(), quantity: None, amount: None }],
        extensions: Vec::new(),
    };
    let list = recorded::answer("381");
    // Of order 57 one of three hoodies was given back; its other line stands second and was not.
    assert_eq!(refunds("57", &list), Ok(vec![sum("317.54", "44", false)]));
    // The row of an order that was given back whole says `is_refunded` 0.
    assert_eq!(refunds("58", &list), Ok(vec![sum("64.85", "50", true)]));
    for untouched in ["49", "51", "75"] {
        assert_eq!(refunds(untouched, &list), Ok(Vec::new()), "{untouched}");
    }
}

#[test]
fn the_order_is_looked_for_by_its_number_and_nothing_else_of_it_is_fetched() {
    let host = host().respond(|_| recorded::answer("381"));
    host.run(|| <Wcfm as Refunds>::list("57".into())).unwrap();
    let [request] = &host.requests()[..] else { panic!("one request") };
    assert_eq!((request.method(), request.path()), (Method::Get, "/orders"));
    assert_eq!(request.query_value("search").as_deref(), Some("57"));
    assert_eq!(request.query_value("_fields").as_deref(), Some("id,status,currency,total,vendor_order_details"));
}

#[test]
fn what_the_row_leaves_open_is_left_open() {
    let cases = [
        // The database cut one of the lists.
        (
            r#"{"refunded_amount":"10","order_item_ids":"3,2,1","refund_statuses":"pending,completed"}"#,
            "10",
            &[][..],
            None,
        ),
        // Every line was touched, and nobody says how much of each.
        (
            r#"{"refunded_amount":"10.50","order_item_ids":"3,2","refund_statuses":"completed,completed"}"#,
            "10.50",
            &["2", "3"],
            None,
        ),
        // No line was touched: shipping, or a sum that somebody named.
        (r#"{"refunded_amount":10.5,"order_item_ids":"3","refund_statuses":"pending"}"#, "10.5", &[], Some(false)),
        (r#"{"refunded_amount":"100","order_item_ids":"","refund_statuses":""}"#, "100", &[], Some(true)),
        (r#"{"refunded_amount":"10"}"#, "10", &[], None),
    ];
    for (details, amount, lines, is_whole) in cases {
        let found = refunds("7", &listed(details)).unwrap();
        let [refund] = &found[..] else { panic!("one refund for {details}") };
        assert_eq!(decimal::to_text(&refund.amount.amount), amount, "{details}");
        assert_eq!(refund.lines.iter().map(|line| line.line_id.as_str()).collect::<Vec<_>>(), lines, "{details}");
        assert_eq!(refund.is_whole_order, is_whole, "{details}");
    }
    for nothing in
        [r#"{"refunded_amount":"0"}"#, r#"{"refunded_amount":""}"#, r#"{"refunded_amount":null}"#, r#"{"x":1}"#]
    {
        assert_eq!(refunds("7", &listed(nothing)), Ok(Vec::new()), "{nothing}");
    }
}

#[test]
fn an_amount_that_is_none_is_an_error_with_its_place() {
    let fault = refunds("7", &listed(r#"{"refunded_amount":"12,50"}"#)).unwrap_err();
    let ErrorKind::Protocol(found) = fault.kind else { panic!("{fault:?}") };
    assert_eq!(found.pointer, "/0/vendor_order_details/refunded_amount");
}

#[test]
fn an_order_that_no_list_shows_is_asked_for_by_its_id() {
    for (single, told) in [
        (recorded::answer("184"), Err(ErrorKind::NotFound)),
        (Answer::json(200, "[]"), Err(ErrorKind::NotFound)),
        // On hold: somebody may have paid.
        (recorded::answer("170"), Err(ErrorKind::Unsupported)),
        (recorded::answer("180"), Err(ErrorKind::Unsupported)),
        // Cancelled without being paid for.
        (recorded::answer("177"), Ok(Vec::new())),
    ] {
        let host = host().respond(move |request| match request.query_value("search") {
            Some(_) => Answer::json(200, "[]"),
            None => single.clone(),
        });
        let found = host.run(|| <Wcfm as Refunds>::list("54".into()));
        assert_eq!(found.map_err(|fault| fault.kind), told);
        assert_eq!(host.requests().last().unwrap().path(), "/orders/54");
    }
}

#[test]
fn many_finds_are_looked_through_page_by_page_and_not_without_end() {
    let full_page = |first: u32| {
        let rows: Vec<String> =
            (first..first + 100).map(|id| format!(r#"{{"id":{id},"currency":"INR","total":"1"}}"#)).collect();
        Answer::json(200, format!("[{}]", rows.join(",")))
    };
    let host = host().respond(move |request| match (request.query_value("search"), request.query_value("page")) {
        (Some(_), Some(page)) => full_page(page.parse::<u32>().unwrap() * 1000),
        _ => recorded::answer("170"),
    });
    let fault = host.run(|| <Wcfm as Refunds>::list("3050".into())).unwrap_err();
    assert!(fault.message.contains("sellers only"), "it is found on page 3, without a row: {fault:?}");
    assert_eq!(host.requests().len(), 3);
    let fault = host.run(|| <Wcfm as Refunds>::list("9".into())).unwrap_err();
    assert_eq!((fault.kind, host.requests().len()), (ErrorKind::Unsupported, 3 + 5 + 1));
}

#[test]
fn what_cannot_be_an_order_is_not_asked_for() {
    let host = host();
    for id in ["", "0", "57/..", "x"] {
        assert_eq!(host.run(|| <Wcfm as Refunds>::list(id.into())).unwrap_err().kind, ErrorKind::NotFound, "{id}");
    }
    assert!(host.requests().is_empty());
}
