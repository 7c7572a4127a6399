//! Words become states by the table, and an unknown word blocks nothing.

use tradepost_sdk::prelude::*;
use tradepost_sdk::status::{self, mapping};

fn table() -> StatusTable {
    StatusTable::new(vec![
        mapping("READY", OrderState::Open, PaymentState::Paid, FulfilmentState::Unfulfilled),
        mapping("CANCELLED", OrderState::Cancelled, None, None),
    ])
}

#[test]
fn a_word_is_looked_up_on_all_axes_and_kept() {
    let status = table().lookup("READY");
    assert_eq!(
        (status.order, status.payment, status.fulfilment),
        (OrderState::Open, PaymentState::Paid, FulfilmentState::Unfulfilled)
    );
    assert_eq!(status.raw, "READY");
    let status = table().lookup("CANCELLED");
    assert_eq!((status.payment, status.fulfilment), (PaymentState::NotReported, FulfilmentState::NotReported));
}

#[test]
fn an_unknown_word_is_unknown_on_every_axis_with_its_text() {
    for word in ["", "ready", "Wartet auf Zahlung"] {
        let status = table().lookup(word);
        assert_eq!(
            (status.order, status.payment, status.fulfilment),
            (OrderState::Unknown, PaymentState::Unknown, FulfilmentState::Unknown)
        );
        assert_eq!(status.raw, word);
        assert!(!table().knows(word));
    }
}

#[test]
fn an_account_overrides_and_extends_the_table() {
    let settings = r#"{"x":1,"status-table":{"READY":{"order":"on-hold"},"PACKED":{"order":"in-progress","payment":"paid","fulfilment":"ready-to-ship"}}}"#;
    let table = table().overridden(settings).unwrap();
    assert_eq!(table.lookup("READY").order, OrderState::OnHold);
    assert_eq!(table.lookup("PACKED").fulfilment, FulfilmentState::ReadyToShip);
    assert_eq!(table.lookup("CANCELLED").order, OrderState::Cancelled);
    assert_eq!(table.word_for(OrderState::InProgress), Some("PACKED"));
}

#[test]
fn a_state_that_does_not_exist_is_reported_with_its_place() {
    let error = table().overridden(r#"{"status-table":{"READY":{"payment":"payed"}}}"#).unwrap_err();
    assert!(error.message.contains("`payed`"), "{}", error.message);
    assert!(
        matches!(error.kind, ErrorKind::InvalidInput(issues) if issues[0].pointer == "/status-table/READY/payment")
    );
}

#[test]
fn every_state_of_the_contract_has_its_name() {
    for name in
        ["draft", "pending", "on-hold", "open", "in-progress", "completed", "closed", "cancelled", "failed", "unknown"]
    {
        assert!(status::order_state(name).is_some(), "{name}");
    }
    for name in [
        "unpaid",
        "pending",
        "authorised",
        "paid",
        "partially-refunded",
        "refunded",
        "failed",
        "not-reported",
        "unknown",
    ] {
        assert!(status::payment_state(name).is_some(), "{name}");
    }
    for name in [
        "unfulfilled",
        "in-production",
        "ready-to-ship",
        "partially-shipped",
        "shipped",
        "delivered",
        "partially-returned",
        "returned",
        "cancelled",
        "not-reported",
        "unknown",
    ] {
        assert!(status::fulfilment_state(name).is_some(), "{name}");
    }
    assert_eq!(status::order_state("Open"), None);
}
