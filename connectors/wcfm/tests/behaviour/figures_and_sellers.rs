//! What the marketplace tells of sales and of its sellers.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

fn text(value: Option<Decimal>) -> Option<String> {
    value.as_ref().map(decimal::to_text)
}

#[test]
fn figures_keep_the_digits_that_the_site_wrote() {
    let body = r#"{"gross_sales":{"last_month":114.04000000000001,"month":"20.50","week":0},
        "earnings":{"last_month":108.43,"month":null},"currency":"INR"}"#;
    let host = host().respond(move |request| {
        assert_eq!(request.url(), "/sales-stats");
        Answer::json(200, body)
    });
    let figures = host.run(<Wcfm as SalesFigures>::get).unwrap();
    assert_eq!(figures.currency, "INR");
    let periods: Vec<(&str, Option<String>, Option<String>)> = figures
        .periods
        .iter()
        .map(|period| (period.name.as_str(), text(period.gross), text(period.earnings)))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        periods,
        [
            ("week", some("0"), None),
            ("month", some("20.50"), None),
            ("last-month", some("114.04000000000001"), some("108.43")),
        ]
    );
}

#[test]
fn figures_without_a_currency_are_none() {
    let fault =
        host().respond(|_| Answer::json(200, r#"{"gross_sales":[],"earnings":[]}"#)).run(<Wcfm as SalesFigures>::get);
    assert!(
        matches!(fault.unwrap_err().kind, ErrorKind::Protocol(place) if place.expected.contains("currency") || place.pointer.contains("currency"))
    );
}

fn get(host: &Host, id: &str) -> Result<Seller, Error> {
    host.run(|| <Wcfm as Sellers>::get(id.into()))
}

#[test]
fn a_seller_shows_what_the_store_shows() {
    let seller = |hide: &str| {
        let body = format!(
            r#"{{"vendor_id":2,"vendor_display_name":"login-name","vendor_shop_name":"S&ouml; &amp; Co","store_hide_email":"{hide}",
            "store_hide_phone":"{hide}","store_hide_address":"{hide}","store_hide_description":"{hide}","vendor_email":"a@b.test",
            "vendor_phone":"1","vendor_address":"Road &amp; 1","vendor_description":"<p>Us</p>","store_rating":"4.50",
            "disable_vendor":"no","is_store_offline":"yes","vendor_shop_logo":"https://shop.example/l.png"}}"#
        );
        let host = host().respond(move |request| {
            assert_eq!(request.url(), "/store-vendors/2");
            Answer::json(200, body.clone())
        });
        get(&host, "2").unwrap()
    };
    let shown = seller("no");
    assert_eq!((shown.id.as_str(), shown.name.as_str()), ("2", "S&ouml; & Co"), "an entity that nobody writes stays");
    let contact = [&shown.email, &shown.phone, &shown.address].map(Option::as_deref);
    assert_eq!(contact, [Some("a@b.test"), Some("1"), Some("Road & 1")]);
    assert_eq!(
        (shown.description.as_str(), text(shown.rating), shown.open),
        ("<p>Us</p>", Some("4.50".into()), Some(false))
    );
    assert_eq!(shown.extensions, [Attribute { name: "wcfm.logo".into(), value: "https://shop.example/l.png".into() }]);
    let hidden = seller("yes");
    assert_eq!((&hidden.email, &hidden.phone, &hidden.address, hidden.description.as_str()), (&None, &None, &None, ""));
    assert!(!format!("{hidden:?}").contains("login-name"));
}

#[test]
fn whether_a_store_sells_is_said_only_where_the_site_says() {
    for (flags, open) in [
        ("", None),
        (r#","is_store_offline":"no""#, Some(true)),
        (r#","disable_vendor":"yes","is_store_offline":"no""#, Some(false)),
        (r#","disable_vendor":"no","is_store_offline":"no""#, Some(true)),
    ] {
        let host = host().then(Answer::json(200, format!(r#"{{"vendor_id":2{flags}}}"#)));
        assert_eq!(get(&host, "2").unwrap().open, open, "{flags}");
    }
}

/// Shape E of protocol notes, section 3.3.
const UNKNOWN: &str = r#"{"errors":{"wcfmapi_rest_invalid_vendor_id":["Invalid ID"]},
    "error_data":{"wcfmapi_rest_invalid_vendor_id":{"status":404}}}"#;

#[test]
fn a_serialised_error_inside_a_success_is_no_seller() {
    assert_eq!(get(&host().then(Answer::json(200, UNKNOWN)), "99").unwrap_err().kind, ErrorKind::NotFound);
    for id in ["0", "abc", "2/products"] {
        assert_eq!(get(&host(), id).unwrap_err().kind, ErrorKind::NotFound, "{id}: nothing is sent");
    }
}

#[test]
fn a_walk_reads_every_page_and_steps_over_sellers_that_cannot_be_read() {
    // A full page of which one is an error is still full.
    let host = host().respond(|request| {
        assert_eq!((request.path(), request.query_value("per_page").as_deref()), ("/store-vendors", Some("100")));
        let ids = match request.query_value("page").as_deref() {
            Some("1") => 1..=100,
            Some("2") => 101..=130,
            other => panic!("{other:?}"),
        };
        let row = |id: u32| {
            if id == 50 { UNKNOWN.to_owned() } else { format!(r#"{{"vendor_id":{id},"vendor_shop_name":"S"}}"#) }
        };
        Answer::json(200, format!("[{}]", ids.map(row).collect::<Vec<_>>().join(",")))
    });
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = host.run(|| <Wcfm as Sellers>::list(cursor)).unwrap();
        found.extend(page.items.into_iter().map(|seller| seller.id.parse::<u32>().unwrap()));
        if page.end {
            break;
        }
        cursor = page.next;
    }
    assert_eq!(found, (1..=130).filter(|id| *id != 50).collect::<Vec<_>>());
}

#[test]
fn the_recorded_directory_reads_as_three_open_stores() {
    let page = host().respond(|_| recorded::answer("264")).run(|| <Wcfm as Sellers>::list(None)).unwrap();
    assert!(page.end);
    let names: Vec<&str> = page.items.iter().map(|seller| seller.name.as_str()).collect();
    assert_eq!(names, ["Test Vendor Store", "Óther Störe & Söns", "vendor3"]);
}
