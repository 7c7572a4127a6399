//! What an engineer writes who keeps a platform's orders in SQLite with one program: pages are parsed, and each page's
//! orders go into the file in one transaction, with the events that tell of them and the place to go on from.
//!
//! It has no lease and no fence, and takes every order for a new one, so it does not look up what it knows: less than the
//! engine does, which keeps the yardstick short.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use tradepost_runtime::commerce::Order;

use super::hardtofind;

/// Orders of a transaction: as many as the connector's pages have.
const ORDERS_AT_ONCE: usize = 100;

/// Opens a file that holds the engine's schema, with the engine's promise: what was committed is on the disk.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Keeps every order of these pages. Gives their number.
pub(crate) fn sync(connection: &mut Connection, account: &str, pages: &[Bytes]) -> anyhow::Result<u64> {
    connection.execute("INSERT INTO stream (account, kind, epoch) VALUES (?1, 'orders', 1)", [account])?;
    let (mut count, mut orders) = (0, Vec::new());
    for (index, page) in pages.iter().enumerate() {
        orders.extend(hardtofind::orders(page)?);
        let is_last = index + 1 == pages.len();
        if orders.len() < ORDERS_AT_ONCE && !is_last {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction
            .prepare_cached("UPDATE stream SET cursor = ?2, pages = pages + 1 WHERE account = ?1 AND kind = 'orders'")?
            .execute(params![account, format!("{{\"page\":{}}}", index + 1)])?;
        for order in &orders {
            insert(&transaction, account, order)?;
        }
        transaction.commit()?;
        count += orders.len() as u64;
        orders.clear();
    }
    Ok(count)
}

fn insert(transaction: &Transaction<'_>, account: &str, order: &Order) -> anyhow::Result<()> {
    let body = serde_json::to_string(order)?;
    let hash = Sha256::digest(body.as_bytes());
    let at = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let position = transaction
        .prepare_cached(
            "INSERT INTO event (account, kind, id, change, version, at, body) VALUES (?1, 'orders', ?2, 'created', 1, ?3, ?4)",
        )?
        .insert(params![account, order.id, at, body])?;
    transaction
        .prepare_cached(
            "INSERT INTO record (account, kind, id, hash, version, position, seen_walk) VALUES (?1, 'orders', ?2, ?3, 1, ?4, 1)",
        )?
        .execute(params![account, order.id, hash.as_slice(), position])?;
    Ok(())
}
