//! Reporting parcels, with and without the paid add-on.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::host;

const TRACKED: &str = r#"{"order_id":49,"order_status":"processing","tracking_data":{"wcfm_tracking_order_id":"49"}}"#;

fn order(tracking: &str) -> Answer {
    let lines = r#"[{"id":7,"name":"A","product_id":16,"quantity":2},{"id":9,"name":"B","product_id":0,"quantity":1}]"#;
    Answer::json(
        200,
        format!(
            r#"{{"id":49,"status":"processing","currency":"INR","total":"9","line_items":{lines},"shipment_tracking":{tracking}}}"#
        ),
    )
}

fn shipment() -> Shipment {
    Shipment {
        id: None,
        carrier: Some("DHL".into()),
        tracking_number: Some("T1".into()),
        tracking_url: Some("https://t.example/?n=T1&lang=en".into()),
        shipped_at: None,
        lines: Vec::new(),
    }
}

fn line(id: &str, quantity: Option<i64>) -> ShipmentLine {
    ShipmentLine { line_id: id.into(), quantity: quantity.map(decimal::from_int) }
}

fn ship(host: &Host, shipment: Shipment) -> Result<Status, Error> {
    host.run(|| <Wcfm as Shipments>::ship("49".into(), shipment))
}

#[test]
fn every_line_is_reported_once_and_the_status_read_afterwards() {
    let host = host()
        .then(order("[]"))
        .then(Answer::json(200, TRACKED))
        .then(Answer::json(200, TRACKED))
        .then(Answer::json(200, r#"{"id":49,"status":"shipped"}"#));
    let status = ship(&host, shipment()).unwrap();
    assert_eq!((status.order, status.fulfilment), (OrderState::InProgress, FulfilmentState::Shipped));
    let requests = host.requests();
    assert_eq!((requests[1].method(), requests[1].path()), (Method::Post, "/orders/shipment_tracking"));
    assert_eq!(
        requests[1].body_text(),
        r#"{"order_id":"49","product_id":"16","item_id":"7","tracking_url":"https://t.example/?n=T1%26lang=en","tracking_code":"T1"}"#,
        "an ampersand would end the value in the server's query string"
    );
    assert!(requests[2].body_text().contains(r#""item_id":"9""#));
    assert_eq!(requests[1].effective_effect(), Effect::Once, "each report writes to the buyer");
}

#[test]
fn a_line_that_carries_the_number_is_not_reported_again() {
    let tracking = r#"{"each_data":[{"item_id":7,"tracking_code":"T1"},{"item_id":9,"tracking_code":"T0"}]}"#;
    let host = host()
        .then(order(tracking))
        .then(Answer::json(200, TRACKED))
        .then(Answer::json(200, r#"{"id":49,"status":"processing"}"#));
    ship(&host, shipment()).unwrap();
    let reported: Vec<String> = host
        .requests()
        .iter()
        .filter(|one| one.method() == Method::Post)
        .map(|one| one.body_text().to_owned())
        .collect();
    assert_eq!(reported.len(), 1);
    assert!(reported[0].contains(r#""item_id":"9""#), "{reported:?}");
}

#[test]
fn without_the_add_on_the_answer_is_empty_and_the_reason_is_told() {
    let host = host().then(order("[]")).then(Answer::json(200, ""));
    let fault = ship(&host, shipment()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
    assert!(fault.detail.contains("WCFM Ultimate"), "{}", fault.detail);
}

#[test]
fn a_parcel_without_tracking_page_gets_the_add_ons_own_placeholder() {
    let host =
        host().then(order("[]")).then(Answer::json(200, TRACKED)).then(Answer::json(200, r#"{"status":"shipped"}"#));
    ship(&host, Shipment { tracking_url: None, lines: vec![line("7", Some(2))], ..shipment() }).unwrap();
    assert!(host.requests()[1].body_text().contains(r##""tracking_url":"#""##), "{}", host.requests()[1].body_text());
}

#[test]
fn what_cannot_be_tracked_is_refused_before_anything_is_sent() {
    let cases = [
        (Shipment { tracking_number: None, ..shipment() }, "/tracking-number"),
        (Shipment { tracking_number: Some("  ".into()), ..shipment() }, "/tracking-number"),
        (Shipment { lines: vec![line("7", None), line("8", None)], ..shipment() }, "/lines/1/line-id"),
        (Shipment { lines: vec![line("7", Some(1))], ..shipment() }, "/lines/0/quantity"),
    ];
    for (shipment, pointer) in cases {
        let host = host().then(order("[]"));
        let fault = ship(&host, shipment).unwrap_err();
        assert!(matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == pointer), "{fault:?}");
        assert!(host.requests().iter().all(|request| request.method() == Method::Get));
    }
}

#[test]
fn a_report_in_doubt_is_concluded_by_looking() {
    let in_doubt = |tracking: &'static str| {
        let mut reads = 0;
        host().respond_with(move |request| {
            if request.method() == Method::Post {
                return Err(error::outcome_unknown("The connection broke."));
            }
            reads += 1;
            Ok(match reads {
                1 => order("[]"),
                2 => order(tracking),
                _ => Answer::json(200, r#"{"status":"processing"}"#),
            })
        })
    };
    let one = || Shipment { lines: vec![line("7", None)], ..shipment() };
    let arrived = in_doubt(r#"{"each_data":[{"item_id":7,"tracking_code":"T1"}]}"#);
    assert_eq!(ship(&arrived, one()).unwrap().raw, "processing");
    let lost = in_doubt("[]");
    assert_eq!(ship(&lost, one()).unwrap_err().kind, ErrorKind::OutcomeUnknown);
}
