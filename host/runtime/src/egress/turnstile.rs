//! The pace that a platform allows: so many requests in so much time, for one account.
//!
//! Requests leave one by one, evenly spaced. A platform that counts the requests of any second would refuse a burst of a whole second's
//! allowance with what follows it. Whoever waits keeps his place, so calls of one account share the pace in the order in which they ask.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets requests through at a pace.
#[derive(Debug)]
pub(super) struct Turnstile {
    /// The time between two requests.
    gap: Duration,
    /// When the next request may go.
    next: Mutex<Option<Instant>>,
}

impl Turnstile {
    /// `requests` in `interval`. None where either is nothing: such a pace says nothing.
    pub(super) fn new(requests: u32, interval: Duration) -> Option<Self> {
        if requests == 0 || interval.is_zero() {
            return None;
        }
        // A twentieth more than even: the network brings some requests closer together than they left.
        let gap = (interval / requests).mul_f64(1.05);
        Some(Self { gap, next: Mutex::new(None) })
    }

    /// Waits until a request may go.
    pub(super) async fn pass(&self) {
        sleep_until(self.turn(Instant::now())).await;
    }

    /// When the request that asks at `now` may go.
    fn turn(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_holds_more_requests_than_allowed_however_they_ask() {
        for ask_every in [0, 7, 130, 190, 400] {
            let turnstile = Turnstile::new(5, Duration::from_secs(1)).unwrap();
            let start = Instant::now();
            let turns: Vec<Instant> =
                (0..100).map(|number| turnstile.turn(start + Duration::from_millis(number * ask_every))).collect();
            assert_eq!(turns[0], start, "the first one waits for nobody");
            for from in &turns {
                let second = *from..*from + Duration::from_secs(1);
                assert!(turns.iter().filter(|turn| second.contains(turn)).count() <= 5, "asked every {ask_every} ms");
            }
        }
    }

    #[test]
    fn who_asks_seldom_never_waits() {
        let turnstile = Turnstile::new(5, Duration::from_secs(1)).unwrap();
        let start = Instant::now();
        for number in 0..10 {
            let now = start + Duration::from_millis(number * 250);
            assert_eq!(turnstile.turn(now), now);
        }
    }

    #[test]
    fn a_pace_of_nothing_is_none() {
        assert!(Turnstile::new(0, Duration::from_secs(1)).is_none());
        assert!(Turnstile::new(5, Duration::ZERO).is_none());
    }
}
