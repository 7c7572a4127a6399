//! The JSON samples of help-ka's documentation (seed 003), through help-ka's own interfaces. Orders, settings and
//! notifications are word for word those of WCFM's documentation, so the same files serve.

use std::fs;
use std::path::PathBuf;

use tradepost_help_ka::HelpKa;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_sdk::time::to_rfc3339;

/// The folder that every address of the samples stands in.
const MARKET: &str = "https://help-ka.ru/market";

fn sample(name: &str) -> Answer {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/seeds/{name}.json"));
    Answer::json(200, fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display())))
}

fn text(value: Option<Decimal>) -> Option<String> {
    value.as_ref().map(decimal::to_text)
}

fn when(value: Option<Timestamp>) -> Option<String> {
    value.as_ref().map(to_rfc3339)
}

fn query() -> ListQuery {
    ListQuery { updated_since: None, statuses: Vec::new(), page_size: None, include_raw: true }
}

/// Product 311 of the samples, whose name one of them changes.
fn assert_product(product: &Product, name: &str) {
    assert_eq!((product.id.as_str(), product.name.as_str(), product.sku.as_deref()), ("311", name, None));
    assert_eq!((product.kind, product.kind_raw.as_str()), (ProductKind::Simple, "simple"), "on the wire English stays");
    assert_eq!((product.state, product.state_raw.as_str()), (ProductState::Active, "publish"));
    assert_eq!(product.url.as_deref(), Some("https://help-ka.ru/market/product/test-product/"));
    let images: Vec<(Option<&str>, &str)> =
        product.images.iter().map(|image| (image.id.as_deref(), image.url.as_str())).collect();
    let uploads = "https://help-ka.ru/market/wp-content/uploads/2018/12";
    let urls = ["T_2_front-17.jpg", "T_2_front-18.jpg", "T_2_back-1.jpg"].map(|file| format!("{uploads}/{file}"));
    assert_eq!(images, [(Some("312"), urls[0].as_str()), (Some("313"), &urls[1]), (Some("314"), &urls[2])]);
    let prices = [product.price, product.regular_price, product.sale_price].map(text);
    assert_eq!(prices, [Some("20".into()), Some("20".into()), None]);
    assert_eq!((product.manages_stock, product.quantity, product.in_stock), (false, None, Some(true)));
    let categories: Vec<(&str, &str)> =
        product.categories.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    assert_eq!(categories, [("37", "Accessories"), ("38", "Hoodies")]);
    assert!(product.description.starts_with("<p>Pellentesque") && product.short_description.ends_with("</p>\n"));
    assert_eq!((product.tags.len(), product.attributes.len(), product.variants.len()), (0, 0, 0));
    assert_eq!((product.owner_id.as_deref(), &product.currency, &product.dimensions), (Some("2"), &None, &None));
    assert_eq!(when(product.created_at).as_deref(), Some("2018-12-13T11:38:00Z"));
    assert_eq!(when(product.updated_at).as_deref(), Some("2018-12-13T11:38:03Z"));
}

#[test]
fn a_product_is_read() {
    let host = Host::new().then(sample("help-ka-product-get"));
    assert_product(&host.run(|| <HelpKa as Products>::get("311".into())).unwrap(), "Test Product");
}

#[test]
fn products_are_listed() {
    let host = Host::new().then(sample("help-ka-products-list"));
    let page = host.run(|| <HelpKa as Products>::list(query(), None)).unwrap();
    let [product, beanie] = &page.items[..] else { panic!("two products") };
    assert_product(product, "Test Product");
    assert_eq!((beanie.id.as_str(), beanie.name.as_str()), ("31", "Beanie"));
    let prices = [beanie.price, beanie.regular_price, beanie.sale_price].map(text);
    assert_eq!(prices, [Some("18".into()), Some("20".into()), Some("18".into())]);
    assert_eq!(beanie.images[0].url, format!("{MARKET}/wp-content/uploads/2018/08/beanie.jpg"));
    // The one address that the documentation forgot to fill in.
    assert_eq!(beanie.url.as_deref(), Some("<site_base_url>/product/beanie/"));
    let raw: serde_json::Value = serde_json::from_str(beanie.raw.as_deref().unwrap()).unwrap();
    assert_eq!(raw["_links"]["self"][0]["href"], format!("{MARKET}/wp-json/wcfmmp/v1/products/31"));
}

fn fields(name: &str) -> ProductFields {
    ProductFields {
        sku: None,
        name: Some(name.into()),
        kind: None,
        description: None,
        short_description: None,
        regular_price: None,
        sale_price: None,
        quantity: None,
        categories: None,
        tags: None,
        images: None,
        dimensions: None,
    }
}

#[test]
fn a_product_is_created_renamed_and_removed() {
    let host = Host::new().respond(|request| match (request.method(), request.path()) {
        (Method::Get, "/products") if request.query_value("include[]").is_none() => Answer::json(200, "[]"),
        (Method::Get, "/products") => sample("help-ka-products-list"),
        (Method::Post, "/products") => sample("help-ka-product-create"),
        (Method::Put, "/products/quick-edit/311") => sample("help-ka-product-update"),
        (Method::Delete, "/products/311") => sample("help-ka-product-delete"),
        other => panic!("{other:?}"),
    });
    let create = ProductFields { kind: Some(ProductKind::Simple), ..fields("Test Product") };
    assert_product(&host.run(|| <HelpKa as ProductWrites>::create(create)).unwrap(), "Test Product");
    let rename = fields("Test Product Name Change");
    let renamed = host.run(|| <HelpKa as ProductWrites>::update("311".into(), rename)).unwrap();
    assert_product(&renamed, "Test Product Name Change");
    host.run(|| <HelpKa as ProductWrites>::delete("311".into())).unwrap();
    // What the removal answered is the product as it was.
    let removed = Host::new().then(sample("help-ka-product-delete"));
    assert_product(&removed.run(|| <HelpKa as Products>::get("311".into())).unwrap(), "Test Product Name Change");
}

#[test]
fn the_samples_that_are_wcfms_read_here_too() {
    let order = Host::new().then(sample("wcfm-order-get")).run(|| <HelpKa as Orders>::get("274".into())).unwrap();
    assert_eq!((order.id.as_str(), order.currency.as_deref()), ("274", Some("INR")), "the currency is the order's own");
    assert_eq!((text(order.totals.total), order.lines.len()), (Some("654.00".into()), 2));
    let orders = Host::new().then(sample("wcfm-orders-list")).run(|| <HelpKa as Orders>::list(query(), None)).unwrap();
    assert_eq!(orders.items.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), ["274", "267"]);
    let profile = Host::new()
        .then(sample("wcfm-settings"))
        .run(|| <HelpKa as SellerSettings>::get(Selector::Email("test_vendor@example.test".into())));
    assert_eq!(profile.unwrap().store_name.as_deref(), Some("Test Vendor Store"));
    let host = Host::new().settings(r#"{"utc-offset-minutes":180}"#).respond(|request| match request.path() {
        "/notifications" => sample("wcfm-notifications"),
        _ => Answer::json(200, "[]"),
    });
    let query = NotificationQuery { kind: None, include_read: false, page_size: None };
    let notifications = host.run(|| <HelpKa as Notifications>::list(query, None)).unwrap();
    let found: Vec<(&str, Option<String>)> =
        notifications.items.iter().map(|one| (one.id.as_str(), when(one.at))).collect();
    assert_eq!(
        found,
        [
            ("107", Some("2018-12-07T14:39:02+03:00".into())),
            ("106", Some("2018-12-07T14:39:01+03:00".into())),
            ("103", Some("2018-12-07T14:38:58+03:00".into())),
        ]
    );
}
