//! A small shop behind the interface: what is documented answers as documented, the rest as the test says.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

/// A sample of seed 004.
macro_rules! seed {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/seeds/omniseller-", $name, ".json"))
    };
}
pub(crate) use seed;

/// The id of the documented order.
pub(crate) const ORDER_ID: &str = "6132af04178eabb83271b3c6579431be";

/// An answer of the shop.
pub(crate) fn ok(data: &Value) -> Answer {
    Answer::json(200, json!({"status": "OK", "debugMessage": "string", "data": data}).to_string())
}

/// A refusal of the shop.
pub(crate) fn no(words: &str) -> Answer {
    Answer::json(200, json!({"status": "ERROR", "debugMessage": words, "data": ""}).to_string())
}

/// A request's body.
pub(crate) fn body(request: &Request) -> Value {
    serde_json::from_str(request.body_text()).expect("a JSON body")
}

/// The function numbers that were asked for, in order.
pub(crate) fn functions(host: &Host) -> Vec<String> {
    host.requests().iter().map(|request| body(request)["function"].as_str().unwrap().to_owned()).collect()
}

/// Checks that a request is what the documentation shows, but for the token, which the host puts in front.
pub(crate) fn assert_is_sample(request: &Request, sample: &str) {
    let token = r#""token":"00000000-0000-0000-0000-000000000000","#;
    let compact: String = sample.chars().filter(|character| !character.is_whitespace()).collect();
    assert_eq!(request.body_text(), compact.replace(token, ""));
    assert!(compact.contains(token));
    assert_eq!((request.method(), request.url()), (Method::Post, "/omniseller/HTKService4.php"));
    assert_eq!(request.header_value("content-type"), Some("application/json"));
    assert!(request.is_authenticated());
}

/// A shop with orders and two categories, whose content a test may change while it is read.
#[derive(Clone, Default)]
pub(crate) struct Shop {
    /// Heads by function 12.
    pub(crate) heads: Rc<RefCell<Vec<Value>>>,
    /// What function 11 answers to an id; none: `data` is empty.
    pub(crate) orders: Rc<RefCell<Vec<(String, Answer)>>>,
    /// What any other function answers.
    pub(crate) upload: Rc<RefCell<Option<Answer>>>,
}

impl Shop {
    /// A shop whose orders have these ids, each with `{"Nr": id}` for its content.
    pub(crate) fn with_orders<'i>(ids: impl IntoIterator<Item = &'i str>) -> Self {
        let shop = Self::default();
        for id in ids {
            shop.heads.borrow_mut().push(json!({"ID": id, "DisplayID": 2, "Paymenttype": "p", "OrderStatus": 0}));
            shop.give(id, ok(&json!({"Nr": id})));
        }
        shop
    }

    /// Sets what function 11 answers to an id.
    pub(crate) fn give(&self, id: &str, answer: Answer) {
        let mut orders = self.orders.borrow_mut();
        orders.retain(|(present, _)| present != id);
        orders.push((id.to_owned(), answer));
    }

    /// Takes an order off the list of heads.
    pub(crate) fn unlist(&self, id: &str) {
        self.heads.borrow_mut().retain(|head| head["ID"] != id);
    }

    /// The shop behind a host with these settings.
    pub(crate) fn host(&self, settings: &str) -> Host {
        let shop = self.clone();
        Host::new().settings(settings).respond(move |request| shop.answer(request))
    }

    fn answer(&self, request: &Request) -> Answer {
        let asked = body(request);
        match asked["function"].as_str().unwrap() {
            "5" => Answer::json(200, seed!("categories")),
            "12" => ok(&Value::Array(self.heads.borrow().clone())),
            "11" => {
                let id = asked["data"].as_str().or(asked["data"]["ID"].as_str()).expect("an id");
                let found = self.orders.borrow().iter().find(|(present, _)| present == id).cloned();
                found.map_or_else(|| ok(&json!("")), |(_, answer)| answer)
            }
            other => self.upload.borrow().clone().unwrap_or_else(|| no(&format!("unbekannte Funktion {other}"))),
        }
    }
}
