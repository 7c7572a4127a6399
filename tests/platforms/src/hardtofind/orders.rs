//! The orders: by id, and in lists with the most recently updated first. Generated ones are made when they are first asked for, and
//! every order's text is kept, so that ten thousand of them cost nothing to start with and little to serve.

use std::collections::HashMap;

use hyper::body::Bytes;
use serde_json::Value;

use super::generate;
use crate::clock::{self, SYDNEY};

enum Content {
    Generated(u64),
    Held(Box<Value>),
}

struct Order {
    status: String,
    updated_at: i64,
    content: Content,
    text: Option<Bytes>,
}

/// All orders.
pub(super) struct Orders {
    root_url: String,
    page_size: u64,
    generated: u64,
    by_id: HashMap<String, Order>,
    /// The ids of each status, in the order of their list. Made anew after a change.
    lists: Option<HashMap<String, Vec<String>>>,
}

impl Orders {
    /// `count` orders, the sample first.
    pub(super) fn open(root_url: &str, count: u64, page_size: u64) -> Self {
        let generated = count.saturating_sub(1);
        let mut orders =
            Self { root_url: root_url.to_owned(), page_size, generated, by_id: HashMap::new(), lists: None };
        if count > 0 {
            orders.insert(generate::sample());
        }
        for index in 0..generated {
            let order = Order {
                status: generate::status(index).to_owned(),
                updated_at: generate::updated_at(index, generated),
                content: Content::Generated(index),
                text: None,
            };
            orders.by_id.insert(generate::id(index), order);
        }
        orders
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.by_id.len() as u64
    }

    /// All ids, most recently updated first, then the higher id first.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<(&String, i64)> = self.by_id.iter().map(|(id, order)| (id, order.updated_at)).collect();
        ids.sort_unstable_by(|left, right| (right.1, right.0).cmp(&(left.1, left.0)));
        ids.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// A page of the orders with a status, in the documentation's paged structure.
    pub(super) fn page(&mut self, status: &str, number: u64) -> Vec<u8> {
        if self.lists.is_none() {
            let mut lists: HashMap<String, Vec<String>> = HashMap::new();
            for id in self.ids() {
                lists.entry(self.by_id[&id].status.clone()).or_default().push(id);
            }
            self.lists = Some(lists);
        }
        let list = self.lists.as_ref().and_then(|lists| lists.get(status));
        let total = list.map_or(0, Vec::len) as u64;
        let first = usize::try_from((number - 1).saturating_mul(self.page_size)).unwrap_or(usize::MAX);
        let length = usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let ids: Vec<String> = list.into_iter().flatten().skip(first).take(length).cloned().collect();
        let mut page = b"{\"data\":[".to_vec();
        for (place, id) in ids.iter().enumerate() {
            if place > 0 {
                page.push(b',');
            }
            page.extend_from_slice(&self.text(id).unwrap_or_default());
        }
        let (size, pages) = (self.page_size, total.div_ceil(self.page_size));
        page.extend_from_slice(
            format!("],\"page_size\":{size},\"page_number\":{number},\"total_results\":{total},\"pages\":{pages}}}")
                .as_bytes(),
        );
        page
    }

    /// An order as JSON text.
    pub(super) fn text(&mut self, id: &str) -> Option<Bytes> {
        let order = self.by_id.get_mut(id)?;
        if order.text.is_none() {
            let text = match &order.content {
                Content::Generated(index) => generate::order(*index, self.generated, &self.root_url).to_string(),
                Content::Held(order) => order.to_string(),
            };
            order.text = Some(text.into());
        }
        order.text.clone()
    }

    /// An order as JSON.
    pub(super) fn json(&self, id: &str) -> Option<Value> {
        self.by_id.get(id).map(|order| self.value(order))
    }

    fn value(&self, order: &Order) -> Value {
        match &order.content {
            Content::Generated(index) => generate::order(*index, self.generated, &self.root_url),
            Content::Held(order) => (**order).clone(),
        }
    }

    /// The status of an order.
    pub(super) fn status(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|order| order.status.as_str())
    }

    /// Puts an order in as it is. Tells whether it has what it needs.
    pub(super) fn insert(&mut self, order: Value) -> bool {
        let (Some(id), Some(status), Some(updated_at)) = (
            order["id"].as_str().map(str::to_owned),
            order["status"].as_str().map(str::to_owned),
            order["dates"]["updated_at"].as_str().and_then(clock::parse_offset_without_colon),
        ) else {
            return false;
        };
        self.by_id.insert(id, Order { status, updated_at, content: Content::Held(Box::new(order)), text: None });
        self.lists = None;
        true
    }

    /// Puts a copy of the sample in.
    pub(super) fn insert_copy(&mut self, id: &str, status: &str, now: i64) {
        let order = generate::copy(id, status, &self.root_url, now, now);
        self.insert(order);
    }

    /// Changes an order and its date of update. Tells whether there is one.
    pub(super) fn change(&mut self, id: &str, now: i64, change: impl FnOnce(&mut Value)) -> bool {
        let Some(mut order) = self.json(id) else {
            return false;
        };
        order["dates"]["updated_at"] = clock::offset_without_colon(now, SYDNEY).into();
        change(&mut order);
        self.insert(order)
    }

    /// Takes an order out. Tells whether there was one.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.lists = None;
        self.by_id.remove(id).is_some()
    }
}
