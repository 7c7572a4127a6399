//! hardtofind: transitions, packing slips, batches and gift cards.

use serde_json::{Value, json};
use tradepost_platforms::{HardToFind, Platform};

use crate::client::Client;

fn ship(carrier: &str, date: &str) -> Value {
    json!({"action": "ship", "data": {"tracking_number": "TRACK-123456", "shipping_provider_name": carrier, "shipment_date": date}})
}

#[tokio::test]
async fn an_order_is_processed_and_shipped_once() {
    let platform = HardToFind::builder().orders(2).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let path = "/order/200001/transition";
    assert_eq!(client.post(path, &json!({"action": "process"})).await.json()["status"], "PROCESSED");
    assert_eq!(client.post(path, &json!({"action": "process"})).await.status, 409);
    let shipped = client.post(path, &ship("Royal Mail", "2016-09-15T14:41:25+1000")).await.json();
    assert_eq!(shipped["status"], "SHIPPED");
    assert_eq!(
        shipped["shipments"],
        json!([{"shipment_date": "2016-09-15T14:41:25+1000", "tracking_number": "TRACK-123456", "shipping_provider_name": "Royal Mail"}])
    );
    assert_eq!(client.post(path, &ship("Royal Mail", "2016-09-15T14:41:25+1000")).await.status, 409);
    let entries = platform.ledger().about("200001");
    let effects: Vec<&str> = entries.iter().map(|entry| entry.effect).collect();
    assert_eq!(effects, ["order.process", "order.ship"]);
    assert_eq!(entries[1].json["data"]["tracking_number"], "TRACK-123456");
    assert_eq!(client.get("/orders?status=SHIPPED").await.json()["data"][0], shipped, "its list shows it first");
}

#[tokio::test]
async fn a_bad_transition_is_refused_and_not_in_the_ledger() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    for (path, body, status) in [
        ("/order/1/transition", json!({"action": "process"}), 404),
        ("/order/123456/transition", json!({"action": "teleport"}), 400),
        ("/order/123456/transition", json!({}), 400),
        ("/order/123456/transition", ship("Pigeon", "2016-09-15T14:41:25+1000"), 422),
        ("/order/123456/transition", ship("Royal Mail", "2016-09-15T14:41:25+10:00"), 422),
        ("/order/123456/transition", ship("Royal Mail", "yesterday"), 422),
    ] {
        assert_eq!(client.post(path, &body).await.status, status, "{path} {body}");
    }
    let broken = client.send("POST", "/order/123456/transition", Some("application/json"), "{").await.unwrap();
    assert_eq!(broken.status, 400);
    assert!(platform.ledger().is_empty());
    assert_eq!(client.get("/order/123456").await.json()["status"], "READY");
}

#[tokio::test]
async fn a_ready_order_may_be_shipped_at_once() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let answer = client.post("/order/123456/transition", &ship("Sendle", "2026-11-22T10:00:00+1000")).await;
    assert_eq!((answer.status, answer.json()["shipments"].as_array().unwrap().len()), (200, 2));
}

#[tokio::test]
async fn a_packing_slip_is_a_pdf_and_needs_the_token() {
    let platform = HardToFind::builder().orders(2).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let order = client.get("/order/200001").await.json();
    let link = order["_links"]["packing_slip"].as_str().unwrap();
    let path = link.strip_prefix(platform.root_url()).expect("a generated order links to this server");
    let slip = client.get(path).await;
    assert_eq!(slip.header("content-type"), Some("application/pdf"));
    assert!(slip.body.starts_with(b"%PDF-1.4"));
    assert!(slip.body.ends_with(b"%%EOF\n"));
    assert_eq!(client.get("/order/1/packing-slip").await.status, 404);
}

#[tokio::test]
async fn carriers_are_a_bare_array_in_the_documented_shape() {
    let platform = HardToFind::builder().start().await.unwrap();
    let carriers = Client::logged_in(&platform).await.get("/shipping-providers").await;
    assert_eq!(
        carriers.json()[0],
        json!({
            "id": "8",
            "provider_name": "Royal Mail",
            "tracking_url": "https://www.royalmail.com/track-your-item",
            "accepts_tracking_id_in_url": false,
        })
    );
    assert_eq!(carriers.each("id").len() as u64, platform.held()["carriers"]);
}

#[tokio::test]
async fn a_batch_passes_over_unknown_and_shared_skus_in_silence() {
    let platform = HardToFind::builder().start().await.unwrap();
    let (shop, client) = (platform.shop(), Client::logged_in(&platform).await);
    let body = json!({"action": "update", "entity_type": "variant", "entities": [
        {"sku": "SKU-1000", "inventory": 41},
        {"sku": "SKU-NOWHERE", "inventory": 1},
        {"sku": "SKU-SHARED", "inventory": 1},
        {"sku": "SKU-1001", "rrp": 19.95},
    ]});
    let before = shop.inventory("SKU-1001");
    assert_eq!(client.post("/batch", &body).await.status, 202);
    assert_eq!(shop.inventory("SKU-1000"), Some(41));
    assert_eq!(shop.inventory("SKU-1001"), before, "what is not sent stays");
    assert_eq!(shop.inventory("SKU-SHARED"), None);
    let keys: Vec<String> = platform.ledger().of("variant.update").into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["SKU-1000", "SKU-1001"]);
    assert_eq!(client.post("/batch", &json!({"action": "delete"})).await.status, 400);
}

#[tokio::test]
async fn a_gift_card_is_issued_read_and_voided() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let issued = client.post("/gift_card", &json!({"value": 50, "transaction_id": "T-1"})).await;
    assert_eq!(issued.status, 201);
    assert_eq!(issued.json()["transaction_id"], "T-1");
    let card = issued.json()["giftcard"].clone();
    assert_eq!(card["status"], "NOT REDEEMED YET");
    assert_eq!(card["created_date"], "2026-11-22T00:30:01+0000");
    let code = card["code"].as_str().unwrap();
    assert_eq!(client.get(&format!("/gift_card/{code}")).await.json()["giftcard"]["balance"], 50);
    let void = json!({"code": code, "transaction_id": "T-2"});
    let voided = client.post("/gift_card/void", &void).await.json();
    assert_eq!((&voided["giftcard"]["status"], &voided["giftcard"]["balance"]), (&json!("VOIDED"), &json!(0)));
    assert_eq!(voided["transaction_id"], "T-2");
    assert_eq!(platform.shop().gift_card(code).unwrap(), voided["giftcard"]);
    assert_eq!(client.post("/gift_card/void", &void).await.status, 409);
    for value in [json!(9), json!(1001), json!("50"), json!(12.5)] {
        let refused = client.post("/gift_card", &json!({"value": value, "transaction_id": "T-3"})).await;
        assert_eq!(refused.status, 400, "{value}");
    }
    assert_eq!(client.post("/gift_card", &json!({"value": 50})).await.status, 400);
    assert_eq!(client.get("/gift_card/NONE").await.status, 404);
    assert_eq!(client.post("/gift_card/void", &json!({"code": "NONE"})).await.status, 404);
    let entries: Vec<_> = platform.ledger().entries().into_iter().map(|entry| (entry.effect, entry.key)).collect();
    assert_eq!(entries, [("gift-card.issue", "T-1".to_owned()), ("gift-card.void", "T-2".to_owned())]);
}

#[tokio::test]
async fn the_same_transaction_twice_is_two_gift_cards_and_voiding_needs_no_transaction() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    for _ in 0..2 {
        client.post("/gift_card", &json!({"value": 1000, "transaction_id": "T-1"})).await;
    }
    let codes = platform.shop().gift_cards_by_transaction("T-1");
    assert_eq!(codes.len(), 2);
    let voided = client.post("/gift_card/void", &json!({"code": codes[1]})).await.json();
    assert_eq!(voided["transaction_id"], "T-1", "the one that issued it");
    assert_eq!(platform.ledger().about("T-1").len(), 3);
}

#[tokio::test]
async fn only_some_accounts_may_sell_gift_cards() {
    let platform = HardToFind::builder().gift_cards(false).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let card = json!({"value": 50, "transaction_id": "T-1", "code": "GIFT-000001"});
    assert_eq!(client.post("/gift_card", &card).await.status, 403);
    assert_eq!(client.post("/gift_card/void", &card).await.status, 403);
    assert_eq!(client.get("/gift_card/GIFT-000001").await.status, 403);
    assert!(platform.ledger().is_empty());
}
