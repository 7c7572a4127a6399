//! Deliveries in SQLite: kept before they are read, read once.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use tradepost_runtime::contract::{WebhookAnswer, WebhookRequest};

use super::events::{count, json, unreadable};
use super::storage::{apply, now};
use super::streams::{keep_record, signed};
use super::{StoreError, failed, readings};
use crate::delivery::{Delivery, DeliveryCommit, DeliveryCounts, NewDelivery};
use crate::stream::Committed;

/// How long the same bytes count as the same delivery, milliseconds. Senders that got no answer try again within minutes; a platform
/// whose deliveries carry neither time nor id may send the same bytes anew later and mean it.
const SAME_FOR: i64 = 10 * 60 * 1000;
/// How long an answered delivery is remembered, milliseconds.
const REMEMBERED_FOR: i64 = 7 * 24 * 60 * 60 * 1000;

/// A request without its body, as it is kept.
#[derive(Serialize, Deserialize)]
struct Head {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

const COLUMNS: &str = "id, account, attempts, request, body, answer";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let head: Option<Head> = row
        .get::<_, Option<String>>(3)?
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| unreadable(3))?;
    let body: Option<Vec<u8>> = row.get(4)?;
    let request = head.map(|Head { method, path, headers }| WebhookRequest {
        method,
        path,
        headers,
        body: body.unwrap_or_default(),
    });
    let answer: Option<String> = row.get(5)?;
    let answer = answer.map(|text| json(5, &text)).transpose()?.map(serde_json::from_value::<WebhookAnswer>);
    Ok(Delivery {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        account: row.get(1)?,
        attempts: row.get(2)?,
        request,
        answer: answer.transpose().map_err(|_| unreadable(5))?,
    })
}

pub(super) fn keep(connection: &mut Connection, new: &NewDelivery) -> Result<Delivery, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let at = now();
    transaction
        .execute("DELETE FROM delivery WHERE at < ?1 AND answer IS NOT NULL", [at - REMEMBERED_FOR])
        .map_err(failed)?;
    let NewDelivery { account, fingerprint, request } = new;
    let head = Head { method: request.method.clone(), path: request.path.clone(), headers: request.headers.clone() };
    let head = serde_json::to_string(&head).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    transaction
        .execute(
            "INSERT INTO delivery (account, fingerprint, at, request, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET at = excluded.at, request = excluded.request, body = excluded.body, answer = NULL,
                 failure = NULL, attempts = 0
             WHERE answer IS NOT NULL AND at < ?6",
            params![account, fingerprint.as_slice(), at, head, request.body, at - SAME_FOR],
        )
        .map_err(failed)?;
    let kept = transaction
        .query_row(
            &format!("SELECT {COLUMNS} FROM delivery WHERE account = ?1 AND fingerprint = ?2"),
            params![account, fingerprint.as_slice()],
            delivery,
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(kept)
}

/// Commits what a delivery told, unless that was done already. Gives the answer that stands; none where the delivery was refused meanwhile.
pub(super) fn commit(
    connection: &mut Connection,
    id: u64,
    commit: &DeliveryCommit,
) -> Result<Option<(WebhookAnswer, Committed)>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let answer = serde_json::to_string(&commit.answer).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let account: Option<String> = transaction
        .query_row(
            "UPDATE delivery SET answer = ?2, request = NULL, body = NULL, failure = NULL WHERE id = ?1 AND answer IS NULL
             RETURNING account",
            params![signed(id), answer],
            |row| row.get(0),
        )
        .optional()
        .map_err(failed)?;
    let mut committed = Committed::default();
    let Some(account) = account else {
        // Somebody else has read it meanwhile: what he answered stands.
        return Ok(stands(&transaction, id)?.map(|answer| (answer, committed)));
    };
    for (kind, item) in &commit.items {
        keep_record(&transaction, &account, kind, 0, item, &mut committed)?;
    }
    for (kind, id) in &commit.readings {
        readings::ask(&transaction, &account, kind, id, now())?;
    }
    for key in &commit.due {
        transaction
            .execute(
                "UPDATE stream SET due_at = min(due_at, ?3) WHERE account = ?1 AND kind = ?2",
                params![key.account, key.kind, now()],
            )
            .map_err(failed)?;
    }
    apply(&transaction, &account, &commit.writes)?;
    fail::fail_point!("webhook.about-to-commit");
    transaction.commit().map_err(failed)?;
    Ok(Some((commit.answer.clone(), committed)))
}

fn stands(connection: &Connection, id: u64) -> Result<Option<WebhookAnswer>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1");
    let found = connection.query_row(&select, [signed(id)], delivery).optional().map_err(failed)?;
    Ok(found.and_then(|delivery| delivery.answer))
}

/// Forgets a delivery that was not genuine.
pub(super) fn refuse(connection: &Connection, id: u64) -> Result<(), StoreError> {
    connection
        .execute("DELETE FROM delivery WHERE id = ?1 AND answer IS NULL", [signed(id)])
        .map(|_| ())
        .map_err(failed)
}

pub(super) fn fail(
    connection: &Connection,
    id: u64,
    failure: &str,
    answer: Option<&WebhookAnswer>,
) -> Result<(), StoreError> {
    let answer = answer.map(serde_json::to_string).transpose();
    let answer = answer.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    connection
        .execute(
            "UPDATE delivery SET attempts = attempts + 1, failure = ?2, answer = ?3 WHERE id = ?1 AND answer IS NULL",
            params![signed(id), failure, answer],
        )
        .map(|_| ())
        .map_err(failed)
}

pub(super) fn unread(connection: &Connection, limit: usize) -> Result<Vec<Delivery>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM delivery WHERE answer IS NULL ORDER BY id LIMIT ?1");
    let mut statement = connection.prepare_cached(&select).map_err(failed)?;
    let rows = statement.query_map([count(limit)], delivery);
    rows.and_then(Iterator::collect).map_err(failed)
}

pub(super) fn counts(connection: &Connection) -> Result<DeliveryCounts, StoreError> {
    connection
        .query_row(
            "SELECT count(*) FILTER (WHERE answer IS NULL), count(*) FILTER (WHERE answer IS NOT NULL AND failure IS NOT NULL),
                 count(*) FILTER (WHERE answer IS NOT NULL AND failure IS NULL) FROM delivery",
            [],
            |row| {
                let number = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                Ok(DeliveryCounts { unread: number(0)?, failed: number(1)?, read: number(2)? })
            },
        )
        .map_err(failed)
}
