//! WCFM: who may ask, how paths are found, and how errors look.

use serde_json::{Value, json};
use tradepost_platforms::{Generation, Platform, Wcfm};

use crate::client::Client;

const ORDERS: &str = "/wp-json/wcfmmp/v1/orders";

#[tokio::test]
async fn wrong_credentials_are_a_500_with_the_reason_as_code() {
    let platform = Wcfm::builder().start().await.unwrap();
    for (username, password, code, message) in [
        (
            "sandbox-vendor",
            "wrong",
            "incorrect_password",
            "<strong>Error:</strong> The password you entered for the username",
        ),
        ("nobody", "x", "invalid_username", "is not registered on this site"),
        ("sandbox-vendor", "", "empty_password", "The password field is empty."),
    ] {
        for path in [ORDERS, "/wp-json/", "/wp-json/wcfmmp/v1/nothing-here"] {
            let answer = Client::anonymous(&platform).with_basic(username, password).get(path).await;
            assert_eq!(answer.status, 500, "{code} {path}");
            assert_eq!(answer.json()["code"], code);
            assert!(answer.json()["message"].as_str().unwrap().contains(message));
            assert_eq!(answer.json()["data"], Value::Null);
        }
    }
    assert_eq!(platform.ledger().logins(), 0);
}

#[tokio::test]
async fn credentials_that_cannot_be_read_count_as_none() {
    let platform = Wcfm::builder().start().await.unwrap();
    let anyone = Client::anonymous(&platform);
    let query = format!("{ORDERS}?username=sandbox-vendor&password=not-a-real-password");
    for (client, path) in [
        (anyone.clone(), ORDERS),
        (anyone.clone().with("authorization", "Basic %%%"), ORDERS),
        (anyone.clone().with("authorization", "Bearer abc"), ORDERS),
        (anyone, query.as_str()),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.json(),
            json!({"code": "rest_forbidden", "message": "Sorry, you are not allowed to do that.", "data": {"status": 401}})
        );
    }
}

#[tokio::test]
async fn the_email_address_logs_in_too() {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::anonymous(&platform).with_basic("test_vendor@example.test", platform.credentials().password);
    assert_eq!(client.get(ORDERS).await.status, 200);
    assert_eq!(platform.ledger().logins(), 1);
}

#[tokio::test]
async fn the_generations_refuse_a_customer_differently() {
    let old = Wcfm::builder().start().await.unwrap();
    let new = Wcfm::builder().generation(Generation::V1_6).start().await.unwrap();
    let refusal = json!({"success": false, "data": "You don&#8217;t have permission to do this."});
    for (path, old_status, new_status) in
        [("/orders", 200, 403), ("/notifications", 200, 200), ("/restricted-capabilities", 403, 403)]
    {
        for (platform, status) in [(&old, old_status), (&new, new_status)] {
            let answer = Client::basic(platform, platform.customer()).get(&format!("/wp-json/wcfmmp/v1{path}")).await;
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.json() == refusal, status == 200, "{path}");
        }
    }
    assert_eq!(
        Client::basic(&old, old.customer()).get(&format!("{ORDERS}/48")).await.status,
        200,
        "1.5 shows anyone any order"
    );
    assert_eq!(Client::basic(&new, new.customer()).get(&format!("{ORDERS}/48")).await.status, 403);
    assert_eq!(Client::anonymous(&old).get("/wp-json/wcfmmp/v1/products/15").await.status, 200);
    assert_eq!(Client::anonymous(&new).get("/wp-json/wcfmmp/v1/products/15").await.status, 401);
}

#[tokio::test]
async fn a_path_is_found_however_wordpress_finds_it() {
    let platform = Wcfm::builder().prefix("/market").start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    for path in [
        "/wp-json/wcfmmp/v1/orders?per_page=1",
        "/wp-json/wcfmmp/v1/orders/?per_page=1",
        "/wp-json/wcfmmp/v1//orders?per_page=1",
        "/wp-json/WCFMMP/v1/Orders?per_page=1",
        "/?rest_route=/wcfmmp/v1/orders&per_page=1",
        "/index.php/wp-json/wcfmmp/v1/orders?per_page=1",
    ] {
        assert_eq!(client.get(path).await.each("id"), [75], "{path}");
    }
    let overridden = client.post("/wp-json/wcfmmp/v1/orders?per_page=1&_method=GET", &json!({})).await;
    assert_eq!(overridden.each("id"), [75]);
    let head = client.send("HEAD", "/wp-json/wcfmmp/v1/orders", None, "").await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_wrong_method_or_path_is_no_route() {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    for (method, path) in [
        ("DELETE", "/orders/48"),
        ("PUT", "/orders"),
        ("POST", "/orders"),
        ("PUT", "/settings/id/2"),
        ("DELETE", "/products"),
        ("GET", "/orders/abc"),
        ("GET", "/settings"),
        ("GET", "/nothing-here"),
    ] {
        let answer = client.json(method, &format!("/wp-json/wcfmmp/v1{path}"), &json!({"a": 1})).await;
        assert_eq!(answer.status, 404, "{method} {path}");
        assert_eq!(answer.json()["code"], "rest_no_route", "{method} {path}");
    }
    assert!(platform.ledger().is_empty());
}
