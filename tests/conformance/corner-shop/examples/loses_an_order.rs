//! Loses orders on paging: it takes what changed since the newest order of the last walk, page after page, and does not ask whether the
//! pages moved meanwhile.

use tradepost_corner_shop::{ReadAmount, corner_shop, exactly, once, page_of_orders};
use tradepost_sdk::prelude::*;

/// The cursor: `page|mark|newest`, where `mark` is where the last walk began.
fn list(query: &ListQuery, cursor: Option<&str>, amount: ReadAmount) -> Result<OrderPage, Error> {
    let mut parts = cursor.unwrap_or("1||").split('|');
    let page: u32 = parts.next().and_then(|part| part.parse().ok()).unwrap_or(1);
    let mark: Option<i64> = parts.next().and_then(|part| part.parse().ok());
    let newest: Option<i64> = parts.next().and_then(|part| part.parse().ok());
    let mut items = page_of_orders(page, query.include_raw, amount)?;
    let changed = |order: &Order| order.updated_at.as_ref().map(|at| at.epoch_seconds);
    let newest = newest.or_else(|| items.first().and_then(changed));
    let is_last =
        items.len() < 10 || items.last().and_then(changed).is_some_and(|at| mark.is_some_and(|mark| at <= mark));
    items.retain(|order| changed(order).is_none_or(|at| mark.is_none_or(|mark| at > mark)));
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    let next = if is_last {
        format!("1|{}|", number(newest.or(mark)))
    } else {
        format!("{}|{}|{}", page + 1, number(mark), number(newest))
    };
    Ok(OrderPage { items, next: Some(next), end: is_last, total: None })
}

corner_shop!(list: list, amount: exactly, send: once);
