//! `PUT /order/{id}`: changing an order that was handed over (seed 000, section 7). Values are absolute, so sending them
//! twice is the same as once. The answer is not documented: its status alone counts.

use tradepost_sdk::prelude::*;

use crate::wire::{of_order, order_path};
use crate::{Hft71, address};

impl FulfilmentUpdates for Hft71 {
    fn update(id: String, change: Change) -> Result<(), Error> {
        let path = order_path(&id)?;
        let answer = of_order(&id, http::put(path).json(body(&change)?).send()?)?;
        // A page for people comes from another server or from a login form: nothing was changed.
        if answer.body.trim_ascii_start().starts_with(b"<") {
            return Err(error::protocol("", "an answer of the API, not a page", &answer.body));
        }
        Ok(())
    }
}

fn body(change: &Change) -> Result<String, Error> {
    let mut issues = Vec::new();
    let body = match change {
        Change::Status(word) => {
            if word.trim().is_empty() {
                issues.push(error::issue("/change/status", "missing", "HFT71 needs the new status in its own word."));
            }
            json::Object::new().text("orderStatus", word).finish()
        }
        Change::Address(address) => {
            let address = address::to_json(address, "/change/address", &mut issues);
            json::Object::new().raw("address", &address).finish()
        }
    };
    if issues.is_empty() { Ok(body) } else { Err(error::invalid_input(issues)) }
}
