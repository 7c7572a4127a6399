//! `tradepost test`: the conformance kit from the command line.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn tradepost(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradepost"));
    command.current_dir(directory).env_remove("RUST_LOG").stdin(Stdio::null()).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_check_is_listed_with_its_question() {
    let directory = tempfile::tempdir().unwrap();
    let output = tradepost(directory.path(), &["--json", "test", "--list"]);
    let checks: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(checks.len() > 50, "{}", checks.len());
    assert!(checks.iter().all(|check| check["question"].as_str().is_some_and(|question| question.ends_with('?'))));
}

#[test]
fn a_check_that_does_not_exist_is_a_mistake_of_usage() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("any.wasm"), b"").unwrap();
    let output = tradepost(directory.path(), &["test", "any.wasm", "--only", "money-exakt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there is no check money-exakt"), "{}", stderr(&output));
}

#[test]
fn the_kit_tests_a_connector_and_writes_its_report() {
    let directory = tempfile::tempdir().unwrap();
    let component = tradepost_components::build("hft71", |_| {}).unwrap();
    let component = component.to_str().unwrap();
    let only = ["--only", "webhook-forged", "--only", "raw-roundtrip"];
    let arguments = [&["test", component, "--report", "report.json"], &only[..]].concat();
    let output = tradepost(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("1 checks passed, 0 failed, 1 skipped"), "{text}");
    assert!(text.contains("skipped, because: raw-roundtrip: "), "{text}");

    let report = std::fs::read_to_string(directory.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["connector"], &report["passed"]), (&"hft71".into(), &true.into()));
    assert!(report["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{report}");
    assert_eq!(report["checks"][1]["check"], "webhook-forged");
    assert_eq!(report["checks"][1]["result"], "passed");
}

#[test]
fn a_connector_that_fails_a_check_ends_with_7_and_the_check_s_name() {
    let directory = tempfile::tempdir().unwrap();
    let component = tradepost_components::build_example("tradepost-corner-shop", "floats_money", |_| {}).unwrap();
    let component = component.to_str().unwrap();
    let output = tradepost(directory.path(), &["test", component]);
    assert_eq!(output.status.code(), Some(2), "it has no description: {}", stderr(&output));
    assert!(stderr(&output).contains("--description"), "{}", stderr(&output));

    let description = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/corner-shop/corner-shop.toml");
    let arguments = ["test", component, "--description", description, "--only", "money-exact"];
    let output = tradepost(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(stderr(&output).contains("corner-shop 0.1.0 fails money-exact"), "{}", stderr(&output));
    assert!(stdout(&output).contains("failed: money-exact: "), "{}", stdout(&output));
}
