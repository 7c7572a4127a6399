//! OmniSeller, whose API stands in the shop and refuses with 200; and help-ka, which is WCFM in a folder, in Russian.

use tradepost_end_to_end::{account, config, connector, host, ids, keep, kind, run, walk_orders};
use tradepost_platforms::{HelpKa, OmniSeller, Platform};
use tradepost_runtime::commerce::{ListQuery, NotificationQuery, StockChange};
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Capability, Decimal, MemoryStorage};

fn change(sku: &str) -> StockChange {
    StockChange {
        sku: Some(sku.into()),
        product_id: None,
        variant_id: None,
        available: Decimal::from(5),
        list_price: None,
        as_of: None,
    }
}

#[test]
fn all_orders_and_categories_of_a_shop_are_read() {
    run(async {
        let platform = OmniSeller::builder().orders(130).categories(40).start().await.unwrap();
        let account = account(&platform).await;
        let (orders, _) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
        assert_eq!(ids(&orders).len(), 130);
        assert!(orders.iter().all(|order| order.currency.is_none() && order.totals.total.is_none()));
        let page = keep(account.list_categories(None).await).await.unwrap();
        assert_eq!((page.items.len(), page.end), (40, true));
        assert!(page.items.iter().all(|category| category.active.is_some()));
    });
}

#[test]
fn a_token_that_ran_out_is_renewed_once_although_the_shop_answers_200() {
    run(async {
        let platform = OmniSeller::builder().orders(60).start().await.unwrap();
        let account = account(&platform).await;
        let first = keep(account.list_orders(&ListQuery::default(), None).await).await.unwrap();
        assert_eq!(platform.ledger().logins(), 1);
        platform.shop().expire_tokens();
        let second = keep(account.list_orders(&ListQuery::default(), first.next.as_deref()).await).await.unwrap();
        assert!(second.end);
        assert_eq!(platform.ledger().logins(), 2);
        assert_eq!(ids(&first.items).len() + ids(&second.items).len(), 60);
    });
}

#[test]
fn a_notice_in_place_of_json_is_a_protocol_error_with_an_excerpt() {
    run(async {
        let platform = OmniSeller::builder().start().await.unwrap();
        let account = account(&platform).await;
        keep(account.check().await).await.unwrap();
        platform.set_fault(Some("notice-only".parse().unwrap()));
        let error = account.list_categories(None).await.unwrap_err();
        let Some(ErrorKind::Protocol(answer)) = error.kind() else { panic!("{error}") };
        assert!(answer.excerpt.contains("Notice"), "{answer:?}");
        for (_, secret) in platform.example_secrets() {
            assert!(!format!("{error:?}").contains(&secret));
        }
    });
}

#[test]
fn what_the_documentation_leaves_open_is_unsupported_until_the_shop_s_number_is_known() {
    run(async {
        let platform = OmniSeller::builder().products(3).start().await.unwrap();
        let refused = account(&platform).await.set_stock(&[change("ART-1")]).await;
        assert_eq!(kind(&refused), "unsupported");
        assert!(refused.unwrap_err().to_string().contains("stock-function"));
        assert!(platform.ledger().is_empty());

        let known = OmniSeller::builder().products(3).stock_function("21").start().await.unwrap();
        let sku = known.shop().order_ids().first().map(|_| "SKU").unwrap_or_default();
        let outcome = account(&known).await.set_stock(&[change(sku)]).await;
        // An article that the shop does not have: refused as a whole, and the shop took nothing.
        assert_eq!(kind(&outcome), "conflict");
        assert!(known.ledger().is_empty());
    });
}

#[test]
fn help_ka_is_read_below_its_folder_and_has_no_restrictions() {
    run(async {
        let platform = HelpKa::builder().orders(30).reviews(3).enquiries(2).start().await.unwrap();
        assert!(platform.root_url().ends_with("/market"), "{}", platform.root_url());
        let connector = connector("help-ka").await;
        assert!(!connector.has(Capability::SellerRestrictions) && connector.has(Capability::Notifications));
        let account = account(&platform).await;
        let (orders, _) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
        assert_eq!(ids(&orders).len(), 30);
        assert!(orders.iter().any(|order| order.currency.as_deref() == Some("RUB")));

        let query = NotificationQuery::default();
        let (mut count, mut cursor) = (0, None::<String>);
        loop {
            let page = keep(account.list_notifications(&query, cursor.as_deref()).await).await.unwrap();
            count += page.items.len() as u64;
            if page.end {
                break;
            }
            cursor = page.next;
        }
        assert_eq!(count, platform.held()["notifications"]);
    });
}

#[test]
fn a_wrong_password_is_told_by_its_code_also_in_russian() {
    run(async {
        let platform = HelpKa::builder().start().await.unwrap();
        let mut config = config(&platform).await;
        config.secrets.insert("password".into(), "not-this-one".to_owned().into());
        let storage = std::sync::Arc::new(MemoryStorage::new());
        let account = host().open(&connector("help-ka").await, config, storage).unwrap();
        assert_eq!(kind(&account.check().await), "auth-rejected");
    });
}
