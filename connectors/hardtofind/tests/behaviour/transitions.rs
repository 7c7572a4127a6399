//! Transitions have their effect once, and the outcome is what the platform shows afterwards.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{SETTINGS, Shop, Transition};

fn acknowledge(shop: &Shop) -> Result<Status, Error> {
    shop.host.run(|| HardToFind::acknowledge("123456".into()))
}

fn parcel() -> Shipment {
    Shipment {
        id: None,
        carrier: Some("Royal Mail".into()),
        tracking_number: Some(" TRACK-123456 ".into()),
        tracking_url: None,
        // Seed 001, "Ship transition".
        shipped_at: Some(Timestamp { epoch_seconds: 1_473_914_485, nanoseconds: 0, offset_minutes: 600 }),
        lines: vec![],
    }
}

fn ship(shop: &Shop, parcel: Shipment) -> Result<Status, Error> {
    shop.host.run(|| HardToFind::ship("123456".into(), parcel))
}

#[test]
fn an_order_is_taken_up_once() {
    let shop = Shop::new("READY", Transition::Works);
    assert_eq!(acknowledge(&shop).unwrap().raw, "PROCESSED");
    assert_eq!(acknowledge(&shop).unwrap().order, OrderState::InProgress);
    assert_eq!(shop.transitions(), [serde_json::json!({"action": "process"})]);
}

#[test]
fn an_order_that_was_taken_up_elsewhere_is_a_success() {
    for status in ["PROCESSED", "SHIPPED"] {
        let shop = Shop::new(status, Transition::Refused(409));
        assert_eq!(acknowledge(&shop).unwrap().raw, status);
        assert!(shop.transitions().is_empty());
    }
}

#[test]
fn an_order_that_has_ended_is_a_conflict() {
    for status in ["RETURNED", "REFUNDED", "CANCELLED"] {
        let shop = Shop::new(status, Transition::Works);
        assert_eq!(acknowledge(&shop).unwrap_err().kind, ErrorKind::Conflict, "{status}");
        assert_eq!(ship(&shop, parcel()).unwrap_err().kind, ErrorKind::Conflict, "{status}");
        assert!(shop.transitions().is_empty());
    }
}

#[test]
fn a_parcel_is_reported_as_documented_and_once() {
    let shop = Shop::new("PROCESSED", Transition::Works);
    assert_eq!(ship(&shop, parcel()).unwrap().raw, "SHIPPED");
    assert_eq!(ship(&shop, parcel()).unwrap().fulfilment, FulfilmentState::Shipped);
    let expected = serde_json::json!({
        "action": "ship",
        "data": {
            "tracking_number": "TRACK-123456",
            "shipping_provider_name": "Royal Mail",
            "shipment_date": "2016-09-15T14:41:25+1000",
        },
    });
    assert_eq!(shop.transitions(), [expected]);
}

#[test]
fn a_parcel_without_a_date_left_now() {
    let shop = Shop::new("PROCESSED", Transition::Works);
    ship(&shop, Shipment { shipped_at: None, ..parcel() }).unwrap();
    assert_eq!(shop.transitions()[0]["data"]["shipment_date"], "2026-01-01T00:00:00+0000");
}

#[test]
fn another_parcel_of_a_shipped_order_is_a_conflict() {
    let shop = Shop::new("SHIPPED", Transition::Works).with_parcel("OTHER-1");
    let error = ship(&shop, parcel()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.detail.contains("OTHER-1"), "{}", error.detail);
    assert!(shop.transitions().is_empty());
}

#[test]
fn what_a_parcel_lacks_is_named() {
    let shop = Shop::new("PROCESSED", Transition::Works);
    let blank = Shipment { carrier: None, tracking_number: Some("  ".into()), ..parcel() };
    let ErrorKind::InvalidInput(issues) = ship(&shop, blank).unwrap_err().kind else { panic!("invalid input") };
    let pointers: Vec<(&str, &str)> =
        issues.iter().map(|issue| (issue.pointer.as_str(), issue.code.as_str())).collect();
    assert_eq!(pointers, [("/carrier", "missing"), ("/tracking-number", "missing")]);
    assert!(shop.host.requests().is_empty());
}

#[test]
fn lines_may_be_named_only_if_they_are_the_whole_order() {
    let shop = Shop::new("PROCESSED", Transition::Works);
    let order = shop.host.run(|| <HardToFind as Orders>::get("123456".into())).unwrap();
    let part = |line_id: &str, quantity: Option<Decimal>| {
        let lines = vec![ShipmentLine { line_id: line_id.into(), quantity }];
        ship(&shop, Shipment { lines, ..parcel() })
    };
    let half = Decimal { coefficient: 5, scale: 1 };
    for refused in [part("unknown", None), part(&order.lines[0].id, Some(half))] {
        let ErrorKind::InvalidInput(issues) = refused.unwrap_err().kind else { panic!("invalid input") };
        assert_eq!((issues[0].pointer.as_str(), issues[0].code.as_str()), ("/lines", "partial-shipment"));
    }
    assert!(part(&order.lines[0].id, None).is_ok());
}

#[test]
fn the_order_shows_what_became_of_a_transition_nobody_heard_of() {
    let works = Shop::new("PROCESSED", Transition::WorksUnheard);
    assert_eq!(ship(&works, parcel()).unwrap().raw, "SHIPPED");
    assert_eq!(acknowledge(&Shop::new("READY", Transition::WorksUnheard)).unwrap().raw, "PROCESSED");

    let lost = Shop::new("PROCESSED", Transition::LostUnheard);
    let error = ship(&lost, parcel()).unwrap_err();
    assert_eq!(
        (error.kind, error.detail.as_str()),
        (ErrorKind::OutcomeUnknown, "afterwards order 123456 is shown as PROCESSED")
    );
    assert_eq!(lost.transitions().len(), 1, "never sent again by itself");
}

#[test]
fn a_refusal_is_passed_on_with_what_the_order_shows() {
    for (status, expected) in [(409, "Conflict"), (422, "InvalidInput"), (400, "InvalidInput")] {
        let shop = Shop::new("READY", Transition::Refused(status));
        let error = ship(&shop, parcel()).unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{status}: {error:?}");
        assert!(
            error.detail.contains("no such transition") && error.detail.contains("is shown as READY"),
            "{}",
            error.detail
        );
    }
    for (status, expected) in [(401, "AuthExpired"), (429, "RateLimited"), (500, "Transient")] {
        let shop = Shop::new("READY", Transition::Refused(status));
        let error = acknowledge(&shop).unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{status}: {error:?}");
    }
}

#[test]
fn an_accepted_transition_without_effect_is_a_conflict() {
    let shop = Shop::new("READY", Transition::Ignored);
    let error = acknowledge(&shop).unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Conflict, "afterwards order 123456 is shown as READY"));
}

#[test]
fn an_order_that_is_not_there_gets_no_transition() {
    let host = Host::new().settings(SETTINGS).respond(|_| Answer::new(404, ""));
    assert_eq!(host.run(|| HardToFind::acknowledge("1".into())).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(host.requests().len(), 1);
}
