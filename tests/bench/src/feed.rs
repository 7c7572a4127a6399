//! Reading a long feed from its beginning: how much memory it takes at most, and how fast it is.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use rusqlite::{Connection, params};
use tradepost_engine::event::EventFilter;
use tradepost_engine::store::open;
use tradepost_engine::{Engine, EngineOptions};

use crate::process::{forget_peak, mib, peak_bytes, resident_bytes};
use crate::scripted_hardtofind::Pages;
use crate::{Figure, native, setup};

/// What reading may take: a few pages of the feed as JSON values, and SQLite's own cache.
const MOST_MIB: f64 = 32.0;

pub(crate) fn measure(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let events: u64 = if quick { 100_000 } else { 1_000_000 };
    let executor = setup::executor()?;
    let directory = setup::directory()?;
    let (body_bytes, file_bytes) = fill(directory.path(), events, &executor.block_on(bodies())?)?;

    forget_peak()?;
    let before = resident_bytes()?;
    let engine = Engine::new(Arc::new(open(directory.path())?), [], EngineOptions::default());
    let start = Instant::now();
    executor.block_on(async {
        let mut feed = pin!(engine.events(0, EventFilter::default()));
        for position in 1..=events {
            let event = feed.next().await.context("the feed never ends")??;
            ensure!(event.position == position && event.record.is_some(), "event {position} is missing");
        }
        anyhow::Ok(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let growth = mib(peak_bytes()?.saturating_sub(before));
    #[allow(clippy::cast_precision_loss, reason = "a million events")]
    let rate = events as f64 / seconds;

    let what = format!(
        "peak growth of resident memory while {events} events are read, opening the store included ({body_bytes} bytes \
         each, {:.0} MiB on disk)",
        mib(file_bytes)
    );
    Ok(vec![
        Figure::value("feed-memory-mib", growth, "MiB", what).at_most(MOST_MIB),
        Figure::value(
            "feed-events-per-second",
            rate,
            "/s",
            format!("reading {events} events from the first to the last"),
        ),
    ])
}

/// Records as a connector gives them.
async fn bodies() -> anyhow::Result<Vec<String>> {
    let pages = Pages::read(100).await?;
    let mut bodies = Vec::new();
    for page in pages.in_order() {
        for order in native::hardtofind::orders(page)? {
            bodies.push(serde_json::to_string(&order)?);
        }
    }
    Ok(bodies)
}

/// Makes a store with so many events. The rows are put in past the engine: through its commits, each durable, a million would
/// take minutes, and reading does not know the difference. Gives the length of a body and of the file, in bytes.
fn fill(directory: &Path, events: u64, bodies: &[String]) -> anyhow::Result<(usize, u64)> {
    drop(open(directory)?);
    let path = directory.join("tradepost.db");
    let mut connection = Connection::open(&path)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let mut numbered = (1..=events).zip(bodies.iter().cycle()).peekable();
    while numbered.peek().is_some() {
        let transaction = connection.transaction()?;
        for (number, body) in numbered.by_ref().take(10_000) {
            transaction
                .prepare_cached(
                    "INSERT INTO event (account, kind, id, change, version, at, body)
                     VALUES ('bench/hardtofind', 'orders', ?1, 'created', 1, 1750000000000, ?2)",
                )?
                .execute(params![number.to_string(), body])?;
        }
        transaction.commit()?;
    }
    connection.close().map_err(|(_, error)| error)?;
    Ok((bodies.iter().map(String::len).sum::<usize>() / bodies.len().max(1), path.metadata()?.len()))
}
