//! WCFM: listing and reading products.

use serde_json::json;
use tradepost_platforms::{Platform, Wcfm};

use crate::client::{Answer, Client};

async fn started() -> (Wcfm, Client) {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    (platform, client)
}

async fn products(client: &Client, query: &str) -> Answer {
    client.get(&format!("/wp-json/wcfmmp/v1/products?{query}")).await
}

#[tokio::test]
async fn pages_carry_totals_and_links() {
    let (platform, client) = started().await;
    let base = format!("{}/wp-json/wcfmmp/v1/products", platform.root_url());
    for (query, links) in [
        ("per_page=10", vec![("2", "next")]),
        ("per_page=10&page=2", vec![("1", "prev"), ("3", "next")]),
        ("per_page=10&page=3", vec![("2", "prev")]),
    ] {
        let answer = products(&client, query).await;
        assert_eq!((answer.header("x-wp-total"), answer.header("x-wp-totalpages")), (Some("22"), Some("3")));
        let links: Vec<String> =
            links.iter().map(|(page, rel)| format!("<{base}?per_page=10&page={page}>; rel=\"{rel}\"")).collect();
        assert_eq!(answer.header("link"), Some(links.join(", ").as_str()));
    }
    let beyond = products(&client, "page=99").await;
    assert_eq!((beyond.text(), beyond.header("x-wp-total")), ("[]", None));
    assert_eq!(products(&client, "per_page=101").await.status, 400);
}

#[tokio::test]
async fn drafts_need_a_status() {
    let (platform, client) = started().await;
    for (query, count) in [
        ("", 22),
        ("status=draft", 1),
        ("post_status=draft", 1),
        ("status=draft,pending", 2),
        ("status[]=draft&status[]=pending", 2),
        ("status=any", 24),
    ] {
        assert_eq!(
            products(&client, &format!("per_page=100&_fields=id&{query}")).await.each("id").len(),
            count,
            "{query}"
        );
    }
    assert_eq!(platform.held()["products"], 24);
    assert_eq!(products(&client, "status=trash").await.text(), "[]");
}

#[tokio::test]
async fn filters_filter_and_some_crash() {
    let (_platform, client) = started().await;
    for (query, ids) in [
        ("search=bulk&per_page=3", vec![42, 41, 40]),
        ("include[]=15&include[]=16", vec![16, 15]),
        ("exclude[]=42&per_page=2", vec![41, 40]),
        ("slug=beanie", vec![15]),
        ("category=44", vec![16]),
        ("offset=3&per_page=2", vec![39, 38]),
        ("type=variable", vec![17]),
        ("orderby=title&order=asc&per_page=4", vec![15, 31, 40, 41]),
        ("orderby=date&order=asc&per_page=4", vec![15, 16, 17, 22]),
        ("after=2026-09-10T00:00:00&before=2026-09-13T23:59:59", vec![33, 32, 31, 30]),
    ] {
        assert_eq!(products(&client, &format!("{query}&_fields=id")).await.each("id"), ids, "{query}");
    }
    for query in ["sku=BEANIE-1", "include=15,43"] {
        assert_eq!(products(&client, query).await.status, 500, "{query}");
    }
}

#[tokio::test]
async fn who_asks_sees_his_own_and_nobody_sees_all() {
    let (platform, client) = started().await;
    let total = async |client: &Client| products(client, "per_page=1").await.header("x-wp-total").map(str::to_owned);
    assert_eq!(total(&client).await.as_deref(), Some("22"));
    assert_eq!(total(&Client::basic(&platform, platform.other_vendor())).await.as_deref(), Some("1"));
    assert_eq!(total(&Client::basic(&platform, platform.customer())).await, None);
    // All that is published, of all vendors, without the private one.
    assert_eq!(total(&Client::anonymous(&platform)).await.as_deref(), Some("22"));
}

#[tokio::test]
async fn a_single_product_is_anyones_to_read() {
    let (_platform, client) = started().await;
    let get = async |path: &str| client.get(&format!("/wp-json/wcfmmp/v1/products/{path}")).await;
    assert_eq!(get("43").await.json()["post_author"], "3");
    assert_eq!(get("25").await.json()["status"], "draft");
    for id in ["999999", "48", "0", "99999999999999999999"] {
        let answer = get(id).await;
        assert_eq!((answer.status, answer.json()["message"].as_str()), (404, Some("Invalid ID")), "{id}");
    }
    let variation = get("18").await;
    assert_eq!(variation.status, 404);
    assert!(variation.json()["message"].as_str().unwrap().starts_with("To manipulate product variations"));
    let narrow = get("15?_fields=id").await.json();
    assert_eq!(narrow.as_object().unwrap().len(), 2, "a single product keeps its links");
    assert_eq!(get("16?context=edit").await.json()["short_description"], "Short <em>text</em>");
    assert_eq!(get("16").await.json()["short_description"], "<p>Short <em>text</em></p>\n");
}

#[tokio::test]
async fn related_products_come_in_another_order_each_time() {
    let (_platform, client) = started().await;
    let related = async || client.get("/wp-json/wcfmmp/v1/products/42").await.json()["related_ids"].clone();
    assert_ne!(related().await, related().await);
}

#[tokio::test]
async fn the_newer_generation_shows_more_of_a_product() {
    let platform = Wcfm::builder().generation(tradepost_platforms::Generation::V1_6).start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    let product = client.get("/wp-json/wcfmmp/v1/products/42").await.json();
    assert_eq!(product["product_restirction_message"], "");
    assert_eq!(product["_links"]["self"][0]["targetHints"]["allow"][0], "GET");
}

#[tokio::test]
async fn variations_attributes_and_categories_are_served() {
    let (platform, client) = started().await;
    let variations = client.get("/wp-json/wcfmmp/v1/products/17/variations").await.json();
    assert_eq!(variations["variations"][0]["variation_id"], 18);
    assert_eq!(variations["attributes"], client.get("/wp-json/wcfmmp/v1/products/17/attributes").await.json());
    let categories = client.get("/wp-json/wcfmmp/v1/products/categories?per_page=1").await;
    assert_eq!(categories.each("id"), [46, 45, 44, 43, 15]);
    assert_eq!(platform.held()["categories"], 5);
    let link = categories.json()[0]["_links"]["self"][0]["href"].as_str().unwrap().to_owned();
    assert!(link.starts_with(platform.root_url()), "{link}");
    assert_eq!(Client::anonymous(&platform).get("/wp-json/wcfmmp/v1/products/categories").await.status, 401);
}

#[tokio::test]
async fn stock_counts_simple_products_and_variations() {
    let (platform, _client) = started().await;
    // 21 simple ones, 4 variations of one variable one; a grouped and an external one have none.
    assert_eq!(platform.held()["stock"], 25);
    let shop = platform.shop();
    let mut product = shop.product(42).unwrap();
    product["id"] = json!(900);
    assert!(shop.insert_product_json(product));
    assert_eq!(platform.held()["stock"], 26);
    assert!(shop.remove_product(900));
    assert!(!shop.product_ids().contains(&900));
}
