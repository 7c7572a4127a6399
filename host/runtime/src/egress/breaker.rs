//! A server that is down is left alone for a while: after some failures in a row nothing is sent to it, then one request tries.
//!
//! Each account has its own: what one account's requests do to a server says nothing about another's, and must not hold it up.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::SendError;
use super::exchange::Response;
use super::origin::Origin;

/// Failures in a row after which a server is left alone.
const MOST_FAILURES: u32 = 5;
/// How long it is left alone first, and at most: each try that fails doubles it.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(1);

/// What is known of each server that an account's requests went to.
#[derive(Debug, Default)]
pub(super) struct Breakers {
    servers: Mutex<HashMap<Origin, Server>>,
}

#[derive(Debug, Default)]
struct Server {
    failures: u32,
    /// Nothing is sent before this.
    left_alone_until: Option<Instant>,
}

impl Breakers {
    /// Whether something may be sent. Where the time is over, whoever asks first may try, and the others wait for what comes of it.
    pub(super) fn admit(&self, origin: &Origin, now: Instant) -> Result<(), SendError> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(server) = servers.get_mut(origin) else { return Ok(()) };
        let Some(until) = server.left_alone_until else { return Ok(()) };
        if now < until {
            let (failures, left) = (server.failures, until - now);
            return Err(SendError::NotSent(format!(
                "{origin} failed {failures} times in a row and is left alone for another {} s",
                left.as_secs() + 1
            )));
        }
        server.left_alone_until = Some(now + pause(server.failures));
        Ok(())
    }

    /// Notes what became of a request.
    pub(super) fn note(&self, origin: &Origin, outcome: &Result<Response, SendError>, now: Instant) {
        let failed = match outcome {
            Ok(answer) => matches!(answer.status, 502..=504),
            Err(SendError::NotSent(_) | SendError::InDoubt(_)) => true,
            // What we refuse, or cannot read, says nothing of the server being there.
            Err(_) => return,
        };
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            servers.remove(origin);
            return;
        }
        let server = servers.entry(origin.clone()).or_default();
        server.failures = server.failures.saturating_add(1);
        if server.failures >= MOST_FAILURES {
            server.left_alone_until = Some(now + pause(server.failures));
        }
    }
}

/// How long a server is left alone after so many failures.
fn pause(failures: u32) -> Duration {
    SHORTEST.saturating_mul(1 << failures.saturating_sub(MOST_FAILURES).min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn origin() -> Origin {
        "https://shop.example".parse().unwrap()
    }

    #[allow(clippy::unnecessary_wraps, reason = "what is noted is an outcome")]
    fn answer(status: u16) -> Result<Response, SendError> {
        Ok(Response { status, headers: Vec::new(), body: Bytes::new() })
    }

    fn unreachable() -> Result<Response, SendError> {
        Err(SendError::NotSent("no connection".into()))
    }

    #[test]
    fn a_server_that_fails_again_and_again_is_left_alone_and_tried_by_one() {
        let (breakers, start) = (Breakers::default(), Instant::now());
        for outcome in [unreachable(), answer(503), answer(504), unreachable()] {
            breakers.note(&origin(), &outcome, start);
            breakers.admit(&origin(), start).unwrap();
        }
        breakers.note(&origin(), &unreachable(), start);
        let refused = breakers.admit(&origin(), start).unwrap_err();
        assert!(matches!(&refused, SendError::NotSent(text) if text.contains("https://shop.example")), "{refused}");
        breakers.admit(&"https://other.example".parse().unwrap(), start).unwrap();

        let later = start + SHORTEST;
        breakers.admit(&origin(), later).unwrap();
        breakers.admit(&origin(), later).unwrap_err();
        breakers.note(&origin(), &unreachable(), later);
        breakers.admit(&origin(), later + SHORTEST).unwrap_err();
        breakers.admit(&origin(), later + 2 * SHORTEST).unwrap();
        breakers.note(&origin(), &answer(200), later + 2 * SHORTEST);
        breakers.admit(&origin(), later + 2 * SHORTEST).unwrap();
    }

    #[test]
    fn a_server_that_answers_is_there_whatever_it_says() {
        let (breakers, start) = (Breakers::default(), Instant::now());
        for _ in 0..20 {
            for outcome in [unreachable(), unreachable(), answer(500), unreachable(), answer(404)] {
                breakers.note(&origin(), &outcome, start);
            }
        }
        breakers.admit(&origin(), start).unwrap();
    }

    #[test]
    fn it_is_never_left_alone_for_longer_than_a_minute() {
        assert_eq!(pause(MOST_FAILURES), SHORTEST);
        assert_eq!(pause(1_000_000), LONGEST);
    }
}
