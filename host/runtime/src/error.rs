//! What can go wrong in the host: loading a component, opening an account, calling a connector.
//!
//! Every message says what happened, where, and what to do about it. None ever holds a secret.

use std::time::Duration;

use crate::compile::CompileLimit;
use crate::contract::errors::{Error as ConnectorError, ErrorKind};
use crate::egress::{BudgetExceeded, Denial, DoorError};
use crate::journal::JournalStop;
use crate::storage::StorageError;

/// Why a component was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are something else.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// The bytes begin like a component and go wrong.
    #[error("damaged or unsupported component (truncated file?): {0}")]
    Malformed(String),
    /// More bytes than a component may have.
    #[error("component is {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest accepted.
        limit: usize,
    },
    /// An import that no connector may have.
    #[error(
        "import outside the contract: {name} (a connector may import the host interfaces of tradepost:connector, and WASI to start its language runtime)"
    )]
    ForeignImport {
        /// The import's name.
        name: String,
    },
    /// Built against a version of the contract that this host does not load.
    #[error(
        "{name} belongs to another version of the contract: this host supports tradepost:connector@{}; build the connector against the newest of them",
        supported.join(" and @")
    )]
    OtherContract {
        /// The interface.
        name: String,
        /// The versions that the host loads, the oldest first.
        supported: &'static [&'static str],
    },
    /// Built against several versions of the contract at once.
    #[error("the component mixes versions of the contract, {first} and {other}: build all of it against one")]
    MixedContracts {
        /// An interface of the one.
        first: String,
        /// An interface of the other.
        other: String,
    },
    /// The contract has no such interface.
    #[error("unknown {side} {name}: this host supports {supported}")]
    UnknownInterface {
        /// `import` or `export`.
        side: String,
        /// The interface.
        name: String,
        /// All it could be.
        supported: String,
    },
    /// A function has another type than the contract says.
    #[error(transparent)]
    WrongType(Box<TypeMismatch>),
    /// No `connector` export.
    #[error("the component exports no tradepost:connector/connector, so it is no connector (it exports: {})", if found.is_empty() { "nothing".to_owned() } else { found.join(", ") })]
    NoConnector {
        /// What it exports.
        found: Vec<String>,
    },
    /// The compiler refused it.
    #[error("component does not compile: {0}")]
    Compile(String),
    /// The child process that compiles reached one of its limits and was ended.
    #[error("compiling the component took {0}; it is too large, or made to be expensive")]
    CompileLimit(CompileLimit),
    /// The child process that compiles broke off at this component.
    #[error("the compiler broke off at this component: {0}")]
    CompilerCrashed(String),
    /// There is no child process that compiles. The component is not at fault.
    #[error("the process that compiles components does not work: {0}")]
    CompilerUnavailable(String),
    /// `describe` failed.
    #[error("connector.describe failed: {0}")]
    Describe(#[source] Box<CallError>),
    /// The manifest cannot be used.
    #[error("manifest of {connector}: {problem}")]
    Manifest {
        /// The connector as far as known.
        connector: String,
        /// What is wrong.
        problem: String,
    },
}

/// Where a component's function differs from the contract's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{side} {interface}, function `{function}` has the wrong type{}: found {found}, this host supports {supported}", if place.is_empty() { String::new() } else { format!(" at {place}") })]
pub struct TypeMismatch {
    /// `import` or `export`.
    pub side: String,
    /// The interface, with package and version.
    pub interface: String,
    /// The function.
    pub function: String,
    /// Where in its type: `result.ok.items[].total`; empty for the whole of it.
    pub place: String,
    /// What the component has.
    pub found: String,
    /// What the contract has.
    pub supported: String,
}

/// Why an account could not be opened on a connector.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Settings or secrets do not fit the connector's schema.
    #[error("settings of account {account} do not fit connector {connector}:{}", listed(issues))]
    Settings {
        /// The account.
        account: String,
        /// The connector.
        connector: String,
        /// What is wrong, each with its place.
        issues: Vec<SettingIssue>,
    },
    /// The settings name an authentication that the connector does not offer.
    #[error("account {account}: connector {connector} offers no authentication {asked:?}; it offers {offered}")]
    UnknownAuth {
        /// The account.
        account: String,
        /// The connector.
        connector: String,
        /// What was asked for.
        asked: String,
        /// What there is.
        offered: String,
    },
    /// A grant is missing.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The credential or root URL cannot work as filled in.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A template of the manifest does not become a URL or value.
    #[error("account {account}: {problem}")]
    Template {
        /// The account.
        account: String,
        /// What is wrong.
        problem: String,
    },
}

fn listed(issues: &[SettingIssue]) -> String {
    issues.iter().flat_map(|issue| ["\n  ", &issue.pointer, ": ", &issue.message]).collect()
}

/// One thing that is wrong with an account's settings.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SettingIssue {
    /// RFC 6901 pointer into the settings: `/password`.
    pub pointer: String,
    /// The schema's words.
    pub message: String,
}

/// Why a call brought no result. Nothing it wrote to storage is kept.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The connector answered with an error of the contract.
    #[error("{}{}", .0.message, detail(.0))]
    Connector(ConnectorError),
    /// The host refused a request that the connector needed. Nothing of it was sent.
    #[error("denied in {operation}: {denial}")]
    Denied {
        /// Interface and function.
        operation: String,
        /// Which layer refused what, and the line that would allow it.
        denial: Denial,
    },
    /// The connector broke off: a panic, an unreachable instruction, bad memory use.
    #[error("connector {connector} trapped in {operation}: {message}")]
    Trap {
        /// Connector id and version.
        connector: String,
        /// Interface and function.
        operation: String,
        /// The guest's panic message or the trap's name, escaped, at most 1 KiB.
        message: String,
    },
    /// A limit was reached.
    #[error("connector {connector} was stopped in {operation}: {limit}")]
    Limit {
        /// Connector id and version.
        connector: String,
        /// Interface and function.
        operation: String,
        /// Which.
        limit: LimitReached,
    },
    /// The account was taken out of service before the call or during it, by [`Account::retire`](crate::Account::retire):
    /// another version of the connector takes over. It says nothing about connector or platform.
    #[error(
        "{operation} was ended because connector {connector} was taken out of service: nothing of it was kept; call again, on the account as it is open now"
    )]
    Retired {
        /// Connector id and version.
        connector: String,
        /// Interface and function.
        operation: String,
    },
    /// The connector does not export the interface.
    #[error("connector {connector} does not offer {capability}; it offers {offered}")]
    Unsupported {
        /// Connector id and version.
        connector: String,
        /// The interface asked for.
        capability: String,
        /// What it has.
        offered: String,
    },
    /// The result has the right type and breaks the contract otherwise.
    #[error("connector {connector} broke the contract in {operation}: {problem}")]
    InvalidResult {
        /// Connector id and version.
        connector: String,
        /// Interface and function.
        operation: String,
        /// What is wrong.
        problem: String,
    },
    /// The call's journal ended it.
    #[error("{operation} was ended: {stop}")]
    Journal {
        /// Interface and function.
        operation: String,
        /// Why.
        stop: JournalStop,
    },
    /// The storage failed; nothing was kept.
    #[error("storage: {0}")]
    Storage(#[from] StorageError),
    /// The host could not set the call up.
    #[error("the host could not start the call: {0}")]
    Host(String),
}

fn detail(error: &ConnectorError) -> String {
    if error.detail.is_empty() { String::new() } else { format!(" ({})", error.detail) }
}

impl CallError {
    /// The contract's kind of error, where the connector gave one.
    pub fn kind(&self) -> Option<&ErrorKind> {
        match self {
            Self::Connector(error) => Some(&error.kind),
            _ => None,
        }
    }

    /// Whether the connector itself is at fault (trap, limit, broken contract) and not the account or the source.
    pub fn is_guest_fault(&self) -> bool {
        matches!(self, Self::Trap { .. } | Self::Limit { .. } | Self::InvalidResult { .. })
    }
}

/// A limit that was reached, with its figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    /// Processor time.
    #[error("cpu limit of {0:?} reached (raise `limits.cpu`)")]
    Cpu(Duration),
    /// Time from start to end.
    #[error("wall-clock limit of {0:?} reached (raise `limits.wall`)")]
    Wall(Duration),
    /// Memories and tables, summed.
    #[error("memory limit of {0} bytes over all memories and tables reached (raise `limits.memory_bytes`)")]
    Memory(usize),
    /// Calls into the host.
    #[error("limit of {0} host calls reached (raise `limits.host_calls`)")]
    HostCalls(u64),
    /// Bytes that cross into the host at once.
    #[error("limit of {0} bytes lifted in one host call or result reached (raise `limits.lift_bytes`)")]
    LiftBytes(usize),
    /// Open handles.
    #[error("limit of {0} handles reached (raise `limits.handles`)")]
    Handles(usize),
    /// Requests or bytes of HTTP.
    #[error("{0} (or raise `limits.http`)")]
    Http(BudgetExceeded),
    /// Depth of calls within the guest.
    #[error("call stack exhausted ({0} bytes)")]
    Stack(usize),
}
