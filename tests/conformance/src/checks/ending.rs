//! How a call ended: with a result, with an error of the contract, or in a way that is never acceptable, whatever the source did.

use serde_json::Value;
use tradepost_runtime::CallError;
use tradepost_runtime::contract::http::Effect;
use tradepost_runtime::errors::{Error, ErrorKind};

use super::kind_name;
use crate::description::Operation;
use crate::kit::{Bench, Kit};
use crate::operation::{OperationError, Outcome};
use crate::report::Finding;

/// What a connector may answer.
pub(super) type Ending = Result<Outcome, Error>;

/// The result or the contract's error; traps, limits, denials and broken results are findings.
pub(super) fn ending(result: Result<Outcome, OperationError>) -> Result<Ending, Finding> {
    match result {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(OperationError::Call(CallError::Connector(error))) => Ok(Err(error)),
        Err(other) => Err(other.into()),
    }
}

/// `ok`, or the contract's word for the error.
pub(super) fn word(ending: &Ending) -> String {
    match ending {
        Ok(_) => "ok".to_owned(),
        Err(error) => kind_name(error),
    }
}

/// The same with the error's sentence, for findings.
pub(super) fn told(ending: &Ending) -> String {
    match ending {
        Ok(outcome) => format!("the result {}", short(&outcome.value)),
        Err(error) if error.detail.is_empty() => format!("{}: {}", kind_name(error), error.message),
        Err(error) => format!("{}: {} ({})", kind_name(error), error.message, error.detail),
    }
}

/// A value as text that fits into a line of evidence.
pub(super) fn short(value: &Value) -> String {
    const MOST: usize = 200;
    let text = value.to_string();
    if text.len() <= MOST { text } else { format!("{}...", &text[..text.floor_char_boundary(MOST)]) }
}

/// What the source asked to wait, where the error says.
pub(super) fn wait(error: &Error) -> Option<u64> {
    match &error.kind {
        ErrorKind::RateLimited(hint) | ErrorKind::Transient(hint) | ErrorKind::Unavailable(hint) => hint.retry_after_ms,
        _ => None,
    }
}

impl Kit {
    /// What the manifest says of a writing operation; `once`, the strongest, where it says nothing.
    pub(super) fn effect(&self, operation: &Operation) -> Effect {
        let effects = &self.connector.manifest().effects;
        let declared = effects.iter().find(|declared| declared.operation == operation.name);
        declared.map_or(Effect::Once, |declared| declared.effect)
    }

    /// The operations of the description that the connector exports.
    pub(super) fn operations(&self) -> Vec<&Operation> {
        self.description.operations.iter().filter(|operation| self.offers(operation)).collect()
    }

    /// Those of them that write, and are not excepted from a check.
    pub(super) fn writes_for(&self, check: &str) -> Result<Vec<&Operation>, Finding> {
        let writes: Vec<&Operation> = self.operations().into_iter().filter(|operation| operation.is_write()).collect();
        if writes.is_empty() {
            return Err(Finding::Skipped("the description has no write that the connector offers".to_owned()));
        }
        let kept: Vec<&Operation> =
            writes.iter().copied().filter(|operation| !operation.skip.contains_key(check)).collect();
        if kept.is_empty() {
            return Err(Finding::Skipped(excepted(&writes, check).join("; ")));
        }
        Ok(kept)
    }

    /// A fresh source with what an operation needs, and the id of the record it is about.
    pub(super) fn ready(&self, operation: &Operation) -> Result<(Bench, String), Finding> {
        const RECORDS: usize = 3;
        let bench = self.bench()?;
        let Some(kind) = &operation.record else { return Ok((bench, String::new())) };
        let id = bench.seed(kind, RECORDS).swap_remove(0);
        bench.state().records_mut(kind).edit(&id, |record| {
            for (pointer, value) in &operation.before {
                crate::source::set(record, pointer, crate::description::json(value).unwrap_or_default());
            }
        });
        Ok((bench, id))
    }
}

impl Bench {
    /// Calls an operation for a record: of a list its first page.
    pub(super) async fn perform(&self, operation: &Operation, id: &str) -> Result<Ending, Finding> {
        let result =
            if operation.is_list() { self.page(operation, None).await } else { self.call(operation, id).await };
        ending(result).map_err(|finding| in_operation(finding, &operation.name))
    }
}

/// The reasons of operations that a check does not apply to.
pub(super) fn excepted(operations: &[&Operation], check: &str) -> Vec<String> {
    operations
        .iter()
        .filter_map(|operation| operation.skip.get(check).map(|reason| format!("{}: {reason}", operation.name)))
        .collect()
}

/// A finding that names the operation.
pub(super) fn in_operation(finding: Finding, operation: &str) -> Finding {
    match finding {
        Finding::Failed(text) if !text.contains(operation) => Finding::Failed(format!("{operation}: {text}")),
        other => other,
    }
}
