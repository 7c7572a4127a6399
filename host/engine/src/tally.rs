//! Counts of calls by component, from which a new version is judged beside the one before it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{CallError, Digest};

/// Classes of how long calls took: each twice as long as the one before, from one millisecond on.
const CLASSES: usize = 20;

/// What was counted of the calls of one component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallCounts {
    /// Calls that came to an end, with whatever result.
    pub calls: u64,
    /// Those that the connector is to blame for: it trapped, reached a limit, broke the contract, or did not understand its platform.
    pub faults: u64,
    /// Calls by how long they took: under 1 ms, under 2 ms, under 4 ms and so on.
    #[serde(skip)]
    classes: [u64; CLASSES],
}

impl CallCounts {
    /// Faults among a hundred calls.
    #[allow(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    pub fn fault_percentage(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { self.faults as f64 * 100.0 / self.calls as f64 }
    }

    /// The time that 95 of 100 calls took less than, to a factor of two. None where nothing was counted.
    pub fn slow(&self) -> Option<Duration> {
        let below = self.calls - self.calls / 20;
        let mut seen = 0;
        let class = self.classes.iter().position(|count| {
            seen += count;
            seen >= below
        })?;
        (self.calls > 0).then(|| Duration::from_millis(1 << class))
    }

    /// One more call that took so long.
    pub(crate) fn count(&mut self, took: Duration, is_fault: bool) {
        self.calls += 1;
        self.faults += u64::from(is_fault);
        let class = took.as_millis().checked_ilog2().map_or(0, |log| log as usize + 1);
        self.classes[class.min(CLASSES - 1)] += 1;
    }
}

/// The counts of all components, since each was begun to be counted.
#[derive(Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<Digest, CallCounts>>,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<Digest, CallCounts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, digest: Digest, took: Duration, error: Option<&CallError>) {
        self.counts().entry(digest).or_default().count(took, error.is_some_and(is_to_blame));
    }

    pub(crate) fn of(&self, digest: Digest) -> CallCounts {
        self.counts().get(&digest).copied().unwrap_or_default()
    }

    /// Begins to count these anew.
    pub(crate) fn begin(&self, digests: &[Digest]) {
        self.counts().retain(|digest, _| !digests.contains(digest));
    }
}

/// Whether a failure speaks against the connector, rather than against its platform, its account or what was asked.
fn is_to_blame(error: &CallError) -> bool {
    match error {
        CallError::Trap { .. } | CallError::Limit { .. } | CallError::InvalidResult { .. } => true,
        CallError::Connector(error) => matches!(error.kind, ErrorKind::Protocol(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_ones_are_told_to_a_factor_of_two() {
        let mut counts = CallCounts::default();
        assert_eq!(counts.slow(), None);
        for _ in 0..95 {
            counts.count(Duration::from_millis(3), false);
        }
        for _ in 0..5 {
            counts.count(Duration::from_secs(3), true);
        }
        assert_eq!(counts.slow(), Some(Duration::from_millis(4)));
        counts.count(Duration::from_hours(3), false);
        assert_eq!(counts.slow(), Some(Duration::from_millis(4096)));
        assert!((counts.fault_percentage() - 500.0 / 101.0).abs() < 1e-9);
    }
}
