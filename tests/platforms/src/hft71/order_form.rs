//! What an order must be to be taken over, and an address to be changed: every field of the documentation's minimal payload, each a
//! text but for the quantity.
//!
//! The documentation shows no refusal. Decided here: 400 with all problems at once, each with the name of its field.

use http::StatusCode;
use serde_json::{Value, json};

use super::routes::error;
use crate::clock;
use crate::exchange::Answer;

/// The fields of an address, and whether each may be empty. A shop need not know a region, a telephone or a second line.
const ADDRESS: [(&str, bool); 9] = [
    ("customerName", false),
    ("address1", false),
    ("address2", true),
    ("city", false),
    ("zip", false),
    ("state", true),
    ("country", false),
    ("email", true),
    ("mobile", true),
];

/// What is wrong with a form.
#[derive(Default)]
pub(super) struct Problems(Vec<Value>);

impl Problems {
    fn add(&mut self, field: impl Into<String>, message: &str) {
        self.0.push(json!({"field": field.into(), "message": message}));
    }

    fn text<'a>(&mut self, form: &'a Value, field: &str, name: &str, may_be_empty: bool) -> Option<&'a str> {
        match form[name].as_str() {
            None => self.add(field, "must be a text"),
            Some("") if !may_be_empty => self.add(field, "must not be empty"),
            Some(text) => return Some(text),
        }
        None
    }

    /// The refusal, if anything is wrong.
    pub(super) fn refusal(self) -> Option<Answer> {
        (!self.0.is_empty()).then(|| error(StatusCode::BAD_REQUEST, "The request is invalid.", &Value::from(self.0)))
    }
}

/// What is wrong with an order.
pub(super) fn check_order(body: &Value) -> Problems {
    let mut problems = Problems::default();
    problems.text(body, "referenceId", "referenceId", false);
    if problems.text(body, "orderDate", "orderDate", false).is_some_and(|date| !clock::is_day(date)) {
        problems.add("orderDate", "must be a day such as 2026-03-02");
    }
    check_address_into(&mut problems, &body["address"]);
    match body["items"].as_array().map(Vec::as_slice) {
        None | Some([]) => problems.add("items", "must be a list with at least one item"),
        Some(items) => {
            for (place, item) in items.iter().enumerate() {
                problems.text(item, &format!("items.{place}.sku"), "sku", false);
                if item["quantity"].as_u64().is_none_or(|quantity| quantity == 0) {
                    problems.add(format!("items.{place}.quantity"), "must be a whole number from 1");
                }
            }
        }
    }
    problems
}

/// What is wrong with an address.
pub(super) fn check_address(address: &Value) -> Problems {
    let mut problems = Problems::default();
    check_address_into(&mut problems, address);
    problems
}

fn check_address_into(problems: &mut Problems, address: &Value) {
    if !address.is_object() {
        problems.add("address", "must be an object");
        return;
    }
    for (name, may_be_empty) in ADDRESS {
        let text = problems.text(address, &format!("address.{name}"), name, may_be_empty);
        let is_code = |text: &str| text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase());
        if name == "country" && text.is_some_and(|text| !is_code(text)) {
            problems.add("address.country", "must be a country's code of two letters such as PL");
        }
    }
}
