//! How a command ends when it does not succeed: a kind, what happened, what to do, and an exit code that means something.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::output::printable;

/// Exit codes; `--help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// This program or this machine failed.
    Unexpected = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The platform refused, or answered outside its protocol.
    Refused = 3,
    /// The platform does not accept the credentials.
    Credentials = 4,
    /// It may work later.
    TryAgain = 5,
    /// A write may or may not have been carried out.
    OutcomeUnknown = 6,
    /// The connector trapped, reached a limit, broke the contract or does not load.
    ConnectorFault = 7,
    /// The host denied it.
    Denied = 8,
}

/// What happened, for people and for programs.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// A stable word: the contract's kind where there is one.
    pub(crate) kind: String,
    /// One sentence.
    pub(crate) message: String,
    /// What an operator needs to find the cause; may be empty.
    pub(crate) detail: String,
    /// What to do next, a line each.
    pub(crate) advice: Vec<String>,
    /// Further machine-readable facts: `account`, `retry_after_ms`, `issues`, ...
    pub(crate) facts: Map<String, Value>,
}

/// Why a command stopped before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed.
    Failed(Box<Failure>),
    /// Nobody reads its output any more.
    PipeClosed,
}

pub(crate) type Result<T> = std::result::Result<T, Stop>;

impl Failure {
    pub(crate) fn new(exit: Exit, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind: kind.into(),
            message: message.into(),
            detail: String::new(),
            advice: Vec::new(),
            facts: Map::new(),
        }
    }

    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, "unexpected", message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "configuration", message)
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn advice(mut self, line: impl Into<String>) -> Self {
        self.advice.push(line.into());
        self
    }

    pub(crate) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({
            "kind": self.kind,
            "message": self.message,
            "detail": self.detail,
            "exit_code": self.exit as u8,
        });
        if !self.advice.is_empty() {
            error["advice"] = self.advice.join("\n").into();
        }
        for (name, value) in &self.facts {
            error[name.as_str()] = value.clone();
        }
        json!({ "error": error })
    }

    /// For people, in as many lines as it takes.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", printable(&self.message));
        if !self.detail.is_empty() && !self.message.contains(&self.detail) {
            text.push_str("  cause: ");
            text.push_str(&printable(&self.detail));
            text.push('\n');
        }
        for line in &self.advice {
            text.push_str("  to do: ");
            text.push_str(&printable(line));
            text.push('\n');
        }
        text
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// Failures of writing to stdout. A closed pipe is no failure.
pub(crate) fn writing_failed(error: &io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Stop::PipeClosed;
    }
    Failure::unexpected(format!("cannot write to stdout: {error}")).into()
}

/// Says on stderr how it ended, and gives the exit code.
pub(crate) fn report(result: Result<()>, json: bool) -> ExitCode {
    let failure = match result {
        Ok(()) | Err(Stop::PipeClosed) => return ExitCode::SUCCESS,
        Err(Stop::Failed(failure)) => failure,
    };
    let mut stderr = io::stderr();
    let text = if json {
        format!("{}\n", failure.to_json())
    } else if stderr.is_terminal() {
        failure.to_text().replacen("error:", "\x1b[1;31merror:\x1b[0m", 1)
    } else {
        failure.to_text()
    };
    // Where stderr is closed too there is nobody left to tell; the exit code still does.
    let _closed = stderr.write_all(text.as_bytes());
    ExitCode::from(failure.exit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_people_what_where_and_what_to_do_and_programs_the_same() {
        let failure = Failure::new(Exit::Credentials, "auth-rejected", "the platform refused the login")
            .detail("POST /authenticate: 401")
            .advice("check the secret `password`")
            .fact("account", "acme/hardtofind");
        assert_eq!(
            failure.to_text(),
            "error: the platform refused the login\n  cause: POST /authenticate: 401\n  to do: check the secret `password`\n"
        );
        assert_eq!(
            failure.to_json(),
            json!({"error": {
                "kind": "auth-rejected", "message": "the platform refused the login", "detail": "POST /authenticate: 401",
                "exit_code": 4, "advice": "check the secret `password`", "account": "acme/hardtofind",
            }})
        );
    }

    #[test]
    fn what_a_platform_says_cannot_steer_the_terminal() {
        let text = Failure::new(Exit::Refused, "conflict", "bad \x1b[2J\rnews").to_text();
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    }

    #[test]
    fn a_closed_pipe_is_a_quiet_end_and_a_full_disk_is_not() {
        assert!(matches!(writing_failed(&io::ErrorKind::BrokenPipe.into()), Stop::PipeClosed));
        assert!(matches!(writing_failed(&io::ErrorKind::StorageFull.into()), Stop::Failed(_)));
    }
}
