//! The seller's own data: who he is, what he saved, what he may not do.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

fn site(orders: &'static str) -> Host {
    host().respond(move |request| match request.path() {
        "/orders" => recorded::answer(orders),
        "/site-details" => recorded::answer("260"),
        "/user-profile" => recorded::answer("265"),
        "/settings/id/2" => recorded::answer("200"),
        other => panic!("{other}"),
    })
}

#[test]
fn a_check_says_whose_account_it_is_and_what_the_site_runs() {
    let host = site("401");
    let identity = host.run(<Wcfm as Connector>::check).unwrap();
    assert_eq!((identity.id.as_deref(), identity.name.as_deref()), (Some("2"), Some("Test Vendor Store")));
    assert_eq!(identity.server.as_deref(), Some("WCFM REST API 1.5.3"));
    let fact = |name: &str| identity.facts.iter().find(|(fact, _)| fact == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (fact("site"), fact("role"), fact("wcfm-ultimate")),
        (Some("WCFM Lab"), Some("wcfm_vendor"), Some("not installed"))
    );
    assert!(host.requests().iter().all(|request| request.method() == Method::Get));
    let anonymous: Vec<String> =
        host.requests().iter().filter(|request| !request.is_authenticated()).map(|one| one.path().to_owned()).collect();
    assert_eq!(anonymous, ["/site-details"]);
}

#[test]
fn a_check_needs_only_the_orders_on_old_servers() {
    let host = host().respond(|request| match request.path() {
        "/orders" => recorded::answer("401"),
        "/settings/id/2" => recorded::answer("206"),
        _ => recorded::answer("015"),
    });
    let identity = host.run(<Wcfm as Connector>::check).unwrap();
    assert_eq!((identity.id.as_deref(), identity.name, identity.server), (Some("2"), None, None));
}

#[test]
fn a_check_outlives_a_newest_order_that_crashes_the_site() {
    let host = host().respond(|request| match request.path() {
        "/orders" => recorded::answer("376"),
        "/notifications" => recorded::answer("248"),
        "/settings/id/2" => recorded::answer("200"),
        "/user-profile" => recorded::answer("265"),
        _ => recorded::answer("015"),
    });
    assert_eq!(host.run(<Wcfm as Connector>::check).unwrap().id.as_deref(), Some("2"));
}

#[test]
fn a_check_fails_where_login_or_role_do_not_hold() {
    for (number, kind) in [
        ("003", ErrorKind::AuthRejected),
        ("009", ErrorKind::AuthRejected),
        ("006", ErrorKind::Forbidden),
        ("431", ErrorKind::Forbidden),
        ("413", ErrorKind::Unsupported),
    ] {
        assert_eq!(site(number).run(<Wcfm as Connector>::check).unwrap_err().kind, kind, "{number}");
    }
}

#[test]
fn settings_are_asked_for_by_id_or_by_the_address_as_it_is() {
    let host = host().respond(|_| recorded::answer("209"));
    let get = |selector| host.run(|| <Wcfm as SellerSettings>::get(selector));
    let profile = get(Selector::Email("other.vendor+2@example.test".into())).unwrap();
    assert_eq!(host.requests()[0].url(), "/settings/email/other.vendor+2@example.test", "neither @ nor + encoded");
    assert_eq!((profile.email.as_deref(), profile.on_vacation), (Some("shop@example.test"), Some(false)));
    assert!(profile.details.iter().any(|detail| detail.name == "store_ppp" && detail.value == "10"));
    get(Selector::Id("2".into())).unwrap();
    assert_eq!(host.requests()[1].url(), "/settings/id/2");
}

#[test]
fn an_address_that_would_change_the_path_is_refused() {
    for email in ["nobody", "a@b/../../orders", "a@b?x=1", "a b@c", "a%40b@c", "jürgen@example.test", "a@b#c"] {
        let fault = Host::new().run(|| <Wcfm as SellerSettings>::get(Selector::Email(email.into()))).unwrap_err();
        assert!(matches!(fault.kind, ErrorKind::InvalidInput(_)), "{email}");
    }
    for id in ["0", "x", "2/../3"] {
        let fault = Host::new().run(|| <Wcfm as SellerSettings>::get(Selector::Id(id.into()))).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::NotFound, "{id}");
    }
}

#[test]
fn bank_data_never_leaves_the_connector() {
    let body = r#"{"store_name":"S","payment":{"bank":{"iban":"SECRET"}},"Bank_Account":"SECRET","stripe_user_id":"SECRET",
        "wcfm_nonce":"SECRET","group":{"paypal_email":"SECRET","hours":{"from":9}},"address":[],"store_email":false}"#;
    let profile =
        host().then(Answer::json(200, body)).run(|| <Wcfm as SellerSettings>::get(Selector::Id("2".into()))).unwrap();
    assert!(!format!("{profile:?}").contains("SECRET"));
    assert_eq!(profile.details, [Attribute { name: "group.hours.from".into(), value: "9".into() }]);
    assert_eq!((profile.address, profile.email), (None, None));
}

#[test]
fn restrictions_are_listed_and_none_is_an_empty_list() {
    let list = |number: &'static str| host().then(recorded::answer(number)).run(<Wcfm as SellerRestrictions>::list);
    let names: Vec<String> = list("430").unwrap().into_iter().map(|one| one.name).collect();
    assert!(names.contains(&"view_orders".to_owned()) && !names.contains(&"add_products".to_owned()), "{names:?}");
    assert_eq!(list("227").unwrap(), []);
    assert_eq!(list("228").unwrap_err().kind, ErrorKind::Forbidden);
    let odd = Answer::json(200, r#"{"productlimit":"10","allowed_categories":[3,"4"],"tags":"","articlelimit":"no"}"#);
    let limits = host().then(odd).run(<Wcfm as SellerRestrictions>::list).unwrap();
    let found: Vec<(&str, bool, &str)> =
        limits.iter().map(|one| (one.name.as_str(), one.denied, one.value.as_str())).collect();
    assert_eq!(found, [("productlimit", false, "10"), ("allowed_categories", false, "3,4")]);
}
