//! What is done about a failed call: again soon, again later, or nothing until somebody looks. The error's kind decides, never its words.

use std::time::Duration;

use tradepost_runtime::errors::{ErrorKind, RetryHint};
use tradepost_runtime::{CallError, JournalStop};

/// The shortest and the longest wait before another attempt.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(15);

/// What helps against a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Time: the platform asks for this long, or says nothing.
    Later(Option<Duration>),
    /// Another credential; or time, where the credential turns out to be right.
    NewCredential,
    /// Somebody has to look: at a grant, the connector.
    Person,
    /// Nothing: the platform said no.
    None,
    /// Nobody can tell whether it was done.
    LookFirst,
}

impl Remedy {
    pub(crate) fn of(error: &CallError) -> Self {
        match error {
            CallError::Connector(error) => match &error.kind {
                ErrorKind::RateLimited(hint) | ErrorKind::Transient(hint) | ErrorKind::Unavailable(hint) => {
                    Self::Later(hint_of(hint))
                }
                // What could not be understood may be a page for people that is gone in an hour.
                ErrorKind::AuthExpired | ErrorKind::Protocol(_) => Self::Later(None),
                ErrorKind::AuthRejected => Self::NewCredential,
                ErrorKind::OutcomeUnknown => Self::LookFirst,
                ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::InvalidInput(_)
                | ErrorKind::Conflict
                | ErrorKind::Unsupported
                | ErrorKind::Partial(_) => Self::None,
            },
            CallError::Unsupported { .. } => Self::None,
            CallError::Denied { .. }
            | CallError::InvalidResult { .. }
            | CallError::Journal { stop: JournalStop::Differs { .. } | JournalStop::Trial(_), .. } => Self::Person,
            CallError::Trap { .. }
            | CallError::Limit { .. }
            | CallError::Retired { .. }
            | CallError::Journal { stop: JournalStop::Unavailable(_), .. }
            | CallError::Storage(_)
            | CallError::Host(_) => Self::Later(None),
        }
    }

    /// How long to wait before attempt number `attempt` + 1: as the platform asks within reason, else at random up to a bound that doubles
    /// (full jitter), so that many accounts do not come back at the same moment.
    pub(crate) fn wait(self, attempt: u32) -> Duration {
        match self {
            Self::Later(Some(asked)) => asked.clamp(SHORTEST, LONGEST),
            Self::Later(None) | Self::NewCredential => {
                let bound = SHORTEST.saturating_mul(2_u32.saturating_pow(attempt.min(20))).min(LONGEST);
                SHORTEST + bound.saturating_sub(SHORTEST).mul_f64(fastrand::f64())
            }
            Self::Person | Self::None | Self::LookFirst => LONGEST,
        }
    }
}

fn hint_of(hint: &RetryHint) -> Option<Duration> {
    hint.retry_after_ms.map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_bounds() {
        for attempt in 0..40 {
            let wait = Remedy::Later(None).wait(attempt);
            assert!((SHORTEST..=LONGEST).contains(&wait), "{attempt}: {wait:?}");
            assert!(wait <= SHORTEST.saturating_mul(1 << attempt.min(20)), "{attempt}: {wait:?}");
        }
        assert_eq!(Remedy::Later(Some(Duration::ZERO)).wait(3), SHORTEST);
        assert_eq!(Remedy::Later(Some(Duration::from_hours(9))).wait(3), LONGEST);
        assert_eq!(Remedy::Later(Some(Duration::from_secs(7))).wait(3), Duration::from_secs(7));
    }
}
