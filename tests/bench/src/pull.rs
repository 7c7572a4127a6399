//! Pulling every order from the loopback platform: through the host, page by page, against a native program that sends the
//! same requests and makes the same records.

use std::time::Instant;

use anyhow::ensure;
use tradepost_platforms::{Credentials, Platform, Wcfm};
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::{Account, Runtime};

use crate::measure::{Rounds, median};
use crate::native::wcfm;
use crate::{Figure, setup};

/// How many times the native program a pull may take.
const BAR: f64 = 1.5;
/// Orders the platform holds.
const ORDERS: u64 = 10_000;

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    // The platform has a thread of its own, as it would have a machine of its own.
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let platform = server.block_on(Wcfm::builder().orders(ORDERS).start())?;
    platform.prepare();

    let executor = setup::executor()?;
    let runtime = Runtime::new()?;
    let connector = executor.block_on(runtime.load(setup::component("tradepost-wcfm")?))?;
    let account = setup::wcfm_account(&runtime, &connector, platform.root_url(), Some(&platform))?;
    let client = reqwest::Client::builder().no_proxy().http1_only().build()?;

    let mut ratios = Vec::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=if rounds.quick { 4 } else { 12 } {
        let start = Instant::now();
        let pulled = executor.block_on(pull(&account))?;
        let pull_seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let read = executor.block_on(read(&client, &platform))?;
        let read_seconds = start.elapsed().as_secs_f64();
        ensure!(pulled == ORDERS && read == ORDERS, "pulled {pulled}, read {read} of {ORDERS} orders");
        // The first round opens connections and fills caches.
        if round > 0 {
            ratios.push(pull_seconds / read_seconds);
            ours.push(pull_seconds);
            theirs.push(read_seconds);
        }
    }
    server.block_on(platform.stop());
    let (ours, theirs) = (median(ours.into_iter()), median(theirs.into_iter()));
    let what = format!(
        "{ORDERS} orders from the loopback platform against a native program ({ours:.2} s against {theirs:.2} s here)"
    );
    Ok(vec![Figure::ratio("pull-vs-native", median(ratios.into_iter()), Some(BAR), what)])
}

async fn pull(account: &Account) -> anyhow::Result<u64> {
    let query = ListQuery { page_size: Some(100), ..ListQuery::default() };
    let (mut count, mut cursor) = (0, None);
    loop {
        let page = account.list_orders(&query, cursor.as_deref()).await?.commit().await?;
        count += page.items.len() as u64;
        if page.end {
            return Ok(count);
        }
        cursor = page.next;
    }
}

/// WCFM lists end with a page that is not full.
async fn read(client: &reqwest::Client, platform: &Wcfm) -> anyhow::Result<u64> {
    let Credentials { username, password } = platform.credentials();
    let (mut count, mut page) = (0, 1);
    loop {
        let url = format!("{}/wp-json/wcfmmp/v1/orders?per_page=100&page={page}", platform.root_url());
        let answer =
            client.get(url).basic_auth(username, Some(password)).header("accept", "application/json").send().await?;
        let orders = wcfm::orders(&answer.error_for_status()?.bytes().await?)?;
        count += orders.len() as u64;
        if orders.len() < 100 {
            return Ok(count);
        }
        page += 1;
    }
}
