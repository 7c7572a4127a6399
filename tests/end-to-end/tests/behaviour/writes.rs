//! Writes, judged by the marketplaces' ledgers: done once, done as asked, refused where the platform does not do them.

use tradepost_end_to_end::{account, keep, kind, run};
use tradepost_platforms::{Generation, HardToFind, Platform, Wcfm};
use tradepost_runtime::commerce::{OrderState, ProductFields, ProductKind, Shipment, StockChange, StockOutcome};
use tradepost_runtime::contract::Target;

const GENERATIONS: [Generation; 2] = [Generation::V1_5, Generation::V1_6];

fn parcel(number: &str) -> Shipment {
    Shipment { carrier: Some("Australia Post".into()), tracking_number: Some(number.into()), ..Shipment::default() }
}

fn change(sku: Option<&str>, product: Option<&str>, available: i64) -> StockChange {
    StockChange {
        sku: sku.map(str::to_owned),
        product_id: product.map(str::to_owned),
        variant_id: None,
        available: available.into(),
        list_price: None,
        as_of: None,
    }
}

#[test]
fn acknowledging_and_shipping_twice_is_in_the_ledger_once() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = account(&platform).await;
        for _ in 0..2 {
            assert_eq!(keep(account.acknowledge_order("123456").await).await.unwrap().raw, "PROCESSED");
        }
        for _ in 0..2 {
            assert_eq!(keep(account.ship("123456", &parcel("33XYZ")).await).await.unwrap().raw, "SHIPPED");
        }
        assert_eq!(platform.ledger().effects(), [("order.process".to_owned(), 1), ("order.ship".to_owned(), 1)].into());
        let shipped = &platform.ledger().of("order.ship")[0];
        assert_eq!((shipped.key.as_str(), &shipped.json["data"]["tracking_number"]), ("123456", &"33XYZ".into()));

        let other = keep(account.ship("123456", &parcel("44ABC")).await).await;
        assert_eq!(kind(&other), "conflict", "a second parcel would be a correction");
        assert_eq!(kind(&keep(account.ship("999999", &parcel("1")).await).await), "not-found");
        assert_eq!(platform.ledger().len(), 2);
    });
}

#[test]
fn stock_at_hardtofind_is_sent_and_never_confirmed() {
    run(async {
        let platform = HardToFind::builder().start().await.unwrap();
        let account = account(&platform).await;
        let changes = [change(Some("SKU-111"), None, 42), change(Some("NO-SUCH"), None, 1), change(None, Some("5"), 1)];
        let results = keep(account.set_stock(&changes).await).await.unwrap();
        let outcomes: Vec<_> = results.iter().map(|result| result.outcome).collect();
        assert_eq!(outcomes, [StockOutcome::Unconfirmed, StockOutcome::Unconfirmed, StockOutcome::Refused]);
        assert_eq!(platform.shop().inventory("SKU-111"), Some(42));
        assert_eq!(platform.ledger().len(), 1);
    });
}

#[test]
fn stock_at_wcfm_is_confirmed_and_changes_nothing_else() {
    run(async {
        for generation in GENERATIONS {
            let platform = Wcfm::builder().generation(generation).start().await.unwrap();
            let account = account(&platform).await;
            let levels = keep(account.list_stock(None).await).await.unwrap().items;
            let level = levels.iter().find(|level| level.variant_id.is_none() && level.available.is_some()).unwrap();
            let id = level.product_id.clone().unwrap();
            let number: u64 = id.parse().unwrap();
            let before = platform.shop().product(number).unwrap();
            let results =
                keep(account.set_stock(&[change(None, Some(&id), 77), change(None, Some("99999999"), 1)]).await)
                    .await
                    .unwrap();
            assert_eq!(results[0].outcome, StockOutcome::Confirmed, "{results:?}");
            assert_eq!(results[1].outcome, StockOutcome::NotFound, "{results:?}");
            let after = platform.shop().product(number).unwrap();
            assert_eq!(after["stock_quantity"], 77);
            for field in [
                "name",
                "type",
                "status",
                "regular_price",
                "sale_price",
                "description",
                "categories",
                "images",
                "sku",
                "variations",
            ] {
                assert_eq!(after[field], before[field], "{generation:?}: {field}");
            }
            assert_eq!(platform.ledger().about(&id).len(), 1, "{generation:?}");
        }
    });
}

#[test]
fn an_order_s_status_is_set_and_read_back() {
    run(async {
        for generation in GENERATIONS {
            let platform = Wcfm::builder().generation(generation).start().await.unwrap();
            let account = account(&platform).await;
            let id = platform.shop().insert_order("processing").to_string();
            let shown = keep(account.set_order_status(&id, &Target::Word("completed".into())).await).await.unwrap();
            assert_eq!(shown.raw, "completed", "{generation:?}");
            let shown = keep(account.set_order_status(&id, &Target::State(OrderState::OnHold)).await).await.unwrap();
            assert_eq!((shown.raw.as_str(), shown.order), ("on-hold", OrderState::OnHold), "{generation:?}");
            assert_eq!(
                kind(&keep(account.set_order_status(&id, &Target::Word("no-such-status".into())).await).await),
                "invalid-input"
            );
            assert_eq!(
                kind(&keep(account.set_order_status("99999999", &Target::Word("completed".into())).await).await),
                "not-found"
            );
            assert_eq!(platform.ledger().about(&id).len(), 2, "{generation:?}");
        }
    });
}

#[test]
fn a_status_that_the_shop_accepts_and_does_not_set_is_a_conflict() {
    run(async {
        for generation in GENERATIONS {
            let platform = Wcfm::builder().generation(generation).order_sync(true).start().await.unwrap();
            let account = account(&platform).await;
            let id = platform.shop().insert_order("processing").to_string();
            let result = keep(account.set_order_status(&id, &Target::Word("completed".into())).await).await;
            assert_eq!(kind(&result), "conflict", "{generation:?}");
        }
    });
}

#[test]
fn tracking_at_wcfm_needs_the_add_on_and_is_sent_once() {
    run(async {
        let without = Wcfm::builder().start().await.unwrap();
        let id = without.shop().insert_order("processing").to_string();
        let refused = keep(account(&without).await.ship(&id, &parcel("33XYZ")).await).await;
        assert_eq!(kind(&refused), "unsupported");
        assert!(refused.unwrap_err().to_string().contains("add-on"));
        assert!(without.ledger().is_empty());

        let with = Wcfm::builder().tracking_add_on(true).start().await.unwrap();
        let id = with.shop().insert_order("processing").to_string();
        let account = account(&with).await;
        let lines = keep(account.get_order(&id).await).await.unwrap().lines.len();
        for _ in 0..2 {
            keep(account.ship(&id, &parcel("33XYZ")).await).await.unwrap();
        }
        assert_eq!(with.ledger().len(), lines, "one entry a line, none twice");
    });
}

#[test]
fn products_are_made_changed_and_removed_on_both_generations() {
    run(async {
        for generation in GENERATIONS {
            let platform = Wcfm::builder().generation(generation).start().await.unwrap();
            let account = account(&platform).await;
            let fields = ProductFields {
                name: Some("Blue mug".into()),
                kind: Some(ProductKind::Simple),
                sku: Some("MUG-BLUE".into()),
                regular_price: Some("12.50".parse().unwrap()),
                ..ProductFields::default()
            };
            let made = keep(account.create_product(&fields).await).await.unwrap();
            assert_eq!((made.name.as_str(), made.sku.as_deref()), ("Blue mug", Some("MUG-BLUE")), "{generation:?}");
            let dearer = ProductFields { regular_price: Some("13.00".parse().unwrap()), ..ProductFields::default() };
            let changed = keep(account.update_product(&made.id, &dearer).await).await.unwrap();
            assert_eq!(changed.regular_price, Some("13.00".parse().unwrap()), "{generation:?}");
            assert_eq!((changed.name, changed.sku), (made.name, made.sku), "{generation:?}: what is not given stays");
            assert_eq!(
                kind(&keep(account.create_product(&fields).await).await),
                "invalid-input",
                "{generation:?}: the SKU is taken"
            );
            for _ in 0..2 {
                keep(account.delete_product(&made.id).await).await.unwrap();
            }
            assert_eq!(
                kind(&keep(account.update_product(&made.id, &dearer).await).await),
                "not-found",
                "{generation:?}"
            );
            let effects: Vec<_> = platform.ledger().about(&made.id).iter().map(|entry| entry.effect).collect();
            assert_eq!(effects, ["product.create", "product.quick-edit", "product.delete"], "{generation:?}");
        }
    });
}
