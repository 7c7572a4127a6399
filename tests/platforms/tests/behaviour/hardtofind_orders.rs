//! hardtofind: logging in, listing and reading orders.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tradepost_platforms::{HardToFind, Platform};

use crate::client::Client;

const SAMPLE: &str = include_str!("../../../fixtures/seeds/hardtofind-order.json");
const STATUSES: [&str; 6] = ["READY", "PROCESSED", "SHIPPED", "RETURNED", "REFUNDED", "CANCELLED"];

#[tokio::test]
async fn every_route_but_the_login_needs_a_token() {
    let platform = HardToFind::builder().start().await.unwrap();
    let anyone = Client::anonymous(&platform);
    for path in
        ["/info", "/orders", "/order/123456", "/order/123456/packing-slip", "/shipping-providers", "/gift_card/X"]
    {
        assert_eq!(anyone.get(path).await.status, 401, "{path}");
        assert_eq!(anyone.clone().with("x-auth-token", "eyJ.e30.x").get(path).await.status, 401, "{path}");
    }
    let bearer = Client::logged_in(&platform).await;
    assert_eq!(bearer.get("/info").await.json()["seller_account_id"], 222);
    let wrong = anyone.post("/authenticate", &json!({"username": "sandbox-seller", "password": "wrong"})).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(platform.ledger().logins(), 1);
}

#[tokio::test]
async fn a_token_dies_when_its_time_is_over() {
    let platform = HardToFind::builder().token_life(Duration::ZERO).start().await.unwrap();
    assert_eq!(Client::logged_in(&platform).await.get("/info").await.status, 401);
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    assert_eq!(client.get("/info").await.status, 200);
    platform.shop().expire_tokens();
    assert_eq!(client.get("/info").await.status, 401);
    assert_eq!(Client::logged_in(&platform).await.get("/info").await.status, 200);
}

#[tokio::test]
async fn a_token_looks_like_a_json_web_token_and_says_when_it_expires() {
    let platform = HardToFind::builder().start().await.unwrap();
    let body = json!({"username": platform.credentials().username, "password": platform.credentials().password});
    let answer = Client::anonymous(&platform).post("/authenticate", &body).await.json();
    assert_eq!(answer["person"]["id"], "111");
    assert_eq!(answer["token"].as_str().unwrap().split('.').count(), 3);
    let info = Client::logged_in(&platform).await.get("/info").await.json();
    assert_eq!(info["created"], "2026-11-22T10:30:00+1000");
    assert_eq!(info["expires"], "2026-11-22T10:45:00+1000");
}

#[tokio::test]
async fn the_sample_order_is_served_as_the_documentation_prints_it() {
    let platform = HardToFind::builder().start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!(client.get("/order/123456").await.json(), sample);
    assert_eq!(client.get("/orders?status=READY").await.json()["data"], json!([sample]));
}

#[tokio::test]
async fn without_a_status_the_list_is_empty() {
    let platform = HardToFind::builder().orders(30).start().await.unwrap();
    let page = Client::logged_in(&platform).await.get("/orders").await.json();
    assert_eq!(page, json!({"data": [], "page_size": 10, "page_number": 1, "total_results": 0, "pages": 0}));
}

#[tokio::test]
async fn pages_hold_every_order_once_the_newest_update_first() {
    let platform = HardToFind::builder().orders(250).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    let mut seen = BTreeSet::new();
    for status in STATUSES {
        let (mut number, mut dates) = (1, Vec::new());
        loop {
            let page = client.get(&format!("/orders?status={status}&page_number={number}")).await.json();
            assert_eq!(page["page_number"], number);
            assert_eq!(page["page_size"], 10);
            for order in page["data"].as_array().unwrap() {
                assert_eq!(order["status"], status);
                dates.push(order["dates"]["updated_at"].as_str().unwrap().to_owned());
                assert!(seen.insert(order["id"].as_str().unwrap().to_owned()));
            }
            if number >= page["pages"].as_u64().unwrap() {
                assert_eq!(page["total_results"], dates.len());
                break;
            }
            number += 1;
        }
        assert!(dates.is_sorted_by(|newer, older| newer >= older), "{status}");
        let beyond = client.get(&format!("/orders?status={status}&page_number=99")).await.json();
        assert_eq!(beyond["data"], json!([]));
    }
    assert_eq!(seen.len(), 250);
    assert!(client.get("/orders?status=READY&page_number=1").await.text().contains("+1000\""));
}

#[tokio::test]
async fn an_order_that_is_touched_between_two_pages_comes_twice_and_pushes_another_on() {
    let platform = HardToFind::builder().orders(60).page_size(5).start().await.unwrap();
    let shop = platform.shop();
    let client = Client::logged_in(&platform).await;
    platform.between_requests(Box::new(move |served| {
        if served.path == "/orders?status=READY&page_number=1" {
            assert!(shop.touch_order("123456"));
        }
    }));
    let first = client.get("/orders?status=READY&page_number=1").await.json();
    let second = client.get("/orders?status=READY&page_number=2").await.json();
    assert_eq!(second["data"][0], first["data"][4], "the last of page 1 was pushed on to page 2");
    let again = client.get("/orders?status=READY&page_number=1").await.json();
    assert_eq!(again["data"][0]["id"], "123456");
}

#[tokio::test]
async fn a_test_changes_the_shop_and_the_ledger_stays_empty() {
    let platform = HardToFind::builder().orders(3).start().await.unwrap();
    let (shop, client) = (platform.shop(), Client::logged_in(&platform).await);
    shop.insert_order("900001", "READY");
    assert_eq!(shop.order_ids()[0], "900001");
    assert!(shop.set_order_status("900001", "CANCELLED"));
    assert_eq!(client.get("/order/900001").await.json()["status"], "CANCELLED");
    let mut order = shop.order("900001").unwrap();
    order["id"] = "900002".into();
    order["lines"] = json!([]);
    assert!(shop.insert_order_json(order));
    assert!(!shop.insert_order_json(json!({"id": "900003"})));
    assert_eq!(platform.held()["orders"], 5);
    assert!(shop.remove_order("900001"));
    assert_eq!(client.get("/order/900001").await.status, 404);
    assert!(!shop.touch_order("900001"));
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn requests_beyond_the_limit_of_a_second_are_refused_where_the_limit_is_on() {
    let platform = HardToFind::builder().requests_per_second(2).start().await.unwrap();
    let client = Client::logged_in(&platform).await;
    assert_eq!(client.get("/info").await.status, 200);
    assert_eq!(client.get("/info").await.status, 429);
}
