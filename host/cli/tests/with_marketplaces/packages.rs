//! A connector's way from its author to an operator: key, package, signature, and what is found out when somebody meddled.

use std::path::Path;

use serde_json::{Value, json};
use tradepost_package::{Claim, Package, Parts, Rights, SecretKey};

use crate::desk::Desk;

/// A directory with a component, an author's key and a stranger's.
struct Workshop {
    desk: Desk,
    public: String,
}

impl Workshop {
    fn open() -> Self {
        let desk = Desk { directory: tempfile::tempdir().unwrap() };
        let component = tradepost_components::build("hft71", |_| {}).unwrap();
        std::fs::copy(component, desk.directory.path().join("hft71.wasm")).unwrap();
        let public = desk.object(&["keygen", "acme.key"])["public_key"].as_str().unwrap().to_owned();
        desk.object(&["keygen", "stranger.key"]);
        Self { desk, public }
    }

    fn path(&self) -> &Path {
        self.desk.directory.path()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    /// A package with the real component, whose statement claims something else.
    fn claiming(&self, change: impl Fn(&mut Claim)) -> Package {
        let honest = Package::read(self.read("honest.tradepost")).unwrap();
        let mut claim = honest.statement().claim();
        change(&mut claim);
        let parts = Parts {
            claim,
            component: honest.component(),
            manifest: honest.manifest().to_string(),
            page: honest.page().to_owned(),
            report: None,
        };
        let mut package = Package::build(parts).unwrap();
        package.sign(&SecretKey::read(&self.path().join("acme.key")).unwrap()).unwrap();
        package
    }
}

#[test]
fn a_connector_is_packed_signed_verified_and_found_out_when_somebody_meddled() {
    let workshop = Workshop::open();
    let desk = &workshop.desk;
    let packed = desk.object(&["pack", "hft71.wasm", "--key", "acme.key"]);
    let file = packed["package"].as_str().unwrap();
    assert_eq!(file, "hft71-0.1.0.tradepost");
    assert_eq!(packed["signers"], json!([workshop.public]));

    let verified = desk.object(&["verify", file, "--key", "stranger.key.pub", "--key", "acme.key.pub"]);
    assert_eq!(verified["trusted"], json!([workshop.public]));
    let statement = &verified["statement"];
    assert_eq!((&statement["id"], &statement["version"]), (&"hft71".into(), &"0.1.0".into()));
    let inspected = desk.object(&["inspect", "hft71.wasm"]);
    assert_eq!(statement["contract"], inspected["contract"]);
    assert_eq!(statement["digest"], inspected["digest"]);
    assert_eq!(statement["hosts"], inspected["manifest"]["hosts"]);
    assert!(statement["secrets"].as_array().is_some_and(|secrets| !secrets.is_empty()), "{statement}");
    let effects = statement["effects"].as_array().unwrap();
    assert!(effects.iter().any(|effect| effect["operation"] == "fulfilment.submit"), "{statement}");

    let (exit, error) = desk.failure(&["verify", file, "--key", "stranger.key.pub"]);
    assert_eq!(
        (exit, &error["kind"], &error["signers"]),
        (8, &"untrusted".into(), &json!([workshop.public])),
        "{error}"
    );
    desk.object(&["sign", file, "--key", "stranger.key"]);
    let verified = desk.object(&["verify", file, "--key", "stranger.key.pub"]);
    assert_eq!((verified["signers"].as_array().unwrap().len(), verified["trusted"].as_array().unwrap().len()), (2, 1));

    let mut bytes = workshop.read(file);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    workshop.write(file, &bytes);
    for command in ["verify", "inspect"] {
        let (exit, error) = desk.failure(&[command, file]);
        assert_eq!((exit, &error["kind"]), (7, &"altered-package".into()), "{error}");
        assert!(
            error["message"].as_str().unwrap().contains("component.wasm is not what the statement says"),
            "{error}"
        );
    }
    let (exit, error) = desk.failure(&["sign", file, "--key", "acme.key"]);
    assert_eq!(exit, 7, "{error}");
    assert_eq!(workshop.read(file), bytes);
}

#[test]
fn the_same_component_makes_the_same_package_and_none_is_overwritten_unasked() {
    let workshop = Workshop::open();
    let desk = &workshop.desk;
    let first = desk.object(&["pack", "hft71.wasm", "-o", "first.tradepost"]);
    assert_eq!(first["signers"], json!([]));
    desk.object(&["pack", "hft71.wasm", "-o", "second.tradepost"]);
    assert_eq!(workshop.read("first.tradepost"), workshop.read("second.tradepost"));
    let (exit, error) = desk.failure(&["pack", "hft71.wasm", "-o", "first.tradepost", "--key", "acme.key"]);
    assert!(exit == 2 && error["advice"].as_str().unwrap().contains("--force"), "{error}");
    desk.object(&["pack", "hft71.wasm", "-o", "first.tradepost", "--key", "acme.key", "--force"]);
    desk.object(&["sign", "second.tradepost", "--key", "acme.key"]);
    assert_eq!(workshop.read("first.tradepost"), workshop.read("second.tradepost"), "signed at once or afterwards");
}

#[test]
fn a_report_goes_with_the_component_that_it_is_about() {
    let workshop = Workshop::open();
    let desk = &workshop.desk;
    let report = desk.object(&["test", "hft71.wasm", "--only", "webhook-forged"]);
    workshop.write("report.json", report.to_string().as_bytes());
    let packed = desk.object(&["pack", "hft71.wasm", "--report", "report.json", "-o", "tested.tradepost"]);
    assert_eq!(packed["reported"], true);
    assert_eq!(desk.object(&["inspect", "tested.tradepost"])["package"]["report"], report);
    let text = String::from_utf8(desk.run(&["inspect", "tested.tradepost"]).stdout).unwrap();
    assert!(text.contains("signed by") && text.contains("nobody"), "{text}");
    assert!(text.contains("passed: 1 checks passed, 0 failed, 0 skipped"), "{text}");

    let mut other: Value = report.clone();
    other["digest"] = format!("sha256:{}", "0".repeat(64)).into();
    for (text, expected) in [(other.to_string(), "is about the component sha256:0000"), ("[]".into(), "no JSON object")]
    {
        workshop.write("other.json", text.as_bytes());
        let (exit, error) = desk.failure(&["pack", "hft71.wasm", "--report", "other.json", "-o", "x.tradepost"]);
        let message = error["message"].as_str().unwrap();
        assert!(exit == 2 && message.starts_with("other.json: ") && message.contains(expected), "{error}");
        assert!(!workshop.path().join("x.tradepost").exists());
    }
}

#[test]
fn a_statement_that_its_component_contradicts_is_refused_whoever_signed_it() {
    let workshop = Workshop::open();
    let desk = &workshop.desk;
    desk.object(&["pack", "hft71.wasm", "--key", "acme.key", "-o", "honest.tradepost"]);
    for (package, expected) in [
        (workshop.claiming(|claim| claim.id = "hft72".into()), "id: the statement says hft72, the component hft71"),
        (
            workshop.claiming(|claim| claim.version = "9.0.0".parse().unwrap()),
            "version: the statement says 9.0.0, the component 0.1.0",
        ),
        (workshop.claiming(|claim| claim.rights = Rights::default()), "writes with fulfilment.submit"),
        (
            workshop.claiming(|claim| claim.rights.hosts.extend(["https://all.example".to_owned()])),
            "the statement says that it connects to https://all.example",
        ),
    ] {
        workshop.write("false.tradepost", &package.to_bytes());
        let (exit, error) = desk.failure(&["verify", "false.tradepost", "--key", &workshop.public]);
        assert_eq!((exit, &error["kind"]), (7, &"contradictory-package".into()), "{error}");
        assert!(error["message"].as_str().unwrap().contains(expected), "{error}");
        let inspected = desk.object(&["inspect", "false.tradepost"]);
        let contradictions = inspected["package"]["contradictions"].to_string();
        assert!(contradictions.contains(expected), "{contradictions}");
    }
    assert_eq!(desk.object(&["inspect", "honest.tradepost"])["package"]["contradictions"], json!([]));
}
