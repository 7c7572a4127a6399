//! Finding the seller's own products before they are changed.
//!
//! A look first, because the write routes forgive nothing: they take any seller's product (a quick edit even moves it to the
//! caller), turn products of another type into simple ones unless they are told the type, and crash over ids that do not
//! exist (recordings 338, 506, 509-511). The list shows own products only, so what is found there may be changed. By article
//! number the whole list is read: `?sku=` crashes the server, and its search does not look at article numbers (recordings
//! 063, 475).

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::record_id;

use crate::list_page;
use crate::product_json::{ImageJson, ProductJson, Variation};
use crate::products;

/// Most pages that are read to find article numbers: a host allows 64 requests in a call.
const PAGES: u32 = 40;

/// As much of a product as a write needs.
const FIELDS: &str = "id,name,sku,type,regular_price,sale_price,manage_stock,stock_quantity,images,variations";

/// One of the seller's products, as it is before a write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnProduct {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sku: String,
    /// Its type, which every quick edit must name.
    pub(crate) kind: String,
    pub(crate) regular_price: Option<Decimal>,
    pub(crate) manages_stock: bool,
    /// Its pictures: id and URL.
    pub(crate) images: Vec<(String, String)>,
    /// Its variations: id and article number.
    pub(crate) variations: Vec<(String, String)>,
}

impl OwnProduct {
    fn of(source: ProductJson<'_>) -> Self {
        let image = |image: ImageJson<'_>| Some((image.id?.nonzero()?, image.src.into_string()));
        let variation = |variation: &Variation<'_>| {
            let sku = variation.known().map(|known| known.sku.to_string());
            (variation.id().to_owned(), sku.unwrap_or_default())
        };
        Self {
            id: source.id.0,
            name: source.name.into_string(),
            sku: source.sku.into_string(),
            kind: source.kind.into_string(),
            regular_price: source.regular_price.decimal(),
            manages_stock: source.manage_stock.0,
            variations: source.variations.0.iter().map(variation).collect(),
            images: source.images.0.into_iter().filter_map(image).collect(),
        }
    }

    /// Whether it has a price and a stock of its own.
    pub(crate) fn is_article(&self) -> bool {
        !matches!(self.kind.as_str(), "variable" | "grouped")
    }

    /// The variation with an article number that is not the product's.
    pub(crate) fn variation_with(&self, sku: &str) -> Option<&str> {
        let found = self.variations.iter().find(|(_, own)| own == sku && *own != self.sku);
        found.map(|(id, _)| id.as_str())
    }
}

/// The own products with these ids; fewer where some do not exist or are not the seller's.
pub(crate) fn by_ids(ids: &[&str]) -> Result<Vec<OwnProduct>, Error> {
    let mut found = Vec::new();
    let known: Vec<&str> = ids.iter().filter_map(|id| record_id(id)).collect();
    for group in known.chunks(list_page::ROWS as usize) {
        let request = group.iter().fold(list(), |request, id| request.query("include[]", id));
        read(&request, 1, |product| found.push(product))?;
    }
    found.retain(|product| ids.contains(&product.id.as_str()));
    Ok(found)
}

/// The own product with this id. Fails with `not-found` where there is none, or it is another seller's.
pub(crate) fn by_id(id: &str) -> Result<OwnProduct, Error> {
    let found = by_ids(&[id])?.pop();
    found.ok_or_else(|| error::not_found(format!("This seller has no product {id}.")))
}

/// The own products that have, themselves or in a variation, one of these article numbers. Fails with `unsupported` where
/// the shop is too large to find all of them.
pub(crate) fn by_skus(skus: &[&str]) -> Result<Vec<OwnProduct>, Error> {
    let mut found: Vec<OwnProduct> = Vec::new();
    let has = |product: &OwnProduct, sku: &str| product.sku == sku || product.variation_with(sku).is_some();
    let request = products::sorted(list());
    for page in 1..=PAGES {
        let is_last = read(&request, page, |product| {
            if skus.iter().any(|sku| has(&product, sku)) {
                found.push(product);
            }
        })?;
        if is_last || skus.iter().all(|sku| found.iter().any(|product| has(product, sku))) {
            return Ok(found);
        }
    }
    let message = format!(
        "WCFM cannot look up article numbers, and this seller has more than {} products to read through: name the product by its id.",
        PAGES * list_page::ROWS
    );
    Err(error::unsupported(message))
}

/// The seller's newest products, the newest first.
pub(crate) fn newest() -> Result<Vec<OwnProduct>, Error> {
    let answer = list().query("orderby", "ID").query("order", "desc").query("per_page", 20).send()?;
    let (products, _) = decode(&answer)?;
    Ok(products)
}

fn list() -> Request {
    http::get("/products").query("status", "any").query("_fields", FIELDS)
}

/// Reads a page and says whether it is the last.
fn read(request: &Request, page: u32, each: impl FnMut(OwnProduct)) -> Result<bool, Error> {
    let page = list_page::read(request, page, decode)?;
    page.rows.into_iter().for_each(each);
    Ok(page.last)
}

fn decode(answer: &Answer) -> Result<list_page::Rows<OwnProduct>, Error> {
    products::decode_list(answer, |source, _| OwnProduct::of(source))
}
