//! WCFM: settings, restricted capabilities, notifications and the public routes.

use serde_json::{Value, json};
use tradepost_platforms::{Generation, Platform, Wcfm};

use crate::client::Client;

async fn get(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.get(&format!("/wp-json/wcfmmp/v1{path}")).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn settings_are_shown_to_their_owner_alone() {
    let platform = Wcfm::builder().start().await.unwrap();
    let vendor = Client::basic(&platform, platform.credentials());
    let other = Client::basic(&platform, platform.other_vendor());
    let anyone = Client::anonymous(&platform);
    for path in ["/settings/id/2", "/settings/id/2/", "/settings/email/test_vendor@example.test"] {
        assert_eq!(get(&vendor, path).await.1["store_name"], "Test Vendor Store", "{path}");
    }
    for (client, path, answer) in [
        (&other, "/settings/id/3", json!("")),
        (&other, "/settings/email/other.vendor+2@example.test", json!("")),
        (&anyone, "/settings/id/0", json!(false)),
    ] {
        assert_eq!(get(client, path).await, (200, answer), "never saved, or nobody: {path}");
    }
    for (client, path, status) in [
        (&vendor, "/settings/id/3", 403),
        (&vendor, "/settings/id/abc", 404),
        (&vendor, "/settings/email/test_vendor%40example.test", 403),
        (&vendor, "/settings/email/TEST_VENDOR@example.test", 403),
        (&anyone, "/settings/id/2", 401),
        (&anyone, "/settings/email/test_vendor@example.test", 401),
    ] {
        assert_eq!(get(client, path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn restrictions_are_an_object_or_an_empty_array() {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    assert_eq!(get(&client, "/restricted-capabilities").await.1["gallery_img"], "yes");
    let free = Wcfm::builder().unrestricted(true).start().await.unwrap();
    let client = Client::basic(&free, free.credentials());
    assert_eq!(get(&client, "/restricted-capabilities").await, (200, json!([])));
}

#[tokio::test]
async fn notifications_page_and_sort_as_recorded() {
    let platform = Wcfm::builder().notifications(60).start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    assert_eq!(platform.held()["notifications"], 60);
    let recorded = Wcfm::builder().start().await.unwrap();
    let recorded = Client::basic(&recorded, recorded.credentials());
    for (client, query, ids) in [
        (&client, "per_page=2", vec!["1029", "1028"]),
        (&recorded, "per_page=2&page=2", vec!["59", "58"]),
        (&recorded, "order=asc&per_page=2", vec!["6", "8"]),
        (&recorded, "order=ASC&per_page=2", vec!["61", "60"]),
        (&recorded, "orderby=created&order=asc&per_page=2", vec!["6", "8"]),
        (&recorded, "orderby=bogus", vec![]),
        (&recorded, "notification_status=read", vec!["4", "3", "2"]),
        (&recorded, "notification_status=all&per_page=2", vec!["61", "60"]),
        (&recorded, "notification_type=order&per_page=2", vec!["58", "56"]),
        (&recorded, "notification_type=bogus", vec![]),
        (&recorded, "page=99", vec![]),
    ] {
        let answer = client.get(&format!("/wp-json/wcfmmp/v1/notifications?{query}")).await;
        assert_eq!(answer.header("x-wp-total"), None);
        assert_eq!(answer.each("ID"), ids, "{query}");
    }
    assert_eq!(get(&client, "/notifications?per_page=101").await.0, 400);
    assert_eq!(get(&Client::anonymous(&platform), "/notifications").await.0, 401);
}

#[tokio::test]
async fn the_version_is_public() {
    for (generation, version) in [(Generation::V1_5, "1.5.3"), (Generation::V1_6, "1.6.2")] {
        let platform = Wcfm::builder().generation(generation).prefix("market/").start().await.unwrap();
        let details = get(&Client::anonymous(&platform), "/site-details").await.1;
        assert_eq!(details["wcfm_rest_api_version"], version);
        assert_eq!(details["site_url"], platform.root_url());
    }
}

#[tokio::test]
async fn vendors_and_sales_are_served() {
    let platform = Wcfm::builder().start().await.unwrap();
    let anyone = Client::anonymous(&platform);
    assert_eq!(get(&anyone, "/store-vendors").await.1[0]["vendor_id"], 2);
    assert_eq!(get(&anyone, "/store-vendors/3").await.1["vendor_id"], 3);
    let unknown = get(&anyone, "/store-vendors/99").await;
    assert_eq!((unknown.0, unknown.1["errors"].is_object()), (200, true));
    assert_eq!(get(&anyone, "/sales-stats").await.0, 401);
    let client = Client::basic(&platform, platform.credentials());
    assert_eq!(get(&client, "/sales-stats").await.1["currency"], "INR");
}
