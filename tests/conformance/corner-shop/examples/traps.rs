//! Breaks off wherever it is asked for orders, by a mistake that is found when it is used and not when it is loaded.

use tradepost_corner_shop::{ReadAmount, corner_shop, exactly, once};
use tradepost_sdk::prelude::*;

fn list(_query: &ListQuery, _cursor: Option<&str>, _amount: ReadAmount) -> Result<OrderPage, Error> {
    panic!("the first page is the zeroth")
}

corner_shop!(list: list, amount: exactly, send: once);
