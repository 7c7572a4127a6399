//! Carrying a command out: one attempt on a frozen clock and a journal, and what its end means.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tradepost_runtime::storage::StorageWrites;
use tradepost_runtime::{Account, CallError, NamedCallError};

use crate::command::{AttemptEnd, Command, CommandClaim, CommandOutcome, ParkCause};
use crate::failure::Remedy;
use crate::health::Health;
use crate::journal::CommandJournal;
use crate::store::{Store, StoreError};

/// Attempts after which somebody has to look.
const MOST_ATTEMPTS: u32 = 10;
/// Attempts after which a connector that breaks off is not run again by itself.
const MOST_FAULTS: u32 = 3;

/// Makes one attempt and records its end.
pub(crate) async fn attempt(
    store: &Arc<dyn Store>,
    health: &Health,
    account: &Account,
    claim: CommandClaim,
) -> Result<Command, StoreError> {
    fail::fail_point!("command.claimed");
    let command = claim.command.clone();
    if !health.is_its_own(account).await? {
        let reason = "the account is held back: its credential belongs to another seller".to_owned();
        let end = AttemptEnd::Again { at: milliseconds(SystemTime::now()), reason };
        return store.end_attempt(&claim, end, StorageWrites::default()).await;
    }
    let journal = Arc::new(CommandJournal::new(Arc::clone(store), claim.clone()));
    let now = UNIX_EPOCH + Duration::from_millis(command.recorded_at);
    let journaled = account.journaled(journal.clone(), now);
    let began = Instant::now();
    let result = journaled.call_by_name(&command.operation, &command.arguments).await;
    let took = began.elapsed();
    journal.idle().await;
    #[cfg(feature = "failpoints")]
    let result = break_off(&journal, &command.operation).and(result);
    match &result {
        Ok(_) => health.well(account, took),
        Err(NamedCallError::Call(error)) => health.failed(account, error, took).await?,
        Err(_) => {}
    }
    let (end, writes) = match result {
        Ok(reply) => {
            let (value, writes) = (reply.value, reply.writes);
            (AttemptEnd::Done(CommandOutcome::Applied(value)), writes)
        }
        Err(error) => (end_of(&error, &journal, command.attempts), StorageWrites::default()),
    };
    fail::fail_point!("command.about-to-end");
    let ended = store.end_attempt(&claim, end, writes).await;
    fail::fail_point!("command.ended");
    ended
}

/// For the crash harness: a connector that breaks off while it reads an answer that came.
#[cfg(feature = "failpoints")]
fn break_off(journal: &CommandJournal, operation: &str) -> Result<(), NamedCallError> {
    fail::fail_point!("command.trap", journal.has_written(), |_| {
        let (connector, operation) = ("failpoint".to_owned(), operation.to_owned());
        let trap = CallError::Trap { connector, operation, message: "command.trap".to_owned() };
        Err(NamedCallError::Call(trap))
    });
    Ok(())
}

/// What a failed attempt means for its command.
fn end_of(error: &NamedCallError, journal: &CommandJournal, attempts: u32) -> AttemptEnd {
    let NamedCallError::Call(error) = error else {
        return AttemptEnd::Done(CommandOutcome::Refused(refusal(&error.to_string())));
    };
    // Whatever the connector made of it: a request that must not be sent twice was sent, and nobody knows what became of it.
    if let Some(line) = journal.in_doubt() {
        let reason =
            format!("{line} was sent and no answer is known: look at the platform whether it was done; {error}");
        return AttemptEnd::Park(ParkCause::InDoubt, reason);
    }
    let remedy = Remedy::of(error);
    if let (Remedy::Later(_), Some(failed)) = (remedy, journal.failed_once()) {
        let reason = format!("{failed}: look at the platform whether it was done; {error}");
        return AttemptEnd::Park(ParkCause::InDoubt, reason);
    }
    let is_fault = matches!(error, CallError::Trap { .. } | CallError::Limit { .. });
    match remedy {
        Remedy::LookFirst => {
            AttemptEnd::Park(ParkCause::InDoubt, format!("look at the platform whether it was done; {error}"))
        }
        Remedy::Person => AttemptEnd::Park(cause(error), error.to_string()),
        Remedy::None => AttemptEnd::Done(CommandOutcome::Refused(match error {
            CallError::Connector(error) => serde_json::to_value(error).unwrap_or_default(),
            other => refusal(&other.to_string()),
        })),
        Remedy::Later(_) if attempts >= MOST_ATTEMPTS || (is_fault && attempts >= MOST_FAULTS) => {
            let cause = if is_fault { ParkCause::ConnectorFault } else { ParkCause::GivenUp };
            AttemptEnd::Park(cause, format!("given up after {attempts} attempts; {error}"))
        }
        // The platform acted, and its answer could not be understood: asking again brings the same answer from the journal.
        Remedy::Later(None) if journal.has_written() && is_protocol(error) => {
            let reason = format!("the platform acted and its answer cannot be understood; {error}");
            AttemptEnd::Park(ParkCause::NotUnderstood, reason)
        }
        // Where it is the credential, the account is held back until it has another one; then the command goes on.
        Remedy::Later(_) | Remedy::NewCredential => {
            let wait = u64::try_from(remedy.wait(attempts).as_millis()).unwrap_or(u64::MAX);
            AttemptEnd::Again { at: milliseconds(SystemTime::now()).saturating_add(wait), reason: error.to_string() }
        }
    }
}

/// What somebody has to look at.
fn cause(error: &CallError) -> ParkCause {
    match error {
        CallError::Denied { .. } => ParkCause::Denied,
        CallError::InvalidResult { .. } => ParkCause::BrokenContract,
        CallError::Journal { .. } => ParkCause::NotDeterministic,
        _ => ParkCause::InDoubt,
    }
}

fn is_protocol(error: &CallError) -> bool {
    matches!(error.kind(), Some(tradepost_runtime::errors::ErrorKind::Protocol(_)))
}

/// A refusal that is no error of the contract, in its shape.
fn refusal(message: &str) -> Value {
    serde_json::json!({"kind": "invalid-input", "message": message, "detail": ""})
}

fn milliseconds(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
