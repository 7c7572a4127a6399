//! Orders in detail: what two sellers in one order, refunds, wishes and odd addresses become.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;
use tradepost_wcfm::account::Account;
use tradepost_wcfm::orders;

use crate::recorded::{self, host};

fn listed(number: &str, id: &str) -> Order {
    let account = host().run(Account::of_call).unwrap();
    let (orders, _) = orders::decode_list(&account, false, &recorded::answer(number)).unwrap();
    orders.into_iter().find(|order| order.id == id).unwrap()
}

fn single(body: &str) -> Order {
    let account = host().run(Account::of_call).unwrap();
    orders::decode_single(&account, &Answer::json(200, body)).unwrap()
}

fn text(value: Option<Decimal>) -> Option<String> {
    value.as_ref().map(decimal::to_text)
}

#[test]
fn a_shared_order_has_this_sellers_lines_and_everybodys_sums() {
    let order = listed("120", "75");
    assert_eq!(order.totals.scope, TotalsScope::WholeOrder);
    let order = listed("381", "49");
    assert_eq!((order.lines.len(), order.shipping_lines.len(), order.fees.len(), order.discounts.len()), (2, 1, 2, 2));
    assert_eq!(decimal::to_text(&order.totals.total.unwrap()), "3017.82");
    let fees: Vec<(&str, String)> =
        order.fees.iter().map(|fee| (fee.title.as_str(), decimal::to_text(&fee.amount))).collect();
    assert_eq!(fees, [("Gift wrap", "15.5".into()), ("Rebate", "-5".into())]);
    let coupons: Vec<(&str, String)> =
        order.discounts.iter().map(|one| (one.title.as_str(), decimal::to_text(&one.amount))).collect();
    assert_eq!(coupons, [("tenoff", "279.66".into()), ("flat50", "50".into())]);
    assert_eq!(text(order.shipping_lines[0].price).as_deref(), Some("40.00"));
    assert_eq!(order.lines[0].title, "Hoodie “Größe” XL & 'Co' – 日本");
    assert_eq!(order.delivery_instructions.as_deref(), Some("Please ring twice\nلا تتأخر \"now\""));
}

#[test]
fn choices_stay_with_a_line_whose_product_is_gone() {
    let line = &listed("381", "49").lines[1];
    assert_eq!((&line.product_id, &line.variant_id, &line.sku), (&None, &None, &None));
    let options: Vec<(&str, &str)> = line.options.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    assert_eq!(options, [("pa_color", "red"), ("size", "M")]);
    assert_eq!(line.personalisations, []);
}

#[test]
fn refunds_show_in_payment_and_never_in_the_total() {
    let cases = [
        ("57", PaymentState::PartiallyRefunded, "317.54", "1029.47"),
        ("58", PaymentState::Refunded, "64.85", "64.85"),
        ("59", PaymentState::Paid, "0", "180.38"),
        ("52", PaymentState::Pending, "0", "80.23"),
    ];
    for (id, payment, refunded, total) in cases {
        let order = listed("381", id);
        assert_eq!(order.status.payment, payment, "{id}");
        assert_eq!(text(order.totals.refunded).as_deref(), Some(refunded));
        assert_eq!(decimal::to_text(&order.totals.total.unwrap()), total);
    }
}

#[test]
fn what_the_buyer_asks_for_is_not_lost_among_the_options() {
    let order = single(
        r#"{"id":1,"status":"processing","currency":"INR","total":"9","line_items":[
            {"id":"5","name":"Ring","product_id":7,"variation_id":8,"quantity":1.5,"meta_data":[
                {"id":1,"key":"pa_size","value":"XL"},{"id":2,"key":"finish","value":"matt"},
                {"id":3,"key":"Engraving text","value":"For <3 Ann"},{"id":4,"key":"_hidden","value":"x"},
                {"id":5,"key":"Files","value":["a.png"]},{"id":6,"key":"wcfm_tracking_code","value":"Z1"}]},
            {"id":6,"name":"Mug","product_id":9,"variation_id":0,"quantity":1,"meta_data":{"2":{"key":"motif","value":"cat"}}}]}"#,
    );
    let pairs = |attributes: &[Attribute]| -> Vec<(String, String)> {
        attributes.iter().map(|one| (one.name.clone(), one.value.clone())).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let ring = &order.lines[0];
    assert_eq!(decimal::to_text(&ring.quantity), "1.5");
    assert_eq!(pairs(&ring.options), [pair("pa_size", "XL"), pair("finish", "matt")]);
    assert_eq!(pairs(&ring.personalisations), [pair("Engraving text", "For <3 Ann"), pair("Files", "[\"a.png\"]")]);
    assert_eq!(pairs(&order.lines[1].personalisations), [pair("motif", "cat")]);
}

#[test]
fn parcels_are_read_from_the_tracking_of_lines() {
    let order = single(
        r#"{"id":1,"status":"completed","currency":"INR","total":"9","line_items":[],"shipment_tracking":{"each_data":[
            {"item_id":7,"product_id":1,"tracking_code":"T1","tracking_url":"https://t.example/T1"},
            {"item_id":8,"product_id":2,"tracking_code":"T1","tracking_url":"https://t.example/T1"},
            {"item_id":9,"product_id":3,"tracking_code":"T2","tracking_url":"\u0023"},
            {"item_id":10,"product_id":4,"mark_shipped":true}]}}"#,
    );
    let found: Vec<(Option<&str>, Option<&str>, Vec<&str>)> = order
        .shipments
        .iter()
        .map(|parcel| {
            let lines = parcel.lines.iter().map(|line| line.line_id.as_str()).collect();
            (parcel.tracking_number.as_deref(), parcel.tracking_url.as_deref(), lines)
        })
        .collect();
    assert_eq!(found, [(Some("T1"), Some("https://t.example/T1"), vec!["7", "8"]), (Some("T2"), None, vec!["9"])]);
}

#[test]
fn regions_are_names_codes_or_unknown() {
    let region = |number: &str| {
        let account = host().run(Account::of_call).unwrap();
        let order = orders::decode_single(&account, &recorded::answer(number)).unwrap();
        order.billing_address.map(|address| (address.region_code, address.region_name))
    };
    assert_eq!(region("170"), Some((None, Some("West Bengal".into()))));
    assert_eq!(region("197"), Some((None, None)), "null: a country without a list of regions");
    assert_eq!(region("173"), Some((None, None)));
}

#[test]
fn ids_beyond_what_a_float_holds_stay_exact() {
    let order = single(
        r#"{"id":9007199254740993,"status":"x","currency":"INR","total":"0.1","customer_id":"9007199254740995"}"#,
    );
    assert_eq!((order.id.as_str(), order.buyer.id.as_deref()), ("9007199254740993", Some("9007199254740995")));
}

#[test]
fn nothing_where_something_is_promised_is_an_error_with_its_place() {
    let account = host().run(Account::of_call).unwrap();
    let cases = [
        (r#"[{"status":"x","currency":"INR","total":"1"}]"#, "/0"),
        (r#"[{"id":1,"currency":"INR","total":"12,50"}]"#, "/0/total"),
        (r#"[{"id":1,"total":"1","line_items":[{"id":2,"quantity":"many"}]}]"#, "/0/line_items/0/quantity"),
        (r#"[{"id":1,"total":"1","date_created":"yesterday"}]"#, "/0/date_created"),
    ];
    for (body, place) in cases {
        let fault = orders::decode_list(&account, false, &Answer::json(200, body)).unwrap_err();
        let ErrorKind::Protocol(found) = fault.kind else { panic!("{fault:?}") };
        assert!(found.pointer.starts_with(place), "{} for {body}", found.pointer);
    }
}

#[test]
fn an_order_is_an_object_an_array_of_one_or_not_there() {
    let get = |body: &'static str| {
        let host = host().then(Answer::json(200, body));
        host.run(|| <Wcfm as Orders>::get("274".into()))
    };
    let order = r#"{"id":274,"status":"on-hold","currency":"INR","total":"654.00"}"#;
    let array = r#" [ {"id":274,"status":"on-hold","currency":"INR","total":"654.00"} ] "#;
    assert_eq!(get(order).unwrap().raw.as_deref(), Some(order));
    assert_eq!(get(array).unwrap().raw.as_deref(), Some(order), "the element's own text");
    assert_eq!(get("[]").unwrap_err().kind, ErrorKind::NotFound);
    assert!(matches!(
        get("[{\"id\":1,\"total\":\"1\"},{\"id\":2,\"total\":\"1\"}]").unwrap_err().kind,
        ErrorKind::Protocol(_)
    ));
}

#[test]
fn an_id_that_cannot_be_one_is_not_asked_for() {
    for id in ["0", "", "abc", "../settings/id/2", "99999999999999999999"] {
        let fault = Host::new().run(|| <Wcfm as Orders>::get(id.into())).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::NotFound, "{id}");
    }
}

#[test]
fn an_accounts_own_status_words_count() {
    let settings = r#"{"status-table":{"packed":{"order":"in-progress","fulfilment":"ready-to-ship"}}}"#;
    let body = r#"{"id":1,"status":"packed","currency":"INR","total":"1","date_paid":"2026-01-01T10:00:00","date_paid_gmt":"2026-01-01T04:30:00"}"#;
    let read = |settings: &str| {
        let host = Host::new().settings(settings).then(Answer::json(200, body));
        host.run(|| <Wcfm as Orders>::get("1".into())).unwrap().status
    };
    let status = read(settings);
    assert_eq!(
        (status.order, status.payment, status.fulfilment),
        (OrderState::InProgress, PaymentState::Paid, FulfilmentState::ReadyToShip)
    );
    assert_eq!(read("{}").order, OrderState::Unknown);
}
