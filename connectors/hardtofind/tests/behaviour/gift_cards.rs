//! Gift cards: what is sent, how a card reads, and that no card is made twice (protocol notes, section 1.7).

use std::cell::Cell;
use std::rc::Rc;

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_sdk::time::to_rfc3339;

const ISSUED: &str = include_str!("../fixtures/seeds/hardtofind-gift-card-issue.json");
const READ: &str = include_str!("../fixtures/seeds/hardtofind-gift-card.json");
const VOIDED: &str = include_str!("../fixtures/seeds/hardtofind-gift-card-void.json");

fn dollars(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn issue(host: &Host, value: &str, reference: &str) -> Result<GiftCard, Error> {
    host.run(|| HardToFind::issue(dollars(value), reference.into()))
}

fn get(host: &Host, code: &str) -> Result<GiftCard, Error> {
    host.run(|| <HardToFind as GiftCards>::get(code.into()))
}

fn void(host: &Host) -> Result<GiftCard, Error> {
    host.run(|| HardToFind::void(" ABC-123 ".into(), "SALE-1".into()))
}

fn posts(host: &Host) -> Vec<serde_json::Value> {
    let sent = host.requests().into_iter().filter(|request| request.method() == Method::Post);
    sent.map(|request| serde_json::from_str(request.body_text()).unwrap()).collect()
}

fn pointers(fault: Error) -> Vec<(String, String)> {
    let ErrorKind::InvalidInput(issues) = fault.kind else { panic!("invalid input, not {fault:?}") };
    issues.into_iter().map(|issue| (issue.pointer, issue.code)).collect()
}

#[test]
fn a_card_is_issued_as_documented_and_read_field_by_field() {
    let host = Host::new().respond(|request| {
        assert_eq!((request.method(), request.url()), (Method::Post, "/gift_card"));
        assert_eq!(request.effective_effect(), Effect::Once);
        Answer::json(201, ISSUED)
    });
    let card = issue(&host, "50.00", " SALE-1 ").unwrap();
    assert_eq!(posts(&host), [serde_json::json!({"value": 50, "transaction_id": "SALE-1"})], "a whole number");
    assert_eq!(
        (card.code.as_str(), card.state, card.state_raw.as_str()),
        ("ABC-123", GiftCardState::Active, "NOT REDEEMED YET")
    );
    assert_eq!((card.currency.as_str(), card.balance, card.description.as_str()), ("AUD", None, "$50 gift card"));
    assert_eq!(
        card.created_at.as_ref().map(to_rfc3339).as_deref(),
        Some("2019-01-24T00:34:20Z"),
        "an offset without colon"
    );
    assert_eq!(card.expires_at.as_ref().map(to_rfc3339).as_deref(), Some("2022-01-24T00:34:20Z"));
}

#[test]
fn a_value_that_no_card_can_have_is_refused_before_anything_is_sent() {
    let host = Host::new();
    for value in ["9", "1001", "0", "-50", "50.5", "9223372036854775807"] {
        let found = pointers(issue(&host, value, "SALE-1").unwrap_err());
        assert_eq!(found, [("/value".into(), "out-of-range".into())], "{value}");
    }
    let both = pointers(issue(&host, "5", " ").unwrap_err());
    assert_eq!(both, [("/value".into(), "out-of-range".into()), ("/reference".into(), "missing".into())]);
    let no_reference = host.run(|| HardToFind::void("ABC-123".into(), String::new())).unwrap_err();
    assert_eq!(pointers(no_reference), [("/reference".into(), "missing".into())]);
    assert!(host.requests().is_empty());
    for value in ["10", "1000", "1e2"] {
        assert!(issue(&Host::new().then(Answer::json(201, ISSUED)), value, "SALE-1").is_ok(), "{value}");
    }
}

#[test]
fn an_issue_in_doubt_is_never_made_again() {
    for status in [500, 502, 504] {
        let host = Host::new().respond(move |_| Answer::new(status, "failed"));
        assert_eq!(issue(&host, "50", "SALE-1").unwrap_err().kind, ErrorKind::OutcomeUnknown, "{status}");
        assert_eq!(host.requests().len(), 1);
    }
    let lost = Host::new().respond_with(|_| Err(error::outcome_unknown("The connection broke.")));
    assert_eq!(issue(&lost, "50", "SALE-1").unwrap_err().kind, ErrorKind::OutcomeUnknown);
    assert_eq!(lost.requests().len(), 1);
    let limited = Host::new().then(Answer::new(429, "").with_header("retry-after", "1"));
    let fault = issue(&limited, "50", "SALE-1").unwrap_err();
    assert_eq!(fault.kind, ErrorKind::RateLimited(RetryHint { retry_after_ms: Some(1000) }), "refused before the work");
}

#[test]
fn an_issued_card_is_not_lost_over_an_odd_field() {
    let odd = r#"{"giftcard":{"code":"X","status":"BRAND NEW","created_date":"yesterday","expiry_date":null,"balance":"none"}}"#;
    let card = issue(&Host::new().then(Answer::json(201, odd)), "50", "SALE-1").unwrap();
    assert_eq!((card.code.as_str(), card.state, card.state_raw.as_str()), ("X", GiftCardState::Unknown, "BRAND NEW"));
    assert_eq!((card.created_at, card.expires_at, card.balance), (None, None, None));
}

#[test]
fn a_card_is_read_by_its_code() {
    let host = Host::new().respond(|_| Answer::json(200, READ));
    let card = get(&host, " AB/1? ").unwrap();
    assert_eq!(host.requests()[0].url(), "/gift_card/AB%2F1%3F", "a code is one segment of the path");
    assert_eq!(
        (card.state, card.balance.as_ref().map(decimal::to_text).as_deref()),
        (GiftCardState::Active, Some("50"))
    );
    assert_eq!(get(&Host::new(), " ").unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(get(&Host::new().then(Answer::new(404, "")), "X").unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn an_account_that_may_not_sell_cards_is_told_so() {
    let refused = || Host::new().respond(|_| Answer::new(403, "{}"));
    for fault in [issue(&refused(), "50", "SALE-1"), get(&refused(), "X"), void(&refused())] {
        let fault = fault.unwrap_err();
        assert_eq!(
            (fault.kind, fault.message.as_str()),
            (ErrorKind::Forbidden, "hardtofind does not let this account sell gift cards.")
        );
    }
}

/// A shop with one card; `carry_out` is asked what becomes of a wish to void it.
fn shop(is_void: bool, carry_out: impl Fn(&Cell<bool>) -> Result<Answer, Error> + 'static) -> Host {
    let is_void = Rc::new(Cell::new(is_void));
    Host::new().respond_with(move |request| match (request.method(), request.url()) {
        (Method::Get, "/gift_card/ABC-123") if is_void.get() => {
            Ok(Answer::json(200, READ.replace("NOT REDEEMED YET", "VOIDED")))
        }
        (Method::Get, "/gift_card/ABC-123") => Ok(Answer::json(200, READ)),
        (Method::Post, "/gift_card/void") => carry_out(&is_void),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_card_is_voided_once() {
    let host = shop(false, |is_void| {
        is_void.set(true);
        Ok(Answer::json(200, VOIDED))
    });
    for _ in 0..2 {
        let card = void(&host).unwrap();
        assert_eq!((card.state, card.state_raw.as_str()), (GiftCardState::Voided, "VOIDED"));
    }
    assert_eq!(posts(&host), [serde_json::json!({"code": "ABC-123", "transaction_id": "SALE-1"})]);
}

#[test]
fn a_void_that_was_refused_or_lost_is_concluded_by_looking() {
    // Somebody else was faster, or the answer was lost: the card is void.
    let faster = shop(false, |is_void| {
        is_void.set(true);
        Ok(Answer::new(409, "void already"))
    });
    let lost = shop(false, |is_void| {
        is_void.set(true);
        Err(error::outcome_unknown("The connection broke."))
    });
    for host in [faster, lost] {
        assert_eq!(void(&host).unwrap().state, GiftCardState::Voided);
        assert_eq!(posts(&host).len(), 1);
    }
    // The card is not void: the refusal stands.
    let spent = shop(false, |_| Ok(Answer::new(409, "spent")));
    assert_eq!(void(&spent).unwrap_err().kind, ErrorKind::Conflict);
    let unheard = shop(false, |_| Err(error::outcome_unknown("The connection broke.")));
    assert_eq!(void(&unheard).unwrap_err().kind, ErrorKind::OutcomeUnknown);
    let ignored = shop(false, |_| Ok(Answer::json(200, READ)));
    let fault = void(&ignored).unwrap_err();
    assert_eq!((fault.kind, fault.detail.as_str()), (ErrorKind::Conflict, "it is shown as NOT REDEEMED YET"));
}
