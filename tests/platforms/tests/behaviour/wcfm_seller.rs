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
    for (query, ids) in
        [("?per_page=2", vec![2, 3]), ("?per_page=2&page=2", vec![4]), ("?page=2", vec![]), ("", vec![2, 3, 4])]
    {
        let answer = anyone.get(&format!("/wp-json/wcfmmp/v1/store-vendors{query}")).await;
        assert_eq!(answer.each("vendor_id"), ids, "{query}");
        assert_eq!(answer.header("x-wp-total"), None);
    }
    assert_eq!(get(&anyone, "/store-vendors?per_page=0").await.0, 400);
}

#[tokio::test]
async fn the_recorded_vendor_has_no_reviews_and_no_enquiries() {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    for path in ["/reviews", "/enquiries"] {
        assert_eq!(get(&client, path).await, (200, json!([])), "{path}");
        assert_eq!(get(&Client::anonymous(&platform), path).await.0, 401, "{path}");
        assert_eq!(get(&Client::basic(&platform, platform.customer()), path).await.1["success"], false, "{path}");
    }
}

#[tokio::test]
async fn reviews_and_enquiries_are_rows_of_text_in_pages() {
    let builder = Wcfm::builder().notifications(40).reviews(12).enquiries(7);
    let platform = builder.start().await.unwrap();
    assert_eq!(platform.held()["notifications"], 59);
    let client = Client::basic(&platform, platform.credentials());
    let other = Client::basic(&platform, platform.other_vendor());
    let mut ids = std::collections::BTreeSet::new();
    for (path, count) in [("/notifications", 40), ("/reviews", 12), ("/enquiries", 7)] {
        let rows = get(&client, &format!("{path}?per_page=100")).await.1;
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), count, "{path}");
        for row in rows {
            assert!(row.as_object().unwrap().values().all(Value::is_string), "{row}");
            assert!(ids.insert(row["ID"].to_string()), "the ids of all three differ: {row}");
        }
        let numbers: Vec<u64> = rows.iter().map(|row| row["ID"].as_str().unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|newer, older| newer > older), "the newest first: {numbers:?}");
        assert_eq!(get(&other, path).await.1, json!([]), "{path}");
        assert_eq!(get(&client, &format!("{path}?per_page=5&page=2")).await.1[0], rows[5], "{path}");
        assert_eq!(get(&client, &format!("{path}?per_page=101")).await.0, 400);
    }
    let count = async |query: &str| get(&client, query).await.1.as_array().unwrap().len();
    assert_eq!(count("/reviews?per_page=100&status_type=approved").await, 9);
    assert_eq!(count("/reviews?per_page=100&status_type=pending").await, 3);
    let replied = get(&client, "/enquiries").await.1;
    let open: Vec<_> =
        replied.as_array().unwrap().iter().filter(|row| row["replied"] == "0000-00-00 00:00:00").collect();
    assert_eq!(open.len(), 5);
}

#[tokio::test]
async fn what_comes_new_is_the_first_of_its_list() {
    let platform = Wcfm::builder().reviews(2).enquiries(2).start().await.unwrap();
    let (shop, client) = (platform.shop(), Client::basic(&platform, platform.credentials()));
    let before = platform.held()["notifications"];
    let new = [
        ("/notifications", shop.insert_notification("product_lowstk", "Few are left")),
        ("/reviews", shop.insert_review(5, "Fine", "Very fine")),
        ("/enquiries", shop.insert_enquiry("Is it blue?")),
    ];
    assert_eq!(platform.held()["notifications"], before + 3);
    for (path, id) in new {
        let rows = get(&client, path).await.1;
        assert_eq!(rows[0]["ID"], id, "{path}");
        assert!(rows[0]["ID"] != rows[1]["ID"], "{path}");
    }
}
