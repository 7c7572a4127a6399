//! Accounts that are open and have nothing to do: what memory they take, and what the engine's loop costs while it looks
//! after them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use bytes::Bytes;
use rusqlite::{Connection, params};
use tradepost_engine::store::{Store, open};
use tradepost_engine::{Engine, EngineOptions, Happening};
use tradepost_runtime::Account;

use crate::process::{forget_peak, mib, peak_bytes, processor_time, resident_bytes};
use crate::setup::Canned;
use crate::{Figure, scripted_hardtofind, setup};

/// What the platform answers to everything: to a login, and to the question who the seller is.
const LOGIN: &[u8] =
    br#"{"token":"eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjExMSIsInJvbGUiOiJST0xFX1NFTExFUiJ9.c2lnbmF0dXJl","user_id":"111"}"#;
/// Accounts, all on one connector.
const ACCOUNTS: u32 = 10_000;
/// What all of them may add to the process.
const MOST_MIB: f64 = 200.0;

pub(crate) fn measure(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let executor = setup::executor()?;
    let directory = setup::directory()?;
    drop(open(directory.path())?);
    walk_every_stream(directory.path())?;
    let storage = Arc::new(open(directory.path())?);
    let store: Arc<dyn Store> = storage.clone();
    let runtime = scripted_hardtofind::runtime(Arc::new(Canned(Bytes::from_static(LOGIN))))?;
    let connector = executor.block_on(runtime.load(setup::component("tradepost-hardtofind")?))?;
    // One account brings what all share.
    let shared = scripted_hardtofind::account(&runtime, &connector, "bench/shared", storage.clone())?;
    let _identity = executor.block_on(shared.check())?;

    let before = resident_bytes()?;
    let start = Instant::now();
    let accounts = (0..ACCOUNTS)
        .map(|number| scripted_hardtofind::account(&runtime, &connector, &account_id(number), storage.clone()))
        .collect::<anyhow::Result<Vec<Account>>>()?;
    let opening = start.elapsed();
    let opened = resident_bytes()?.saturating_sub(before);
    // Who has walked a stream has logged in, and holds a token.
    executor.block_on(log_in(&accounts))?;
    let logged_in = resident_bytes()?.saturating_sub(before);
    forget_peak()?;
    let engine = Engine::new(store, accounts, EngineOptions::default());
    let (span, spent, happened) = executor.block_on(idle(&engine, Duration::from_secs(if quick { 6 } else { 30 })))?;
    ensure!(happened.is_empty(), "an idle engine did something: {:?}", happened.first());
    let peak = peak_bytes()?;
    let added = peak.saturating_sub(before);

    let busy = spent.as_secs_f64() * 1000.0 / span.as_secs_f64();
    let each = |bytes: u64| mib(bytes) * 1024.0 / f64::from(ACCOUNTS);
    Ok(vec![
        Figure::value(
            "idle-accounts-mib",
            mib(added),
            "MiB",
            format!(
                "resident memory that {ACCOUNTS} hardtofind accounts and the engine's loop over them add ({:.0} MiB is the \
                 whole process)",
                mib(peak)
            ),
        )
        .at_most(MOST_MIB),
        Figure::value(
            "idle-account-kib",
            each(logged_in),
            "KiB",
            format!(
                "of that an account that has logged in ({:.1} KiB before its first login, {:.2} ms to open one)",
                each(opened),
                opening.as_secs_f64() * 1000.0 / f64::from(ACCOUNTS)
            ),
        ),
        Figure::value(
            "idle-cpu-ms-per-second",
            busy,
            "ms/s",
            format!("processor time of the process while {ACCOUNTS} accounts have nothing to do"),
        ),
    ])
}

async fn log_in(accounts: &[Account]) -> anyhow::Result<()> {
    for account in accounts {
        let _identity = account.check().await?;
    }
    Ok(())
}

fn account_id(number: u32) -> String {
    format!("shop-{number}/hardtofind")
}

/// Every stream as it stands behind a walk, due tomorrow. The rows are put in past the engine: walking ten thousand streams
/// takes minutes and is not what is measured.
fn walk_every_stream(directory: &Path) -> anyhow::Result<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let mut connection = Connection::open(directory.join("tradepost.db"))?;
    let transaction = connection.transaction()?;
    for number in 0..ACCOUNTS {
        transaction.execute(
            "INSERT INTO stream (account, kind, epoch, walk, pages, walked_at, due_at) VALUES (?1, 'orders', 1, 2, 6, ?2, ?3)",
            params![account_id(number), now, now + 86_400_000],
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// Lets the engine run for a while: for how long, how much processor time that took, and what it told of.
async fn idle(engine: &Engine, span: Duration) -> anyhow::Result<(Duration, Duration, Vec<Happening>)> {
    let mut happened = Vec::new();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let watching = async {
        // The first looks fill caches.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (start, spent) = (Instant::now(), processor_time()?);
        tokio::time::sleep(span).await;
        let measured = (start.elapsed(), processor_time()?.saturating_sub(spent));
        let _running = stop.send(());
        anyhow::Ok(measured)
    };
    let stopped = async {
        let _told = stopped.await;
    };
    let ((), measured) = tokio::join!(engine.run(stopped, |happening| happened.push(happening)), watching);
    let (span, spent) = measured?;
    Ok((span, spent, happened))
}
