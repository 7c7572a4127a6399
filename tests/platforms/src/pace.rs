//! The pace: at most so many requests in any second. hardtofind documents five, HFT71 that there is a limit; neither says what happens
//! beyond except that HFT71 answers 429, so here it is a 429 for both.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Remembers when the last requests came.
pub(crate) struct Pace {
    limit: usize,
    recent: VecDeque<Instant>,
}

impl Pace {
    /// At most `limit` requests in any second.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit: limit as usize, recent: VecDeque::new() }
    }

    /// Whether a request at this instant is within the limit. One that is not does not count.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        while self.recent.front().is_some_and(|first| now.duration_since(*first) >= Duration::from_secs(1)) {
            self.recent.pop_front();
        }
        let allowed = self.recent.len() < self.limit;
        if allowed {
            self.recent.push_back(now);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_request_of_a_second_is_refused_and_the_next_second_is_free() {
        let mut pace = Pace::new(5);
        let start = Instant::now();
        for tenth in 0..5 {
            assert!(pace.allows(start + Duration::from_millis(tenth * 100)));
        }
        assert!(!pace.allows(start + Duration::from_millis(999)));
        assert!(pace.allows(start + Duration::from_secs(1)));
        assert!(!pace.allows(start + Duration::from_millis(1050)));
    }
}
