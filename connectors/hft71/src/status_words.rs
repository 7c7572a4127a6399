//! The status words of one call: looked up in the account's table, each unknown one logged once.

use std::collections::BTreeSet;

use tradepost_sdk::prelude::*;

use crate::manifest;

/// The account's table, and which unknown words were met.
pub(crate) struct StatusWords {
    table: StatusTable,
    unknown: BTreeSet<String>,
}

impl StatusWords {
    pub(crate) fn for_account() -> Result<Self, Error> {
        Ok(Self { table: StatusTable::for_account(manifest::statuses())?, unknown: BTreeSet::new() })
    }

    /// What a word means; an unknown one means nothing on any axis and keeps its text.
    pub(crate) fn status(&mut self, word: &str) -> Status {
        if !self.table.knows(word) && self.unknown.insert(word.to_owned()) {
            log::warn(
                "a status word is not in the status table; map it in the setting `status-table`",
                &[("word", word)],
            );
        }
        self.table.lookup(word)
    }
}

/// The status of the whole: that of its least advanced item. None where there are no items.
///
/// Items are ranked by the order axis, then by the goods: `unknown` first, because an item nobody can read may stand
/// anywhere and the whole must not be called further than it; then as work goes on; what failed or was called off last,
/// because it holds nothing up. Goods that are not reported count as not begun. Of equals the first one stands for all.
pub(crate) fn least_advanced<'a>(items: impl IntoIterator<Item = &'a Status>) -> Option<&'a Status> {
    items.into_iter().min_by_key(|status| (order_rank(status.order), goods_rank(status.fulfilment)))
}

fn order_rank(state: OrderState) -> u8 {
    match state {
        OrderState::Unknown => 0,
        OrderState::Draft => 1,
        OrderState::Pending => 2,
        OrderState::OnHold => 3,
        OrderState::Open => 4,
        OrderState::InProgress => 5,
        OrderState::Completed => 6,
        OrderState::Closed => 7,
        OrderState::Failed => 8,
        OrderState::Cancelled => 9,
    }
}

fn goods_rank(state: FulfilmentState) -> u8 {
    match state {
        FulfilmentState::Unknown => 0,
        FulfilmentState::NotReported => 1,
        FulfilmentState::Unfulfilled => 2,
        FulfilmentState::InProduction => 3,
        FulfilmentState::ReadyToShip => 4,
        FulfilmentState::PartiallyShipped => 5,
        FulfilmentState::Shipped => 6,
        FulfilmentState::Delivered => 7,
        FulfilmentState::PartiallyReturned => 8,
        FulfilmentState::Returned => 9,
        FulfilmentState::Cancelled => 10,
    }
}
