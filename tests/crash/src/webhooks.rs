//! Webhooks of a run: the producer tells what becomes of orders, and tells again what was not answered with 200, as a sender that means it
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tradepost_engine::event::Event;
use tradepost_engine::receive::ORDER_STATUSES;
use tradepost_engine::store::Store;
use tradepost_platforms::{Delivery, Hft71, Hft71Shop};

use crate::judge::{Verdict, events_of, newest};
use crate::traffic::PRODUCER;

/// How long the sender goes on, and the readings that webhooks ask for may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chooses an address, and has the producer send to it.
pub(crate) fn send(producer: &Hft71) -> Result<String> {
    // Whoever listens there next is the daemon: the system does not give a port away again so soon.
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.to_string();
    let shop = producer.shop();
    shop.send_webhooks_to(format!("http://{address}/webhooks/{PRODUCER}"), shop.webhook_secret());
    Ok(address)
}

/// How many deliveries were answered with 200.
pub(crate) fn acknowledged(shop: &Hft71Shop) -> usize {
    shop.deliveries().iter().filter(|delivery| is_acknowledged(delivery)).count()
}

fn is_acknowledged(delivery: &Delivery) -> bool {
    delivery.answer.as_ref().is_ok_and(|answer| answer.status == 200)
}

/// What was told: the order and its word.
type Told = (String, String);

fn told(delivery: &Delivery) -> Told {
    (delivery.external_id.clone(), delivery.status.clone())
}

/// Tells again what was not answered with 200, until all of it was.
pub(crate) async fn send_again(shop: &Hft71Shop) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let deliveries = shop.settled_deliveries().await;
        let arrived: BTreeSet<Told> = deliveries.iter().filter(|one| is_acknowledged(one)).map(told).collect();
        let missing: BTreeMap<Told, usize> =
            deliveries.iter().filter(|one| !arrived.contains(&told(one))).map(|one| (told(one), one.number)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            let last = deliveries.last().context("something was to be told")?;
            bail!("webhooks that nobody takes: {missing:?}; the last one was answered {:?}", last.answer);
        }
        for number in missing.values() {
            shop.redeliver(*number);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the readings that the webhooks asked for were made, and counts what became of what was told.
pub(crate) async fn judge(store: &Arc<dyn Store>, shop: &Hft71Shop, verdict: &mut Verdict) -> Result<()> {
    let deliveries = shop.deliveries();
    let announced: BTreeSet<Told> = deliveries.iter().map(told).collect();
    let acknowledged: BTreeSet<Told> = deliveries.iter().filter(|one| is_acknowledged(one)).map(told).collect();
    if acknowledged.is_empty() {
        verdict.findings.push("no webhook was answered".to_owned());
    }
    let mut times: BTreeMap<Told, usize> = BTreeMap::new();
    for Event { id, record, .. } in events_of(store, Some(ORDER_STATUSES)).await? {
        let word = record.as_ref().and_then(|record| record["status"]["raw"].as_str()).unwrap_or_default();
        *times.entry((id, word.to_owned())).or_default() += 1;
    }
    for ((id, word), times) in &times {
        if *times > 1 {
            verdict.duplicated += times - 1;
            verdict.findings.push(format!("that order {id} is {word} was told {times} times"));
        }
        if !announced.contains(&(id.clone(), word.clone())) {
            verdict.phantom += 1;
            verdict.findings.push(format!("nobody said that order {id} is {word}"));
        }
    }
    for (id, word) in acknowledged.iter().filter(|told| !times.contains_key(*told)) {
        verdict.lost += 1;
        verdict.findings.push(format!("that order {id} is {word} was taken with 200, and no event tells of it"));
    }
    let ids: BTreeSet<&String> = acknowledged.iter().map(|(id, _)| id).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let events = events_of(store, Some("fulfilment")).await?;
        let mut twice = Verdict::default();
        let newest = newest(events.iter().filter(|event| event.account == PRODUCER), &mut twice);
        let is_newest = |id: &str| {
            let held = id.parse().ok().and_then(|id| shop.statuses(id)).unwrap_or_default();
            newest.get(id).is_some_and(|record| record["status"]["raw"] == held[0]["status"])
        };
        let stale: Vec<&&String> = ids.iter().filter(|id| !is_newest(id)).collect();
        if stale.is_empty() || Instant::now() > until {
            for id in stale {
                verdict.lost += 1;
                verdict.findings.push(format!("order {id} was not read anew: {:?}", newest.get(id.as_str())));
            }
            verdict.duplicated += twice.duplicated;
            verdict.findings.extend(twice.findings);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
