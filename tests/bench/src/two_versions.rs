//! Two versions of a connector that can be told apart by their answers. What a label says of the code that runs is one thing; that a
//! call was answered by it, only the answer proves.

use anyhow::Context;
use tradepost_components::alter;
use tradepost_runtime::commerce::{ListQuery, OrderPage};
use tradepost_runtime::{Account, CallError};

use crate::setup;

/// What the versions are called: the one that is built, and one above it that is as long.
pub(crate) const VERSIONS: [&str; 2] = [env!("CARGO_PKG_VERSION"), "0.9.9"];
/// What each of them calls a field of an order that connectors for WCFM read.
const FIELDS: [&str; 2] = ["wcfm.item_total", "wcfm.total_item"];
/// Orders on the page that [`call`] asks for.
pub(crate) const ORDERS: usize = 10;

/// A connector for WCFM, built, in both versions.
pub(crate) fn build(package: &str) -> anyhow::Result<[Vec<u8>; 2]> {
    let built = setup::component(package)?;
    let next = alter::with_version(&built, VERSIONS[0], VERSIONS[1]);
    let next = alter::with_text(&next, FIELDS[0], FIELDS[1]);
    Ok([built, next])
}

/// One page of orders. Gives which version answered: its place in [`VERSIONS`], or none where the answer is neither's.
pub(crate) async fn call(account: &Account) -> Result<Option<usize>, CallError> {
    let query = ListQuery { page_size: Some(u32::try_from(ORDERS).unwrap_or(u32::MAX)), ..ListQuery::default() };
    Ok(answered_by(&account.list_orders(&query, None).await?.value))
}

/// The version that an account is open on.
pub(crate) fn version_of(account: &Account) -> anyhow::Result<usize> {
    let version = &account.connector().manifest().version;
    VERSIONS.iter().position(|known| known == version).with_context(|| format!("{version} is none of the two"))
}

fn answered_by(page: &OrderPage) -> Option<usize> {
    let of_order = |field: &str| {
        page.items.len() == ORDERS
            && page.items.iter().all(|order| order.extensions.iter().any(|extension| extension.name == field))
    };
    FIELDS.iter().position(|field| of_order(field))
}
