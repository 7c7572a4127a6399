//! The kit sees what is wrong: an honest connector passes every check, and each of five that are broken on purpose fails the checks
//! that its mistake belongs to, and no others.

use tradepost_conformance::{Description, Options, Report, Verdict, run};

fn report_of(connector: &str) -> Report {
    let component = tradepost_components::build_example("tradepost-corner-shop", connector, |line| eprintln!("{line}"));
    let component = std::fs::read(component.unwrap()).unwrap();
    let description = Description::parse(include_str!("../corner-shop/corner-shop.toml")).unwrap();
    run(component, Some(description), Options { seeds: 40, only: Vec::new() }, |_| {}).unwrap()
}

/// The names of the checks that failed, and the evidence of all of them.
fn failures(connector: &str) -> (Vec<&'static str>, String) {
    let report = report_of(connector);
    assert!(!report.passed || report.with(Verdict::Failed).next().is_none());
    let evidence: Vec<String> =
        report.with(Verdict::Failed).map(|check| format!("{}: {}", check.check, check.evidence)).collect();
    (report.with(Verdict::Failed).map(|check| check.check).collect(), evidence.join("\n"))
}

#[test]
fn an_honest_connector_passes_every_check() {
    let report = report_of("honest");
    let failed: Vec<String> =
        report.with(Verdict::Failed).map(|check| format!("{}: {}", check.check, check.evidence)).collect();
    assert!(report.passed, "{failed:#?}");
    for skipped in report.with(Verdict::Skipped) {
        assert!(!skipped.evidence.is_empty(), "{} is skipped without a reason", skipped.check);
    }
    // Most of the kit applies to it; a kit that skips everything would pass everybody.
    assert!(report.with(Verdict::Passed).count() >= 40, "{}", report.with(Verdict::Passed).count());
}

#[test]
fn losing_an_order_on_paging_is_seen() {
    let (failed, evidence) = failures("loses_an_order");
    for check in ["insert-during-paging", "leave-filter-during-paging", "delete-during-paging"] {
        assert!(failed.contains(&check), "{check}: {evidence}");
    }
    assert!(!failed.contains(&"backfill-complete"), "it reads an unmoving source well: {evidence}");
    assert!(!failed.contains(&"money-exact"), "{evidence}");
}

#[test]
fn money_in_floats_is_seen() {
    let (failed, evidence) = failures("floats_money");
    assert_eq!(failed, ["money-exact"], "{evidence}");
}

#[test]
fn a_post_that_is_sent_again_is_seen() {
    let (failed, evidence) = failures("retries_a_post");
    assert_eq!(failed, ["guest-never-retries"], "{evidence}");
}

#[test]
fn a_setting_in_a_log_is_seen() {
    let (failed, evidence) = failures("leaks_a_setting");
    assert_eq!(failed, ["no-secret-material-visible"], "{evidence}");
}

#[test]
fn sleeping_in_a_loop_is_seen() {
    let (failed, evidence) = failures("sleeps_in_a_loop");
    assert_eq!(failed, ["guest-never-sleeps"], "{evidence}");
}
