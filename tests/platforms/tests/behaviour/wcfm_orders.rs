//! WCFM: listing and reading orders.

use serde_json::json;
use tradepost_platforms::{Platform, Wcfm};

use crate::client::{Answer, Client};

async fn started(orders: u64) -> (Wcfm, Client) {
    let platform = Wcfm::builder().orders(orders).start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    (platform, client)
}

async fn orders(client: &Client, query: &str) -> Answer {
    client.get(&format!("/wp-json/wcfmmp/v1/orders?{query}")).await
}

#[tokio::test]
async fn pages_come_newest_first_without_totals_until_a_short_one() {
    let (platform, client) = started(250).await;
    let mut ids = Vec::new();
    for page in 1..=3 {
        let answer = orders(&client, &format!("per_page=100&page={page}")).await;
        assert_eq!(answer.header("x-wp-total"), None);
        assert_eq!(
            answer.header("link"),
            Some(format!("<{}/wp-json/>; rel=\"https://api.w.org/\"", platform.root_url()).as_str())
        );
        ids.extend(answer.each("id").into_iter().map(|id| id.as_u64().unwrap()));
    }
    assert_eq!(ids, platform.shop().order_ids());
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    assert_eq!(orders(&client, "page=99").await.text(), "[]");
    assert_eq!(
        orders(&client, "page=99999999999999999999&_fields=id").await.each("id").len(),
        10,
        "an overflow is page 1"
    );
}

#[tokio::test]
async fn arguments_of_paging_are_checked_and_no_others() {
    let (_platform, client) = started(24).await;
    for (query, message) in [
        ("per_page=101", "per_page must be between 1 (inclusive) and 100 (inclusive)"),
        ("per_page=0", "per_page must be between 1 (inclusive) and 100 (inclusive)"),
        ("per_page=-1", "per_page must be between 1 (inclusive) and 100 (inclusive)"),
        ("per_page=abc", "per_page is not of type integer."),
        ("per_page=2.5", "per_page is not of type integer."),
        ("per_page=", "per_page is not of type integer."),
        ("page=0", "page must be greater than or equal to 1"),
        ("page=two", "page is not of type integer."),
    ] {
        let answer = orders(&client, query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["code"], "rest_invalid_param");
        let name = query.split('=').next().unwrap();
        assert_eq!(answer.json()["message"], format!("Invalid parameter(s): {name}"));
        assert_eq!(answer.json()["data"]["params"][name], message);
    }
    assert_eq!(orders(&client, "status=completed&offset=5&dp=2&per_page=2").await.each("id"), [75, 74]);
}

#[tokio::test]
async fn order_and_orderby_work_as_recorded_and_not_as_documented() {
    let (_platform, client) = started(24).await;
    for (query, ids) in [
        ("order=asc", vec![48, 49, 50]),
        ("order=ASC", vec![75, 74, 73]),
        ("order=sideways", vec![75, 74, 73]),
        ("orderby=order_id&order=asc", vec![48, 49, 50]),
        ("orderby=ID&order=asc", vec![48, 49, 50]),
        ("orderby=created&order=asc", vec![48, 49, 50]),
        ("orderby=item_total&order=asc", vec![75, 66, 58]),
        ("orderby=date&order=asc", vec![]),
        ("orderby=title", vec![]),
        ("orderby=bogus", vec![]),
    ] {
        let answer = orders(&client, &format!("{query}&per_page=3&_fields=id")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.each("id"), ids, "{query}");
    }
}

#[tokio::test]
async fn dates_filter_only_together_and_by_whole_days() {
    let (_platform, client) = started(24).await;
    for (query, ids) in [
        ("after=2026-10-05T00:00:00&before=2026-10-08T00:00:00", vec![53, 52, 51, 50]),
        ("after=2026-10-05T23:00:00Z&before=2026-10-08T01:00:00Z", vec![53, 52, 51, 50]),
        ("after=2026-10-05&before=2026-10-08", vec![53, 52, 51, 50]),
        ("after=2026-10-08&before=2026-10-05", vec![]),
        ("after=2026-11-05T00:00:00&per_page=2", vec![75, 74]),
        ("before=2026-10-10T00:00:00&per_page=2", vec![75, 74]),
    ] {
        assert_eq!(orders(&client, &format!("{query}&_fields=id")).await.each("id"), ids, "{query}");
    }
}

#[tokio::test]
async fn search_looks_into_the_number_and_the_addresses() {
    let (_platform, client) = started(24).await;
    for (search, ids) in [("49", vec![59, 50, 49]), ("J%C3%BCrgen", vec![59, 50]), ("zzzzqqq", vec![])] {
        assert_eq!(orders(&client, &format!("search={search}")).await.each("id"), ids, "{search}");
    }
}

#[tokio::test]
async fn fields_narrow_a_list() {
    let (_platform, client) = started(24).await;
    let answer = orders(&client, "per_page=1&_fields=id,status,total").await;
    assert_eq!(answer.json(), json!([{"id": 75, "status": "on-hold", "total": "60.17"}]));
}

#[tokio::test]
async fn a_single_order_is_an_object_or_an_array_of_one() {
    let (_platform, client) = started(24).await;
    assert_eq!(client.get("/wp-json/wcfmmp/v1/orders/52?_fields=id").await.json(), json!({"id": 52}));
    let old = Wcfm::builder().order_in_array(true).start().await.unwrap();
    let client = Client::basic(&old, old.credentials());
    assert_eq!(client.get("/wp-json/wcfmmp/v1/orders/52?_fields=id").await.json(), json!([{"id": 52}]));
}

#[tokio::test]
async fn an_order_that_is_not_the_vendors_is_no_order() {
    let (platform, client) = started(24).await;
    let other = Client::basic(&platform, platform.other_vendor());
    for (client, id) in [(&client, 54), (&client, 999_999), (&client, 15), (&other, 48)] {
        let answer = client.get(&format!("/wp-json/wcfmmp/v1/orders/{id}")).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["code"], "wcfmapi_rest_invalid_vendor");
    }
    assert_eq!(other.get("/wp-json/wcfmmp/v1/orders").await.text(), "[]");
}

#[tokio::test]
async fn a_page_with_the_ghost_of_an_order_crashes_and_the_others_do_not() {
    let (platform, client) = started(24).await;
    assert!(platform.shop().leave_ghost_of_order(68));
    assert!(!platform.shop().leave_ghost_of_order(68));
    assert_eq!(orders(&client, "per_page=10").await.status, 500);
    assert_eq!(orders(&client, "per_page=7&page=2").await.status, 500);
    assert_eq!(orders(&client, "per_page=7&_fields=id").await.each("id").len(), 7);
    assert_eq!(orders(&client, "per_page=1&page=9&_fields=id").await.each("id"), [67]);
    assert_eq!(client.get("/wp-json/wcfmmp/v1/orders/68").await.status, 404);
    assert_eq!(platform.held()["orders"], 23);
}

#[tokio::test]
async fn a_crash_is_json_only_for_a_client_that_asks_for_json() {
    let (_platform, client) = started(24).await;
    let page = client.get("/wp-json/wcfmmp/v1/orders/0").await;
    assert_eq!((page.status, page.header("content-type")), (500, Some("text/html; charset=UTF-8")));
    let json = client.with("accept", "application/json").get("/wp-json/wcfmmp/v1/orders/0").await;
    assert_eq!((json.status, json.json()["code"].as_str()), (500, Some("internal_server_error")));
}

#[tokio::test]
async fn text_is_escaped_as_php_does_it() {
    let (_platform, client) = started(24).await;
    let answer = orders(&client, "per_page=100").await;
    assert!(answer.text().is_ascii());
    assert!(answer.text().contains(r#""address_2":"69T\/17""#));
    assert!(answer.text().contains(r"\u5c0f\u660e"));
    assert!(answer.text().contains(r#""commission_value":19.439999999999998"#), "floats keep their noise");
}

#[tokio::test]
async fn a_test_changes_the_shop_between_two_pages() {
    let (platform, client) = started(24).await;
    let shop = platform.shop();
    platform.between_requests(Box::new(move |served| {
        if served.number == 1 {
            let id = shop.insert_order("processing");
            assert!(shop.touch_order(id));
            assert!(shop.remove_order(60));
            assert!(shop.set_order_status(75, "completed"));
        }
    }));
    let first = orders(&client, "_fields=id").await.each("id");
    let second = orders(&client, "page=2&_fields=id").await.each("id");
    assert_eq!(second[0], first[9], "a new order pushes the last of page 1 on to page 2");
    let now = orders(&client, "per_page=2&_fields=id,status,date_modified").await.json();
    assert_eq!(now[0]["status"], "processing");
    assert_eq!((&now[1]["id"], &now[1]["status"]), (&json!(75), &json!("completed")));
    assert!(now[0]["date_modified"].as_str() < now[1]["date_modified"].as_str(), "a later change has a later date");
    assert_eq!(platform.held()["orders"], 24);
    assert!(platform.ledger().is_empty());
}
