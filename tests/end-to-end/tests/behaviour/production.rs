//! HFT71: orders handed over once, followed, and told of by webhook; judged by the producer's ledger.

use tradepost_end_to_end::{account, keep, kind, run};
use tradepost_platforms::{Hft71, Platform};
use tradepost_runtime::commerce::{Address, FulfilmentState, OrderState};
use tradepost_runtime::contract::{Change, FulfilmentItem, FulfilmentOrder, WebhookEvent, WebhookRequest};
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, CallError, Decimal};

/// The documentation's sample (seed 000) under another number.
fn order(reference: &str) -> FulfilmentOrder {
    FulfilmentOrder {
        reference: reference.into(),
        placed_at: "2026-03-02T12:00:00Z".parse().unwrap(),
        address: Address {
            first_name: "John".into(),
            last_name: "Doe".into(),
            company: String::new(),
            lines: vec!["Main Street 10".into()],
            city: "Wroclaw".into(),
            postcode: "50-001".into(),
            region_code: Some("DS".into()),
            region_name: None,
            country_code: Some("PL".into()),
            country_name: None,
            phone: Some("+48123456789".into()),
            email: Some("john@example.com".into()),
        },
        items: vec![FulfilmentItem { sku: "GL64000-00007-0046".into(), quantity: Decimal::from(2) }],
    }
}

async fn stock(account: &Account) -> Result<Vec<String>, CallError> {
    let (mut skus, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = keep(account.list_stock(cursor.as_deref()).await).await?;
        skus.extend(page.items.into_iter().filter_map(|level| level.sku));
        if page.end {
            return Ok(skus);
        }
        cursor = page.next;
    }
}

#[test]
fn an_order_is_handed_over_once_and_followed_to_its_end() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let receipt = keep(account.submit_fulfilment(&order("72774")).await).await.unwrap();
        let sent = platform.ledger().of("order.submit");
        assert_eq!((sent.len(), sent[0].key.as_str()), (1, "72774"));
        let number = receipt.id.parse().unwrap();

        let begun = keep(account.fulfilment_status(&receipt.id).await).await.unwrap();
        assert_eq!(
            (begun.status.order, begun.status.fulfilment),
            (OrderState::InProgress, FulfilmentState::InProduction)
        );
        while platform.shop().advance(number) {}
        let done = keep(account.fulfilment_status(&receipt.id).await).await.unwrap();
        assert_eq!((done.status.order, done.status.fulfilment), (OrderState::Closed, FulfilmentState::Shipped));
        assert!(done.shipments[0].tracking_number.is_some(), "{:?}", done.shipments);
        let words = keep(account.customer_status(&receipt.id).await).await.unwrap();
        assert_eq!(words[0].sku, "GL64000-00007-0046");
    });
}

#[test]
fn an_order_that_may_have_been_taken_is_in_doubt_and_was_sent_once() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        keep(account.check().await).await.unwrap();
        platform.set_fault(Some("apply-then-reset:next=1".parse().unwrap()));
        let outcome = account.submit_fulfilment(&order("1")).await;
        assert_eq!(kind(&outcome), "outcome-unknown");
        assert_eq!(platform.ledger().of("order.submit").len(), 1);
        platform.set_fault(Some("500:next=1".parse().unwrap()));
        assert_eq!(kind(&account.submit_fulfilment(&order("2")).await), "outcome-unknown");
    });
}

#[test]
fn an_order_without_skus_is_refused_before_anything_is_sent() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let mut order = order("3");
        order.items.push(FulfilmentItem { sku: String::new(), quantity: Decimal::from(1) });
        let error = account.submit_fulfilment(&order).await.unwrap_err();
        let Some(ErrorKind::InvalidInput(issues)) = error.kind() else { panic!("{error}") };
        assert_eq!(issues.iter().map(|issue| issue.pointer.as_str()).collect::<Vec<_>>(), ["/items/1/sku"]);
        assert_eq!(platform.ledger().requests(), 0);
    });
}

#[test]
fn an_update_reaches_the_producer() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let receipt = keep(account.submit_fulfilment(&order("4")).await).await.unwrap();
        keep(account.update_fulfilment(&receipt.id, &Change::Status("Closed".into())).await).await.unwrap();
        let entries = platform.ledger().of("order.update-status");
        assert_eq!((entries.len(), &entries[0].json["orderStatus"]), (1, &serde_json::json!("Closed")));
    });
}

#[test]
fn stock_is_read_whole_and_a_page_that_repeats_itself_ends_the_walk() {
    run(async {
        let platform = Hft71::builder().articles(1_234).start().await.unwrap();
        let skus = stock(&account(&platform).await).await.unwrap();
        assert_eq!((skus.len() as u64, platform.held()["stock"]), (1_234, 1_234));

        let stubborn = Hft71::builder().articles(1_234).ignores_page(true).start().await.unwrap();
        assert_eq!(kind(&stock(&account(&stubborn).await).await), "protocol");
        assert!(stubborn.ledger().requests() < 50, "{}", stubborn.ledger().requests());
    });
}

#[test]
fn a_webhook_is_read_if_its_secret_is_right_and_says_nothing_otherwise() {
    run(async {
        let platform = Hft71::builder().start().await.unwrap();
        let account = account(&platform).await;
        let request = |secret: Option<String>, body: &str| WebhookRequest {
            method: "POST".into(),
            path: "/wp-json/hft71/v1/order-status".into(),
            headers: secret.map(|secret| ("x-hft71-webhook-secret".to_owned(), secret)).into_iter().collect(),
            body: body.as_bytes().to_vec(),
        };
        let right = platform.shop().webhook_secret();
        let sample = r#"{"external_id": "123456", "status": "Closed"}"#;
        let reading = keep(account.receive_webhook(&request(Some(right.clone()), sample)).await).await.unwrap();
        let WebhookEvent::OrderStatus(event) = &reading.events[0] else { panic!("{:?}", reading.events) };
        assert_eq!((event.id.as_str(), event.status.order), ("123456", OrderState::Closed));
        assert_eq!(reading.answer.status, 200);

        let unknown = r#"{"external_id": "7", "status": "Wysłane"}"#;
        let reading = keep(account.receive_webhook(&request(Some(right.clone()), unknown)).await).await.unwrap();
        let WebhookEvent::OrderStatus(event) = &reading.events[0] else { panic!("{:?}", reading.events) };
        assert_eq!((event.status.order, event.status.raw.as_str()), (OrderState::Unknown, "Wysłane"));

        for wrong in [None, Some(String::new()), Some("another".to_owned()), Some(right + "x")] {
            assert_eq!(kind(&account.receive_webhook(&request(wrong, sample)).await), "auth-rejected");
        }
        assert_eq!(platform.ledger().requests(), 0, "reading a webhook asks nobody");
    });
}
