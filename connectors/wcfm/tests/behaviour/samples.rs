//! The JSON samples of the vendor's own documentation (version 1.1 of the plugin, 2018/19), field by field.

use tradepost_sdk::prelude::*;
use tradepost_sdk::time::to_rfc3339;
use tradepost_wcfm::account::Account;
use tradepost_wcfm::{notifications, orders, product_mapping, products, seller_restrictions, seller_settings};

use crate::recorded::{fixture, host};
use crate::recordings::{assert_order, assert_product};

fn account() -> Account {
    host().run(Account::of_call).unwrap()
}

fn sample(name: &str) -> Answer {
    Answer::json(200, fixture(&format!("seeds/wcfm-{name}.json")))
}

fn text(value: Option<Decimal>) -> String {
    value.as_ref().map_or_else(|| "-".into(), decimal::to_text)
}

fn when(value: Option<Timestamp>) -> String {
    value.as_ref().map_or_else(|| "-".into(), to_rfc3339)
}

#[test]
fn the_single_order_is_an_array_of_one() {
    let order = orders::decode_single(&account(), &sample("order-get")).unwrap();
    assert_eq!((order.id.as_str(), order.number.as_str()), ("274", "274"));
    let status = &order.status;
    assert_eq!(
        (status.order, status.payment, status.fulfilment, status.raw.as_str()),
        (OrderState::OnHold, PaymentState::Pending, FulfilmentState::Unfulfilled, "on-hold")
    );
    assert_eq!(when(order.placed_at), "2018-12-07T09:08:53Z");
    assert_eq!(when(order.updated_at), "2018-12-07T09:08:58Z");
    assert_eq!((order.paid_at, order.dispatch_due_at), (None, None));
    assert_eq!((order.currency.as_deref(), order.prices_include_tax), (Some("INR"), Some(false)));
    let totals = &order.totals;
    assert_eq!(totals.scope, TotalsScope::WholeOrder);
    assert_eq!([totals.shipping, totals.discount, totals.tax, totals.total].map(text), ["20.00", "0", "0", "654.00"]);
    let unknown = [totals.items, totals.fees, totals.credit, totals.paid, totals.refunded];
    assert_eq!(unknown, [None; 5], "not in the source's single order");
    assert_eq!(
        order.buyer,
        Buyer {
            id: Some("1".into()),
            name: "test name".into(),
            email: Some("test@gmail.com".into()),
            phone: Some("21111111111".into()),
        }
    );
    let billing = Address {
        first_name: "test".into(),
        last_name: "name".into(),
        company: String::new(),
        lines: vec!["TEST".into(), "111".into()],
        city: "Kolkata".into(),
        postcode: "700001".into(),
        region_code: Some("WB".into()),
        region_name: None,
        country_code: Some("IN".into()),
        country_name: None,
        phone: Some("21111111111".into()),
        email: Some("test@gmail.com".into()),
    };
    let lines = vec!["PAS Road".into(), "111".into()];
    assert_eq!(order.shipping_address, Some(Address { lines, phone: None, email: None, ..billing.clone() }));
    assert_eq!(order.billing_address, Some(billing));
    assert_eq!(order.lines.len(), 2);
    for (line, (id, product, title)) in
        order.lines.iter().zip([("5", "257", "Test Product"), ("6", "272", "test prod")])
    {
        assert_eq!((line.id.as_str(), line.synthetic_id, line.title.as_str()), (id, false, title));
        let ids = [&line.product_id, &line.variant_id, &line.sku].map(Option::as_deref);
        assert_eq!(ids, [Some(product), None, None]);
        assert_eq!([line.unit_price, line.total, line.tax].map(text), ["299", "299", "0"]);
        assert_eq!((line.quantity, line.commission), (decimal::from_int(1), None));
        assert_eq!((line.options.len(), line.personalisations.len()), (0, 0), "hidden facts are no wishes");
    }
    assert_eq!((order.shipping_lines.len(), order.fees.len(), order.discounts.len()), (0, 0, 0));
    assert_eq!((order.gift, order.shipments.len(), order.notes.len(), order.documents.len()), (None, 0, 0, 0));
    assert_eq!(order.payment_method.as_deref(), Some("Check payments"));
    assert_eq!(order.delivery_instructions, None);
    assert_eq!(order.extensions, []);
    assert!(order.raw.unwrap().starts_with("{\n\"id\": 274,"), "the element's own text, without the array around it");
}

#[test]
fn every_field_of_every_sample_is_what_another_library_reads() {
    let account = account();
    let oracle = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fixture(&format!("seeds/wcfm-{name}.json"))).unwrap()
    };
    let order = orders::decode_single(&account, &sample("order-get")).unwrap();
    assert_order(&order, &oracle("order-get")[0], order.raw.as_deref());
    let (orders, _) = orders::decode_list(&account, true, &sample("orders-list")).unwrap();
    for (order, source) in orders.iter().zip(oracle("orders-list").as_array().unwrap()) {
        assert_order(order, source, order.raw.as_deref());
    }
    for name in ["product-create", "product-get", "product-update", "product-delete"] {
        assert_product(&products::decode_single(account.clock, &sample(name)).unwrap(), &oracle(name));
    }
    let clock = account.clock;
    let list = sample("products-list");
    let (products, _) =
        products::decode_list(&list, |source, _| product_mapping::product(clock, source, None)).unwrap();
    for (product, source) in products.iter().zip(oracle("products-list").as_array().unwrap()) {
        assert_product(product, source);
        assert_eq!(product.name, source["name"]);
        assert_eq!(product.short_description, source["short_description"]);
    }
    assert_eq!((orders.len(), products.len()), (2, 2));
}

#[test]
fn the_order_list_keeps_the_whole_orders_total_beside_the_sellers_lines() {
    let (orders, total) = orders::decode_list(&account(), false, &sample("orders-list")).unwrap();
    assert_eq!(total, None);
    let found: Vec<(&str, String, usize, String)> = orders
        .iter()
        .map(|order| (order.id.as_str(), text(order.totals.total), order.lines.len(), text(order.totals.refunded)))
        .collect();
    assert_eq!(found, [("274", "654.00".into(), 2, "0".into()), ("267", "628.00".into(), 3, "0".into())]);
    let facts: Vec<(&str, &str)> =
        orders[0].extensions.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())).collect();
    assert_eq!(
        facts,
        [("wcfm.item_total", "598"), ("wcfm.total_commission", "538.2"), ("wcfm.withdraw_status", "pending")]
    );
    let gone = &orders[1].lines[1];
    assert_eq!((gone.sku.as_deref(), gone.product_id.as_deref(), gone.title.as_str()), (None, None, "Test Prod2"));
    assert!(orders.iter().all(|order| order.raw.is_none()), "raw only where it is asked for");
}

#[test]
fn every_sample_of_a_product_decodes_field_by_field() {
    let account = account();
    let names = [
        ("product-create", "Test Product"),
        ("product-get", "Test Product"),
        ("product-update", "Test Product Name Change"),
        ("product-delete", "Test Product Name Change"),
    ];
    for (file, name) in names {
        let product = products::decode_single(account.clock, &sample(file)).unwrap();
        assert_sample(&product, "311", name);
        assert!(product.raw.is_some());
    }
    let clock = account.clock;
    let (list, total) =
        products::decode_list(&sample("products-list"), |source, _| product_mapping::product(clock, source, None))
            .unwrap();
    assert_eq!((list.len(), total), (2, None));
    assert_sample(&list[0], "311", "Test Product");
    let beanie = &list[1];
    assert_eq!((beanie.id.as_str(), beanie.name.as_str()), ("31", "Beanie"));
    assert_eq!([beanie.price, beanie.regular_price, beanie.sale_price].map(text), ["18", "20", "18"]);
}

fn assert_sample(product: &Product, id: &str, name: &str) {
    assert_eq!((product.id.as_str(), product.name.as_str(), product.sku.as_deref()), (id, name, None));
    assert_eq!((product.kind, product.kind_raw.as_str()), (ProductKind::Simple, "simple"));
    assert_eq!((product.state, product.state_raw.as_str()), (ProductState::Active, "publish"));
    assert!(product.description.starts_with("<p>Pellentesque") && product.short_description.ends_with("</p>\n"));
    assert_eq!([product.price, product.regular_price, product.sale_price].map(text), ["20", "20", "-"]);
    assert_eq!((product.manages_stock, product.quantity, product.in_stock), (false, None, Some(true)));
    let categories: Vec<(&str, &str)> =
        product.categories.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    assert_eq!(categories, [("37", "Accessories"), ("38", "Hoodies")]);
    let images: Vec<&str> = product.images.iter().filter_map(|image| image.id.as_deref()).collect();
    assert_eq!(images, ["312", "313", "314"]);
    assert!(product.images[0].url.contains("/wp-content/uploads/2018/12/T_2_front"));
    assert_eq!((product.tags.len(), product.attributes.len(), product.variants.len()), (0, 0, 0));
    assert_eq!((&product.dimensions, &product.currency, product.owner_id.as_deref()), (&None, &None, Some("2")));
    assert_eq!(product.url.as_deref(), Some("<site_base_url>/product/test-product/"));
    assert_eq!(when(product.created_at), "2018-12-13T11:38:00Z");
    assert_eq!(when(product.updated_at), "2018-12-13T11:38:03Z");
}

#[test]
fn restricted_capabilities_become_restrictions_and_empty_ones_none() {
    let restrictions = seller_restrictions::decode(&sample("restricted-capabilities")).unwrap();
    let names: Vec<&str> = restrictions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "gallery_img",
            "tags",
            "manage_commission",
            "wp_admin_view",
            "manage_groups",
            "manage_managers",
            "capability_controller",
            "membership"
        ]
    );
    assert!(restrictions.iter().all(|one| one.denied && one.value == "yes"));
}

#[test]
fn settings_become_a_profile_without_bank_data() {
    let profile = seller_settings::decode(&sample("settings")).unwrap();
    assert_eq!(profile.store_name.as_deref(), Some("Test Vendor Store"));
    assert_eq!((profile.email, profile.phone.as_deref(), profile.on_vacation), (None, Some("2222222222"), Some(false)));
    let address = profile.address.unwrap();
    assert_eq!(address.lines, ["PAS Road", "111"]);
    assert_eq!((address.city.as_str(), address.postcode.as_str()), ("Kolkata", "700033"));
    assert_eq!((address.region_code.as_deref(), address.country_code.as_deref()), (Some("WB"), Some("IN")));
    let details: Vec<(&str, &str)> =
        profile.details.iter().map(|detail| (detail.name.as_str(), detail.value.as_str())).collect();
    assert_eq!(
        details,
        [
            ("banner_type", "single_img"),
            ("store_slug", "test_vendor_store"),
            ("shop_description", "<p><br data-mce-bogus=\"1\"></p>"),
            ("store_name_position", "on_banner"),
            ("store_ppp", "10"),
            ("store_hide_email", "no"),
            ("store_hide_phone", "no"),
            ("store_hide_address", "no"),
            ("wcfm_disable_vacation_purchase", "no"),
        ]
    );
}

#[test]
fn notifications_keep_kind_text_and_the_sites_time() {
    let (messages, _) = notifications::decode_list(account().clock, &sample("notifications")).unwrap();
    let found: Vec<(&str, &str, String)> =
        messages.iter().map(|message| (message.id.as_str(), message.kind.as_str(), when(message.at))).collect();
    assert_eq!(
        found,
        [
            ("107", "status-update", "2018-12-07T14:39:02+05:30".into()),
            ("106", "status-update", "2018-12-07T14:39:01+05:30".into()),
            ("103", "order", "2018-12-07T14:38:58+05:30".into()),
        ]
    );
    let texts = messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>();
    let read: serde_json::Value = serde_json::from_str(&fixture("seeds/wcfm-notifications.json")).unwrap();
    assert_eq!(texts, read.as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect::<Vec<_>>());
    assert_eq!(texts[2], "You have received an Order #274 for Test Product");
}
