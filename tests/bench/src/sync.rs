//! Keeping a platform's orders: pulled through the engine into SQLite, every page durable with its cursor, against a native
//! loop that parses the same bytes and inserts the same rows in as many transactions of the same file format.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use rusqlite::Connection;
use serde_json::Value;
use tradepost_engine::store::{Store, open};
use tradepost_engine::stream::StreamKey;
use tradepost_engine::{Engine, EngineOptions};
use tradepost_runtime::{Connector, Runtime};

use crate::measure::{Rounds, median};
use crate::scripted_hardtofind::{self, Pages};
use crate::{Figure, native, setup};

/// How many times the native loop a sync may take.
const BAR: f64 = 2.0;
/// Orders the platform holds.
const ORDERS: u64 = 10_000;
/// The account.
const ACCOUNT: &str = "bench/hardtofind";

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::executor()?;
    let pages = Arc::new(executor.block_on(Pages::read(ORDERS))?);
    let runtime = scripted_hardtofind::runtime(pages.clone())?;
    let connector = executor.block_on(runtime.load(setup::component("tradepost-hardtofind")?))?;

    let mut ratios = Vec::new();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=if rounds.quick { 6 } else { 14 } {
        let directory = setup::directory()?;
        let (engine_s, native_s) = (directory.path().join("engine"), directory.path().join("native"));
        // Whoever goes second finds the disk as the first left it.
        let (our_seconds, their_seconds) = if round % 2 == 0 {
            let our_seconds = through_the_engine(&executor, &runtime, &connector, &engine_s)?;
            (our_seconds, natively(&pages, &native_s)?)
        } else {
            let their_seconds = natively(&pages, &native_s)?;
            (through_the_engine(&executor, &runtime, &connector, &engine_s)?, their_seconds)
        };
        // The first round fills caches, and shows that both sides keep the same.
        if round == 0 {
            same_rows(&engine_s, &native_s)?;
        } else {
            ratios.push(our_seconds / their_seconds);
            ours.push(our_seconds);
            theirs.push(their_seconds);
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a few thousand orders")]
    let per_second = |seconds: Vec<f64>| ORDERS as f64 / median(seconds.into_iter());
    let what = format!(
        "{ORDERS} hardtofind orders, pages of 100, each page durable in SQLite: through the engine against a native loop \
         ({:.0} orders/s against {:.0} orders/s here)",
        per_second(ours),
        per_second(theirs)
    );
    Ok(vec![Figure::ratio("sync-vs-native", median(ratios.into_iter()), Some(BAR), what)])
}

/// Seconds that the engine takes for one walk into a new store.
fn through_the_engine(
    executor: &tokio::runtime::Runtime,
    runtime: &Runtime,
    connector: &Connector,
    directory: &Path,
) -> anyhow::Result<f64> {
    std::fs::create_dir(directory)?;
    let storage = Arc::new(open(directory)?);
    let store: Arc<dyn Store> = storage.clone();
    let account = scripted_hardtofind::account(runtime, connector, ACCOUNT, storage)?;
    let engine = Engine::new(store, [account], EngineOptions::default());
    let start = Instant::now();
    let pulled = executor.block_on(engine.pull(&StreamKey::new(ACCOUNT, "orders"), |_| {}))?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(pulled.complete && pulled.records.created == ORDERS, "the engine kept {:?}", pulled.records);
    Ok(seconds)
}

/// Seconds that the native loop takes for the same.
fn natively(pages: &Pages, directory: &Path) -> anyhow::Result<f64> {
    std::fs::create_dir(directory)?;
    // The engine's own schema; its connection has nothing to do afterwards.
    drop(open(directory)?);
    let mut connection = native::sync::open(&directory.join("tradepost.db"))?;
    let start = Instant::now();
    let count = native::sync::sync(&mut connection, ACCOUNT, pages.in_order())?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(count == ORDERS, "the native loop kept {count} orders");
    Ok(seconds)
}

/// Fails where one side did less than the other.
fn same_rows(ours: &Path, theirs: &Path) -> anyhow::Result<()> {
    let ours = Connection::open(ours.join("tradepost.db"))?;
    let theirs = Connection::open(theirs.join("tradepost.db"))?;
    let pages = |connection: &Connection| -> rusqlite::Result<i64> {
        connection.query_row("SELECT pages FROM stream", [], |row| row.get(0))
    };
    let (our_pages, their_pages) = (pages(&ours)?, pages(&theirs)?);
    ensure!(our_pages == their_pages, "{our_pages} pages were committed by the engine, {their_pages} natively");
    let rows = "SELECT event.id, change, event.version, body FROM event JOIN record USING (position, account, kind)
                WHERE length(hash) = 32 ORDER BY position";
    let (mut ours, mut theirs) = (ours.prepare(rows)?, theirs.prepare(rows)?);
    let (mut ours, mut theirs) = (ours.query([])?, theirs.query([])?);
    for number in 0..=ORDERS {
        let (Some(our_row), Some(their_row)) = (ours.next()?, theirs.next()?) else {
            ensure!(number == ORDERS, "there are {number} rows of {ORDERS}");
            return Ok(());
        };
        for column in 0..3 {
            let (our_value, their_value) = (our_row.get_ref(column)?, their_row.get_ref(column)?);
            ensure!(our_value == their_value, "row {number}: {our_value:?} here, {their_value:?} natively");
        }
        let body = |row: &rusqlite::Row<'_>| -> anyhow::Result<Value> {
            Ok(serde_json::from_str(row.get_ref(3)?.as_str().context("a body is text")?)?)
        };
        let (our_body, their_body) = (body(our_row)?, body(their_row)?);
        ensure!(our_body == their_body, "row {number} differs:\n{our_body}\n{their_body}");
    }
    anyhow::bail!("there are more than {ORDERS} rows")
}
