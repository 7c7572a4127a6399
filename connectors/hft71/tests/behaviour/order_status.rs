//! Where an order stands: its items, the whole, and its parcel.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{Host, Level};

use super::samples::{CUSTOMER_STATUS, SETTINGS, SKU, STATUS, assert_kind, failures, issues, protocol};
use {FulfilmentState as Goods, OrderState as State};

/// A server that answers the two requests of `status`.
fn host(standing: Answer, parcel: Answer) -> Host {
    Host::new().settings(SETTINGS).respond(move |request| {
        assert_eq!((request.method(), request.is_authenticated()), (Method::Get, true));
        match request.url() {
            "/order/123456/status" => standing.clone(),
            "/order/123456" => parcel.clone(),
            other => panic!("nobody asked for {other}"),
        }
    })
}

fn read(host: &Host) -> Result<FulfilmentStatus, Error> {
    host.run(|| <Hft71 as Fulfilment>::status("123456".into()))
}

/// Items with these words, at a server without the route for parcels.
fn standing(words: &[&str]) -> Answer {
    let items: Vec<_> = words.iter().map(|word| serde_json::json!({"sku": SKU, "status": word})).collect();
    Answer::json(200, serde_json::Value::from(items).to_string())
}

fn no_route() -> Answer {
    Answer::new(404, "")
}

fn parcel(tracking: &str) -> Answer {
    let shipping = serde_json::json!({"carrier": "DPD", "tracking": tracking, "trackingRet": ""});
    Answer::json(200, serde_json::json!({"orderId": 123_456, "shipping": shipping}).to_string())
}

#[test]
fn the_documented_status_is_read_field_by_field() {
    let in_production = Status {
        order: State::InProgress,
        payment: PaymentState::NotReported,
        fulfilment: Goods::InProduction,
        raw: "In Production".into(),
    };
    let expected = FulfilmentStatus {
        status: in_production.clone(),
        items: vec![ItemStatus { sku: SKU.into(), status: in_production }],
        shipments: vec![],
    };
    assert_eq!(read(&host(Answer::json(200, STATUS), no_route())).unwrap(), expected);
    assert_eq!(read(&host(Answer::json(200, STATUS), Answer::new(405, ""))).unwrap(), expected);
}

#[test]
fn the_whole_stands_where_its_least_advanced_item_stands() {
    for (words, raw, order, goods) in [
        (&["Item Finished", "In Production", "Closed"][..], "In Production", State::InProgress, Goods::InProduction),
        (&["Closed", "Item Finished"], "Item Finished", State::InProgress, Goods::ReadyToShip),
        (&["Closed", "Closed"], "Closed", State::Closed, Goods::NotReported),
        (&["Closed", "Sleeping", "In Production"], "Sleeping", State::Unknown, Goods::Unknown),
    ] {
        let status = read(&host(standing(words), no_route())).unwrap();
        assert_eq!((status.status.raw.as_str(), status.status.order, status.status.fulfilment), (raw, order, goods));
        let items: Vec<&str> = status.items.iter().map(|item| item.status.raw.as_str()).collect();
        assert_eq!(items, words, "each stays as it is, also the same SKU twice");
    }
}

#[test]
fn an_accounts_own_words_are_ranked_too() {
    let settings = r#"{"status-table":{
        "New":{"order":"open","fulfilment":"unfulfilled"},
        "Annulled":{"order":"cancelled","fulfilment":"cancelled"},
        "Waiting":{"order":"in-progress"}
    }}"#;
    for (words, raw) in [
        (["Annulled", "Closed", "Closed"], "Closed"),
        (["In Production", "New", "Annulled"], "New"),
        (["In Production", "Waiting", "Item Finished"], "Waiting"),
        (["Annulled", "Annulled", "Annulled"], "Annulled"),
    ] {
        let host = host(standing(&words), no_route()).settings(settings);
        assert_eq!(read(&host).unwrap().status.raw, raw, "{words:?}");
        assert!(host.log().is_empty());
    }
}

#[test]
fn closed_means_shipped_only_with_a_tracking_number() {
    let status = |words: &[&str], parcel: Answer| read(&host(standing(words), parcel)).unwrap();
    let sent = status(&["Closed", "Closed"], parcel("33XYZ"));
    assert_eq!((sent.status.order, sent.status.fulfilment), (State::Closed, Goods::Shipped));
    assert!(sent.items.iter().all(|item| item.status.fulfilment == Goods::Shipped));
    assert_eq!(
        sent.shipments,
        [ShipmentInfo {
            carrier: Some("DPD".into()),
            tracking_number: Some("33XYZ".into()),
            return_tracking_number: None
        }]
    );
    let partly = status(&["Closed", "Item Finished", "Sleeping"], parcel("33XYZ"));
    let goods: Vec<Goods> = partly.items.iter().map(|item| item.status.fulfilment).collect();
    assert_eq!(goods, [Goods::Shipped, Goods::ReadyToShip, Goods::Unknown]);
    let untracked = status(&["Closed"], parcel(""));
    assert_eq!((untracked.status.fulfilment, untracked.shipments.len()), (Goods::NotReported, 1));
}

#[test]
fn a_parcel_of_which_nothing_is_known_is_none() {
    let nothing = r#"{"carrier":null,"tracking":"","trackingRet":null}"#;
    for shipping in ["null", "[]", "false", "{}", nothing] {
        let answer = Answer::json(200, format!(r#"{{"orderId":123456,"shipping":{shipping}}}"#));
        assert_eq!(read(&host(standing(&["Closed"]), answer)).unwrap().shipments, [], "{shipping}");
    }
    assert_eq!(read(&host(standing(&["Closed"]), Answer::json(200, "{}"))).unwrap().shipments, []);
    let way_back = Answer::json(200, r#"{"shipping":{"trackingRet":"BACK-1"}}"#);
    let status = read(&host(standing(&["Closed"]), way_back)).unwrap();
    assert_eq!(status.shipments[0].return_tracking_number.as_deref(), Some("BACK-1"));
    assert_eq!(status.status.fulfilment, Goods::NotReported, "the way back proves no way there");
}

#[test]
fn an_order_without_items_is_known_and_says_nothing() {
    let status = read(&host(Answer::json(200, "[]"), no_route())).unwrap();
    assert_eq!((status.items.len(), status.status.raw.as_str()), (0, ""));
    assert_eq!((status.status.order, status.status.fulfilment), (State::Unknown, Goods::NotReported));
}

#[test]
fn unknown_words_are_kept_and_logged_once_each() {
    let host = host(standing(&["Sleeping", "Closed", "Sleeping", "closed", "Sleeping"]), no_route());
    let status = read(&host).unwrap();
    let unknown = &status.items[0].status;
    assert_eq!((unknown.order, unknown.payment), (State::Unknown, PaymentState::Unknown));
    let lines = host.log();
    assert!(lines.iter().all(|line| line.level == Level::Warn));
    let words: Vec<&str> = lines.iter().flat_map(|line| &line.fields).map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["Sleeping", "closed"]);
}

#[test]
fn items_may_be_odd_and_lists_may_not() {
    let odd = Answer::json(200, r#"[{"sku":null,"status":null},{"sku":111,"status":"Closed","extra":{}}]"#);
    let status = read(&host(odd, no_route())).unwrap();
    let items: Vec<(&str, &str)> =
        status.items.iter().map(|item| (item.sku.as_str(), item.status.raw.as_str())).collect();
    assert_eq!(items, [("", ""), ("111", "Closed")]);
    for (json, pointer) in [
        (r#"[{"sku":"A","status":"Closed"},{"sku":"B"}]"#, "/1/status"),
        (r#"[{"status":"Closed"}]"#, "/0/sku"),
        (r#"[{"sku":"A","status":{"name":"Closed"}}]"#, "/0/status"),
        (r#"{"status":"Closed"}"#, ""),
        ("null", ""),
    ] {
        let error = read(&host(Answer::json(200, json), no_route())).unwrap_err();
        assert_eq!(protocol(error).pointer, pointer, "{json}");
    }
}

#[test]
fn failures_of_either_request_fail_the_call() {
    for (answer, expected) in failures() {
        let status = answer.status;
        let error = read(&host(answer.clone(), parcel("33XYZ"))).unwrap_err();
        assert_kind(&error, expected, status);
        if status == 404 {
            assert!(error.message.contains("no order 123456"), "{}", error.message);
        } else {
            assert_kind(&read(&host(standing(&["Closed"]), answer)).unwrap_err(), expected, status);
        }
    }
}

#[test]
fn the_documented_words_for_the_buyer_are_read() {
    let host = Host::new().settings(SETTINGS).then(Answer::json(200, CUSTOMER_STATUS));
    let texts = host.run(|| <Hft71 as CustomerStatus>::get("123456".into())).unwrap();
    assert_eq!(texts, [BuyerStatus { sku: SKU.into(), text: "Item Finished".into() }]);
    assert_eq!(host.requests()[0].url(), "/order/123456/customer-status");
    for (answer, expected) in failures() {
        let status = answer.status;
        let host = Host::new().settings(SETTINGS).then(answer);
        let error = host.run(|| <Hft71 as CustomerStatus>::get("123456".into())).unwrap_err();
        assert_kind(&error, expected, status);
    }
}

#[test]
fn an_id_is_one_segment_of_a_path_or_refused() {
    let host = Host::new().settings(SETTINGS).respond(|_| Answer::json(200, "[]"));
    host.run(|| <Hft71 as CustomerStatus>::get("a/../b?c".into())).unwrap();
    assert_eq!(host.requests()[0].url(), "/order/a%2F..%2Fb%3Fc/customer-status");
    for id in ["", " ", ".", ".."] {
        let silent = Host::new().settings(SETTINGS);
        let errors = [
            silent.run(|| <Hft71 as CustomerStatus>::get(id.into())).unwrap_err(),
            silent.run(|| <Hft71 as Fulfilment>::status(id.into())).unwrap_err(),
            silent.run(|| Hft71::update(id.into(), Change::Status("Closed".into()))).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(issues(error), [("/id".to_owned(), "missing".to_owned())], "{id}");
        }
    }
}
