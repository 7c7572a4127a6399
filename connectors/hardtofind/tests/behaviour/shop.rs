//! A small hardtofind: one order whose transitions work as the documentation says, and a script for what goes wrong.

use std::cell::RefCell;
use std::rc::Rc;

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

/// The order of seed 001, "Standard Order structure".
pub(crate) const ORDER: &str = include_str!("../fixtures/seeds/hardtofind-order.json");

pub(crate) const SETTINGS: &str = r#"{"root-url":"https://api.hardtofind.com.au","username":"owner"}"#;

/// What the shop does with a transition.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Transition {
    /// Carries it out and says so.
    Works,
    /// Carries it out, but the answer is lost.
    WorksUnheard,
    /// Loses the request, or the answer: nobody knows.
    LostUnheard,
    /// Says yes and does nothing.
    Ignored,
    /// Refuses with this status.
    Refused(u16),
}

pub(crate) struct Shop {
    order: Rc<RefCell<serde_json::Value>>,
    pub(crate) host: Host,
}

impl Shop {
    /// A shop whose order has this status and no parcels yet.
    pub(crate) fn new(status: &str, transition: Transition) -> Self {
        let mut order: serde_json::Value = serde_json::from_str(ORDER).unwrap();
        order["status"] = status.into();
        order["shipments"] = serde_json::json!([]);
        let order = Rc::new(RefCell::new(order));
        let state = order.clone();
        let host = Host::new().settings(SETTINGS).respond_with(move |request| {
            assert!(request.is_authenticated());
            match (request.method(), request.url()) {
                (Method::Get, "/order/123456") => Ok(Answer::json(200, state.borrow().to_string())),
                (Method::Post, "/order/123456/transition") => {
                    assert_eq!(request.effective_effect(), Effect::Once);
                    if matches!(transition, Transition::Works | Transition::WorksUnheard) {
                        carry_out(&mut state.borrow_mut(), request.body_text());
                    }
                    match transition {
                        Transition::Works | Transition::Ignored => Ok(Answer::new(204, "")),
                        Transition::Refused(status) => Ok(Answer::new(status, "no such transition")),
                        Transition::WorksUnheard | Transition::LostUnheard => {
                            Err(error::outcome_unknown("The connection broke after the request was sent."))
                        }
                    }
                }
                _ => Ok(Answer::new(404, "")),
            }
        });
        Self { order, host }
    }

    /// Adds a parcel as if the seller had reported it elsewhere.
    pub(crate) fn with_parcel(self, tracking_number: &str) -> Self {
        self.order.borrow_mut()["shipments"] = serde_json::json!([{
            "shipment_date": "2016-09-08T14:57:37+1000", "tracking_number": tracking_number, "shipping_provider_name": "X",
        }]);
        self
    }

    /// The transitions that were asked for, as JSON.
    pub(crate) fn transitions(&self) -> Vec<serde_json::Value> {
        let sent = self.host.requests().into_iter().filter(|request| request.method() == Method::Post);
        sent.map(|request| serde_json::from_str(request.body_text()).unwrap()).collect()
    }
}

fn carry_out(order: &mut serde_json::Value, body: &str) {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    match body["action"].as_str().unwrap() {
        "process" => order["status"] = "PROCESSED".into(),
        "ship" => {
            order["status"] = "SHIPPED".into();
            order["shipments"].as_array_mut().unwrap().push(body["data"].clone());
        }
        other => panic!("unknown action {other}"),
    }
}
