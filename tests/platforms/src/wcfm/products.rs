//! The products of all vendors, newest first. Generated ones are made when they are first asked for, and the text of each product is
//! kept.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::login::VENDOR;
use super::recorded::Recordings;
use super::{Generation, generate, php_json};
use crate::clock::{self, KOLKATA};

enum Content {
    Generated(u64),
    Held(Box<Value>),
}

struct Product {
    author: u64,
    status: String,
    kind: String,
    sku: String,
    created: i64,
    variations: Vec<u64>,
    content: Content,
    text: Option<Bytes>,
}

/// What a list has to know of a product.
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) author: u64,
    pub(super) status: String,
}

/// The products by id.
pub(super) struct Products {
    recorded: Vec<Value>,
    generated: u64,
    generation: Generation,
    by_id: BTreeMap<u64, Product>,
    /// The products in the order of their list. Made anew after a change.
    newest_first: Option<Vec<Listed>>,
    next_id: u64,
    /// How often a list of related products was sent; it comes in another order each time.
    turns: usize,
}

impl Products {
    /// `count` products of the vendor, the recorded ones first, and the other vendor's.
    pub(super) fn open(recordings: &Recordings, count: Option<u64>, generation: Generation) -> Self {
        let recorded = recordings.products();
        let count = count.unwrap_or(recorded.len() as u64);
        let generated = count.saturating_sub(recorded.len() as u64);
        let mut products = Self {
            recorded: recorded.clone(),
            generated,
            generation,
            by_id: BTreeMap::new(),
            newest_first: None,
            // Above the orders, the products and the variations of any opening.
            next_id: 20_000_000,
            turns: 0,
        };
        let held = recorded.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX));
        for product in held.chain(recordings.other_products()) {
            products.insert(product);
        }
        for index in 0..generated {
            let plan = generate::product_plan(index, generated);
            let product = Product {
                author: VENDOR.id,
                status: "publish".to_owned(),
                kind: if plan.variations.is_empty() { "simple" } else { "variable" }.to_owned(),
                sku: plan.sku,
                created: plan.created,
                variations: plan.variations,
                content: Content::Generated(index),
                text: None,
            };
            products.by_id.insert(plan.id, product);
        }
        products
    }

    fn own(&self) -> impl Iterator<Item = &Product> {
        self.by_id.values().filter(|product| product.author == VENDOR.id && product.status != "trash")
    }

    /// How many of the vendor's products a list can show, in whatever status.
    pub(super) fn listable(&self) -> u64 {
        self.own().count() as u64
    }

    /// How many of the vendor's things have a stock of their own: simple products and the variations of variable ones.
    pub(super) fn sellable(&self) -> u64 {
        let stocks = |product: &Product| match product.kind.as_str() {
            "simple" => 1,
            "variable" => product.variations.len() as u64,
            _ => 0,
        };
        self.own().map(stocks).sum()
    }

    /// The ids of a vendor's products, lowest first.
    pub(super) fn ids_of(&self, author: u64) -> Vec<u64> {
        self.by_id.iter().filter(|(_, product)| product.author == author).map(|(id, _)| *id).collect()
    }

    /// What a list has to know of each product, the newest first, then the higher id first.
    pub(super) fn newest_first(&mut self) -> &[Listed] {
        self.newest_first.get_or_insert_with(|| {
            let mut products: Vec<(&u64, &Product)> = self.by_id.iter().collect();
            products.sort_unstable_by_key(|(id, product)| std::cmp::Reverse((product.created, **id)));
            let listed = products.into_iter().map(|(id, product)| Listed {
                id: *id,
                author: product.author,
                status: product.status.clone(),
            });
            listed.collect()
        })
    }

    /// Whose product it is.
    pub(super) fn author(&self, id: u64) -> Option<u64> {
        self.by_id.get(&id).map(|product| product.author)
    }

    /// Whether a product other than `id` carries an SKU.
    pub(super) fn has_other_with_sku(&self, id: u64, sku: &str) -> bool {
        !sku.is_empty() && self.by_id.iter().any(|(other, product)| *other != id && product.sku == sku)
    }

    /// Whether the id is a variation's.
    pub(super) fn is_variation(&self, id: u64) -> bool {
        self.by_id.values().any(|product| product.variations.contains(&id))
    }

    /// A number for a new product.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A product as JSON.
    pub(super) fn json(&self, id: u64) -> Option<Value> {
        let mut product = match &self.by_id.get(&id)?.content {
            Content::Generated(index) => generate::product(*index, self.generated, &self.recorded),
            Content::Held(product) => (**product).clone(),
        };
        if self.generation == Generation::V1_6 {
            // The spelling is the server's.
            product["product_restirction_message"] = "".into();
            product["_links"]["self"][0]["targetHints"] = json!({"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]});
        }
        Some(product)
    }

    /// A product as text.
    pub(super) fn text(&mut self, id: u64) -> Option<Bytes> {
        if let Some(text) = &self.by_id.get(&id)?.text {
            return Some(text.clone());
        }
        let mut product = self.json(id)?;
        let related =
            product.get_mut("related_ids").and_then(Value::as_array_mut).filter(|related| !related.is_empty());
        let shuffled = related.is_some();
        if let Some(related) = related {
            self.turns += 1;
            let turn = self.turns % related.len();
            related.rotate_left(turn);
        }
        let text: Bytes = php_json::to_vec(&product).into();
        if let Some(held) = self.by_id.get_mut(&id).filter(|_| !shuffled) {
            held.text = Some(text.clone());
        }
        Some(text)
    }

    /// A simple product without anything, to make a new one of.
    pub(super) fn blank(&self) -> Value {
        self.recorded.iter().find(|product| product["id"] == 42).cloned().unwrap_or_default()
    }

    /// Puts a product in as it is, in place of the one with its id. Tells whether it has what it needs.
    pub(super) fn insert(&mut self, product: Value) -> bool {
        let (Some(id), Some(author), Some(created)) = (
            product["id"].as_u64(),
            product["post_author"].as_str().and_then(|author| author.parse().ok()),
            product["date_created"].as_str().and_then(|date| clock::parse_without_offset(date, KOLKATA)),
        ) else {
            return false;
        };
        let text = |name: &str| product[name].as_str().unwrap_or_default().to_owned();
        let variations = product["variations"].as_array().into_iter().flatten();
        let held = Product {
            author,
            status: text("status"),
            kind: text("type"),
            sku: text("sku"),
            created,
            variations: variations.filter_map(|variation| variation["variation_id"].as_u64()).collect(),
            content: Content::Held(Box::new(product)),
            text: None,
        };
        self.by_id.insert(id, held);
        self.newest_first = None;
        true
    }

    /// Takes a product out.
    pub(super) fn remove(&mut self, id: u64) -> Option<Value> {
        let product = self.json(id);
        self.by_id.remove(&id);
        self.newest_first = None;
        product
    }
}
