//! `GET /stock/available`: numbered pages of a bare array, with neither totals nor order (protocol notes, section 2.5).
//!
//! The list is read whole each time. It ends with an empty page, or with one shorter than the fullest before it: the
//! largest page that the server allows is not known, so a first page that is shorter than asked for proves nothing. A
//! server that ignores the page number is reported by the walk.

use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{PageOf, Row, Walk};

use crate::Hft71;
use crate::manifest::DEFAULT_STOCK_PAGE_SIZE;
use crate::wire::{StockJson, of_service, stock_page};

json::record! {
    struct StockSettings {
        "stock-page-size" => page_size: Option<u32>,
    }
}

/// One row: an article, whose SKU is empty where the server writes `null`.
struct Article {
    sku: String,
    available: Option<Decimal>,
}

impl Row for Article {
    fn id(&self) -> &str {
        &self.sku
    }

    fn updated_at(&self) -> Option<Timestamp> {
        None
    }
}

impl Stock for Hft71 {
    fn list(cursor: Option<String>) -> Result<StockPage, Error> {
        let settings: StockSettings = settings::get()?;
        let count = settings.page_size.unwrap_or(DEFAULT_STOCK_PAGE_SIZE);
        let walk = Walk::unfiltered().unsorted().short_page_ends();
        let step = walk.step(cursor.as_deref(), &mut |_: Option<&str>, page: u32| fetch(page, count))?;
        // Taken out only here: to the walk they are rows of a page like others.
        let (named, nameless): (Vec<Article>, Vec<Article>) =
            step.items.into_iter().partition(|article| !article.sku.trim().is_empty());
        if !nameless.is_empty() {
            let rows = nameless.len().to_string();
            log::warn("articles without a SKU were left out: nothing else names them", &[("rows", &rows)]);
        }
        Ok(StockPage { items: named.into_iter().map(level).collect(), next: step.next, end: step.end })
    }
}

fn fetch(page: u32, count: u32) -> Result<PageOf<Article>, Error> {
    let answer = of_service(stock_page(page, count).send()?)?;
    let rows = answer
        .decode::<Vec<StockJson<'_>>>()?
        .into_iter()
        .map(|row| Article { sku: row.sku.0.into_string(), available: row.stock.0.into_option().map(Decimal::from) });
    Ok(PageOf { rows: rows.collect(), total: None, last: false })
}

/// What the server says, also below zero: articles that are promised and not there.
fn level(article: Article) -> StockLevel {
    StockLevel {
        sku: Some(article.sku),
        product_id: None,
        variant_id: None,
        location: None,
        available: article.available,
        in_stock: None,
    }
}
