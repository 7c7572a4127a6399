//! Webhooks are verified first, read second, and answered as the platform's own plugin does.

use tradepost_hft71::Hft71;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{Host, Level};

use super::samples::{SETTINGS, WEBHOOK_ANSWER, WEBHOOK_REQUEST, issues, protocol, value};

const HEADER: &str = "x-hft71-webhook-secret";
const SECRET: &str = "your-shared-secret";
const UNSIGNED: &str = r#"{"root-url":"https://api.hft71.example","accept-unsigned-webhooks":true}"#;

fn request(secret: Option<&str>, body: impl Into<Vec<u8>>) -> WebhookRequest {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(secret.map(|secret| (HEADER.to_owned(), secret.to_owned())));
    WebhookRequest { method: "POST".into(), path: "/wp-json/hft71/v1/order-status".into(), headers, body: body.into() }
}

fn guarded() -> Host {
    Host::new().settings(SETTINGS).secret("webhook-secret", SECRET)
}

fn receive(host: &Host, request: WebhookRequest) -> Result<WebhookReading, Error> {
    host.run(|| Hft71::receive(request))
}

#[test]
fn the_documented_webhook_is_read_and_answered_field_by_field() {
    let reading = receive(&guarded(), request(Some(SECRET), WEBHOOK_REQUEST)).unwrap();
    let [WebhookEvent::OrderStatus(event)] = &reading.events[..] else { panic!("{:?}", reading.events) };
    assert_eq!(event.id, "123456");
    assert_eq!(
        event.status,
        Status {
            order: OrderState::Closed,
            payment: PaymentState::NotReported,
            fulfilment: FulfilmentState::NotReported,
            raw: "Closed".into(),
        }
    );
    assert_eq!(reading.answer.status, 200);
    assert_eq!(reading.answer.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!(value(std::str::from_utf8(&reading.answer.body).unwrap()), value(WEBHOOK_ANSWER));
}

#[test]
fn a_second_delivery_reads_the_same() {
    let host = guarded();
    let [first, second] = [(); 2].map(|()| receive(&host, request(Some(SECRET), WEBHOOK_REQUEST)).unwrap());
    assert_eq!(first, second);
    assert!(host.requests().is_empty(), "nothing is sent");
}

#[test]
fn an_id_that_is_a_number_is_the_same_id() {
    let body = r#"{"external_id":123456,"status":"Closed","more":[1]}"#;
    let reading = receive(&guarded(), request(Some(SECRET), body)).unwrap();
    let [WebhookEvent::OrderStatus(event)] = &reading.events[..] else { panic!("{:?}", reading.events) };
    assert_eq!(event.id, "123456");
}

#[test]
fn a_wrong_or_missing_secret_is_refused_before_anything_is_read() {
    for secret in [None, Some(""), Some("your-shared-secre"), Some("your-shared-secret "), Some("YOUR-SHARED-SECRET")] {
        for body in [WEBHOOK_REQUEST, "rubbish"] {
            // Not softened by what is meant for accounts without a secret.
            let host = guarded().settings(UNSIGNED);
            let error = receive(&host, request(secret, body)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::AuthRejected, "{secret:?}");
            assert!(!format!("{error:?}").contains("shared-secre"), "no candidate in words: {error:?}");
            let get = WebhookRequest { method: "GET".into(), ..request(secret, body) };
            assert_eq!(receive(&host, get).unwrap_err().kind, ErrorKind::AuthRejected);
        }
    }
    // An empty secret is none at all.
    let empty = Host::new().settings(SETTINGS).secret("webhook-secret", "");
    for secret in [None, Some("")] {
        assert_eq!(receive(&empty, request(secret, WEBHOOK_REQUEST)).unwrap_err().kind, ErrorKind::AuthRejected);
    }
}

#[test]
fn the_header_may_be_written_in_any_case() {
    let mut loud = request(None, WEBHOOK_REQUEST);
    loud.headers.push(("X-HFT71-Webhook-Secret".into(), SECRET.into()));
    assert!(receive(&guarded(), loud).is_ok());
}

#[test]
fn without_a_secret_webhooks_are_refused_unless_the_account_takes_them() {
    let refusing = [SETTINGS, r#"{"accept-unsigned-webhooks":false}"#];
    for (settings, secret) in refusing.into_iter().flat_map(|settings| [(settings, None), (settings, Some(SECRET))]) {
        let error = receive(&Host::new().settings(settings), request(secret, WEBHOOK_REQUEST)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::AuthRejected);
        assert!(error.message.contains("webhook-secret"), "{}", error.message);
        assert!(error.detail.contains("accept-unsigned-webhooks"), "{}", error.detail);
    }
    let open = Host::new().settings(UNSIGNED);
    assert_eq!(receive(&open, request(None, WEBHOOK_REQUEST)).unwrap().events.len(), 1);
}

#[test]
fn only_a_post_is_a_webhook() {
    for method in ["GET", "PUT", ""] {
        let other = WebhookRequest { method: method.into(), ..request(Some(SECRET), WEBHOOK_REQUEST) };
        let refused = issues(receive(&guarded(), other).unwrap_err());
        assert_eq!(refused, [("/method".to_owned(), "not-a-post".to_owned())]);
    }
}

#[test]
fn a_body_that_is_not_documented_is_refused_with_its_place() {
    for (body, pointer) in [
        ("", ""),
        ("external_id=123456&status=Closed", ""),
        ("[]", ""),
        (r#"{"status":"Closed"}"#, "/external_id"),
        (r#"{"external_id":null,"status":"Closed"}"#, "/external_id"),
        (r#"{"external_id":" ","status":"Closed"}"#, "/external_id"),
        (r#"{"external_id":1.5,"status":"Closed"}"#, "/external_id"),
        (r#"{"external_id":"1"}"#, "/status"),
        (r#"{"external_id":"1","status":null}"#, "/status"),
        (r#"{"external_id":"1","status":["Closed"]}"#, "/status"),
        (r#"{"external_id":"1","status":"Closed"} trailing"#, ""),
    ] {
        let error = receive(&guarded(), request(Some(SECRET), body)).unwrap_err();
        assert_eq!(protocol(error).pointer, pointer, "{body}");
    }
    let error = receive(&guarded(), request(Some(SECRET), b"{\"external_id\":\"\xff\"}".to_vec())).unwrap_err();
    assert_eq!(protocol(error).expected, "UTF-8 text");
}

#[test]
fn a_status_nobody_documented_is_told_as_it_is() {
    let host = guarded();
    let reading = receive(&host, request(Some(SECRET), r#"{"external_id":"1","status":"Wysłane"}"#)).unwrap();
    let [WebhookEvent::OrderStatus(event)] = &reading.events[..] else { panic!("{:?}", reading.events) };
    let axes = (event.status.order, event.status.payment, event.status.fulfilment);
    assert_eq!(axes, (OrderState::Unknown, PaymentState::Unknown, FulfilmentState::Unknown));
    assert_eq!((event.status.raw.as_str(), reading.answer.status), ("Wysłane", 200));
    let lines = host.log();
    let [line] = &lines[..] else { panic!("one line") };
    assert_eq!((line.level, line.fields[0].1.as_str()), (Level::Warn, "Wysłane"));
}

#[test]
fn an_accounts_own_status_table_counts() {
    let settings = r#"{"status-table":{"Closed":{"order":"completed","fulfilment":"shipped"}}}"#;
    let reading = receive(&guarded().settings(settings), request(Some(SECRET), WEBHOOK_REQUEST)).unwrap();
    let [WebhookEvent::OrderStatus(event)] = &reading.events[..] else { panic!("{:?}", reading.events) };
    assert_eq!(event.status.fulfilment, FulfilmentState::Shipped);
}
