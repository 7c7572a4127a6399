//! A process that installs and activates a version is killed at each step: what was installed before stays, the new version is there whole
//! or not at all, and doing it again works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tradepost_components::alter;
use tradepost_crash::daemon::was_killed;
use tradepost_crash::installer;
use tradepost_engine::versions::{Versions, claim_of};
use tradepost_package::{Package, Parts, SecretKey};
use tradepost_runtime::Runtime;

const ID: &str = "hardtofind";

/// Where it dies, at which passing, and whether accounts are on the new version then.
const PLACES: [(&str, u32, bool); 8] = [
    ("install.loaded", 1, false),
    ("install.file-written", 1, false),
    ("install.file-kept", 1, false),
    ("versions.in-transaction", 1, false),
    ("install.recorded", 1, false),
    ("activate.ready", 1, false),
    ("versions.in-transaction", 2, false),
    ("activate.recorded", 1, true),
];

async fn package(runtime: &Runtime, component: Vec<u8>, key: &SecretKey) -> Package {
    let connector = runtime.load(component.clone()).await.unwrap();
    let claim = claim_of(&connector).unwrap();
    let parts = Parts { claim, component: component.into(), manifest: "{}".into(), page: String::new(), report: None };
    let mut package = Package::build(parts).unwrap();
    package.sign(key).unwrap();
    package
}

/// What an account of this data directory would be on.
async fn label(versions: &Versions) -> String {
    versions.connector_for("acme", ID).await.unwrap().label().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

fn partial(data: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(data.join("packages")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "partial")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_that_is_killed_anywhere_changes_everything_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let component = fs::read(tradepost_components::build(ID, |_| {}).unwrap()).unwrap();
    let next = alter::with_version(&component, "0.1.0", "0.2.0");
    let key = SecretKey::generate().unwrap();
    let base = directory.path().join("base");
    fs::create_dir(&base).unwrap();
    let next = {
        let runtime = Runtime::new().unwrap();
        let first = directory.path().join("first.tradepost");
        fs::write(&first, package(&runtime, component, &key).await.to_bytes()).unwrap();
        installer::versions(&base).unwrap().trust(ID, key.public()).await.unwrap();
        installer::install(&base, &first).await.unwrap();
        let file = directory.path().join("next.tradepost");
        fs::write(&file, package(&runtime, next, &key).await.to_bytes()).unwrap();
        file
    };
    for (place, hit, is_moved) in PLACES {
        let data = directory.path().join(format!("{place}-{hit}"));
        copy(&base, &data);
        let mut child = Command::new(env!("CARGO_BIN_EXE_tradepost-crash"));
        child.arg("install").args(["--arm", &format!("{place}@{hit}:kill")]).arg(&data).arg(&next);
        let ended = child.status().unwrap();
        assert!(was_killed(ended), "{place}: {ended}");

        let versions = installer::versions(&data).unwrap();
        let expected = if is_moved { "hardtofind 0.2.0" } else { "hardtofind 0.1.0" };
        assert_eq!(label(&versions).await, expected, "{place}");
        let (_, catalogue) = versions.catalogue().await.unwrap();
        for (version, installed) in &catalogue.connectors[ID].versions {
            let loaded = versions.connector(&installed.digest).await.unwrap();
            assert_eq!(loaded.manifest().version, version.to_string(), "{place}");
        }
        installer::install(&data, &next).await.unwrap();
        assert_eq!(label(&installer::versions(&data).unwrap()).await, "hardtofind 0.2.0", "{place}");
        versions.sweep().await.unwrap();
        assert_eq!(partial(&data), Vec::<PathBuf>::new(), "{place}");
        assert_eq!(fs::read_dir(data.join("packages")).unwrap().count(), 2, "{place}");
    }
}
