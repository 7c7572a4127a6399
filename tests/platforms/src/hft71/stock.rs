//! The stock and `GET /stock/available`: a bare array without totals, in no order but its own, with the traps of such a list.

use http::StatusCode;
use serde_json::{Value, json};

use super::Opening;
use super::routes::error;
use crate::exchange::{Answer, Request};

/// How many articles a page holds when nothing is asked for, as many as the documentation's example asks for.
const DEFAULT_COUNT: usize = 200;

/// The articles, each as the API shows it.
pub(super) struct Stock {
    articles: Vec<Value>,
    longest_page: usize,
    ignores_page: bool,
    /// How many more articles come new, one after each page.
    still_to_come: u32,
    came: u32,
}

/// The documentation's article.
fn sample() -> Value {
    json!({"sku": "GL64000-00007-0046", "stock": 18})
}

/// A generated article; the n-th is always the same. One in eight is sold out.
fn generated(index: u64) -> Value {
    let sku = format!("GL64000-{:05}-{:04}", 100 + index / 8, 40 + index % 8);
    json!({"sku": sku, "stock": (index % 8) * 7})
}

impl Stock {
    pub(super) fn open(opening: &Opening) -> Self {
        let generated = (0..opening.articles.saturating_sub(1)).map(generated);
        let held = usize::try_from(opening.articles).unwrap_or(usize::MAX);
        Self {
            articles: std::iter::once(sample()).chain(generated).take(held).collect(),
            longest_page: opening.longest_page,
            ignores_page: opening.ignores_page,
            still_to_come: opening.new_articles_between_pages,
            came: 0,
        }
    }

    /// How many articles there are.
    pub(super) fn len(&self) -> u64 {
        self.articles.len() as u64
    }

    fn place(&self, sku: &str) -> Option<usize> {
        self.articles.iter().position(|article| article["sku"] == sku)
    }

    /// Whether there is an article with this SKU.
    pub(super) fn contains(&self, sku: &str) -> bool {
        self.place(sku).is_some()
    }

    /// The stock of an article as the API shows it.
    pub(super) fn level(&self, sku: &str) -> Option<Value> {
        Some(self.articles[self.place(sku)?]["stock"].clone())
    }

    /// Sets the stock of an article, which is put in last if there is none.
    pub(super) fn set(&mut self, sku: &str, stock: Value) {
        match self.place(sku) {
            Some(place) => self.articles[place]["stock"] = stock,
            None => self.articles.push(json!({"sku": sku, "stock": stock})),
        }
    }

    /// Puts a row in, before all others, exactly as given.
    pub(super) fn insert_first(&mut self, row: Value) {
        self.articles.insert(0, row);
    }

    /// Takes an article out. Tells whether there was one.
    pub(super) fn remove(&mut self, sku: &str) -> bool {
        self.place(sku).map(|place| self.articles.remove(place)).is_some()
    }

    /// Answers a page. Both arguments are whole numbers from 1, or 400; a count above the longest page is cut in silence.
    pub(super) fn page(&mut self, request: &Request) -> Answer {
        let number = |name, default| match request.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or(name),
        };
        let (page, count): (usize, usize) = match (number("page", 1), number("count", DEFAULT_COUNT)) {
            (Ok(page), Ok(count)) => (page, count.min(self.longest_page)),
            (Err(name), _) | (_, Err(name)) => {
                let message = format!("{name} must be a whole number from 1.");
                return error(StatusCode::BAD_REQUEST, &message, &json!([]));
            }
        };
        let skipped = if self.ignores_page { 0 } else { (page - 1).saturating_mul(count) };
        let shown: Value = self.articles.iter().skip(skipped).take(count).cloned().collect();
        if self.still_to_come > 0 {
            self.still_to_come -= 1;
            self.came += 1;
            let sku = format!("GL64000-99999-{:04}", self.came);
            self.insert_first(json!({"sku": sku, "stock": self.came}));
        }
        Answer::json(StatusCode::OK, &shown)
    }
}
