//! The page beside each connector is the one its component makes: who reads it reads what the connector does.

use std::fs;
use std::path::{Path, PathBuf};

use tradepost_end_to_end::{host, run};
use tradepost_runtime::connector_page;

const REGENERATE: &str = "cargo run -p tradepost -- docs --all";

fn connectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors")
}

/// The folders whose crate is built to a component.
fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(connectors())
        .expect("the connectors can be listed")
        .filter_map(|entry| {
            let path = entry.expect("an entry can be read").path();
            let manifest = fs::read_to_string(path.join("Cargo.toml")).ok()?;
            manifest.contains("\"cdylib\"").then(|| path.file_name()?.to_str().map(str::to_owned))?
        })
        .collect();
    names.sort();
    names
}

async fn generated(name: &str) -> String {
    let component = tradepost_components::build(name, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let bytes = fs::read(&component).unwrap_or_else(|error| panic!("{}: {error}", component.display()));
    connector_page(&host().load(bytes).await.unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn the_pages_in_the_tree_are_those_the_components_make() {
    let names = names();
    for expected in ["hardtofind", "help-ka", "hft71", "omniseller", "wcfm"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not among {names:?}");
    }
    let outdated: Vec<String> = run(async {
        let mut outdated = Vec::new();
        for name in names {
            let page = fs::read_to_string(connectors().join(&name).join("README.md")).unwrap_or_default();
            if page != generated(&name).await {
                outdated.push(format!("connectors/{name}/README.md"));
            }
        }
        outdated
    });
    assert!(outdated.is_empty(), "out of date or missing: {}; make them with `{REGENERATE}`", outdated.join(", "));
}
