//! Faults as text, for the command line and for `POST /_sandbox/fault`.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use super::{Fault, FaultKind};

const KINDS: &str = "429, 500, 503, html, notice, notice-only, empty, reset, slow=250ms, truncated or apply-then-reset";

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultTextError {
    /// No such kind.
    #[error("unknown fault {0:?}: use one of {KINDS}")]
    UnknownKind(String),
    /// No such option.
    #[error("unknown option {0:?} of a fault: use every=3, next=2 or path=/orders")]
    UnknownOption(String),
    /// A value that cannot be read.
    #[error("{value:?} is no value for {name} of a fault: {expected}")]
    BadValue {
        /// The kind or the option.
        name: String,
        /// The value given.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

fn bad_value(name: &str, value: &str, expected: &'static str) -> FaultTextError {
    FaultTextError::BadValue { name: name.to_owned(), value: value.to_owned(), expected }
}

impl FromStr for Fault {
    type Err = FaultTextError;

    fn from_str(text: &str) -> Result<Self, FaultTextError> {
        let mut parts = text.trim().split(':');
        let mut fault = Self::from(parse_kind(parts.next().unwrap_or_default())?);
        for option in parts {
            let (name, value) =
                option.split_once('=').ok_or_else(|| FaultTextError::UnknownOption(option.to_owned()))?;
            match name {
                "every" => fault.every = Some(parse_count(name, value)?),
                "next" => fault.next = Some(parse_count(name, value)?),
                "path" if value.is_empty() => {
                    return Err(bad_value(name, value, "a part of the path"));
                }
                "path" => fault.path = Some(value.to_owned()),
                _ => return Err(FaultTextError::UnknownOption(option.to_owned())),
            }
        }
        Ok(fault)
    }
}

fn parse_kind(text: &str) -> Result<FaultKind, FaultTextError> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let retry_after = || {
        value
            .map(|value| value.parse().map_err(|_| bad_value(name, value, "whole seconds for Retry-After")))
            .transpose()
    };
    let kind = match name {
        "429" => {
            return Ok(FaultKind::TooManyRequests { retry_after: retry_after()? });
        }
        "503" => {
            return Ok(FaultKind::Unavailable { retry_after: retry_after()? });
        }
        "slow" => return parse_delay(name, value.unwrap_or_default()).map(FaultKind::Slow),
        "500" => FaultKind::ServerError,
        "html" => FaultKind::Html,
        "notice" => FaultKind::Notice,
        "notice-only" => FaultKind::NoticeOnly,
        "empty" => FaultKind::Empty,
        "reset" => FaultKind::Reset,
        "truncated" => FaultKind::Truncated,
        "apply-then-reset" => FaultKind::ApplyThenReset,
        _ => return Err(FaultTextError::UnknownKind(text.to_owned())),
    };
    value.map_or(Ok(kind), |value| Err(bad_value(name, value, "it takes none")))
}

fn parse_count(name: &str, value: &str) -> Result<u32, FaultTextError> {
    value.parse().ok().filter(|count| *count > 0).ok_or_else(|| bad_value(name, value, "a whole number from 1"))
}

fn parse_delay(name: &str, value: &str) -> Result<Duration, FaultTextError> {
    let (digits, unit): (_, fn(u64) -> Duration) = if let Some(digits) = value.strip_suffix("ms") {
        (digits, Duration::from_millis)
    } else {
        (value.strip_suffix('s').unwrap_or_default(), Duration::from_secs)
    };
    digits.parse().map(unit).map_err(|_| bad_value(name, value, "a delay such as 250ms or 2s"))
}

impl Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind)?;
        if let Some(every) = self.every {
            write!(out, ":every={every}")?;
        }
        if let Some(next) = self.next {
            write!(out, ":next={next}")?;
        }
        if let Some(path) = &self.path {
            write!(out, ":path={path}")?;
        }
        Ok(())
    }
}

impl Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequests { retry_after: None } => out.write_str("429"),
            Self::TooManyRequests { retry_after: Some(seconds) } => write!(out, "429={seconds}"),
            Self::ServerError => out.write_str("500"),
            Self::Unavailable { retry_after: None } => out.write_str("503"),
            Self::Unavailable { retry_after: Some(seconds) } => write!(out, "503={seconds}"),
            Self::Html => out.write_str("html"),
            Self::Notice => out.write_str("notice"),
            Self::NoticeOnly => out.write_str("notice-only"),
            Self::Empty => out.write_str("empty"),
            Self::Reset => out.write_str("reset"),
            Self::Slow(delay) => write!(out, "slow={}ms", delay.as_millis()),
            Self::Truncated => out.write_str("truncated"),
            Self::ApplyThenReset => out.write_str("apply-then-reset"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_back_what_it_writes() {
        for text in [
            "429",
            "429=2",
            "500:every=3",
            "503=600:next=1",
            "html:next=2",
            "notice",
            "notice-only:path=/omniseller",
            "empty",
            "reset:every=2:path=/orders",
            "slow=250ms:path=/orders",
            "truncated",
            "apply-then-reset:next=1:path=/transition",
        ] {
            assert_eq!(text.parse::<Fault>().expect(text).to_string(), text);
        }
        assert_eq!("slow=2s".parse::<Fault>(), Ok(FaultKind::Slow(Duration::from_secs(2)).into()));
        assert_eq!(" 500\n".parse::<Fault>(), Ok(FaultKind::ServerError.into()));
    }

    #[test]
    fn a_bad_text_says_what_would_be_right() {
        for (text, expected) in [
            ("", "unknown fault"),
            ("404", "use one of 429, 500"),
            ("500:each=3", "use every=3, next=2 or path=/orders"),
            ("500:every", "unknown option \"every\""),
            ("500:every=0", "a whole number from 1"),
            ("500=2", "it takes none"),
            ("429=soon", "whole seconds"),
            ("slow", "a delay such as 250ms or 2s"),
            ("slow=5", "a delay such as 250ms or 2s"),
            ("html:path=", "a part of the path"),
        ] {
            let message = text.parse::<Fault>().expect_err(text).to_string();
            assert!(message.contains(expected), "{text:?} gave {message:?}");
        }
    }
}
