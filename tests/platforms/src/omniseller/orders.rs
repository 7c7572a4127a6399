//! The orders: their heads for function 12, all at once, and each whole for function 11.

use serde_json::{Map, Value};

use super::generate::{self, AmountStyle};

/// The fields that an order's head has.
const HEAD: [&str; 4] = ["ID", "DisplayID", "Paymenttype", "OrderStatus"];

/// The orders, in the order in which they came.
pub(super) struct Orders {
    held: Vec<Value>,
    style: AmountStyle,
    /// How many were ever made, so that a new one differs from all.
    made: u64,
}

impl Orders {
    /// `count` orders, the sample first.
    pub(super) fn open(count: u64, style: AmountStyle) -> Self {
        Self { held: (0..count).map(|index| generate::order(index, count, style)).collect(), style, made: count }
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.held.len() as u64
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> Vec<String> {
        self.held.iter().filter_map(|order| order["ID"].as_str().map(str::to_owned)).collect()
    }

    /// The heads of all.
    pub(super) fn heads(&self) -> Value {
        let head = |order: &Value| -> Map<String, Value> {
            HEAD.into_iter().filter_map(|name| Some((name.to_owned(), order.get(name)?.clone()))).collect()
        };
        self.held.iter().map(head).map(Value::Object).collect()
    }

    /// An order, whole.
    pub(super) fn json(&self, id: &str) -> Option<&Value> {
        self.held.iter().find(|order| order["ID"] == id)
    }

    /// Puts a new order in, with a status, and answers its id.
    pub(super) fn insert_new(&mut self, status: i64, now: i64) -> String {
        let order = generate::order_placed(self.made, status, now, self.style);
        self.made += 1;
        let id = order["ID"].as_str().unwrap_or_default().to_owned();
        self.held.push(order);
        id
    }

    /// Puts an order in exactly as given, in place of the one with its id. Tells whether it has one.
    pub(super) fn insert(&mut self, order: Value) -> bool {
        let Some(id) = order["ID"].as_str().map(str::to_owned) else {
            return false;
        };
        match self.held.iter_mut().find(|order| order["ID"] == id.as_str()) {
            Some(place) => *place = order,
            None => self.held.push(order),
        }
        true
    }

    /// Gives an order another status. Tells whether there is one.
    pub(super) fn set_status(&mut self, id: &str, status: i64) -> bool {
        let order = self.held.iter_mut().find(|order| order["ID"] == id);
        order.map(|order| order["OrderStatus"] = status.into()).is_some()
    }

    /// Takes an order out. Tells whether there was one.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.held.len();
        self.held.retain(|order| order["ID"] != id);
        self.held.len() < before
    }
}
