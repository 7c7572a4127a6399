//! What a marketplace gives back is told as far as it tells it.

use tradepost_end_to_end::{account, keep, kind, run};
use tradepost_platforms::{Generation, HelpKa, Platform, Wcfm, WcfmShop};
use tradepost_runtime::Account;
use tradepost_runtime::contract::Refund;

async fn refunds(account: &Account, order: u64) -> Vec<Refund> {
    keep(account.list_refunds(&order.to_string()).await).await.unwrap()
}

/// Gives back part of an order, then the rest, and looks before and after each.
async fn given_back_in_two_goes(account: &Account, shop: &WcfmShop, currency: &str) {
    let id = shop.insert_order("processing");
    let order = shop.order(id).unwrap();
    let total: f64 = order["total"].as_str().unwrap().parse().unwrap();
    let line = order["line_items"][0]["id"].as_u64().unwrap();
    assert_eq!(refunds(account, id).await, []);

    assert!(shop.refund_order(id, 0.17, &[]));
    let told = refunds(account, id).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].amount.amount.to_string().as_str(), told[0].amount.currency.as_str()), ("0.17", currency));
    assert_eq!((told[0].is_sum, told[0].is_whole_order, told[0].lines.len()), (true, Some(false), 0), "{told:?}");
    assert_eq!((&told[0].id, &told[0].at, &told[0].reason), (&None, &None, &None), "the source does not say");

    assert!(shop.refund_order(id, total, &[line]));
    let told = refunds(account, id).await;
    assert_eq!(told.len(), 1, "one sum: {told:?}");
    assert_eq!(told[0].is_whole_order, Some(true));
    let lines: Vec<&str> = told[0].lines.iter().map(|line| line.line_id.as_str()).collect();
    assert_eq!(lines, [line.to_string()]);
}

#[test]
fn wcfm_tells_the_sum_and_the_lines_and_nothing_it_does_not_know() {
    run(async {
        for generation in [Generation::V1_5, Generation::V1_6] {
            let platform = Wcfm::builder().generation(generation).orders(300).start().await.unwrap();
            let account = account(&platform).await;
            given_back_in_two_goes(&account, &platform.shop(), "INR").await;
            // As they were recorded.
            assert_eq!(refunds(&account, 57).await[0].amount.amount.to_string(), "317.54");
            assert_eq!(refunds(&account, 58).await[0].is_whole_order, Some(true));
            for unknown in ["999999", "54", "x", ""] {
                assert_eq!(kind(&keep(account.list_refunds(unknown).await).await), "not-found", "{unknown:?}");
            }
            assert!(platform.ledger().is_empty(), "it only reads");
        }
    });
}

#[test]
fn help_ka_tells_as_much_in_its_own_currency() {
    run(async {
        let platform = HelpKa::builder().start().await.unwrap();
        given_back_in_two_goes(&account(&platform).await, &platform.shop(), "RUB").await;
    });
}
