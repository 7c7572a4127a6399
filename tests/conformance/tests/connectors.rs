//! The connectors of this repository pass every check of the kit, or the check is skipped for a reason that is written down.

use tradepost_conformance::{Options, Verdict, run};

/// Walks for each kind of change in this test; `tradepost test` makes 250.
const SEEDS: u64 = 20;

fn passes(connector: &str) {
    let component = tradepost_components::build(connector, |line| eprintln!("{line}")).unwrap();
    let report =
        run(std::fs::read(component).unwrap(), None, Options { seeds: SEEDS, only: Vec::new() }, |_| {}).unwrap();
    let failed: Vec<String> =
        report.with(Verdict::Failed).map(|check| format!("{}: {}", check.check, check.evidence)).collect();
    assert!(report.passed, "{connector}: {failed:#?}");
    for skipped in report.with(Verdict::Skipped) {
        assert!(skipped.evidence.len() > 10, "{connector}: {} is skipped for {:?}", skipped.check, skipped.evidence);
    }
    assert!(report.with(Verdict::Passed).count() >= 30, "{connector}: most checks must apply");
}

#[test]
fn hardtofind_passes() {
    passes("hardtofind");
}

#[test]
fn wcfm_passes() {
    passes("wcfm");
}

#[test]
fn hft71_passes() {
    passes("hft71");
}

#[test]
fn help_ka_passes() {
    passes("help-ka");
}

#[test]
fn omniseller_passes() {
    passes("omniseller");
}
