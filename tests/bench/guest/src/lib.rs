//! A connector that does nothing: what a call costs before any work is done. `orders.list` is an empty page; with the
//! status filter `wait` it first asks the source for `/wait` and so stays in flight as long as the source likes.

use tradepost_sdk::prelude::*;

/// The connector.
#[derive(Debug)]
pub struct Idle;

impl Connector for Idle {
    fn describe() -> Manifest {
        Manifest {
            id: "idle".into(),
            name: "Idle".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            platform: "none".into(),
            homepage: None,
            settings_schema: r#"{"type":"object","properties":{}}"#.into(),
            root_url: "http://127.0.0.1:9".into(),
            hosts: vec!["http://127.0.0.1:9".into()],
            request_headers: Vec::new(),
            auth: Vec::new(),
            pace: None,
            statuses: Vec::new(),
            streams: Vec::new(),
            effects: Vec::new(),
            extensions: Vec::new(),
        }
    }

    fn check() -> Result<AccountIdentity, Error> {
        Ok(AccountIdentity { id: None, name: None, server: None, facts: Vec::new() })
    }
}

impl Orders for Idle {
    fn list(query: ListQuery, _cursor: Option<String>) -> Result<OrderPage, Error> {
        if query.statuses.iter().any(|status| status == "wait") {
            http::get("/wait").send()?;
        }
        Ok(OrderPage { items: Vec::new(), next: None, end: true, total: None })
    }

    fn get(id: String) -> Result<Order, Error> {
        Err(error::not_found(format!("there is no order {id}")))
    }
}

tradepost_sdk::export!(Idle: orders);
