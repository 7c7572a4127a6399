//! HFT71's webhooks, as the shop that receives them sees them.

use serde_json::{Value, json};
use tradepost_platforms::{DeliveryAnswer, Hft71, Hft71Builder, Platform, SentSecret};

use crate::hft71::{sample_order, started};
use crate::receiver::Receiver;

/// The documentation's answer.
const TAKEN: &str = include_str!("../../../fixtures/seeds/hft71-webhook-answer.json");

/// One with an order handed over, telling its changes to the receiver.
async fn telling(receiver: &Receiver, builder: Hft71Builder) -> (Hft71, crate::client::Client) {
    let (platform, client) = started(builder.webhook_url(&receiver.url).webhook_secret("agreed-secret")).await;
    client.post("/order", &sample_order()).await;
    (platform, client)
}

fn secret(request: &str) -> Option<&str> {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-hft71-webhook-secret").then_some(value)
    })
}

#[tokio::test]
async fn a_change_of_status_is_told_as_the_documentation_prints_it() {
    let sample: Value =
        serde_json::from_str(include_str!("../../../fixtures/seeds/hft71-webhook-request.json")).unwrap();
    let receiver = Receiver::start("200 OK", TAKEN).await;
    let (platform, _client) = telling(&receiver, Hft71::builder()).await;
    let shop = platform.shop();
    shop.advance(123_456);
    assert!(shop.settled_deliveries().await.is_empty(), "the status is the same word, only the buyer's is another");
    shop.advance(123_456);
    let deliveries = shop.settled_deliveries().await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!((deliveries[0].number, deliveries[0].status.as_str()), (1, "Closed"));
    assert_eq!(deliveries[0].answer, Ok(DeliveryAnswer { status: 200, body: TAKEN.to_owned() }));
    let request = &receiver.requests()[0];
    assert!(request.starts_with("POST /wp-json/hft71/v1/order-status?from=hft71 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
    assert_eq!(secret(request), Some("agreed-secret"));
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), sample);
}

#[tokio::test]
async fn a_delivery_is_repeated_with_the_secret_of_ones_choice() {
    let receiver = Receiver::start("403 Forbidden", "{}").await;
    let (platform, _client) = telling(&receiver, Hft71::builder()).await;
    let shop = platform.shop();
    shop.set_status(123_456, "W kolejce");
    shop.settled_deliveries().await;
    assert!(shop.redeliver(1));
    assert!(shop.redeliver_with(1, SentSecret::Wrong));
    assert!(shop.redeliver_with(1, SentSecret::Missing));
    assert!(!shop.redeliver(9) && !shop.redeliver(0));
    assert!(shop.announce("no-order", "Closed", SentSecret::Right));
    let deliveries = shop.settled_deliveries().await;
    let told: Vec<_> =
        deliveries.iter().map(|one| (one.external_id.as_str(), one.status.as_str(), one.secret)).collect();
    assert_eq!(
        told,
        [
            ("123456", "W kolejce", SentSecret::Right),
            ("123456", "W kolejce", SentSecret::Right),
            ("123456", "W kolejce", SentSecret::Wrong),
            ("123456", "W kolejce", SentSecret::Missing),
            ("no-order", "Closed", SentSecret::Right),
        ]
    );
    assert!(deliveries.iter().all(|one| one.answer.as_ref().is_ok_and(|answer| answer.status == 403)));
    assert_eq!(shop.deliveries(), deliveries);
    let requests = receiver.requests();
    let secrets: Vec<_> = requests.iter().map(|request| secret(request)).collect();
    let right = Some("agreed-secret");
    assert_eq!(secrets, [right, right, Some("xxxxxxxxxxxxx"), None, right]);
}

#[tokio::test]
async fn a_status_that_the_customer_set_comes_back_like_an_echo() {
    let receiver = Receiver::start("200 OK", TAKEN).await;
    for (echoes, count) in [(true, 1), (false, 0)] {
        let builder = Hft71::builder().announces_changes_by_customer(echoes);
        let (platform, client) = telling(&receiver, builder).await;
        for _ in 0..2 {
            client.put("/order/123456", &json!({"orderStatus": "Closed"})).await;
        }
        assert_eq!(platform.shop().settled_deliveries().await.len(), count, "the second time nothing changed");
    }
}

#[tokio::test]
async fn the_word_for_the_whole_order_waits_for_its_last_line() {
    let receiver = Receiver::start("200 OK", TAKEN).await;
    let (platform, client) = started(Hft71::builder()).await;
    let shop = platform.shop();
    shop.send_webhooks_to(&receiver.url, "agreed-later");
    let mut order = sample_order();
    order["items"] = json!([{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]);
    client.post("/order", &order).await;
    shop.set_line_status(123_456, 0, "Closed");
    assert!(shop.settled_deliveries().await.is_empty());
    shop.set_line_status(123_456, 1, "Closed");
    assert_eq!(shop.settled_deliveries().await.len(), 1);
    assert_eq!(secret(&receiver.requests()[0]), Some("agreed-later"));
    let secrets = platform.example_secrets();
    assert!(secrets.contains(&("webhook-secret".to_owned(), "agreed-later".to_owned())));
    shop.send_no_webhooks();
    shop.set_status(123_456, "In Production");
    assert_eq!(shop.settled_deliveries().await.len(), 1);
    assert!(!shop.redeliver(1), "there is nobody to tell");
}

#[tokio::test]
async fn a_delivery_that_fails_says_why() {
    let (platform, client) = started(Hft71::builder()).await;
    client.post("/order", &sample_order()).await;
    let shop = platform.shop();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, reason) in [
        (format!("http://{gone}/"), "cannot be reached"),
        ("https://127.0.0.1/".to_owned(), "is no address such as http://"),
        ("order-status".to_owned(), "is no address such as http://"),
    ] {
        shop.send_webhooks_to(&url, "s");
        shop.announce("1", "Closed", SentSecret::Right);
        let failed = shop.settled_deliveries().await.pop().unwrap();
        assert_eq!(failed.url, url);
        assert!(failed.answer.clone().unwrap_err().contains(reason), "{failed:?}");
    }
}
