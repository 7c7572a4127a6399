//! A page of 100 WCFM orders, from the body's bytes to typed records: in the sandbox (a fresh instance, all limits on,
//! egress with its checks and scrubbing, only the network left out) against an idiomatic native program, and against the
//! connector's own code compiled natively.

use std::sync::Arc;

use anyhow::ensure;
use bytes::Bytes;
use tradepost_platforms::{Credentials, Platform, Wcfm};
use tradepost_runtime::commerce::ListQuery;
use tradepost_sdk::prelude as guest;
use tradepost_sdk::testing::Host;

use crate::measure::Rounds;
use crate::native::wcfm;
use crate::setup::{Canned, SCRIPTED_URL};
use crate::{Figure, setup};

/// How many times the native program the sandbox may take.
const BAR: f64 = 1.5;
/// Orders on the page.
const ORDERS: usize = 100;

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::executor()?;
    let body = executor.block_on(page(ORDERS))?;
    let kib = body.len() / 1024;

    let runtime = setup::scripted_runtime(Arc::new(Canned(body.clone())))?;
    let connector = executor.block_on(runtime.load(setup::component("tradepost-wcfm")?))?;
    let account = setup::wcfm_account(&runtime, &connector, SCRIPTED_URL, None)?;
    let query = ListQuery { page_size: Some(100), ..ListQuery::default() };

    let sandboxed = executor.block_on(account.list_orders(&query, None))?.value.items;
    let natively = wcfm::orders(&body)?;
    ensure!(sandboxed.len() == ORDERS, "the page has {} orders", sandboxed.len());
    for (ours, theirs) in sandboxed.iter().zip(&natively) {
        ensure!(ours == theirs, "the two sides disagree:\n{ours:#?}\n{theirs:#?}");
    }

    let in_sandbox = || {
        let reply = executor.block_on(account.list_orders(&query, None)).expect("the connector answers");
        assert_eq!(reply.value.items.len(), ORDERS);
    };
    let against_native = rounds.compare(in_sandbox, || {
        let orders = wcfm::orders(&body).expect("the body is good");
        assert_eq!(orders.len(), ORDERS);
    });

    let text = String::from_utf8(body.to_vec())?;
    let settings = format!(r#"{{"site-url":"{SCRIPTED_URL}","username":"vendor"}}"#);
    let host = Host::new().settings(&settings).respond(move |_| guest::Answer::json(200, text.clone()));
    let query =
        guest::ListQuery { updated_since: None, statuses: Vec::new(), page_size: Some(100), include_raw: false };
    let against_same_code = rounds.compare(in_sandbox, || {
        let page = host
            .run(|| <tradepost_wcfm::Wcfm as guest::Orders>::list(query.clone(), None))
            .expect("the connector answers");
        assert_eq!(page.items.len(), ORDERS);
    });

    let page = format!("a page of {ORDERS} orders, {kib} KiB, to typed records");
    Ok(vec![
        Figure::ratio(
            "normalise-vs-native",
            against_native.ratio,
            Some(BAR),
            format!("{page}: sandbox with all limits against a native serde_json program ({})", against_native.times()),
        ),
        Figure::ratio(
            "normalise-vs-same-code",
            against_same_code.ratio,
            None,
            format!(
                "{page}: sandbox against the same connector code compiled natively ({})",
                against_same_code.times()
            ),
        ),
    ])
}

/// The first page that the loopback platform serves, of so many orders.
pub(crate) async fn page(orders: usize) -> anyhow::Result<Bytes> {
    let platform = Wcfm::builder().orders(orders as u64).start().await?;
    let url = format!("{}/wp-json/wcfmmp/v1/orders?per_page={orders}&page=1", platform.root_url());
    let Credentials { username, password } = platform.credentials();
    let answer =
        reqwest::Client::builder().no_proxy().build()?.get(url).basic_auth(username, Some(password)).send().await?;
    let body = answer.error_for_status()?.bytes().await?;
    platform.stop().await;
    Ok(body)
}
