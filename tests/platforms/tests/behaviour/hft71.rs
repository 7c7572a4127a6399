//! HFT71: logging in, handing orders over, following and changing them, and reading the stock.

use std::time::Duration;

use serde_json::{Value, json};
use tradepost_platforms::{Hft71, Hft71Builder, Platform};

use crate::client::Client;

/// The documentation's sample of an order.
pub(crate) fn sample_order() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-order-request.json")).unwrap()
}

/// Starts it and logs in.
pub(crate) async fn started(builder: Hft71Builder) -> (Hft71, Client) {
    let platform = builder.start().await.unwrap();
    let client = logged_in(&platform).await;
    (platform, client)
}

async fn log_in(platform: &Hft71) -> Value {
    let credentials = platform.credentials();
    let body = json!({"username": credentials.username, "password": credentials.password});
    Client::anonymous(platform).post("/authentication/login", &body).await.json()
}

async fn logged_in(platform: &Hft71) -> Client {
    let answer = log_in(platform).await;
    Client::anonymous(platform)
        .with("authorization", &format!("Bearer {}", answer["access_token"].as_str().expect("a token")))
}

#[tokio::test]
async fn a_login_answers_what_the_documentation_prints() {
    let sample: Value = serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-login.json")).unwrap();
    let platform = Hft71::builder().start().await.unwrap();
    let mut answer = log_in(&platform).await;
    assert!(answer["access_token"].as_str().unwrap().starts_with("eyJ"));
    answer["access_token"] = sample["access_token"].clone();
    assert_eq!(answer, sample);
    let wrong = json!({"username": "api-user@example.com", "password": "your-password"});
    assert_eq!(Client::anonymous(&platform).post("/authentication/login", &wrong).await.status, 401);
    assert_eq!(platform.ledger().logins(), 1);
}

#[tokio::test]
async fn every_route_but_the_login_needs_a_live_bearer_token() {
    let (platform, client) = started(Hft71::builder()).await;
    let anyone = Client::anonymous(&platform);
    for path in ["/order/1", "/order/1/status", "/order/1/customer-status", "/stock/available"] {
        assert_eq!(anyone.get(path).await.status, 401, "{path}");
        assert_eq!(anyone.clone().with("authorization", "Bearer eyJ.e30.x").get(path).await.status, 401, "{path}");
    }
    assert_eq!(anyone.post("/order", &sample_order()).await.status, 401);
    assert_eq!(client.get("/stock/available").await.status, 200);
    platform.shop().expire_tokens();
    assert_eq!(client.get("/stock/available").await.status, 401);
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn a_token_lives_as_long_as_told_whatever_it_says() {
    let (platform, client) = started(Hft71::builder().token_life(Duration::ZERO).expires_in(300)).await;
    assert_eq!(client.get("/stock/available").await.status, 401);
    assert_eq!(log_in(&platform).await["expires_in"], 300);
    let short = Hft71::builder().token_life(Duration::from_secs(2)).start().await.unwrap();
    assert_eq!(log_in(&short).await["expires_in"], 2);
}

#[tokio::test]
async fn the_sample_order_is_taken_over_and_followed() {
    let (platform, client) = started(Hft71::builder()).await;
    let receipt = client.post("/order", &sample_order()).await;
    assert_eq!(receipt.status, 200);
    assert_eq!(receipt.json(), json!({"orderId": 123_456, "sendDate": "2026-11-22T00:30:01Z"}));
    let entries = platform.ledger().of("order.submit");
    assert_eq!((entries.len(), entries[0].key.as_str(), &entries[0].json), (1, "72774", &sample_order()));

    let sample = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let status = sample(include_str!("../../../fixtures/seeds/hft71-status.json"));
    let finished = sample(include_str!("../../../fixtures/seeds/hft71-customer-status.json"));
    assert_eq!(client.get("/order/123456/status").await.json(), status);
    assert_eq!(client.get("/order/123456/customer-status").await.json(), status, "nothing else to tell the buyer");
    assert!(platform.shop().advance(123_456));
    assert_eq!(client.get("/order/123456/status").await.json(), status);
    assert_eq!(client.get("/order/123456/customer-status").await.json(), finished);
    assert!(client.get("/order/123456").await.json().get("shipping").is_none());
    assert!(platform.shop().advance(123_456));
    assert_eq!(client.get("/order/123456/status").await.each("status"), ["Closed"]);
    let shipping = json!({"carrier": "DPD", "tracking": "DPD123456", "trackingRet": ""});
    assert_eq!(client.get("/order/123456").await.json()["shipping"], shipping);
    assert!(!platform.shop().advance(123_456), "nothing comes after it");
    for path in ["/order/123457", "/order/123457/status", "/order/abc/customer-status", "/orders"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_same_reference_twice_is_two_orders() {
    let (platform, client) = started(Hft71::builder()).await;
    for id in [123_456, 123_457] {
        assert_eq!(client.post("/order", &sample_order()).await.json()["orderId"], id);
    }
    let shop = platform.shop();
    assert_eq!(shop.order_ids_by_reference("72774"), [123_456, 123_457]);
    assert_eq!(shop.order_by_reference("72774").unwrap()["orderId"], 123_457);
    assert!(shop.order_by_reference("72775").is_none());
    assert_eq!(platform.ledger().about("72774").len(), 2);
}

#[tokio::test]
async fn an_order_that_was_taken_over_may_have_no_answer() {
    let (platform, client) = started(Hft71::builder()).await;
    platform.set_fault(Some("apply-then-reset:next=1".parse().unwrap()));
    let lost = client.send("POST", "/order", Some("application/json"), &sample_order().to_string()).await;
    assert_eq!(lost.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(platform.shop().order_ids_by_reference("72774"), [123_456]);
}

#[tokio::test]
async fn an_sku_of_two_lines_has_two_statuses() {
    let (platform, client) = started(Hft71::builder()).await;
    let mut order = sample_order();
    order["items"] = json!([{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}, {"sku": "A", "quantity": 3}]);
    client.post("/order", &order).await;
    assert!(platform.shop().set_line_status(123_456, 2, "W pakowaniu"));
    assert!(!platform.shop().set_line_status(123_456, 3, "Closed"));
    let rows = client.get("/order/123456/status").await.json();
    assert_eq!(
        rows,
        json!([
            {"sku": "A", "status": "In Production"},
            {"sku": "B", "status": "In Production"},
            {"sku": "A", "status": "W pakowaniu"},
        ])
    );
    assert_eq!(platform.shop().statuses(123_456), Some(rows));
    platform.shop().set_customer_status(123_456, "Prawie gotowe");
    assert_eq!(client.get("/order/123456/customer-status").await.each("status"), ["Prawie gotowe"; 3]);
}

#[tokio::test]
async fn a_bad_order_is_refused_with_the_names_of_its_fields() {
    let (platform, client) = started(Hft71::builder()).await;
    for (pointer, value, field) in [
        ("/referenceId", json!(72774), "referenceId"),
        ("/referenceId", json!(""), "referenceId"),
        ("/orderDate", json!("2026-03-02T10:00:00Z"), "orderDate"),
        ("/orderDate", json!("2026-02-30"), "orderDate"),
        ("/address", json!("Main Street 10"), "address"),
        ("/address/customerName", json!(""), "address.customerName"),
        ("/address/address2", json!(null), "address.address2"),
        ("/address/country", json!("Poland"), "address.country"),
        ("/address/country", json!("pl"), "address.country"),
        ("/address/country", json!("POL"), "address.country"),
        ("/items", json!([]), "items"),
        ("/items/0/sku", json!(""), "items.0.sku"),
        ("/items/0/quantity", json!(0), "items.0.quantity"),
        ("/items/0/quantity", json!("2"), "items.0.quantity"),
        ("/items/0/quantity", json!(1.5), "items.0.quantity"),
    ] {
        let mut order = sample_order();
        *order.pointer_mut(pointer).expect(pointer) = value;
        let answer = client.post("/order", &order).await;
        assert_eq!(answer.status, 400, "{order}");
        assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 1, "{order}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    assert_eq!(client.post("/order", &json!({})).await.json()["errors"].as_array().unwrap().len(), 4);
    assert_eq!(client.send("POST", "/order", Some("application/json"), "{").await.unwrap().status, 400);
    assert!(platform.ledger().is_empty());
    assert!(platform.shop().order_ids().is_empty());
}

#[tokio::test]
async fn an_unknown_article_is_refused_where_it_matters() {
    let mut order = sample_order();
    order["items"][0]["sku"] = json!("GL-NOWHERE");
    for (strict, status) in [(true, 422), (false, 200)] {
        let (platform, client) = started(Hft71::builder().only_known_skus(strict)).await;
        assert_eq!(client.post("/order", &order).await.status, status);
        assert_eq!(client.post("/order", &sample_order()).await.status, 200);
        assert_eq!(platform.ledger().len(), if strict { 1 } else { 2 });
    }
}

#[tokio::test]
async fn an_order_is_changed_as_the_documentation_shows() {
    let (platform, client) = started(Hft71::builder()).await;
    client.post("/order", &sample_order()).await;
    let address: Value =
        serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-update-address-request.json")).unwrap();
    let status: Value =
        serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-update-status-request.json")).unwrap();
    assert_eq!(client.put("/order/123456", &address).await.status, 200);
    assert_eq!(client.get("/order/123456").await.json()["address"], address["address"]);
    assert_eq!(client.put("/order/123456", &status).await.status, 200);
    assert_eq!(client.get("/order/123456/status").await.each("status"), ["Closed"]);
    let effects: Vec<_> = platform.ledger().about("123456").into_iter().map(|entry| entry.effect).collect();
    assert_eq!(effects, ["order.update-address", "order.update-status"]);

    let mut nameless = address.clone();
    nameless["address"]["customerName"] = json!("");
    for (path, body, status) in [
        ("/order/1", &status, 404),
        ("/order/123456", &json!({}), 400),
        ("/order/123456", &json!({"orderStatus": ""}), 400),
        ("/order/123456", &json!({"orderStatus": 7}), 400),
        ("/order/123456", &nameless, 400),
    ] {
        assert_eq!(client.put(path, body).await.status, status, "{path} {body}");
    }
    platform.shop().send_order(123_456, "InPost", "IP-1", "IP-2");
    assert_eq!(client.put("/order/123456", &address).await.status, 409, "it is on its way");
    assert_eq!(platform.ledger().len(), 3);
}

#[tokio::test]
async fn a_server_without_the_order_route_tells_no_shipping() {
    let (platform, client) = started(Hft71::builder().order_route(false)).await;
    client.post("/order", &sample_order()).await;
    platform.shop().send_order(123_456, "InPost", "IP-1", "IP-2");
    assert_eq!(client.get("/order/123456").await.status, 404);
    assert_eq!(client.get("/order/123456/status").await.each("status"), ["Closed"]);
    assert_eq!(platform.shop().order(123_456).unwrap()["shipping"]["trackingRet"], "IP-2");
}

async fn skus(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("/stock/available{query}")).await.each("sku")
}

#[tokio::test]
async fn the_stock_is_a_bare_array_in_pages() {
    let (platform, client) = started(Hft71::builder().articles(450)).await;
    assert_eq!(platform.held(), [("stock".to_owned(), 450)].into());
    let sample: Value = serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-stock.json")).unwrap();
    assert_eq!(client.get("/stock/available?page=1&count=1").await.json(), sample);
    let mut all = Vec::new();
    for (page, length) in [(1, 200), (2, 200), (3, 50), (4, 0)] {
        let rows = skus(&client, &format!("?page={page}&count=200")).await;
        assert_eq!(rows.len(), length, "{page}");
        all.extend(rows);
    }
    let distinct: std::collections::BTreeSet<_> = all.iter().map(|sku| sku.as_str().unwrap()).collect();
    assert_eq!(distinct.len(), 450);
    assert_eq!(skus(&client, "").await.len(), 200);
    for query in ["?page=0", "?page=x", "?count=0", "?count=-1", "?page=1&count="] {
        assert_eq!(client.get(&format!("/stock/available{query}")).await.status, 400, "{query}");
    }
    assert_eq!(skus(&client, "?page=99999999999999&count=99999999").await.len(), 0);
}

#[tokio::test]
async fn a_page_of_the_stock_is_cut_in_silence() {
    let (_platform, client) = started(Hft71::builder().articles(1200)).await;
    for (page, length) in [(1, 500), (2, 500), (3, 200)] {
        assert_eq!(skus(&client, &format!("?page={page}&count=1000")).await.len(), length, "{page}");
    }
    let (_platform, client) = started(Hft71::builder().articles(30).longest_page(7)).await;
    assert_eq!(skus(&client, "?page=5&count=200").await.len(), 2);
}

#[tokio::test]
async fn a_server_that_ignores_the_page_repeats_the_first_for_ever() {
    let (_platform, client) = started(Hft71::builder().articles(30).ignores_page(true)).await;
    let first = skus(&client, "?page=1&count=10").await;
    assert_eq!(skus(&client, "?page=2&count=10").await, first);
    assert_eq!(skus(&client, "?page=77&count=10").await, first);
}

#[tokio::test]
async fn new_articles_push_the_others_on_while_they_are_read() {
    let (platform, client) = started(Hft71::builder().articles(20).new_articles_between_pages(1)).await;
    let first = skus(&client, "?page=1&count=10").await;
    let second = skus(&client, "?page=2&count=10").await;
    assert_eq!(second[0], first[9], "pushed on by one row");
    assert_eq!(platform.held()["stock"], 21);
    assert_eq!(skus(&client, "?page=3&count=10").await.len(), 1, "no more came after that");
}

#[tokio::test]
async fn the_stock_changes_by_hand() {
    let (platform, client) = started(Hft71::builder().articles(2)).await;
    let shop = platform.shop();
    shop.set_stock("GL64000-00007-0046", -3);
    shop.set_stock("NEW", "12");
    shop.insert_stock_json(json!({"sku": null, "stock": 1}));
    assert!(shop.remove_article("GL64000-00100-0040"));
    assert!(!shop.remove_article("GL64000-00100-0040"));
    assert_eq!(
        client.get("/stock/available").await.json(),
        json!([{"sku": null, "stock": 1}, {"sku": "GL64000-00007-0046", "stock": -3}, {"sku": "NEW", "stock": "12"}])
    );
    assert_eq!(shop.stock("NEW"), Some(json!("12")));
}

#[tokio::test]
async fn too_many_requests_are_refused() {
    let (_platform, client) = started(Hft71::builder().requests_per_second(2)).await;
    assert_eq!(client.get("/stock/available").await.status, 200);
    assert_eq!(client.get("/stock/available").await.status, 429);
}
