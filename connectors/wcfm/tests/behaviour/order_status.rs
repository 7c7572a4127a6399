//! Changing a status: everything that the server accepts and does not do.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

fn set(host: &Host, id: &str, target: Target) -> Result<Status, Error> {
    host.run(|| <Wcfm as OrderStatus>::set(id.into(), target))
}

fn shown(status: &str) -> Answer {
    Answer::json(200, format!(r#"{{"id":48,"status":"{status}","date_paid":null}}"#))
}

#[test]
fn version_1_5_answers_nothing_and_the_order_is_read_again() {
    let host = host().then(recorded::answer("370")).then(recorded::answer("371"));
    let status = set(&host, "48", Target::State(OrderState::Open)).unwrap();
    assert_eq!(
        (status.order, status.payment, status.raw.as_str()),
        (OrderState::Open, PaymentState::Pending, "processing")
    );
    let requests = host.requests();
    assert_eq!((requests[0].method(), requests[0].path()), (Method::Put, "/orders/48"));
    assert_eq!(requests[0].body_text(), r#"{"status":"processing"}"#, "bare, without wc-");
    assert_eq!(requests[0].effective_effect(), Effect::Repeatable);
    assert_eq!((requests[1].method(), requests[1].path()), (Method::Get, "/orders/48"));
}

#[test]
fn version_1_6_answers_the_order() {
    let host = host().then(recorded::answer("372"));
    let status = set(&host, "48", Target::Word("wc-completed".into())).unwrap();
    assert_eq!((status.order, status.payment), (OrderState::Completed, PaymentState::Paid));
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn a_status_that_did_not_change_is_a_conflict_in_both_generations() {
    let old = || host().then(recorded::answer("467")).then(shown("on-hold"));
    let new = || host().then(shown("on-hold"));
    for host in [old(), new()] {
        let fault = set(&host, "48", Target::Word("refunded".into())).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Conflict);
        assert!(fault.message.contains("on-hold") && fault.message.contains("refunded"), "{}", fault.message);
    }
}

#[test]
fn an_unknown_word_is_invalid_input_although_the_server_says_404() {
    let host = host().then(recorded::answer("374"));
    let fault = set(&host, "48", Target::Word("sparkling".into())).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == "/target"), "{fault:?}");
}

#[test]
fn another_sellers_order_is_not_found_although_the_server_says_200() {
    let host = host().then(recorded::answer("377")).then(recorded::answer("184"));
    assert_eq!(set(&host, "54", Target::Word("completed".into())).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn an_order_that_does_not_exist_is_not_found_although_the_server_crashes() {
    let host = host().then(recorded::answer("376")).then(recorded::answer("184"));
    assert_eq!(set(&host, "999999", Target::Word("completed".into())).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_crash_over_an_order_that_exists_passes() {
    let host = host().then(recorded::answer("376")).then(shown("on-hold"));
    let fault = set(&host, "48", Target::Word("completed".into())).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::Transient(_)), "{fault:?}");
}

#[test]
fn old_servers_answer_an_array() {
    let array = Answer::json(200, r#"[{"id":48,"status":"completed"}]"#);
    assert_eq!(set(&host().then(array), "48", Target::Word("completed".into())).unwrap().raw, "completed");
    let empty = Answer::json(200, "[]");
    assert_eq!(set(&host().then(empty), "48", Target::Word("completed".into())).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_target_without_word_sends_nothing() {
    let host = host();
    let fault = set(&host, "48", Target::State(OrderState::Closed)).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(_)));
    assert_eq!(host.requests(), []);
}
