//! Changing and removing products without emptying, converting or taking over anything.

use serde_json::Value;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::creation::no_fields;
use crate::recorded::{self, host};

const OWN: &str = r#"[{"id":34,"name":"Bulk item 4","sku":"BULK-4","type":"simple","regular_price":"45","manage_stock":true,
    "images":[{"id":12,"src":"https://shop.example/a.jpg"}]}]"#;
const VARIABLE: &str =
    r#"[{"id":17,"name":"V-Neck","sku":"VNECK","type":"variable","manage_stock":false,"variations":[18]}]"#;

fn shop(own: &'static str, answer: Answer) -> Host {
    host().respond(move |request| match (request.method(), request.path()) {
        (Method::Get, "/products") => Answer::json(200, own),
        (Method::Get, _) => recorded::answer("508"),
        (Method::Put, _) => answer.clone(),
        other => panic!("{other:?}"),
    })
}

fn update(host: &Host, id: &str, fields: ProductFields) -> Result<Product, Error> {
    host.run(|| <Wcfm as ProductWrites>::update(id.into(), fields))
}

fn body(host: &Host) -> Value {
    let puts: Vec<_> = host.requests().into_iter().filter(|request| request.method() == Method::Put).collect();
    assert_eq!(puts.len(), 1);
    assert!(puts[0].path().starts_with("/products/quick-edit/"), "the full PUT empties fields: {}", puts[0].path());
    assert_eq!(puts[0].effective_effect(), Effect::Repeatable);
    serde_json::from_slice(puts[0].body_bytes()).unwrap()
}

fn price(text: &str) -> Option<Decimal> {
    decimal::parse(text).ok()
}

#[test]
fn only_what_is_given_is_sent_and_always_the_products_own_type() {
    let answer = Answer::json(200, r#"{"id":17,"name":"New","type":"variable","status":"publish"}"#);
    let host = shop(VARIABLE, answer);
    let changed = update(&host, "17", ProductFields { name: Some("New".into()), ..no_fields() }).unwrap();
    assert_eq!((changed.name.as_str(), changed.kind), ("New", ProductKind::Variable));
    assert_eq!(body(&host), serde_json::json!({"type": "variable", "name": "New"}));
}

#[test]
fn each_settable_field_goes_in_the_form_of_the_quick_edit() {
    let answer = Answer::json(
        200,
        r#"{"id":34,"name":"N","type":"simple","sku":"NEW-4","regular_price":"45.00","sale_price":"40","manage_stock":true,"stock_quantity":9}"#,
    );
    let host = shop(OWN, answer);
    let fields = ProductFields {
        sku: Some("NEW-4".into()),
        kind: Some(ProductKind::Simple),
        regular_price: price("45"),
        sale_price: price("40.00"),
        quantity: price("9"),
        categories: Some(vec!["43".into()]),
        images: Some(vec!["https://shop.example/a.jpg".into(), "https://pictures.example/b.jpg".into()]),
        ..no_fields()
    };
    update(&host, "34", fields).unwrap();
    let expected = serde_json::json!({
        "type": "simple", "sku": "NEW-4", "regular_price": "45", "sale_price": "40.00", "manage_stock": true, "stock_quantity": 9,
        "categories": [{"id": 43}],
        "images": [{"id": 12}, {"src": "https://pictures.example/b.jpg"}],
    });
    assert_eq!(body(&host), expected, "a picture it has is named by id, or it would be stored once more");
}

#[test]
fn what_a_quick_edit_cannot_set_is_refused_by_name() {
    let dimensions = Dimensions {
        length: None,
        width: None,
        height: None,
        length_unit: None,
        weight: price("1"),
        weight_unit: None,
    };
    let cases = [
        (OWN, ProductFields { description: Some("D".into()), ..no_fields() }, "/description"),
        (OWN, ProductFields { short_description: Some("S".into()), ..no_fields() }, "/short-description"),
        (OWN, ProductFields { tags: Some(vec![]), ..no_fields() }, "/tags"),
        (OWN, ProductFields { dimensions: Some(dimensions), ..no_fields() }, "/dimensions"),
        (OWN, ProductFields { kind: Some(ProductKind::Variable), ..no_fields() }, "/kind"),
        (OWN, ProductFields { categories: Some(vec![]), ..no_fields() }, "/categories"),
        (OWN, ProductFields { name: Some(String::new()), ..no_fields() }, "/name"),
        (OWN, ProductFields { sale_price: price("45"), ..no_fields() }, "/sale-price"),
        (VARIABLE, ProductFields { regular_price: price("5"), ..no_fields() }, "/regular-price"),
        (VARIABLE, ProductFields { quantity: price("5"), ..no_fields() }, "/quantity"),
    ];
    for (own, fields, pointer) in cases {
        let host = shop(own, Answer::json(200, ""));
        let id = if own == OWN { "34" } else { "17" };
        let fault = update(&host, id, fields).unwrap_err();
        assert!(
            matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == pointer),
            "{pointer}: {fault:?}"
        );
        assert!(host.requests().iter().all(|request| request.method() == Method::Get));
    }
}

#[test]
fn another_sellers_product_is_not_found_and_not_touched() {
    let host = shop(OWN, Answer::json(200, ""));
    let fault = update(&host, "43", ProductFields { name: Some("Mine".into()), ..no_fields() }).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::NotFound);
    assert!(host.requests().iter().all(|request| request.method() == Method::Get));
}

#[test]
fn a_change_that_the_shop_did_not_keep_is_a_conflict() {
    let cases = [
        // The type was lost; the price was mended; nothing at all.
        (r#"{"id":34,"name":"N","type":"variable","regular_price":"50"}"#, "kind"),
        (r#"{"id":34,"name":"N","type":"simple","regular_price":"5000"}"#, "regular-price"),
        ("", "refused"),
    ];
    for (answer, word) in cases {
        let host = shop(OWN, Answer::json(200, answer));
        let fault = update(&host, "34", ProductFields { regular_price: price("50"), ..no_fields() }).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Conflict);
        assert!(fault.message.contains(word), "{}", fault.message);
    }
}

#[test]
fn an_article_number_in_use_is_refused_before_the_server_crashes_over_it() {
    let own = r#"[{"id":34,"name":"A","sku":"A-1","type":"simple"},{"id":35,"name":"B","sku":"B-1","type":"simple"}]"#;
    let host = shop(own, Answer::json(200, ""));
    let fault = update(&host, "34", ProductFields { sku: Some("B-1".into()), ..no_fields() }).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == "/sku"), "{fault:?}");
    assert!(fault.message.contains("product 35"), "{}", fault.message);
}

#[test]
fn nothing_to_change_is_a_read() {
    let host = shop(OWN, Answer::json(200, ""));
    assert_eq!(update(&host, "34", no_fields()).unwrap().id, "34");
    assert!(host.requests().iter().all(|request| request.method() == Method::Get));
}

fn delete(answers: &[&'static str], id: &str) -> (Result<(), Error>, Host) {
    let host = answers.iter().fold(host(), |host, number| host.then(recorded::answer(number)));
    (host.run(|| <Wcfm as ProductWrites>::delete(id.into())), host)
}

#[test]
fn a_product_is_deleted_and_one_that_is_gone_counts_as_deleted() {
    let (outcome, host) = delete(&["350"], "78");
    assert_eq!(outcome, Ok(()));
    assert_eq!((host.requests()[0].method(), host.requests()[0].url()), (Method::Delete, "/products/78"));
    // Again: 403, and the product cannot be read.
    assert_eq!(delete(&["351", "352"], "78").0, Ok(()));
}

#[test]
fn a_product_that_may_not_be_deleted_is_forbidden() {
    // Another seller's can still be read; a missing right shows the same.
    assert_eq!(delete(&["353", "098"], "43").0.unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(delete(&["429", "439"], "39").0.unwrap_err().kind, ErrorKind::Forbidden);
    assert_eq!(delete(&["354"], "36").0.unwrap_err().kind, ErrorKind::AuthRejected);
}

#[test]
fn variations_and_attributes_of_a_product_come_in_both_notations() {
    let read = |answer: Answer| host().then(answer).run(|| <Wcfm as Products>::get("17".into())).unwrap();
    let full = read(recorded::answer("082"));
    let first = &full.variants[0];
    assert_eq!((first.id.as_str(), first.sku.as_deref()), ("18", Some("VNECK-0")));
    let options: Vec<(&str, &str)> = first.options.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    assert_eq!(options, [("Color", "red"), ("Size", "S")]);
    assert_eq!(full.attributes[0].options, ["Blue", "Grün", "Red"], "names of term objects");
    assert_eq!(full.attributes[1].options, ["S", "M", "L/XL"]);
    assert_eq!((full.attributes[0].varies, full.attributes[2].varies), (true, false));
    let documented = read(Answer::json(
        200,
        r#"{"id":17,"type":"variable","status":"publish","variations":[18,"19"],"attributes":{"1":{"id":1,"name":"Color","options":["Red"]}}}"#,
    ));
    let ids: Vec<&str> = documented.variants.iter().map(|variant| variant.id.as_str()).collect();
    assert_eq!((ids, documented.attributes[0].options.clone()), (vec!["18", "19"], vec!["Red".to_owned()]));
}
