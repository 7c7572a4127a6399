//! Reading products and stock levels: `GET /products` and `GET /products/{id}`.
//!
//! The list is asked for every status (drafts are left out otherwise) and sorted by id: its default order, by date alone,
//! has no fixed order among equal dates, and pages may overlap or miss rows (recordings README, 17).

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{Row, Walk};
use tradepost_sdk::wordpress::{SiteClock, record_id};

use crate::account::Account;
use crate::list_page::{self, Rows};
use crate::product_json::ProductJson;
use crate::product_mapping::{product, stock_levels};
use crate::{WcfmConnector, answer};

/// What a stock level is made of; the rest need not be sent.
const STOCK_FIELDS: &str = "id,sku,type,manage_stock,stock_quantity,in_stock,variations";

impl<M> Products for WcfmConnector<M> {
    /// Drafts and pending ones included, the oldest first.
    fn list(query: ListQuery, cursor: Option<String>) -> Result<ProductPage, Error> {
        let clock = Account::of_call()?.clock;
        let statuses = if query.statuses.is_empty() { "any".to_owned() } else { query.statuses.join(",") };
        let products = sorted(http::get("/products").query("status", statuses));
        let walk = Walk::unfiltered().unsorted().rows_per_call(query.page_size);
        let step = walk.step(cursor.as_deref(), &mut |_: Option<&str>, page: u32| {
            list_page::read(&products, page, |answer| {
                decode_list(answer, |source, raw| product(clock, source, query.include_raw.then_some(raw)))
            })
        })?;
        Ok(ProductPage { items: step.items, next: step.next, end: step.end, total: step.total })
    }

    /// Also another seller's: the server shows any (recording 098); `owner_id` tells whose it is.
    fn get(id: String) -> Result<Product, Error> {
        get(&id)
    }
}

impl<M> Stock for WcfmConnector<M> {
    /// Each product's own level, and each variation's.
    fn list(cursor: Option<String>) -> Result<StockPage, Error> {
        let products = sorted(http::get("/products").query("status", "any").query("_fields", STOCK_FIELDS));
        let step = Walk::unfiltered().unsorted().step(cursor.as_deref(), &mut |_: Option<&str>, page: u32| {
            list_page::read(&products, page, |answer| {
                decode_list(answer, |source, _| ProductStock { levels: stock_levels(&source), id: source.id.0 })
            })
        })?;
        let items = step.items.into_iter().flat_map(|product| product.levels).collect();
        Ok(StockPage { items, next: step.next, end: step.end })
    }
}

/// One product with its JSON.
pub(crate) fn get(id: &str) -> Result<Product, Error> {
    let clock = Account::of_call()?.clock;
    let answer = http::get(format!("/products/{}", known_id(id)?)).send()?;
    decode_single(clock, &answer)
}

/// The product of one answer: of `GET /products/{id}`, and of every write that says what it made.
pub fn decode_single(clock: SiteClock, answer: &Answer) -> Result<Product, Error> {
    let json = answer::json(answer)?;
    json::decode(json).map(|source| product(clock, source, Some(json)))
}

/// The levels of one product: a row of the walk.
struct ProductStock {
    id: String,
    levels: Vec<StockLevel>,
}

impl Row for ProductStock {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        None
    }
}

/// By id, the oldest first: new products come at the end and move nothing.
pub(crate) fn sorted(products: Request) -> Request {
    products.query("orderby", "ID").query("order", "asc")
}

/// What `each` makes of the products of one answer of `GET /products`, each with its own JSON; and the total.
pub fn decode_list<T>(answer: &Answer, each: impl FnMut(ProductJson<'_>, &str) -> T) -> Result<Rows<T>, Error> {
    // Absent where nothing was found, like every paging header (recording 044).
    let total = answer.header("x-wp-total").and_then(|total| total.trim().parse().ok());
    Ok((json::map_array(answer::list(answer)?, each)?, total))
}

/// An id that can be asked for.
pub(crate) fn known_id(id: &str) -> Result<&str, Error> {
    record_id(id).ok_or_else(|| error::not_found("The shop has no such product."))
}
