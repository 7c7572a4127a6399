//! Commands and their journals in SQLite.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::Value;
use tradepost_runtime::egress::{Effect, Response};
use tradepost_runtime::storage::StorageWrites;

use super::events::{append, count, json, unreadable};
use super::storage::{apply, now};
use super::streams::{signed, until};
use super::{StoreError, failed, readings};
use crate::command::{
    AttemptEnd, ClaimScope, Command, CommandClaim, CommandCounts, CommandOutcome, CommandQuery, CommandState,
    JournalEntry, NewCommand, ParkCause, Resolution,
};
use crate::event::Change;
use crate::reading::FULFILMENT;

/// The kind of the events that tell of commands.
const KIND: &str = "commands";

const COLUMNS: &str = "id, account, operation, arguments, entity, key, state, outcome, attempts, reason, recorded_at, due_at, digest, cause";

fn command(row: &Row<'_>) -> rusqlite::Result<Command> {
    let outcome: Option<String> = row.get(7)?;
    let outcome = outcome.map(|text| json(7, &text)).transpose()?.map(serde_json::from_value::<CommandOutcome>);
    Ok(Command {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        account: row.get(1)?,
        operation: row.get(2)?,
        arguments: json(3, &row.get::<_, String>(3)?)?,
        entity: row.get(4)?,
        key: row.get(5)?,
        state: CommandState::parse(&row.get::<_, String>(6)?).ok_or_else(|| unreadable(6))?,
        outcome: outcome.transpose().map_err(|_| unreadable(7))?,
        attempts: row.get(8)?,
        reason: row.get(9)?,
        recorded_at: row.get::<_, i64>(10)?.unsigned_abs(),
        due_at: row.get::<_, i64>(11)?.unsigned_abs(),
        digest: row.get(12)?,
        cause: row.get::<_, Option<String>>(13)?.and_then(|word| ParkCause::parse(&word)),
    })
}

pub(super) fn enqueue(connection: &mut Connection, new: &NewCommand) -> Result<Command, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if let Some(key) = &new.key {
        let same = format!("SELECT {COLUMNS} FROM command WHERE account = ?1 AND key = ?2");
        let known = transaction.query_row(&same, params![new.account, key], command).optional().map_err(failed)?;
        if let Some(known) = known {
            return Ok(known);
        }
    }
    let insert = format!(
        "INSERT INTO command (account, operation, arguments, entity, key, state, recorded_at, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?6) RETURNING {COLUMNS}"
    );
    let recorded = transaction
        .query_row(
            &insert,
            params![new.account, new.operation, new.arguments.to_string(), new.entity, new.key, now()],
            command,
        )
        .map_err(failed)?;
    tell(&transaction, &recorded, Change::Created)?;
    transaction.commit().map_err(failed)?;
    Ok(recorded)
}

pub(super) fn claim(
    connection: &mut Connection,
    scope: &ClaimScope,
    lease: Duration,
) -> Result<Option<CommandClaim>, StoreError> {
    let at = now();
    if scope.only.is_none() && !any_due(connection, at)? {
        return Ok(None);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let begins = |pairs: &[(String, String)], begins: bool| -> Vec<Value> {
        pairs.iter().map(|(account, digest)| serde_json::json!([account, digest, begins])).collect()
    };
    let pairs = [begins(&scope.accounts, true), begins(&scope.before, false)].concat();
    let pairs = serde_json::to_string(&pairs).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let busy = serde_json::to_string(&scope.busy).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let chosen: Option<(i64, String)> = transaction
        .query_row(
            "SELECT command.id, pair.value ->> 1 FROM command JOIN json_each(?1) AS pair ON pair.value ->> 0 = command.account
             WHERE (state = 'waiting' AND due_at <= ?2 OR state = 'running' AND lease_until <= ?2)
               AND CASE
                   -- Begun and nothing sent: the component that the account is open on may take it up.
                   WHEN digest IS NULL OR NOT EXISTS (SELECT 1 FROM command_request WHERE command_request.command = command.id)
                       THEN pair.value ->> 2
                   ELSE digest = pair.value ->> 1 END
               AND (?3 IS NULL OR command.id = ?3)
               AND NOT EXISTS (SELECT 1 FROM standing WHERE standing.account = command.account AND standing.state <> 'active')
               AND command.account NOT IN (SELECT value FROM json_each(?4))
               AND NOT EXISTS (SELECT 1 FROM command AS earlier
                   WHERE earlier.account = command.account AND earlier.entity = command.entity
                     AND earlier.id < command.id AND earlier.state <> 'done')
             ORDER BY due_at, command.id LIMIT 1",
            params![pairs, at, scope.only.map(signed), busy],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(failed)?;
    let Some((id, digest)) = chosen else { return Ok(None) };
    let update = format!(
        "UPDATE command SET state = 'running', epoch = epoch + 1, lease_until = ?2, attempts = attempts + 1, digest = ?3
         WHERE id = ?1 RETURNING {COLUMNS}, epoch"
    );
    let (claimed, epoch) = transaction
        .query_row(&update, params![id, until(lease), digest], |row| Ok((command(row)?, row.get::<_, i64>(14)?)))
        .map_err(failed)?;
    let journal = requests(&transaction, id)?;
    transaction.commit().map_err(failed)?;
    Ok(Some(CommandClaim { command: claimed, epoch: epoch.unsigned_abs(), journal }))
}

/// Whether anybody at all has a command that is due: most of the time nobody has, and to ask that costs next to nothing.
fn any_due(connection: &Connection, at: i64) -> Result<bool, StoreError> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM command WHERE state = 'waiting' AND due_at <= ?1)
                 OR EXISTS (SELECT 1 FROM command WHERE state = 'running' AND lease_until <= ?1)",
        )
        .and_then(|mut statement| statement.query_row([at], |row| row.get(0)))
        .map_err(failed)
}

pub(super) fn requests(connection: &Connection, id: i64) -> Result<Vec<JournalEntry>, StoreError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT place, effect, fingerprint, line, status, headers, body FROM command_request WHERE command = ?1 ORDER BY place",
        )
        .map_err(failed)?;
    let rows = statement.query_map([id], |row| {
        let answer = match row.get::<_, Option<u16>>(4)? {
            None => None,
            Some(status) => Some(Response {
                status,
                headers: serde_json::from_value(json(5, &row.get::<_, String>(5)?)?).map_err(|_| unreadable(5))?,
                body: Bytes::from(row.get::<_, Vec<u8>>(6)?),
            }),
        };
        Ok(JournalEntry {
            index: row.get(0)?,
            effect: effect(&row.get::<_, String>(1)?).ok_or_else(|| unreadable(1))?,
            fingerprint: row.get(2)?,
            line: row.get(3)?,
            answer,
        })
    });
    rows.and_then(Iterator::collect).map_err(failed)
}

const EFFECTS: [(Effect, &str); 3] =
    [(Effect::Read, "read"), (Effect::Repeatable, "repeatable"), (Effect::Once, "once")];

fn effect(word: &str) -> Option<Effect> {
    EFFECTS.iter().find(|(_, name)| *name == word).map(|(effect, _)| *effect)
}

fn effect_word(wanted: Effect) -> &'static str {
    EFFECTS.iter().find(|(effect, _)| *effect == wanted).map_or("once", |(_, name)| *name)
}

pub(super) fn enter(
    connection: &mut Connection,
    claim: &CommandClaim,
    entries: &[JournalEntry],
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    fence(&transaction, claim)?;
    for entry in entries {
        let headers = entry.answer.as_ref().map(|answer| serde_json::to_string(&answer.headers)).transpose();
        let headers = headers.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (status, body) = entry.answer.as_ref().map(|answer| (answer.status, answer.body.to_vec())).unzip();
        transaction
            .prepare_cached(
                "INSERT INTO command_request (command, place, effect, fingerprint, line, status, headers, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (command, place) DO UPDATE SET effect = excluded.effect, fingerprint = excluded.fingerprint,
                     line = excluded.line, status = excluded.status, headers = excluded.headers, body = excluded.body
                 -- An answer that is known is never put in doubt again.
                 WHERE excluded.status IS NOT NULL OR command_request.status IS NULL",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    signed(claim.command.id),
                    entry.index,
                    effect_word(entry.effect),
                    entry.fingerprint.as_slice(),
                    entry.line,
                    status,
                    headers,
                    body
                ])
            })
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

pub(super) fn forget(connection: &mut Connection, claim: &CommandClaim, index: u32) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    fence(&transaction, claim)?;
    transaction
        .execute(
            "DELETE FROM command_request WHERE command = ?1 AND place = ?2 AND status IS NULL",
            params![signed(claim.command.id), index],
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Fails where somebody else has taken the command over.
fn fence(transaction: &Transaction<'_>, claim: &CommandClaim) -> Result<(), StoreError> {
    let epoch: Option<i64> = transaction
        .query_row("SELECT epoch FROM command WHERE id = ?1 AND state = 'running'", [signed(claim.command.id)], |row| {
            row.get(0)
        })
        .optional()
        .map_err(failed)?;
    if epoch == Some(signed(claim.epoch)) {
        Ok(())
    } else {
        Err(StoreError::Fenced(format!("command {}", claim.command.id)))
    }
}

pub(super) fn end(
    connection: &mut Connection,
    claim: &CommandClaim,
    end: &AttemptEnd,
    writes: &StorageWrites,
) -> Result<Command, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    fence(&transaction, claim)?;
    let id = claim.command.id;
    let ended = match end {
        AttemptEnd::Done(outcome) => {
            follow(&transaction, &claim.command, outcome)?;
            set(&transaction, id, CommandState::Done, Some(outcome), None, None)?
        }
        AttemptEnd::Again { at, reason } => {
            forget_refused(&transaction, id)?;
            set(&transaction, id, CommandState::Waiting, None, Some(reason), Some(*at))?
        }
        AttemptEnd::Park(cause, reason) => {
            let word = cause.as_str();
            transaction
                .execute("UPDATE command SET cause = ?2 WHERE id = ?1", params![signed(id), word])
                .map_err(failed)?;
            set(&transaction, id, CommandState::Parked, None, Some(reason), None)?
        }
    };
    apply(&transaction, &claim.command.account, writes)?;
    tell(&transaction, &ended, Change::Updated)?;
    transaction.commit().map_err(failed)?;
    Ok(ended)
}

/// An order that was handed to a producer is followed from now on: how it stands is read until it is closed.
fn follow(transaction: &Transaction<'_>, command: &Command, outcome: &CommandOutcome) -> Result<(), StoreError> {
    match outcome {
        CommandOutcome::Applied(receipt) if command.operation == "fulfilment.submit" => match receipt["id"].as_str() {
            Some(id) => readings::ask(transaction, &command.account, FULFILMENT, id, now()),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Forgets answers that say that nothing was done, or of which it does no harm to ask again: the next attempt sends these requests anew.
fn forget_refused(transaction: &Transaction<'_>, id: u64) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM command_request WHERE command = ?1
               AND (status = 429 OR effect = 'repeatable' AND (status >= 500 OR status = 408))",
            [signed(id)],
        )
        .map(|_| ())
        .map_err(failed)
}

fn set(
    transaction: &Transaction<'_>,
    id: u64,
    state: CommandState,
    outcome: Option<&CommandOutcome>,
    reason: Option<&str>,
    due_at: Option<u64>,
) -> Result<Command, StoreError> {
    let outcome = outcome.map(serde_json::to_string).transpose();
    let outcome = outcome.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let update = format!(
        "UPDATE command SET state = ?2, outcome = ?3, reason = ?4, due_at = coalesce(?5, due_at), lease_until = 0,
             cause = CASE WHEN ?2 = 'parked' THEN cause END
         WHERE id = ?1 RETURNING {COLUMNS}"
    );
    transaction
        .query_row(&update, params![signed(id), state.as_str(), outcome, reason, due_at.map(signed)], command)
        .map_err(failed)
}

pub(super) fn get(connection: &Connection, id: u64) -> Result<Option<Command>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM command WHERE id = ?1");
    connection.query_row(&select, [signed(id)], command).optional().map_err(failed)
}

pub(super) fn list(connection: &Connection, query: &CommandQuery) -> Result<Vec<Command>, StoreError> {
    let select = format!(
        "SELECT {COLUMNS} FROM command WHERE (?1 IS NULL OR account = ?1) AND (?2 IS NULL OR state = ?2)
           AND (?4 IS NULL OR entity = ?4) AND (?5 IS NULL OR key = ?5) ORDER BY id DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&select).map_err(failed)?;
    let state = query.state.map(CommandState::as_str);
    let rows = statement.query_map(params![query.account, state, count(query.limit), query.entity, query.key], command);
    rows.and_then(Iterator::collect).map_err(failed)
}

pub(super) fn counts(connection: &Connection) -> Result<CommandCounts, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT state, count(*) FROM command GROUP BY state").map_err(failed)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).map_err(failed)?;
    let mut counts = CommandCounts::default();
    for row in rows {
        let (state, count) = row.map_err(failed)?;
        let counted = match CommandState::parse(&state) {
            Some(CommandState::Waiting) => &mut counts.waiting,
            Some(CommandState::Running) => &mut counts.running,
            Some(CommandState::Parked) => &mut counts.parked,
            Some(CommandState::Done) => &mut counts.done,
            None => continue,
        };
        *counted = count.unsigned_abs();
    }
    Ok(counts)
}

pub(super) fn resolve(connection: &mut Connection, id: u64, resolution: &Resolution) -> Result<Command, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let parked = get(&transaction, id)?.ok_or(StoreError::NoCommand(id))?;
    if parked.state != CommandState::Parked {
        return Err(StoreError::NotParked { id, state: parked.state.as_str() });
    }
    let resolved = match resolution {
        Resolution::Applied(why) => {
            let outcome = CommandOutcome::FoundApplied(why.clone());
            set(&transaction, id, CommandState::Done, Some(&outcome), None, None)?
        }
        Resolution::Abandon(why) => {
            let outcome = CommandOutcome::Abandoned(why.clone());
            set(&transaction, id, CommandState::Done, Some(&outcome), None, None)?
        }
        Resolution::Retry => {
            forget_doubtful(&transaction, id, parked.cause)?;
            // Whatever version the account is on by then goes on with it: somebody has looked.
            transaction
                .execute("UPDATE command SET attempts = 0, digest = NULL WHERE id = ?1", [signed(id)])
                .map_err(failed)?;
            set(&transaction, id, CommandState::Waiting, None, None, Some(now().unsigned_abs()))?
        }
    };
    tell(&transaction, &resolved, Change::Updated)?;
    transaction.commit().map_err(failed)?;
    Ok(resolved)
}

/// What was in doubt did not happen, and is sent again. What was plainly answered is not. What was read after the first doubt is read
/// anew, unless a write that stays came of it: now that there is no doubt, the command may go another way.
///
/// Where each write was plainly answered and the connector still did not know, the last one is in doubt if it was accepted; one whose
/// answer was not understood, if nothing was asked after it.
fn forget_doubtful(transaction: &Transaction<'_>, id: u64, cause: Option<ParkCause>) -> Result<(), StoreError> {
    const DOUBTFUL: &str = "command = ?1 AND effect <> 'read' AND (status IS NULL OR status >= 500 OR status = 408)";
    const LAST: &str =
        "SELECT place FROM command_request AS last WHERE command = ?1 AND effect <> 'read' AND status < 400
         AND NOT EXISTS (SELECT 1 FROM command_request AS later
             WHERE later.command = ?1 AND later.place > last.place AND (later.effect <> 'read' OR ?2))";
    let place = |row: &Row<'_>| row.get(0);
    let first = format!("SELECT min(place) FROM command_request WHERE {DOUBTFUL}");
    let mut first: Option<u32> = transaction.query_row(&first, [signed(id)], place).map_err(failed)?;
    if let (None, Some(cause @ (ParkCause::InDoubt | ParkCause::NotUnderstood))) = (first, cause) {
        let alone = cause == ParkCause::NotUnderstood;
        first = transaction.query_row(LAST, params![signed(id), alone], place).optional().map_err(failed)?.flatten();
    }
    transaction
        .execute(
            &format!(
                "DELETE FROM command_request WHERE {DOUBTFUL} OR (command = ?1 AND place = ?2 AND effect <> 'read')"
            ),
            params![signed(id), first],
        )
        .and_then(|_| {
            transaction.execute(
                "DELETE FROM command_request AS gone WHERE command = ?1 AND place > ?2 AND effect = 'read'
                     AND NOT EXISTS (SELECT 1 FROM command_request AS later
                         WHERE later.command = ?1 AND later.place > gone.place AND later.effect <> 'read')",
                params![signed(id), first],
            )
        })
        .map(|_| ())
        .map_err(failed)
}

/// Appends the event that tells how a command stands.
fn tell(transaction: &Transaction<'_>, command: &Command, change: Change) -> Result<(), StoreError> {
    let body = serde_json::to_string(command).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let id = command.id.to_string();
    let version: i64 = transaction
        .query_row(
            "UPDATE command SET version = version + 1 WHERE id = ?1 RETURNING version",
            [signed(command.id)],
            |row| row.get(0),
        )
        .map_err(failed)?;
    append(transaction, &command.account, KIND, &id, change, version, Some(&body)).map(|_| ())
}
