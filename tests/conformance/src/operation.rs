//! One call of an operation by name: what it brought, and why it brought nothing.

use serde_json::Value;
use tradepost_runtime::{Account, CallError, LogLine, NamedCallError, Usage};

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The description names an operation that the contract does not have, or arguments that do not fit it.
    #[error("the description does not fit the contract: {0}")]
    Description(String),
}

impl From<NamedCallError> for OperationError {
    fn from(error: NamedCallError) -> Self {
        match error {
            NamedCallError::Call(error) => Self::Call(error),
            other => Self::Description(other.to_string()),
        }
    }
}

/// What a call brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The result, as the contract's JSON.
    pub(crate) value: Value,
    /// What the connector logged.
    pub(crate) log: Vec<LogLine>,
    /// What the call used.
    pub(crate) usage: Usage,
}

/// Calls `operation` (`orders.list`) with `arguments`, an object of the function's parameters in snake case, and commits what it stored.
pub(crate) async fn call(account: &Account, operation: &str, arguments: &Value) -> Result<Outcome, OperationError> {
    let reply = account.call_by_name(operation, arguments).await?;
    let (usage, log) = (reply.usage, reply.log.clone());
    Ok(Outcome { value: reply.commit().await?, log, usage })
}
