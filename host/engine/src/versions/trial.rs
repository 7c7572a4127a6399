//! A version on trial: which accounts it has, and what its counts beside the old version's mean.
//!
//! Three ways. A *canary* has some accounts until it has proved itself, and then all. A *shadow* has none: it reads along with the version
//! in use, and what differs is reported. A version that was activated for all at once is *watched* for a while. Canaries and watched ones
//! that do worse than the version before are taken back without asking anybody.

use std::collections::BTreeSet;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::catalogue::place_of;
use crate::tally::CallCounts;

/// A version on trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The version.
    pub version: Version,
    /// The version that it is judged beside, and that takes its place if it fails.
    pub before: Version,
    /// Which way.
    pub kind: TrialKind,
    /// How many of a hundred accounts have it.
    pub share: u8,
    /// Accounts that have it whatever the share.
    pub accounts: BTreeSet<String>,
    /// Since when, milliseconds since 1970.
    pub begun_at: u64,
    /// What it is judged by.
    pub rules: TrialRules,
}

/// A way to try a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialKind {
    /// Some accounts have it, and all of them when it has proved itself.
    Canary,
    /// It reads along and its answers are compared; nothing uses them.
    Shadow,
    /// All accounts have it already.
    Watch,
}

/// What a version on trial is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRules {
    /// How long it is tried at least, in seconds.
    pub seconds: u64,
    /// Calls that a canary must have made before all accounts get it.
    pub calls: u64,
    /// Faults after which it is taken back, if it has also more of them among a hundred calls than the version before.
    pub faults: u64,
}

impl Default for TrialRules {
    /// Ten minutes, fifty calls, three faults.
    fn default() -> Self {
        Self { seconds: 600, calls: 50, faults: 3 }
    }
}

/// What is to become of a version on trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is too early to tell.
    Wait,
    /// It has proved itself: all accounts get it.
    Promote,
    /// It has been watched long enough.
    Settled,
    /// It does worse than the version before, so that one takes its place.
    RollBack(String),
}

/// Faults more among a hundred calls than the version before that are not yet held against a version, and how many times as many.
const FAULTS_FORGIVEN: f64 = 5.0;
const FAULTS_TIMES: f64 = 2.0;
/// Calls of each version before their times are compared.
const CALLS_TO_COMPARE: u64 = 20;
/// How many times slower than the version before is too slow, and what is never too slow. Times are known to a factor of two.
const TIMES_SLOWER: u32 = 4;
const NEVER_SLOW: Duration = Duration::from_millis(512);

impl Trial {
    /// Whether this account takes part.
    pub fn takes(&self, account: &str) -> bool {
        self.accounts.contains(account) || place_of(account, &self.version) < self.share
    }

    /// Whether it only reads along.
    pub fn is_shadow(&self) -> bool {
        self.kind == TrialKind::Shadow
    }

    /// What is to become of it at this time, in milliseconds since 1970, by the counts of both versions.
    pub(crate) fn judge(&self, now: u64, new: &CallCounts, old: &CallCounts) -> Verdict {
        if self.is_shadow() {
            return Verdict::Wait;
        }
        if let Some(reason) = self.charge(new, old) {
            return Verdict::RollBack(reason);
        }
        if now < self.begun_at.saturating_add(self.rules.seconds.saturating_mul(1_000)) {
            return Verdict::Wait;
        }
        match self.kind {
            TrialKind::Canary if new.calls >= self.rules.calls => Verdict::Promote,
            TrialKind::Watch => Verdict::Settled,
            _ => Verdict::Wait,
        }
    }

    /// What speaks against it.
    fn charge(&self, new: &CallCounts, old: &CallCounts) -> Option<String> {
        let (worse, before) = (new.fault_percentage(), old.fault_percentage());
        if new.faults >= self.rules.faults && worse > before.mul_add(FAULTS_TIMES, FAULTS_FORGIVEN) {
            let (faults, calls) = (new.faults, new.calls);
            return Some(format!(
                "{faults} of {calls} calls failed by its own fault ({worse:.0} %; {} {before:.0} %)",
                self.before
            ));
        }
        let (slow, usual) = (new.slow()?, old.slow()?);
        let is_known = new.calls >= CALLS_TO_COMPARE && old.calls >= CALLS_TO_COMPARE;
        (is_known && slow > usual * TIMES_SLOWER && slow > NEVER_SLOW)
            .then(|| format!("of 20 calls one takes {slow:?} or longer ({} {usual:?})", self.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn trial(kind: TrialKind) -> Trial {
        Trial {
            version: Version::new(1, 1, 0),
            before: Version::new(1, 0, 0),
            kind,
            share: 10,
            accounts: BTreeSet::new(),
            begun_at: MINUTE,
            rules: TrialRules::default(),
        }
    }

    fn counts(calls: u64, faults: u64, took: Duration) -> CallCounts {
        let mut counts = CallCounts::default();
        for call in 0..calls {
            counts.count(took, call < faults);
        }
        counts
    }

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn one_that_breaks_off_is_taken_back_at_once() {
        let old = counts(1_000, 1, SHORT);
        for kind in [TrialKind::Canary, TrialKind::Watch] {
            let trial = trial(kind);
            assert_eq!(trial.judge(MINUTE, &counts(2, 2, SHORT), &old), Verdict::Wait);
            let Verdict::RollBack(reason) = trial.judge(MINUTE, &counts(3, 3, SHORT), &old) else { panic!() };
            assert_eq!(reason, "3 of 3 calls failed by its own fault (100 %; 1.0.0 0 %)");
        }
        assert_eq!(trial(TrialKind::Shadow).judge(MINUTE, &counts(3, 3, SHORT), &old), Verdict::Wait);
    }

    #[test]
    fn faults_that_the_version_before_has_as_well_are_not_held_against_it() {
        let old = counts(100, 30, SHORT);
        assert_eq!(trial(TrialKind::Canary).judge(MINUTE, &counts(100, 60, SHORT), &old), Verdict::Wait);
        assert!(matches!(trial(TrialKind::Canary).judge(MINUTE, &counts(100, 70, SHORT), &old), Verdict::RollBack(_)));
        // Three in a thousand are no reason.
        assert_eq!(
            trial(TrialKind::Canary).judge(MINUTE, &counts(1_000, 3, SHORT), &counts(100, 0, SHORT)),
            Verdict::Wait
        );
    }

    #[test]
    fn one_that_is_much_slower_is_taken_back() {
        let old = counts(100, 0, SHORT);
        let slow = counts(25, 0, Duration::from_secs(2));
        let Verdict::RollBack(reason) = trial(TrialKind::Canary).judge(MINUTE, &slow, &old) else { panic!() };
        assert_eq!(reason, "of 20 calls one takes 2.048s or longer (1.0.0 32ms)");
        let few = counts(19, 0, Duration::from_secs(2));
        assert_eq!(trial(TrialKind::Canary).judge(MINUTE, &few, &old), Verdict::Wait);
        let still_quick = counts(100, 0, Duration::from_millis(400));
        assert_eq!(
            trial(TrialKind::Canary).judge(MINUTE, &still_quick, &counts(100, 0, Duration::from_millis(1))),
            Verdict::Wait
        );
    }

    #[test]
    fn a_good_one_is_promoted_after_its_time_and_its_calls() {
        let (old, later) = (counts(100, 0, SHORT), 12 * MINUTE);
        let canary = trial(TrialKind::Canary);
        assert_eq!(canary.judge(10 * MINUTE, &counts(100, 0, SHORT), &old), Verdict::Wait);
        assert_eq!(canary.judge(later, &counts(49, 0, SHORT), &old), Verdict::Wait);
        assert_eq!(canary.judge(later, &counts(50, 0, SHORT), &old), Verdict::Promote);
        assert_eq!(trial(TrialKind::Watch).judge(later, &counts(0, 0, SHORT), &old), Verdict::Settled);
    }
}
