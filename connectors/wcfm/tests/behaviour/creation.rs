//! Creating products: what a refused create leaves behind, and never creating twice.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, fixture, host};

pub(crate) fn no_fields() -> ProductFields {
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

fn lamp() -> ProductFields {
    ProductFields {
        name: Some("Lamp".into()),
        kind: Some(ProductKind::Simple),
        regular_price: Some(decimal::parse("20").unwrap()),
        ..no_fields()
    }
}

/// A shop that holds product 15 (article number BEANIE-1), answers a create like this, and holds `left` from then on.
fn shop(answer: Result<Answer, Error>, left: Option<&'static str>) -> Host {
    let is_created = Rc::new(RefCell::new(false));
    host().respond_with(move |request| {
        let beanie = r#"{"id":15,"name":"Beanie","sku":"BEANIE-1","type":"simple"}"#;
        match (request.method(), request.path()) {
            (Method::Post, "/products") => {
                *is_created.borrow_mut() = true;
                answer.clone()
            }
            (Method::Get, "/products") => Ok(match left.filter(|_| *is_created.borrow()) {
                Some(left) => Answer::json(200, format!("[{left},{beanie}]")),
                None => Answer::json(200, format!("[{beanie}]")),
            }),
            (Method::Get, "/products/94") => Ok(Answer::json(200, left.unwrap())),
            other => panic!("{other:?}"),
        }
    })
}

fn create(host: &Host, fields: ProductFields) -> Result<Product, Error> {
    host.run(|| <Wcfm as ProductWrites>::create(fields))
}

fn body(host: &Host) -> Value {
    let posts: Vec<_> = host.requests().into_iter().filter(|request| request.method() == Method::Post).collect();
    assert_eq!(posts.len(), 1, "a create is sent once");
    assert_eq!(posts[0].effective_effect(), Effect::Once);
    serde_json::from_slice(posts[0].body_bytes()).unwrap()
}

#[test]
fn a_product_is_created_with_the_names_that_the_server_reads() {
    // The documentation's own request, through the contract's record.
    let sample: Value = serde_json::from_str(&fixture("seeds/wcfm-product-create-request.json")).unwrap();
    let own = |name: &str| sample[name].as_str().map(str::to_owned);
    let urls: Vec<String> = [&sample["featured_image"], &sample["gallery_images"][0], &sample["gallery_images"][1]]
        .into_iter()
        .map(|image| image["src"].as_str().unwrap().to_owned())
        .collect();
    let fields = ProductFields {
        name: own("name"),
        kind: Some(ProductKind::Simple),
        description: own("description"),
        short_description: own("short_description"),
        regular_price: Some(decimal::parse(sample["regular_price"].as_str().unwrap()).unwrap()),
        categories: Some(vec!["37".into(), "38".into()]),
        images: Some(urls),
        ..no_fields()
    };
    let host = shop(Ok(Answer::json(200, fixture("seeds/wcfm-product-create.json"))), None);
    assert_eq!(create(&host, fields).unwrap().id, "311");
    assert_eq!(body(&host), sample);
}

#[test]
fn stock_tags_and_size_go_under_the_forms_own_names() {
    let fields = ProductFields {
        sku: Some("L-1".into()),
        sale_price: Some(decimal::parse("12.50").unwrap()),
        quantity: Some(decimal::from_int(7)),
        tags: Some(vec!["red".into(), "green".into()]),
        dimensions: Some(Dimensions {
            length: Some(decimal::from_int(1)),
            width: None,
            height: None,
            length_unit: None,
            weight: Some(decimal::parse("1.5").unwrap()),
            weight_unit: None,
        }),
        ..lamp()
    };
    let host = shop(Ok(recorded::answer("321")), None);
    assert_eq!(create(&host, fields).unwrap().sku.as_deref(), Some("FULL-1"));
    let body = body(&host);
    let expected: Value = serde_json::from_str(
        r#"{"name":"Lamp","type":"simple","description":"","short_description":"","sku":"L-1","regular_price":"20",
            "sale_price":"12.50","manage_stock":true,"stock_quantity":7,"product_tags":"red, green","weight":"1.5","length":"1"}"#,
    )
    .unwrap();
    assert_eq!(body, expected);
}

#[test]
fn values_that_the_server_would_mend_in_silence_are_refused() {
    let price = |text: &str| Some(decimal::parse(text).unwrap());
    let cases = [
        (ProductFields { name: None, ..lamp() }, "/name"),
        (ProductFields { name: Some(" ".into()), ..lamp() }, "/name"),
        (ProductFields { kind: None, ..lamp() }, "/kind"),
        (ProductFields { kind: Some(ProductKind::Other), ..lamp() }, "/kind"),
        (ProductFields { sale_price: price("20.00"), ..lamp() }, "/sale-price"),
        (ProductFields { regular_price: price("-1"), ..lamp() }, "/regular-price"),
        (ProductFields { kind: Some(ProductKind::Variable), ..lamp() }, "/regular-price"),
        (ProductFields { quantity: price("1.5"), ..lamp() }, "/quantity"),
        (ProductFields { categories: Some(vec!["43".into(), "Hoodies".into()]), ..lamp() }, "/categories/1"),
        (ProductFields { tags: Some(vec!["a, b".into()]), ..lamp() }, "/tags/0"),
        (ProductFields { images: Some(vec!["lamp.jpg".into()]), ..lamp() }, "/images/0"),
        (ProductFields { sku: Some("BEANIE-1".into()), ..lamp() }, "/sku"),
    ];
    for (fields, pointer) in cases {
        let host = shop(Ok(Answer::json(200, "")), None);
        let fault = create(&host, fields).unwrap_err();
        assert!(
            matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == pointer),
            "{pointer}: {fault:?}"
        );
        assert!(host.requests().iter().all(|request| request.method() == Method::Get), "nothing may be created");
    }
}

const LEFT: &str = r#"{"id":94,"name":"Lamp","sku":"","type":"simple","status":"draft"}"#;

#[test]
fn a_refused_create_that_made_something_names_what_it_left() {
    // An empty answer (article number in use elsewhere), a picture that cannot be fetched, a crash.
    for (number, is_input) in [("308", true), ("318", true), ("518", false)] {
        let fault = create(&shop(Ok(recorded::answer(number)), Some(LEFT)), lamp()).unwrap_err();
        assert!(fault.message.contains("product 94"), "{number}: {}", fault.message);
        match fault.kind {
            ErrorKind::InvalidInput(issues) => assert!(is_input && issues[0].message.contains("product 94")),
            ErrorKind::Conflict => assert!(!is_input, "a crash could be tried again, but would create twice"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_refused_create_that_made_nothing_is_just_refused() {
    let fault = create(&shop(Ok(recorded::answer("308")), None), lamp()).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(_)) && !fault.message.contains("all the same"), "{fault:?}");
    let fault = create(&shop(Ok(recorded::answer("518")), None), lamp()).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::Transient(_)), "nothing was made, so it may be tried again");
    let other = r#"{"id":94,"name":"Another lamp","sku":"","type":"simple"}"#;
    let fault = create(&shop(Ok(recorded::answer("308")), Some(other)), lamp()).unwrap_err();
    assert!(!fault.message.contains("94"), "a product of another name came from elsewhere: {}", fault.message);
}

#[test]
fn a_product_of_the_same_name_from_before_is_not_taken_for_the_new_one() {
    let beanie = || ProductFields { name: Some("Beanie".into()), ..lamp() };
    let fault = create(&shop(Ok(recorded::answer("308")), None), beanie()).unwrap_err();
    assert!(!fault.message.contains("15"), "{}", fault.message);
    let in_doubt = Err(error::outcome_unknown("The connection broke."));
    assert_eq!(create(&shop(in_doubt, None), beanie()).unwrap_err().kind, ErrorKind::OutcomeUnknown);
}

#[test]
fn a_create_in_doubt_is_concluded_by_looking() {
    let in_doubt = || Err(error::outcome_unknown("The connection broke."));
    let found = create(&shop(in_doubt(), Some(LEFT)), lamp()).unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), ("94", "Lamp"));
    let fault = create(&shop(in_doubt(), None), lamp()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::OutcomeUnknown);
}

#[test]
fn a_seller_without_the_right_is_told_so_at_once() {
    for (number, kind) in
        [("326", ErrorKind::Forbidden), ("425", ErrorKind::Forbidden), ("003", ErrorKind::AuthRejected)]
    {
        let host = shop(Ok(recorded::answer(number)), None);
        assert_eq!(create(&host, lamp()).unwrap_err().kind, kind, "{number}");
    }
}
