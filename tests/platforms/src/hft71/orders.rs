//! The orders that were handed over, with the status of each line. The same reference handed over twice is two orders: nothing
//! de-duplicates, as the notes on the real API warn.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::production::{CLOSED, Stage};

/// The id of the first order, the one of the documentation's sample.
const FIRST_ID: u64 = 123_456;

/// One line of an order.
struct Line {
    sku: String,
    quantity: Value,
    status: String,
    customer_status: String,
}

/// An order.
pub(super) struct Order {
    id: u64,
    reference: String,
    placed_on: Value,
    send_date: String,
    address: Value,
    lines: Vec<Line>,
    stage: Stage,
    /// Carrier, tracking number, tracking number of the way back.
    shipping: Option<[String; 3]>,
}

impl Order {
    fn taken_over(id: u64, body: &Value, send_date: String) -> Self {
        let stage = Stage::InProduction;
        let lines = body["items"].as_array().into_iter().flatten().map(|item| Line {
            sku: item["sku"].as_str().unwrap_or_default().to_owned(),
            quantity: item["quantity"].clone(),
            status: stage.status().to_owned(),
            customer_status: stage.customer_status().to_owned(),
        });
        Self {
            id,
            reference: body["referenceId"].as_str().unwrap_or_default().to_owned(),
            placed_on: body["orderDate"].clone(),
            send_date,
            address: body["address"].clone(),
            lines: lines.collect(),
            stage,
            shipping: None,
        }
    }

    /// What `POST /order` answers.
    pub(super) fn receipt(&self) -> Value {
        json!({"orderId": self.id, "sendDate": self.send_date})
    }

    /// Each line with its status, in the order of the lines: an SKU that two lines have comes twice.
    pub(super) fn statuses(&self) -> Value {
        self.lines.iter().map(|line| json!({"sku": line.sku, "status": line.status})).collect()
    }

    /// The same in the words for the buyer.
    pub(super) fn customer_statuses(&self) -> Value {
        self.lines.iter().map(|line| json!({"sku": line.sku, "status": line.customer_status})).collect()
    }

    /// What `GET /order/{id}` answers. Documented are only the three fields of `shipping`, which is absent until the order is sent.
    pub(super) fn json(&self) -> Value {
        let items = self.lines.iter().map(|line| json!({"sku": line.sku, "quantity": line.quantity}));
        let mut order = json!({
            "orderId": self.id,
            "referenceId": self.reference,
            "orderDate": self.placed_on,
            "sendDate": self.send_date,
            "address": self.address,
            "items": items.collect::<Value>(),
        });
        if let Some([carrier, tracking, way_back]) = &self.shipping {
            order["shipping"] = json!({"carrier": carrier, "tracking": tracking, "trackingRet": way_back});
        }
        order
    }

    /// The word for the whole order: the one that all lines share, else the one of the first line that is not closed.
    pub(super) fn word(&self) -> Option<&str> {
        let open = self.lines.iter().find(|line| line.status != CLOSED);
        open.or(self.lines.first()).map(|line| line.status.as_str())
    }

    /// Whether it was sent.
    pub(super) fn is_sent(&self) -> bool {
        self.shipping.is_some()
    }

    /// Moves it to its next stage, and sends it when that is the last. Tells whether there is a next one.
    pub(super) fn advance(&mut self) -> bool {
        let Some(stage) = self.stage.next() else {
            return false;
        };
        self.stage = stage;
        for line in &mut self.lines {
            stage.status().clone_into(&mut line.status);
            stage.customer_status().clone_into(&mut line.customer_status);
        }
        if stage == Stage::Closed && self.shipping.is_none() {
            self.shipping = Some(["DPD".to_owned(), format!("DPD{}", self.id), String::new()]);
        }
        true
    }

    /// Sends it: closes all lines.
    pub(super) fn send(&mut self, shipping: [String; 3]) {
        self.shipping = Some(shipping);
        while self.advance() {}
        self.set_status(CLOSED);
        self.set_customer_status(CLOSED);
    }

    /// Gives all lines a status.
    pub(super) fn set_status(&mut self, word: &str) {
        for line in &mut self.lines {
            word.clone_into(&mut line.status);
        }
    }

    /// Gives one line a status. Tells whether there is such a line.
    pub(super) fn set_line_status(&mut self, place: usize, word: &str) -> bool {
        self.lines.get_mut(place).map(|line| word.clone_into(&mut line.status)).is_some()
    }

    /// Gives all lines a status in the words for the buyer.
    pub(super) fn set_customer_status(&mut self, word: &str) {
        for line in &mut self.lines {
            word.clone_into(&mut line.customer_status);
        }
    }

    /// Gives it another address.
    pub(super) fn set_address(&mut self, address: Value) {
        self.address = address;
    }
}

/// All orders by id.
#[derive(Default)]
pub(super) struct Orders(BTreeMap<u64, Order>);

impl Orders {
    /// Takes an order over and answers it.
    pub(super) fn take_over(&mut self, body: &Value, send_date: String) -> &Order {
        let id = self.0.last_key_value().map_or(FIRST_ID, |(last, _)| last + 1);
        self.0.entry(id).or_insert_with(|| Order::taken_over(id, body, send_date))
    }

    /// The order with this id.
    pub(super) fn get(&self, id: u64) -> Option<&Order> {
        self.0.get(&id)
    }

    /// The order with this id, for changing it.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Order> {
        self.0.get_mut(&id)
    }

    /// The ids of all orders, in the order in which they came.
    pub(super) fn ids(&self) -> Vec<u64> {
        self.0.keys().copied().collect()
    }

    /// The ids of the orders with a reference, in the order in which they came.
    pub(super) fn ids_by_reference(&self, reference: &str) -> Vec<u64> {
        self.0.values().filter(|order| order.reference == reference).map(|order| order.id).collect()
    }
}
