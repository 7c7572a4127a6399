//! A command: something that is to be done at a platform, recorded before anything is sent, and done once.

use serde::Serialize;
use serde_json::Value;
use tradepost_runtime::egress::{Effect, Response};

/// A command to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCommand {
    /// The account.
    pub account: String,
    /// Interface and function: `shipments.ship`.
    pub operation: String,
    /// The function's parameters by name in snake case, as the contract's JSON.
    pub arguments: Value,
    /// What it is done to, such as `orders/123456`: commands to the same thing run one after the other, in their order.
    pub entity: String,
    /// The embedder's own key. A second command with the same key at the same account is the first one again.
    pub key: Option<String>,
}

/// How far a command has come. Its business outcome stands apart, in [`Command::outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandState {
    /// Recorded; waits for its turn or for its next attempt.
    Waiting,
    /// Being carried out.
    Running,
    /// Carried out, or refused by the platform: see the outcome.
    Done,
    /// Somebody has to look: nobody can tell whether it was carried out, or it failed too often.
    Parked,
}

impl CommandState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Parked => "parked",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Running, Self::Done, Self::Parked].into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a command is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParkCause {
    /// A request that must not be sent twice was sent, and nobody knows what became of it.
    InDoubt,
    /// The platform acted, and its answer could not be understood.
    NotUnderstood,
    /// It failed too often.
    GivenUp,
    /// The host denied a request: a grant is missing.
    Denied,
    /// The connector broke off too often.
    ConnectorFault,
    /// The connector's result breaks the contract.
    BrokenContract,
    /// Run again, the connector made other requests than before.
    NotDeterministic,
    /// The store was restored from a backup, and what was done since then is not known.
    Restored,
}

impl ParkCause {
    const WORDS: [(Self, &'static str); 8] = [
        (Self::InDoubt, "in-doubt"),
        (Self::NotUnderstood, "not-understood"),
        (Self::GivenUp, "given-up"),
        (Self::Denied, "denied"),
        (Self::ConnectorFault, "connector-fault"),
        (Self::BrokenContract, "broken-contract"),
        (Self::NotDeterministic, "not-deterministic"),
        (Self::Restored, "restored"),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(cause, _)| *cause == self).map_or("in-doubt", |(_, word)| *word)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word)| *word == text).map(|(cause, _)| *cause)
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandOutcome {
    /// The platform did it; the operation's result as the contract's JSON.
    Applied(Value),
    /// The platform refused; the contract's error as JSON.
    Refused(Value),
    /// An operator found that the platform did it.
    FoundApplied(String),
    /// An operator found that the platform did not do it, and it is not to be done.
    Abandoned(String),
}

/// A command as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Command {
    /// Its id.
    pub id: u64,
    /// The account.
    pub account: String,
    /// Interface and function.
    pub operation: String,
    /// The parameters.
    pub arguments: Value,
    /// What it is done to.
    pub entity: String,
    /// The embedder's key.
    pub key: Option<String>,
    /// How far it has come.
    pub state: CommandState,
    /// What came of it.
    pub outcome: Option<CommandOutcome>,
    /// Attempts so far.
    pub attempts: u32,
    /// Why it is parked; none for one that is not.
    pub cause: Option<ParkCause>,
    /// Why the last attempt did not end it, or why it is parked, in words.
    pub reason: Option<String>,
    /// When it was recorded, milliseconds since 1970. The clock of every attempt stands here.
    pub recorded_at: u64,
    /// When its next attempt is due, milliseconds since 1970.
    pub due_at: u64,
    /// The digest of the component that began it; it stays on that one.
    pub digest: Option<String>,
}

/// The right to carry a command out, until the lease runs out.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandClaim {
    /// The command.
    pub command: Command,
    /// Counts claims of the command: the fence.
    pub epoch: u64,
    /// What its attempts have sent and received so far, in order.
    pub journal: Vec<JournalEntry>,
}

/// A request of a command, as its journal has it.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Its place among the requests of the call, from 0.
    pub index: u32,
    /// What sending it does.
    pub effect: Effect,
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
    /// Method and path.
    pub line: String,
    /// The answer; none where none is known.
    pub answer: Option<Response>,
}

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptEnd {
    /// The command is done.
    Done(CommandOutcome),
    /// Try again at this time, milliseconds since 1970.
    Again {
        /// When.
        at: u64,
        /// Why.
        reason: String,
    },
    /// Somebody has to look.
    Park(ParkCause, String),
}

/// What an operator decides about a parked command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The platform has done it; why one knows.
    Applied(String),
    /// The platform has not done it: do it. What was in doubt is forgotten.
    Retry,
    /// It is not to be done; why.
    Abandon(String),
}

/// How many commands there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommandCounts {
    /// Recorded, not begun or to be tried again.
    pub waiting: u64,
    /// Being carried out.
    pub running: u64,
    /// Waiting for a person.
    pub parked: u64,
    /// Done or refused.
    pub done: u64,
}

/// Whose commands may be claimed.
#[derive(Clone, Debug, Default)]
pub struct ClaimScope {
    /// The accounts and the digest of the component that each is open on.
    pub accounts: std::sync::Arc<Vec<(String, String)>>,
    /// Accounts and the digests of components that they were open on before: these go on with what they have sent something of, and begin
    /// nothing.
    pub before: std::sync::Arc<Vec<(String, String)>>,
    /// Accounts that have as much under way as they may.
    pub busy: Vec<String>,
    /// Only this command.
    pub only: Option<u64>,
}

/// Which commands are wanted, the newest first.
#[derive(Clone, Debug, Default)]
pub struct CommandQuery {
    /// Only of this account.
    pub account: Option<String>,
    /// Only in this state.
    pub state: Option<CommandState>,
    /// Only to this thing, such as `orders/123456`.
    pub entity: Option<String>,
    /// Only the one with this key.
    pub key: Option<String>,
    /// At most so many.
    pub limit: usize,
}
