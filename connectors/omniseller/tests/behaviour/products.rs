//! Product upload: only with the shop's function number, checked before it is sent, and never sent twice by itself.

use serde_json::json;
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{Shop, body, functions, no, ok};

const SETTINGS: &str = r#"{"product-upload-function":"7"}"#;
const CATEGORY: &str = "1c59e65e30bcaa3a694b818d0b62adb0";

fn nothing() -> ProductFields {
    ProductFields {
        name: None,
        kind: None,
        sku: None,
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

fn table() -> ProductFields {
    ProductFields {
        name: Some("Tisch \"Eiche\"".into()),
        kind: Some(ProductKind::Simple),
        sku: Some("T-1".into()),
        ..nothing()
    }
}

fn price(text: &str) -> Option<Decimal> {
    decimal::parse(text).ok()
}

/// A shop that answers uploads like this.
fn shop(upload: Answer) -> Host {
    let shop = Shop::default();
    *shop.upload.borrow_mut() = Some(upload);
    shop.host(SETTINGS)
}

fn create(host: &Host, fields: ProductFields) -> Result<Product, Error> {
    host.run(|| OmniSeller::create(fields))
}

fn update(host: &Host, id: &str, fields: ProductFields) -> Result<Product, Error> {
    host.run(|| OmniSeller::update(id.into(), fields))
}

#[test]
fn without_the_function_number_nothing_is_sent_and_the_setting_is_named() {
    let host = Shop::default().host("{}");
    for error in [create(&host, table()).unwrap_err(), update(&host, "T-1", nothing()).unwrap_err()] {
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("product-upload-function") && error.message.contains("only a heading"));
    }
    let error = host.run(|| OmniSeller::delete("T-1".into())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(host.requests().is_empty());
}

#[test]
fn a_product_goes_out_as_documented_by_us_and_comes_back_as_sent() {
    let fields = ProductFields {
        description: Some("<p>massiv</p>".into()),
        short_description: Some("kurz".into()),
        regular_price: price("199.90"),
        sale_price: price("149.00"),
        quantity: price("3"),
        categories: Some(vec![CATEGORY.into()]),
        images: Some(vec!["https://shop.example/t.jpg".into()]),
        ..table()
    };
    let host = shop(ok(&json!("")));
    let product = create(&host, fields).unwrap();
    assert_eq!(functions(&host), ["5", "7"], "a read goes first: it finds an expired token without having written");
    let upload = &host.requests()[1];
    assert_eq!((upload.url(), upload.effective_effect()), ("/omniseller/HTKService4.php", Effect::Once));
    assert_eq!(
        upload.body_text(),
        format!(
            concat!(
                r#"{{"function":"7","data":{{"Artikelnummer":"T-1","Bezeichnung":"Tisch \"Eiche\"","Beschreibung":"<p>massiv</p>","#,
                r#""Kurzbeschreibung":"kurz","Preis":199.90,"Aktionspreis":149.00,"Bestand":3,"Kategorien":["{}"],"#,
                r#""Bilder":["https://shop.example/t.jpg"]}}}}"#
            ),
            CATEGORY
        )
    );
    assert_eq!(
        (product.id.as_str(), product.sku.as_deref(), product.name.as_str()),
        ("T-1", Some("T-1"), "Tisch \"Eiche\"")
    );
    assert_eq!((product.regular_price, product.sale_price, product.price), (price("199.90"), price("149.00"), None));
    assert_eq!((product.quantity, product.manages_stock, product.state), (price("3"), true, ProductState::Unknown));
    assert_eq!(product.categories, [CategoryRef { id: CATEGORY.into(), name: "Möbel".into() }]);
    assert_eq!(product.images[0].url, "https://shop.example/t.jpg");
    assert_eq!(product.extensions[0].name, "omniseller.unconfirmed");
}

#[test]
fn an_update_sends_what_is_given_and_may_be_repeated() {
    let host = shop(ok(&json!([])));
    let product = update(&host, "T-1", ProductFields { sale_price: price("9"), ..nothing() }).unwrap();
    assert_eq!(body(&host.requests()[1])["data"], json!({"Artikelnummer": "T-1", "Aktionspreis": 9}));
    assert_eq!(host.requests()[1].effective_effect(), Effect::Repeatable);
    assert_eq!((product.id.as_str(), product.sale_price, product.manages_stock), ("T-1", price("9"), false));
    assert!(update(&host, "T-1", ProductFields { sku: Some("T-1".into()), ..nothing() }).is_ok());
}

#[test]
fn what_cannot_be_sent_is_named_before_anything_is_written() {
    let places = |error: Error| {
        let ErrorKind::InvalidInput(issues) = error.kind else { panic!("{error:?}") };
        issues.into_iter().map(|issue| format!("{} {}", issue.pointer, issue.code)).collect::<Vec<_>>().join(", ")
    };
    let host = shop(ok(&json!("")));
    for (fields, expected) in [
        (nothing(), "/sku missing, /name missing, /kind missing"),
        (ProductFields { sku: Some(" ".into()), name: Some(String::new()), ..table() }, "/sku missing, /name empty"),
        (ProductFields { kind: Some(ProductKind::Variable), ..table() }, "/kind unsupported"),
        (
            ProductFields { regular_price: price("-1"), sale_price: price("-0.01"), quantity: price("-2"), ..table() },
            "/regular-price negative, /sale-price negative, /quantity negative",
        ),
        (
            ProductFields { images: Some(vec!["https://a.example/1".into(), "2.jpg".into()]), ..table() },
            "/images/1 not-a-url",
        ),
        (ProductFields { tags: Some(vec![]), ..table() }, "/tags unsupported"),
    ] {
        assert_eq!(places(create(&host, fields).unwrap_err()), expected);
    }
    assert_eq!(places(update(&host, "OTHER", table()).unwrap_err()), "/sku not-changeable");
    assert!(host.requests().is_empty());

    let lost = ProductFields { categories: Some(vec![CATEGORY.into(), "gone".into()]), ..table() };
    assert_eq!(places(create(&host, lost).unwrap_err()), "/categories/1 unknown");
    assert_eq!(functions(&host), ["5"]);
}

#[test]
fn an_expired_token_is_found_before_the_write() {
    let host = Host::new().settings(SETTINGS).then(no("Token abgelaufen"));
    assert_eq!(create(&host, table()).unwrap_err().kind, ErrorKind::AuthExpired);
    assert_eq!(functions(&host), ["5"]);
    assert!(host.requests().iter().all(|request| request.effective_effect() == Effect::Read));
}

#[test]
fn a_first_upload_whose_outcome_is_not_known_says_so() {
    for (answer, created, updated) in [
        (no("Artikel gesperrt"), "Conflict", "Conflict"),
        (no("Token abgelaufen"), "AuthExpired", "AuthExpired"),
        (Answer::new(429, ""), "RateLimited", "RateLimited"),
        (Answer::new(403, ""), "Forbidden", "Forbidden"),
        (Answer::new(500, "Fatal"), "OutcomeUnknown", "Transient"),
        (Answer::new(503, "").with_header("retry-after", "1"), "OutcomeUnknown", "Unavailable"),
        (Answer::new(200, "<b>Fatal error</b>"), "OutcomeUnknown", "Protocol"),
        (Answer::new(200, ""), "OutcomeUnknown", "Protocol"),
    ] {
        let (status, text) = (answer.status, answer.excerpt());
        let host = shop(answer);
        let error = create(&host, table()).unwrap_err();
        assert!(
            format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{created}")),
            "{status} {text}: {error:?}"
        );
        if created == "OutcomeUnknown" {
            assert!(error.detail.contains(&format!("HTTP {status}: {text}")), "{}", error.detail);
        }
        assert_eq!(functions(&host), ["5", "7"], "never sent again by itself");
        let error = update(&host, "T-1", table()).unwrap_err();
        assert!(
            format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{updated}")),
            "{status} {text}: {error:?}"
        );
    }
}
