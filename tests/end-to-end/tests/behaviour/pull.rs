//! What is pulled is what the marketplace holds, also while it changes between two pages.

use std::collections::HashSet;

use tradepost_end_to_end::{account, ids, keep, run, walk_orders};
use tradepost_platforms::{Generation, HardToFind, Platform, Wcfm};
use tradepost_runtime::Account;
use tradepost_runtime::commerce::{ListQuery, NotificationQuery};

#[test]
fn every_stream_of_both_platforms_is_pulled_whole() {
    run(async {
        for count in [1, 10, 11, 137] {
            let platform = HardToFind::builder().orders(count).start().await.unwrap();
            let (orders, _) = walk_orders(&account(&platform).await, &ListQuery::default(), None).await.unwrap();
            assert_eq!(ids(&orders).len() as u64, count, "hardtofind with {count} orders");
        }
        for generation in [Generation::V1_5, Generation::V1_6] {
            let platform = Wcfm::builder()
                .generation(generation)
                .orders(230)
                .products(130)
                .notifications(120)
                .start()
                .await
                .unwrap();
            let account = account(&platform).await;
            let held = platform.held();
            let (orders, _) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
            assert_eq!(ids(&orders).len() as u64, held["orders"], "{generation:?}");
            assert_eq!(products(&account).await, held["products"], "{generation:?}");
            assert_eq!(stock(&account).await, held["stock"], "{generation:?}");
            assert_eq!(categories(&account).await, held["categories"], "{generation:?}");
            assert_eq!(notifications(&account).await, held["notifications"], "{generation:?}");
        }
    });
}

macro_rules! count {
    ($name:ident, $account:ident, $cursor:ident, $call:expr, $id:expr) => {
        async fn $name($account: &Account) -> u64 {
            let mut seen = HashSet::new();
            let mut cursor: Option<String> = None;
            loop {
                let $cursor = cursor.as_deref();
                let page = keep($call.await).await.unwrap();
                seen.extend(page.items.iter().map($id));
                cursor = page.next;
                if page.end {
                    return seen.len() as u64;
                }
            }
        }
    };
}

count!(products, account, cursor, account.list_products(&ListQuery::default(), cursor), |product| product.id.clone());
count!(categories, account, cursor, account.list_categories(cursor), |category| category.id.clone());
count!(stock, account, cursor, account.list_stock(cursor), |level| (
    level.product_id.clone(),
    level.variant_id.clone()
));
count!(
    notifications,
    account,
    cursor,
    account.list_notifications(&NotificationQuery::default(), cursor),
    |notification| notification.id.clone()
);

/// hardtofind sorts by last change: each change moves rows between the pages that are still to be read.
#[test]
fn orders_that_move_between_pages_are_not_lost() {
    run(async {
        let platform = HardToFind::builder().orders(120).start().await.unwrap();
        let account = account(&platform).await;
        let shop = platform.shop();
        let before: HashSet<String> = shop.order_ids().into_iter().collect();
        let oldest_first: Vec<String> = shop.order_ids().into_iter().rev().collect();
        platform.between_requests(Box::new(move |served| {
            // The first request is the login. New ones come in, read and unread ones move to the top, some change their list.
            match served.number % 4 {
                0 => shop.insert_order(&format!("9{:05}", served.number), "READY"),
                1 => assert!(shop.touch_order(&oldest_first[usize::try_from(served.number).unwrap() % 100])),
                2 => assert!(
                    shop.set_order_status(&oldest_first[usize::try_from(served.number * 7).unwrap() % 100], "SHIPPED")
                ),
                _ => {}
            }
        }));
        let (first, mark) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
        platform.between_requests(Box::new(|_| {}));
        let (second, mark) = walk_orders(&account, &ListQuery::default(), mark).await.unwrap();
        let pulled: HashSet<String> = ids(&first).union(&ids(&second)).cloned().collect();
        let held: HashSet<String> = platform.shop().order_ids().into_iter().collect();
        assert!(held.len() > before.len(), "orders came in during the walk");
        assert_eq!(pulled, held, "lost: {:?}", held.difference(&pulled).collect::<Vec<_>>());
        for id in &held {
            let latest = second.iter().chain(&first).find(|order| order.id == *id).unwrap();
            let status = platform.shop().order(id).unwrap()["status"].as_str().unwrap().to_owned();
            let seen_now = first.iter().chain(&second).any(|order| order.id == *id && order.status.raw == status);
            assert!(seen_now, "order {id} is {status}, and was last seen as {}", latest.status.raw);
        }
        let (third, _) = walk_orders(&account, &ListQuery::default(), mark).await.unwrap();
        assert!(
            third.len() < held.len() / 2,
            "a walk from a mark reads what changed, not everything: {} of {}",
            third.len(),
            held.len()
        );
    });
}

/// WCFM lists newest first: an order that comes in pushes all others down by one.
#[test]
fn orders_that_come_in_between_pages_are_not_lost_at_wcfm() {
    run(async {
        let platform = Wcfm::builder().orders(450).start().await.unwrap();
        let account = account(&platform).await;
        let shop = platform.shop();
        platform.between_requests(Box::new(move |_| {
            shop.insert_order("processing");
        }));
        let (first, mark) = walk_orders(&account, &ListQuery::default(), None).await.unwrap();
        platform.between_requests(Box::new(|_| {}));
        let (second, _) = walk_orders(&account, &ListQuery::default(), mark).await.unwrap();
        let pulled: HashSet<String> = ids(&first).union(&ids(&second)).cloned().collect();
        let held: HashSet<String> = platform.shop().order_ids().into_iter().map(|id| id.to_string()).collect();
        assert!(held.len() > 450);
        assert_eq!(pulled, held);
    });
}

#[test]
fn wordpress_in_a_folder_is_found() {
    run(async {
        let platform = Wcfm::builder().prefix("/market").start().await.unwrap();
        let (orders, _) = walk_orders(&account(&platform).await, &ListQuery::default(), None).await.unwrap();
        assert_eq!(ids(&orders).len() as u64, platform.held()["orders"]);
    });
}

#[test]
fn a_query_restricts_the_statuses_and_brings_the_source_s_own_json() {
    run(async {
        let platform = HardToFind::builder().orders(60).start().await.unwrap();
        let query = ListQuery { statuses: vec!["SHIPPED".into()], include_raw: true, ..ListQuery::default() };
        let (orders, _) = walk_orders(&account(&platform).await, &query, None).await.unwrap();
        assert!(!orders.is_empty());
        for order in orders {
            assert_eq!(order.status.raw, "SHIPPED");
            let raw: serde_json::Value = serde_json::from_str(order.raw.as_deref().unwrap()).unwrap();
            assert_eq!(raw, platform.shop().order(&order.id).unwrap());
        }
    });
}
