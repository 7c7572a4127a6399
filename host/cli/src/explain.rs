//! The library's errors as failures of the command: which exit code, and what the reader can do about each.

use tradepost_engine::CommandError;
use tradepost_engine::command::ParkCause;
use tradepost_engine::store::{OpenError, StoreError};
use tradepost_engine::vault::{KEY_VARIABLE, KeyError, Place, VaultError};
use tradepost_package::PackageError;
use tradepost_runtime::egress::Denial;
use tradepost_runtime::errors::{Error, ErrorKind, RetryHint};
use tradepost_runtime::{AccountError, CallError, JournalStop, LoadError};

use crate::commands::NEW_KEY_VARIABLE;
use crate::failure::{Exit, Failure};
use crate::output::word;

/// A component that does not load.
pub(crate) fn load_error(error: &LoadError, file: &str) -> Failure {
    let kind = match error {
        LoadError::NotAComponent(_) => "not-a-component",
        LoadError::Malformed(_) => "malformed-component",
        LoadError::TooLarge { .. } => "component-too-large",
        LoadError::ForeignImport { .. } => "foreign-import",
        LoadError::OtherContract { .. } => "other-contract",
        LoadError::MixedContracts { .. } => "mixed-contracts",
        LoadError::UnknownInterface { .. } => "unknown-interface",
        LoadError::WrongType(_) => "wrong-type",
        LoadError::NoConnector { .. } => "no-connector",
        LoadError::Compile(_) => "does-not-compile",
        LoadError::CompileLimit(_) => "compile-limit",
        LoadError::CompilerCrashed(_) => "compiler-crashed",
        LoadError::CompilerUnavailable(_) => {
            return Failure::new(Exit::Unexpected, "compiler-unavailable", format!("{file}: {error}"));
        }
        LoadError::Describe(_) => "describe-failed",
        LoadError::Manifest { .. } => "bad-manifest",
    };
    Failure::new(Exit::ConnectorFault, kind, format!("{file}: {error}"))
}

/// A package that is none, or not the one that it says it is.
pub(crate) fn package_error(error: &PackageError, file: &str) -> Failure {
    let kind = match error {
        PackageError::NotAPackage(_) => "not-a-package",
        PackageError::UnknownFormat(_) => "unknown-format",
        PackageError::TooLarge { .. } => "package-too-large",
        PackageError::CutOff(_)
        | PackageError::UnexpectedEntry { .. }
        | PackageError::Altered(_)
        | PackageError::Missing(_)
        | PackageError::OtherPart { .. } => "altered-package",
        PackageError::Statement(_) | PackageError::Part { .. } | PackageError::Signatures(_) => "malformed-package",
        PackageError::OtherReport { .. } => "other-report",
        PackageError::BadSignature(_) => "bad-signature",
    };
    Failure::new(Exit::ConnectorFault, kind, format!("{file}: {error}"))
}

/// An account that does not open.
pub(crate) fn account_error(error: &AccountError, table: &str) -> Failure {
    match error {
        AccountError::Settings { account, issues, .. } => Failure::configuration(error.to_string())
            .advice(format!(
                "correct it in {table}; `tradepost inspect` on the connector's file lists the fields it takes"
            ))
            .fact("account", account.as_str())
            .fact("issues", serde_json::to_value(issues).unwrap_or_default()),
        AccountError::Denied(denial) => denied(error.to_string(), denial),
        AccountError::UnknownAuth { account, .. } | AccountError::Template { account, .. } => {
            Failure::configuration(error.to_string()).fact("account", account.as_str())
        }
        AccountError::Door(_) => Failure::configuration(error.to_string()),
    }
}

fn denied(message: String, denial: &Denial) -> Failure {
    let failure = Failure::new(Exit::Denied, "denied", message);
    match denial.allow_with() {
        Some(line) => failure
            .fact("allow_with", line)
            .advice(format!("if that is intended, write in the table of accounts: {line}")),
        None => failure,
    }
}

/// A store that does not open.
pub(crate) fn open_error(error: &OpenError) -> Failure {
    Failure::new(Exit::Unexpected, "storage", error.to_string())
}

/// A store that did not do what it was asked.
pub(crate) fn store_error(error: &StoreError) -> Failure {
    match error {
        StoreError::NoCommand(_) => Failure::new(Exit::Usage, "no-command", error.to_string())
            .advice("`tradepost commands` lists those there are"),
        StoreError::NotParked { id, .. } => Failure::new(Exit::Usage, "not-parked", error.to_string())
            .fact("command", *id)
            .advice(format!("there is nothing to decide; `tradepost parked show {id}` shows how it stands")),
        StoreError::AccountExists(_) | StoreError::NoAccount(_) | StoreError::OtherKey(_) => {
            Failure::configuration(error.to_string())
        }
        StoreError::SealedChanged
        | StoreError::Fenced(_)
        | StoreError::Conflict { .. }
        | StoreError::Unavailable(_) => Failure::new(Exit::Unexpected, "storage", error.to_string()),
    }
}

/// A key that does not serve, or a value that it does not open.
pub(crate) fn key_error(error: &KeyError) -> Failure {
    let failure = Failure::configuration(error.to_string());
    let lost = "if that key is lost for good: `tradepost account rekey --forget-unreadable` forgets what it sealed";
    match error {
        KeyError::Missing { .. } | KeyError::Misfit { .. } => failure.advice(lost).advice(
            "then give the secrets again with `tradepost account set-secret`; logins are made anew by themselves",
        ),
        KeyError::Vault(VaultError::Damaged(Place::Secret { account, name })) => {
            failure.advice(format!("`tradepost account set-secret {account} {name}=-` takes its value from stdin"))
        }
        KeyError::Vault(VaultError::Damaged(Place::Token { .. })) => {
            failure.advice("`tradepost account rekey --forget-unreadable` forgets it; the login is made anew by itself")
        }
        KeyError::NewKeyNeeded => {
            failure.advice(format!("give a new key as {NEW_KEY_VARIABLE}, and from then on as {KEY_VARIABLE}"))
        }
        KeyError::Store(error) => store_error(error),
        _ => failure,
    }
}

/// A command that was not recorded.
pub(crate) fn command_error(error: &CommandError) -> Failure {
    match error {
        CommandError::NotOffered { .. } => Failure::new(Exit::Refused, "unsupported", error.to_string())
            .advice("`tradepost inspect` on the connector's file lists what it can do"),
        CommandError::NoSuchRecord { kind, .. } => Failure::new(Exit::Refused, "not-found", error.to_string())
            .advice(format!("nothing was recorded; `tradepost pull ACCOUNT {kind}` lists what there is")),
        CommandError::Arguments(_) => Failure::new(Exit::Usage, "invalid-input", error.to_string()),
        CommandError::Store(error) => store_error(error),
        CommandError::NoAccount(_) | CommandError::NotACommand(_) => Failure::unexpected(error.to_string()),
    }
}

/// Exit code and kind of a command that is parked for this cause: the same code as for a call that fails so.
pub(crate) fn parked(cause: Option<ParkCause>) -> (Exit, String) {
    let exit = match cause {
        None | Some(ParkCause::InDoubt | ParkCause::NotUnderstood | ParkCause::Restored | ParkCause::GivenUp) => {
            Exit::OutcomeUnknown
        }
        Some(ParkCause::Denied) => Exit::Denied,
        Some(ParkCause::ConnectorFault | ParkCause::BrokenContract | ParkCause::NotDeterministic) => {
            Exit::ConnectorFault
        }
    };
    let kind = match cause {
        // The contract's word for it.
        None | Some(ParkCause::InDoubt) => "outcome-unknown".to_owned(),
        Some(cause) => word(&cause),
    };
    (exit, kind)
}

/// A call that brought no result.
pub(crate) fn call_error(error: &CallError) -> Failure {
    match error {
        CallError::Connector(error) => connector_error(error),
        CallError::Denied { denial, .. } => denied(error.to_string(), denial),
        CallError::Trap { .. } => Failure::new(Exit::ConnectorFault, "trap", error.to_string())
            .advice("report it to the connector's author; nothing it stored in this call was kept"),
        CallError::Limit { .. } => Failure::new(Exit::ConnectorFault, "limit", error.to_string())
            .advice("if the connector needs more, raise the limit under [limits] in the table of accounts"),
        CallError::InvalidResult { .. } => Failure::new(Exit::ConnectorFault, "broken-contract", error.to_string())
            .advice("report it to the connector's author; nothing it stored in this call was kept"),
        CallError::Unsupported { .. } => Failure::new(Exit::Refused, "unsupported", error.to_string()),
        CallError::Retired { .. } => Failure::new(Exit::TryAgain, "retired", error.to_string()).advice("try again"),
        CallError::Journal { stop: JournalStop::Differs { .. }, .. } => {
            Failure::new(Exit::ConnectorFault, "not-deterministic", error.to_string())
                .advice("report it to the connector's author; look at the platform before doing it again")
        }
        CallError::Journal { .. } => Failure::new(Exit::Unexpected, "journal", error.to_string()),
        CallError::Storage(_) => Failure::new(Exit::Unexpected, "storage", error.to_string()),
        CallError::Host(_) => Failure::unexpected(error.to_string()),
    }
}

/// An error of the contract.
fn connector_error(error: &Error) -> Failure {
    let kind = kind_word(&error.kind);
    let failure = |exit| Failure::new(exit, kind.clone(), error.message.clone()).detail(error.detail.clone());
    match &error.kind {
        ErrorKind::AuthExpired | ErrorKind::AuthRejected => failure(Exit::Credentials),
        ErrorKind::Forbidden => failure(Exit::Refused)
            .advice("the credentials are accepted but may not do this: give the user the right at the platform"),
        ErrorKind::NotFound | ErrorKind::Unsupported => failure(Exit::Refused),
        ErrorKind::Conflict => failure(Exit::Refused).advice("read the record again (`tradepost get`) and decide anew"),
        ErrorKind::InvalidInput(issues) => {
            failure(Exit::Refused).fact("issues", serde_json::to_value(issues).unwrap_or_default())
        }
        ErrorKind::Partial(failures) => {
            failure(Exit::Refused).fact("failures", serde_json::to_value(failures).unwrap_or_default())
        }
        ErrorKind::Protocol(answer) => failure(Exit::Refused)
            .advice("see whether the platform's address is right and whether it shows a maintenance or login page")
            .detail(format!(
                "expected {} at {}, found {:?}",
                answer.expected,
                if answer.pointer.is_empty() { "the answer" } else { &answer.pointer },
                answer.excerpt
            ))
            .fact("answer", serde_json::to_value(answer).unwrap_or_default()),
        ErrorKind::RateLimited(hint) | ErrorKind::Transient(hint) | ErrorKind::Unavailable(hint) => {
            later(failure(Exit::TryAgain), hint)
        }
        ErrorKind::OutcomeUnknown => failure(Exit::OutcomeUnknown).advice(
            "look at the platform (`tradepost get` where it offers that) before doing it again: it may have been done",
        ),
    }
}

fn later(failure: Failure, hint: &RetryHint) -> Failure {
    match hint.retry_after_ms {
        Some(wait) => failure
            .advice(format!("try again in {} s: the platform asks for that", wait.div_ceil(1000)))
            .fact("retry_after_ms", wait),
        None => failure.advice("try again later"),
    }
}

/// The contract's name of a kind: `auth-rejected`.
fn kind_word(kind: &ErrorKind) -> String {
    match serde_json::to_value(kind) {
        // A kind that carries something is written as an object with the kind as its only key.
        Ok(serde_json::Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        _ => word(kind),
    }
}

#[cfg(test)]
mod tests {
    use tradepost_runtime::LimitReached;
    use tradepost_runtime::errors::UnexpectedAnswer;
    use tradepost_runtime::storage::StorageError;

    use super::*;

    const NO_HINT: RetryHint = RetryHint { retry_after_ms: None };

    #[test]
    fn each_kind_of_the_contract_has_its_word_and_exit_code() {
        let unexpected =
            UnexpectedAnswer { pointer: "/id".into(), expected: "a number".into(), excerpt: "<html>".into() };
        let cases = [
            (ErrorKind::AuthExpired, "auth-expired", Exit::Credentials),
            (ErrorKind::AuthRejected, "auth-rejected", Exit::Credentials),
            (ErrorKind::Forbidden, "forbidden", Exit::Refused),
            (ErrorKind::RateLimited(NO_HINT), "rate-limited", Exit::TryAgain),
            (ErrorKind::NotFound, "not-found", Exit::Refused),
            (ErrorKind::InvalidInput(Vec::new()), "invalid-input", Exit::Refused),
            (ErrorKind::Conflict, "conflict", Exit::Refused),
            (ErrorKind::Unsupported, "unsupported", Exit::Refused),
            (ErrorKind::Transient(NO_HINT), "transient", Exit::TryAgain),
            (ErrorKind::OutcomeUnknown, "outcome-unknown", Exit::OutcomeUnknown),
            (ErrorKind::Protocol(unexpected), "protocol", Exit::Refused),
            (ErrorKind::Partial(Vec::new()), "partial", Exit::Refused),
            (ErrorKind::Unavailable(NO_HINT), "unavailable", Exit::TryAgain),
        ];
        for (kind, word, exit) in cases {
            let failure = call_error(&CallError::Connector(Error { kind, message: "m".into(), detail: "d".into() }));
            assert_eq!((failure.kind.as_str(), failure.exit), (word, exit));
        }
    }

    #[test]
    fn faults_of_connector_and_host_have_their_exit_codes() {
        let (connector, operation) = (String::from("hardtofind 0.1.0"), String::from("orders.list"));
        let cases = [
            (
                CallError::Trap { connector: connector.clone(), operation: operation.clone(), message: "boom".into() },
                Exit::ConnectorFault,
            ),
            (
                CallError::Limit {
                    connector: connector.clone(),
                    operation: operation.clone(),
                    limit: LimitReached::HostCalls(3),
                },
                Exit::ConnectorFault,
            ),
            (
                CallError::InvalidResult { connector: connector.clone(), operation, problem: "no cursor".into() },
                Exit::ConnectorFault,
            ),
            (CallError::Unsupported { connector, capability: "stock".into(), offered: "orders".into() }, Exit::Refused),
            (CallError::Storage(StorageError::Unavailable("disk".into())), Exit::Unexpected),
            (CallError::Host("pool".into()), Exit::Unexpected),
        ];
        for (error, exit) in cases {
            assert_eq!(call_error(&error).exit, exit, "{error}");
        }
    }

    #[test]
    fn what_is_parked_without_doubt_ends_as_the_call_would() {
        assert_eq!(parked(Some(ParkCause::Denied)), (Exit::Denied, "denied".to_owned()));
        assert_eq!(parked(Some(ParkCause::ConnectorFault)), (Exit::ConnectorFault, "connector-fault".to_owned()));
        assert_eq!(parked(Some(ParkCause::GivenUp)), (Exit::OutcomeUnknown, "given-up".to_owned()));
        assert_eq!(parked(None).0, Exit::OutcomeUnknown);
    }

    #[test]
    fn a_wait_that_the_platform_asks_for_is_passed_on() {
        let hint = RetryHint { retry_after_ms: Some(2500) };
        let error = Error { kind: ErrorKind::RateLimited(hint), message: "slow down".into(), detail: String::new() };
        let failure = call_error(&CallError::Connector(error));
        assert_eq!(failure.facts["retry_after_ms"], 2500);
        assert!(failure.advice[0].contains("in 3 s"), "{:?}", failure.advice);
    }
}
