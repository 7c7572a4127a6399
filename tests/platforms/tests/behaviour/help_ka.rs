//! help-ka: the WCFM software below `/market`, in roubles and in Russian.

use serde_json::{Value, json};
use tradepost_platforms::{HelpKa, Platform, Wcfm};

use crate::client::Client;

const API: &str = "/wp-json/wcfmmp/v1";

#[tokio::test]
async fn it_is_below_market_and_has_no_restricted_capabilities() {
    let platform = HelpKa::builder().orders(60).start().await.unwrap();
    assert_eq!(platform.name(), "help-ka");
    assert!(platform.root_url().ends_with("/market"));
    assert_eq!(platform.held()["orders"], 60);
    let client = Client::basic(&platform, platform.credentials());
    let answer = client.get(&format!("{API}/restricted-capabilities")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("rest_no_route")));
    assert_eq!(client.get(&format!("{API}/settings/id/2")).await.status, 200);
    let product = client.get(&format!("{API}/products?per_page=1")).await.json()[0]["permalink"].clone();
    assert!(product.as_str().unwrap().starts_with(platform.root_url()), "{product}");
}

#[tokio::test]
async fn it_reckons_in_roubles() {
    let platform = HelpKa::builder().orders(60).products(40).start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    let orders = client.get(&format!("{API}/orders?per_page=100")).await;
    let currencies = orders.each("currency");
    assert_eq!(currencies.iter().filter(|currency| *currency == "RUB").count(), 58);
    // The recorded shop has one order in another currency, and it comes up again among the generated ones.
    assert_eq!(currencies.iter().filter(|currency| *currency == "EUR").count(), 2);
    assert_eq!(client.get(&format!("{API}/sales-stats")).await.json()["currency"], "RUB");
    let created =
        client.post(&format!("{API}/products"), &json!({"name": "Кружка", "regular_price": "1200"})).await.json();
    assert!(created["price_html"].as_str().unwrap().contains("&#8381;</span>1,200.00"), "{created}");
    let edit = json!({"type": "simple", "regular_price": "5"});
    let edited = client.put(&format!("{API}/products/quick-edit/{}", created["id"]), &edit).await.json();
    assert!(edited["price_html"].as_str().unwrap().contains("&#8381;</span>5.00"), "{edited}");
    for page in 1..=5 {
        let products = client.get(&format!("{API}/products?status=any&per_page=10&page={page}")).await;
        assert!(!products.text().contains("&#8377;"), "a price in rupees");
    }
}

/// Whether a text has a Cyrillic letter in it.
fn is_russian(text: &str) -> bool {
    text.chars().any(|character| ('\u{410}'..='\u{44f}').contains(&character))
}

/// An error without its messages, and the messages: every text of more than one word.
fn split_words(mut error: Value) -> (Value, Vec<String>) {
    fn strip(value: &mut Value, words: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, words)),
            Value::Object(fields) => fields.values_mut().for_each(|value| strip(value, words)),
            Value::String(text) if text.contains(' ') => words.push(std::mem::take(text)),
            _ => {}
        }
    }
    let mut words = Vec::new();
    strip(&mut error, &mut words);
    (error, words)
}

/// How a client of either platform is made.
type Caller<'a> = &'a dyn Fn(&Wcfm) -> Client;

#[tokio::test]
async fn every_error_has_the_code_of_wcfm_and_words_in_russian() {
    let (help_ka, wcfm) = (HelpKa::builder().start().await.unwrap(), Wcfm::builder().start().await.unwrap());
    let vendor = |platform: &Wcfm| Client::basic(platform, platform.credentials());
    let customer = |platform: &Wcfm| Client::basic(platform, platform.customer());
    let anyone = |platform: &Wcfm| Client::anonymous(platform);
    let wrong = |platform: &Wcfm| anyone(platform).with_basic("sandbox-vendor", "wrong");
    let nobody = |platform: &Wcfm| anyone(platform).with_basic("nobody", "wrong");
    let empty = |platform: &Wcfm| anyone(platform).with_basic("sandbox-vendor", "");
    let missing_image = json!({"name": "x", "featured_image": {"src": "https://x.example/1.404"}});
    let bad_image = json!({"name": "x", "featured_image": {"id": 7}});
    let cases: [(Caller<'_>, &str, &str, Value); 17] = [
        (&vendor, "GET", "/nowhere", Value::Null),
        (&anyone, "GET", "/orders", Value::Null),
        (&vendor, "GET", "/settings/id/3", Value::Null),
        (&wrong, "GET", "/orders", Value::Null),
        (&nobody, "GET", "/orders", Value::Null),
        (&empty, "GET", "/orders", Value::Null),
        (&customer, "GET", "/notifications", Value::Null),
        (&vendor, "GET", "/orders?per_page=0&page=x", Value::Null),
        (&vendor, "GET", "/orders?page=0", Value::Null),
        (&vendor, "GET", "/orders/54", Value::Null),
        (&vendor, "PUT", "/orders/74", json!({})),
        (&vendor, "PUT", "/orders/74", json!({"status": "wc-completed"})),
        (&vendor, "PUT", "/orders/note/74", json!({"note": "x"})),
        (&vendor, "GET", "/products/999999", Value::Null),
        (&anyone, "GET", "/store-vendors/99", Value::Null),
        (&vendor, "POST", "/products", missing_image),
        (&vendor, "POST", "/products", bad_image),
    ];
    for (caller, method, path, body) in cases {
        let ask = async |platform: &Wcfm| caller(platform).json(method, &format!("{API}{path}"), &body).await;
        let (russian, english) = (ask(&help_ka).await, ask(&wcfm).await);
        assert_eq!(russian.status, english.status, "{method} {path}");
        let ((russian, russian_words), (english, english_words)) =
            (split_words(russian.json()), split_words(english.json()));
        assert_eq!(russian, english, "{method} {path}");
        assert_eq!(russian_words.len(), english_words.len(), "{method} {path}");
        assert!(!russian_words.is_empty(), "{method} {path}");
        assert!(russian_words.iter().all(|words| is_russian(words)), "{method} {path}: {russian_words:?}");
        assert!(!english_words.iter().any(|words| is_russian(words)), "{method} {path}: {english_words:?}");
    }
    let broken =
        vendor(&help_ka).send("POST", &format!("{API}/products"), Some("application/json"), "{").await.unwrap();
    assert_eq!(broken.json()["code"], "rest_invalid_json");
    assert!(is_russian(&broken.json().to_string()));
    let page = vendor(&help_ka).get(&format!("{API}/orders/0")).await;
    assert!(page.status == 500 && is_russian(page.text()), "{}", page.text());
}

#[tokio::test]
async fn writes_are_those_of_wcfm() {
    let platform = HelpKa::builder().start().await.unwrap();
    let client = Client::basic(&platform, platform.credentials());
    assert_eq!(client.put(&format!("{API}/orders/74"), &json!({"status": "completed"})).await.status, 200);
    assert_eq!(platform.shop().order(74).unwrap()["status"], "completed");
    assert_eq!(platform.ledger().effects(), [("order.status".to_owned(), 1)].into());
    assert_eq!(platform.ledger().entries()[0].path, "/market/wp-json/wcfmmp/v1/orders/74");
}
