//! Versions swapped while they work (SW-01 to SW-14).

use crate::case::{Case, Run};

/// There are no versions to swap yet.
const WAITS: Run = Run::NotRun("waits for versions");

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "SW-01",
        "64 callers while versions are swapped",
        "0 failed calls, nothing lost or doubled; each call sees exactly one digest",
        WAITS,
    ),
    Case::starred("SW-02", "a long call in flight", "ends on the old code", WAITS),
    Case::starred(
        "SW-03",
        "a call in flight past the drain deadline",
        "ended, rolled back, tried again on the new code",
        WAITS,
    ),
    Case::starred(
        "SW-04",
        "a swap between request and answer of a write",
        "the journal pins the digest; nothing is sent twice",
        WAITS,
    ),
    Case::starred("SW-05", "a new version that traps", "rolled back by itself within 5 s, with the reason", WAITS),
    Case::starred("SW-06", "an unsigned or mistyped new version", "refused; the old one goes on", WAITS),
    Case::plain("SW-07", "a new version that keeps its values in another shape", "rolled back with its values", WAITS),
    Case::starred("SW-08", "10,000 swaps", "memory, mappings and files stay flat", WAITS),
    Case::plain("SW-09", "two operators swap at once", "one wins, the other is told", WAITS),
    Case::plain("SW-10", "killed at each step of a swap", "the old or the new version, whole", WAITS),
    Case::plain("SW-11", "a downgrade", "needs an explicit word", WAITS),
    Case::plain(
        "SW-12",
        "a rolling swap over three machines",
        "never two digests on one account at once",
        Run::NotRun("one machine works on a store at a time; there is no shared store yet"),
    ),
    Case::starred("SW-13", "is it the new code that answers", "proved after each swap", WAITS),
    Case::plain("SW-14", "compiled code of another engine version", "refused and compiled anew", WAITS),
];
