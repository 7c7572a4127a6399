//! hardtofind without a network: what the loopback platform serves, read once and then given out of memory. Both sides of a
//! measurement read the same bytes, and neither waits for a server.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use tradepost_platforms::{Credentials, HardToFind, Platform};
use tradepost_runtime::egress::{SendError, Source};
use tradepost_runtime::{Account, AccountConfig, Connector, Egress, Grants, Runtime, Storage};

use crate::setup::SCRIPTED_URL;

/// The lists, in the order in which the connector walks them (seed 001, "Order States").
const STATUSES: [&str; 6] = ["READY", "PROCESSED", "SHIPPED", "RETURNED", "REFUNDED", "CANCELLED"];

/// Every page of every list.
pub(crate) struct Pages {
    by_target: HashMap<String, Bytes>,
    in_order: Vec<Bytes>,
}

impl Pages {
    /// Reads a platform with so many orders.
    pub(crate) async fn read(orders: u64) -> anyhow::Result<Self> {
        let platform = HardToFind::builder().orders(orders).start().await?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let root = platform.root_url().to_owned();
        let Credentials { username, password } = platform.credentials();
        let login = json!({ "username": username, "password": password }).to_string();
        let answer = client.post(format!("{root}/authenticate")).header("content-type", "application/json").body(login);
        let answer: serde_json::Value =
            serde_json::from_slice(&answer.send().await?.error_for_status()?.bytes().await?)?;
        let token = answer["token"].as_str().context("the platform gives a token")?;
        let mut pages = Self { by_target: HashMap::new(), in_order: Vec::new() };
        for status in STATUSES {
            for number in 1_u64.. {
                let target = format!("/orders?status={status}&page_number={number}");
                let answer = client.get(format!("{root}{target}")).header("x-auth-token", token).send().await?;
                let body = answer.error_for_status()?.bytes().await?;
                let page: serde_json::Value = serde_json::from_slice(&body)?;
                let last = page["pages"].as_u64().context("a page says how many there are")?;
                pages.by_target.insert(target, body.clone());
                pages.in_order.push(body);
                if number >= last {
                    break;
                }
            }
        }
        platform.stop().await;
        Ok(pages)
    }

    /// The bodies, in the order in which the connector reads them.
    pub(crate) fn in_order(&self) -> &[Bytes] {
        &self.in_order
    }
}

#[async_trait]
impl Source for Pages {
    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        let target = request.uri().path_and_query().map(http::uri::PathAndQuery::as_str).unwrap_or_default();
        let body = match self.by_target.get(target) {
            Some(page) => page.clone(),
            None if target == "/authenticate" => Bytes::from_static(br#"{"token":"a-token-of-the-bench"}"#),
            None => return Err(SendError::NotSent(format!("the bench has no answer to {target}"))),
        };
        let mut answer = http::Response::new(body);
        answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        Ok(answer)
    }
}

/// A runtime whose connectors talk to a source, as fast as they like.
pub(crate) fn runtime(source: Arc<dyn Source>) -> anyhow::Result<Runtime> {
    Runtime::builder().egress(Egress::builder().source(source).unpaced().build()?).build()
}

/// An account at the platform of [`SCRIPTED_URL`].
pub(crate) fn account(
    runtime: &Runtime,
    connector: &Connector,
    id: &str,
    storage: Arc<dyn Storage>,
) -> anyhow::Result<Account> {
    let config = AccountConfig {
        id: id.into(),
        settings: serde_json::from_value(json!({ "root-url": SCRIPTED_URL, "username": "seller" }))?,
        secrets: [("password".to_owned(), format!("not-a-secret-of-{id}").into())].into(),
        grants: Grants { hosts: vec![SCRIPTED_URL.parse()?], ..Grants::default() },
        ..AccountConfig::default()
    };
    Ok(runtime.open(connector, config, storage)?)
}
