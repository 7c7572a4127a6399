//! WCFM: creating, replacing, quick-editing and deleting products.

use serde_json::{Value, json};
use tradepost_platforms::{Platform, Wcfm};

use crate::client::{Answer, Client};

const PRODUCTS: &str = "/wp-json/wcfmmp/v1/products";

async fn started() -> (Wcfm, Client) {
    let platform = Wcfm::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    (platform, client)
}

fn path(id: u64) -> String {
    format!("{PRODUCTS}/{id}")
}

/// Which of the given fields of a product are as given.
fn assert_fields(product: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&product[name], value, "{name}");
    }
}

fn is_silent(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.is_empty()
}

#[tokio::test]
async fn a_created_product_is_a_200_and_published() {
    let (platform, client) = started().await;
    let answer = client.post(PRODUCTS, &json!({"name": "TEST <b>PRODUCT</b>", "regular_price": 20, "sku": "T-1", "categories": ["43", 44], "status": "draft"})).await;
    assert_eq!((answer.status, answer.header("location")), (200, None));
    let product = answer.json();
    assert_fields(
        &product,
        &json!({"name": "TEST PRODUCT", "slug": "test-product", "status": "publish", "type": "simple", "price": "20", "post_author": "2", "stock_quantity": null}),
    );
    assert_eq!(product["categories"][1]["name"], "Hoodies");
    let id = product["id"].as_u64().unwrap();
    assert_eq!(platform.ledger().about(&id.to_string())[0].effect, "product.create");
    assert_eq!(client.get(PRODUCTS).await.json()[0]["id"], id, "the newest is first");
    let form = client
        .send("POST", PRODUCTS, Some("application/x-www-form-urlencoded"), "name=Form+Product&regular_price=5")
        .await
        .unwrap();
    assert_eq!(form.json()["name"], "Form Product");
}

#[tokio::test]
async fn a_refused_creation_is_an_empty_200() {
    let (platform, client) = started().await;
    assert!(is_silent(&client.post(PRODUCTS, &json!({"regular_price": "20"})).await));
    assert!(is_silent(&client.post(PRODUCTS, &json!([1, 2])).await));
    assert!(is_silent(&client.send("POST", PRODUCTS, Some("application/json"), "").await.unwrap()));
    assert!(is_silent(&client.send("POST", PRODUCTS, Some("text/plain"), r#"{"name":"x"}"#).await.unwrap()));
    assert_eq!(
        client.send("POST", PRODUCTS, Some("application/json"), "{").await.unwrap().json()["code"],
        "rest_invalid_json"
    );
    assert_eq!(client.post(PRODUCTS, &json!({"name": ["a"]})).await.status, 500);
    assert!(platform.ledger().is_empty());
    assert_eq!(platform.held()["products"], 24);
}

#[tokio::test]
async fn a_failed_creation_leaves_something_behind() {
    let (platform, client) = started().await;
    assert!(is_silent(&client.post(PRODUCTS, &json!({"name": "Dup sku", "sku": "BEANIE-1"})).await));
    let drafts = client.get(&format!("{PRODUCTS}?status=draft&_fields=name,sku")).await.json();
    assert_eq!(drafts[0], json!({"name": "Dup sku", "sku": ""}));
    let image = client.post(PRODUCTS, &json!({"name": "Img bad id", "featured_image": {"id": 999_999}})).await;
    assert_eq!((image.status, image.json()["code"].as_str()), (400, Some("woocommerce_product_invalid_image_id")));
    assert_eq!(
        client.get(&format!("{PRODUCTS}?search=img&_fields=status")).await.json(),
        json!([{"status": "publish"}])
    );
    assert_eq!(
        platform.ledger().effects(),
        [("product.create".to_owned(), 1), ("product.stray-draft".to_owned(), 1)].into()
    );
}

#[tokio::test]
async fn prices_are_read_as_the_shop_reads_them() {
    let (_platform, client) = started().await;
    for (regular, sale, fields) in [
        (json!("12,50"), json!(""), json!({"price": "1250", "regular_price": "1250"})),
        (json!("abc"), json!(""), json!({"price": "", "purchasable": false, "price_html": ""})),
        (json!("10"), json!("15"), json!({"price": "10", "sale_price": "", "on_sale": false})),
        (json!(12.5), json!(10), json!({"price": "10", "regular_price": "12.5", "sale_price": "10", "on_sale": true})),
    ] {
        let product =
            client.post(PRODUCTS, &json!({"name": "Price", "regular_price": regular, "sale_price": sale})).await.json();
        assert_fields(&product, &fields);
    }
}

#[tokio::test]
async fn a_put_replaces_what_is_not_sent() {
    let (platform, client) = started().await;
    let beanie = client.put(&path(15), &json!({"name": "Beanie renamed"})).await.json();
    assert_fields(
        &beanie,
        &json!({"name": "Beanie renamed", "slug": "beanie", "sku": "", "price": "", "regular_price": "", "description": "", "categories": [], "purchasable": false}),
    );
    assert_eq!(beanie["images"][0]["id"], 12, "images stay");
    let mug = client.put(&path(28), &json!({"name": "Mug 2", "regular_price": "7.005"})).await.json();
    assert_fields(
        &mug,
        &json!({"manage_stock": false, "stock_quantity": null, "low_stock_amount": "", "catalog_visibility": "search"}),
    );
    assert!(mug["price_html"].as_str().unwrap().contains("7.01"));
    let book = client.put(&path(22), &json!({"name": "E-Book 2"})).await.json();
    assert_fields(&book, &json!({"virtual": false, "downloadable": false, "downloads": [], "download_limit": -1}));
    let neck = client.put(&path(17), &json!({"name": "V-Neck renamed"})).await.json();
    assert_fields(&neck, &json!({"type": "simple", "variations": [], "attributes": [], "default_attributes": []}));
    let hoodie = json!({"name": "Hoodie v2", "type": "simple", "regular_price": "310", "description": "new desc", "categories": [44], "sku": "HD-2", "weight": "0.75"});
    let hoodie = client.put(&path(16), &hoodie).await.json();
    assert_fields(
        &hoodie,
        &json!({"featured": true, "tags": [], "dimensions": {"length": "10", "width": "20.5", "height": "3"}, "purchase_note": "<p>Thanks!</p>\n"}),
    );
    assert_eq!(platform.ledger().effects()["product.replace"], 5);
    assert_eq!(client.get(&path(15)).await.json(), beanie);
}

#[tokio::test]
async fn a_put_that_cannot_be_is_an_empty_200() {
    let (platform, client) = started().await;
    let before = client.get(&path(35)).await.json()["name"].clone();
    assert!(is_silent(&client.put(&path(35), &json!({"regular_price": "1"})).await));
    assert!(is_silent(&client.put(&path(35), &json!({"name": "Bulk 5", "sku": "BULK-6"})).await));
    assert!(is_silent(&client.put(&path(999_999), &json!({"name": "x"})).await));
    assert_eq!(client.get(&path(35)).await.json()["name"], before);
    assert!(platform.ledger().is_empty());
}

#[tokio::test]
async fn a_put_of_another_vendors_product_succeeds_and_a_quick_edit_takes_it_away() {
    let (_platform, client) = started().await;
    let put = client.put(&path(43), &json!({"name": "Lamp taken over", "regular_price": "1"})).await.json();
    assert_fields(&put, &json!({"name": "Lamp taken over", "post_author": "3"}));
    let edited = client.put(&format!("{PRODUCTS}/quick-edit/43"), &json!({"name": "Lamp"})).await.json();
    assert_fields(&edited, &json!({"name": "Lamp", "price": "1", "post_author": "2"}));
}

#[tokio::test]
async fn a_quick_edit_keeps_what_is_not_sent_but_the_type() {
    let (platform, client) = started().await;
    let edit = async |id: u64, body: Value| client.put(&format!("{PRODUCTS}/quick-edit/{id}"), &body).await;
    let stocked = edit(34, json!({"manage_stock": true, "stock_quantity": 9, "regular_price": "45"})).await.json();
    assert_fields(
        &stocked,
        &json!({"name": "Bulk item 4", "sku": "BULK-4", "price": "45", "manage_stock": true, "stock_quantity": 9, "in_stock": true}),
    );
    let less = edit(34, json!({"inventory_delta": -9})).await.json();
    assert_fields(&less, &json!({"stock_quantity": 0, "in_stock": false}));
    let uncounted = edit(35, json!({"stock_quantity": 5})).await.json();
    assert_fields(&uncounted, &json!({"manage_stock": false, "stock_quantity": null}));
    assert_fields(&edit(35, json!({"in_stock": "true"})).await.json(), &json!({"in_stock": false}));
    let neck = edit(17, json!({"name": "V-Neck", "type": "variable"})).await.json();
    assert_eq!(neck["variations"].as_array().unwrap().len(), 4);
    let neck = edit(17, json!({"name": "V-Neck quick"})).await.json();
    assert_fields(&neck, &json!({"type": "simple", "variations": [], "price": "", "sku": "VNECK"}));
    assert_eq!(edit(999_999, json!({})).await.json()["code"], "internal_server_error");
    assert_eq!(platform.ledger().effects()["product.quick-edit"], 6);
}

#[tokio::test]
async fn a_deleted_product_is_gone_and_the_second_time_forbidden() {
    let (platform, client) = started().await;
    let answer = client.json("DELETE", &format!("{}?force=false", path(37)), &json!({})).await;
    assert_eq!((answer.status, answer.json()["id"].as_u64()), (200, Some(37)));
    for id in [37, 43] {
        let answer = client.json("DELETE", &path(id), &json!({})).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("rest_forbidden")), "{id}");
    }
    assert_eq!(client.get(&path(37)).await.status, 404);
    assert_eq!(platform.held()["products"], 23);
    assert_eq!(platform.ledger().about("37").len(), 1);
}

#[tokio::test]
async fn writing_needs_a_vendor() {
    let (platform, _client) = started().await;
    let body = json!({"name": "x"});
    let anyone = Client::anonymous(&platform);
    assert_eq!(anyone.post(PRODUCTS, &body).await.status, 401);
    assert_eq!(anyone.put(&path(35), &body).await.status, 401);
    assert_eq!(anyone.json("DELETE", &path(36), &body).await.status, 401);
    let customer = Client::basic(&platform, platform.customer());
    assert_eq!(customer.post(PRODUCTS, &body).await.json()["success"], false);
    assert_eq!(customer.put(&path(35), &body).await.status, 403);
    assert!(platform.ledger().is_empty());
}
