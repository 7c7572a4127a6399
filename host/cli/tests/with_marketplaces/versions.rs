//! Versions of connectors as an operator and an author work with them: installed from packages, trusted, swapped while the daemon works,
//! tried, rolled back, and refused.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use axum::Json;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tradepost_components::alter::{trapping_in, with_text, with_version};
use tradepost_components::{build, build_example};
use tradepost_platforms::{HardToFind, Platform};

use crate::desk::{Daemon, Desk, command};

const SHOP: &str = "corner-shop";

/// A component as it was built, which says that it is version 0.1.0.
fn component(name: &'static str) -> &'static [u8] {
    static HARDTOFIND: OnceLock<Vec<u8>> = OnceLock::new();
    static HONEST: OnceLock<Vec<u8>> = OnceLock::new();
    let read = |path: Result<PathBuf, _>| fs::read(path.unwrap()).unwrap();
    match name {
        "hardtofind" => HARDTOFIND.get_or_init(|| read(build("hardtofind", |_| {}))),
        _ => HONEST.get_or_init(|| read(build_example("tradepost-corner-shop", "honest", |_| {}))),
    }
}

fn second(component: &[u8]) -> Vec<u8> {
    with_version(component, "0.1.0", "0.2.0")
}

/// An operator's desk beside a publisher's key.
fn desk() -> Desk {
    let desk = Desk { directory: tempfile::tempdir().unwrap() };
    desk.write("tradepost.toml", "");
    desk.object(&["keygen", "acme.key"]);
    desk
}

/// A package of a component, signed with a key of this desk.
fn package(desk: &Desk, component: &[u8], key: &str, name: &str) -> String {
    let (wasm, file) = (format!("{name}.wasm"), format!("{name}.tradepost"));
    fs::write(desk.directory.path().join(&wasm), component).unwrap();
    desk.object(&["pack", &wasm, "--key", key, "--out", &file]);
    file
}

/// A desk where both versions of the corner shop are installed and the first is active. Each account has a place in the table.
fn shops(accounts: &[&str], root: &str) -> Desk {
    let desk = desk();
    let table: String = accounts
        .iter()
        .map(|account| {
            format!(
                "[accounts.{account}]\nconnector = \"{SHOP}\"\nsettings = {{ root-url = \"{root}\", shop = \"{account}\" }}\n\
                 secrets.key = {{ file = \"key\" }}\ngrants.private_hosts = [\"{root}\"]\n"
            )
        })
        .collect();
    desk.write("tradepost.toml", &table);
    desk.write("key", "a key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(desk.directory.path().join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    desk.object(&["trust", "add", SHOP, "acme.key.pub"]);
    desk
}

/// The installed version of this number.
fn version(desk: &Desk, connector: &str, wanted: &str) -> Value {
    let all = desk.objects(&["versions", connector]);
    all.into_iter().find(|one| one["version"] == wanted).unwrap_or_else(|| panic!("{wanted} is not installed"))
}

fn kind(failure: &(i32, Value)) -> (i32, &str) {
    (failure.0, failure.1["kind"].as_str().unwrap_or_default())
}

#[test]
fn versions_swap_while_the_daemon_works_and_roll_back() {
    let asynchronous = Runtime::new().unwrap();
    let platform = asynchronous.block_on(HardToFind::builder().orders(12).start()).unwrap();
    let desk = desk();
    let (root, login) = (platform.root_url(), platform.credentials());
    desk.write("password", login.password);
    desk.write(
        "tradepost.toml",
        &format!(
            "[accounts.acme]\nconnector = \"hardtofind\"\nsettings = {{ root-url = \"{root}\", username = \"{}\" }}\n\
             secrets.password = {{ file = \"password\" }}\ngrants.private_hosts = [\"{root}\"]\n",
            login.username
        ),
    );
    let (code, error) = desk.failure(&["check", "acme"]);
    assert_eq!((code, error["account"].as_str()), (2, Some("acme")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("tradepost install"), "{error}");

    let first = package(&desk, component("hardtofind"), "acme.key", "first");
    let next = package(&desk, &second(component("hardtofind")), "acme.key", "next");
    let refused = desk.failure(&["install", &first]);
    assert_eq!(kind(&refused), (8, "unknown-signer"), "{}", refused.1);
    desk.object(&["trust", "add", "hardtofind", "acme.key.pub"]);
    let refused = desk.failure(&["install", &first]);
    assert_eq!(kind(&refused), (8, "more-rights"), "{}", refused.1);
    assert!(refused.1["more"].to_string().contains("writes with shipments.ship"), "{}", refused.1);
    assert!(desk.objects(&["versions", "hardtofind"]).is_empty(), "nothing was installed");
    let installed = desk.object(&["install", &first, "--accept"]);
    assert_eq!((&installed["version"], &installed["unsigned"]), (&"0.1.0".into(), &false.into()));
    assert_eq!(kind(&desk.failure(&["check", "acme"])), (2, "no-version"), "it is active nowhere yet");
    desk.object(&["activate", "hardtofind", "0.1.0"]);
    desk.object(&["check", "acme"]);
    let listed = desk.object(&["accounts"]);
    assert_eq!((&listed["connector"], &listed["installed"]["version"]), (&"hardtofind".into(), &"0.1.0".into()));

    let daemon = Daemon::start_as(&desk, &["run", "--every", "1"]);
    daemon.lines_until(|line| line.contains("acme orders: 12 created"));
    let swapped = desk.object(&["install", &next, "--activate"]);
    assert_eq!(swapped["activated"]["before"], "0.1.0", "its rights are those of the one before: {swapped}");
    daemon.lines_until(|line| line.contains("acme: hardtofind 0.2.0 is in the place of hardtofind 0.1.0"));
    let now = version(&desk, "hardtofind", "0.2.0");
    assert_eq!(now["channels"], json!(["stable active, watched"]));
    assert_eq!(now["accounts"], json!([{ "account": "acme", "pinned": false }]));
    // The daemon carries it out on the version that is there now.
    assert_eq!(desk.object(&["acknowledge", "acme", "123456"])["raw"], "PROCESSED");

    desk.object(&["rollback", "hardtofind", "--reason", "it is a test"]);
    daemon.lines_until(|line| line.contains("acme: hardtofind 0.1.0 is in the place of hardtofind 0.2.0"));
    #[cfg(unix)]
    assert_eq!(daemon.terminate(), 0);
    let notes = desk.objects(&["versions", "hardtofind", "--notes"]);
    let told: Vec<&str> = notes.iter().map(|note| note["change"].as_str().unwrap()).collect();
    assert_eq!(told, ["rolled-back", "activated", "installed", "activated", "installed", "key-changed"]);
    assert_eq!((&notes[0]["reason"], &notes[0]["by_itself"]), (&"it is a test".into(), &false.into()));

    desk.object(&["activate", "hardtofind", "0.2.0"]);
    assert_eq!(kind(&desk.failure(&["activate", "hardtofind", "0.1.0"])), (8, "downgrade"));
    desk.object(&["activate", "hardtofind", "0.1.0", "--allow-downgrade"]);
    asynchronous.block_on(platform.stop());
}

#[test]
fn an_account_joins_the_daemon_when_its_connector_is_active() {
    let asynchronous = Runtime::new().unwrap();
    let platform = asynchronous.block_on(HardToFind::builder().orders(12).start()).unwrap();
    let desk = shops(&["a"], "http://127.0.0.1:9");
    let (root, login) = (platform.root_url(), platform.credentials());
    let table = fs::read_to_string(desk.directory.path().join("tradepost.toml")).unwrap();
    desk.write("password", login.password);
    desk.write(
        "tradepost.toml",
        &format!(
            "{table}[accounts.late]\nconnector = \"hardtofind\"\nsettings = {{ root-url = \"{root}\", username = \"{}\" }}\n\
             secrets.password = {{ file = \"password\" }}\ngrants.private_hosts = [\"{root}\"]\n",
            login.username
        ),
    );
    let shop = package(&desk, component("honest"), "acme.key", "shop");
    desk.object(&["install", &shop, "--accept", "--activate"]);
    let daemon = Daemon::start(&desk);
    assert!(daemon.at_first.iter().any(|line| line.contains("late is left out")), "{:?}", daemon.at_first);

    let late = package(&desk, component("hardtofind"), "acme.key", "late");
    desk.object(&["trust", "add", "hardtofind", "acme.key.pub"]);
    desk.object(&["install", &late, "--accept"]);
    desk.object(&["activate", "hardtofind", "0.1.0"]);
    daemon.lines_until(|line| line.contains("late is worked on from now on: hardtofind 0.1.0"));
    daemon.lines_until(|line| line.contains("late orders: 12 created"));
    let next = package(&desk, &second(component("hardtofind")), "acme.key", "next");
    desk.object(&["install", &next, "--activate"]);
    daemon.lines_until(|line| line.contains("late: hardtofind 0.2.0 is in the place of hardtofind 0.1.0"));
    daemon.kill();
}

#[test]
fn what_nobody_vouches_for_is_refused_or_marked() {
    let desk = shops(&["a"], "http://127.0.0.1:9");
    fs::write(desk.directory.path().join("bare.wasm"), component("honest")).unwrap();
    let refused = desk.failure(&["install", "bare.wasm", "--accept"]);
    assert_eq!(kind(&refused), (8, "unsigned"), "{}", refused.1);

    let good = package(&desk, component("honest"), "acme.key", "good");
    let bytes = fs::read(desk.directory.path().join(&good)).unwrap();
    let mut tampered = bytes.clone();
    let middle = bytes.len() / 2;
    tampered[middle] ^= 1;
    for (name, bytes) in [("tampered.tradepost", &tampered[..]), ("cut.tradepost", &bytes[..middle])] {
        fs::write(desk.directory.path().join(name), bytes).unwrap();
        let (code, error) = desk.failure(&["install", name, "--accept", "--allow-unsigned"]);
        assert_eq!(code, 7, "{name}: {error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    }
    desk.object(&["keygen", "stranger.key"]);
    let strange = package(&desk, component("honest"), "stranger.key", "strange");
    let refused = desk.failure(&["install", &strange, "--accept", "--allow-unsigned"]);
    assert_eq!(kind(&refused), (8, "unknown-signer"), "{}", refused.1);
    assert!(desk.objects(&["versions"]).is_empty(), "nothing was installed");

    let installed = desk.object(&["install", "bare.wasm", "--allow-unsigned", "--accept", "--activate"]);
    let marked = installed["version"].as_str().unwrap();
    assert!(marked.starts_with("0.1.0+") && installed["unsigned"] == true, "{installed}");
    assert_eq!(desk.object(&["accounts"])["installed"]["unsigned"], true);
    assert_eq!(desk.object(&["status"])["connectors"][0]["unsigned"], true);
    for shown in [&["accounts"][..], &["status"], &["versions"]] {
        let output = desk.run(shown);
        assert!(String::from_utf8(output.stdout).unwrap().contains("UNSIGNED"), "{shown:?}");
    }
    let warning = format!("warning: corner-shop {marked} is UNSIGNED: nobody vouches for it");
    let output = desk.run(&["check", "a"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(&warning), "{output:?}");
    let daemon = Daemon::start(&desk);
    let warning = format!("{warning} (a)");
    assert!(daemon.at_first.contains(&warning), "{:?}", daemon.at_first);
    daemon.kill();
}

#[test]
fn accounts_follow_channels_and_pins_and_what_is_revoked_gets_none() {
    let desk = shops(&["a", "b"], "http://127.0.0.1:9");
    let first = package(&desk, component("honest"), "acme.key", "first");
    let next = package(&desk, &second(component("honest")), "acme.key", "next");
    desk.object(&["install", &first, "--accept", "--activate"]);
    desk.object(&["install", &next, "--activate", "--channel", "beta"]);
    let on = |account: &str| desk.object(&["channel", account])["version"].as_str().unwrap().to_owned();
    assert_eq!((on("a"), on("b")), ("0.1.0".into(), "0.1.0".into()));
    assert_eq!(desk.object(&["channel", "b", "beta"])["version"], "0.2.0");
    let pinned = desk.object(&["pin", "a", "0.2.0"]);
    assert_eq!((&pinned["version"], &pinned["pinned"]), (&"0.2.0".into(), &true.into()));
    assert_eq!(kind(&desk.failure(&["pin", "a", "0.3.0"])), (2, "no-version"));
    assert_eq!(kind(&desk.failure(&["channel", "a", "alpha"])), (2, "no-version"));
    desk.object(&["pin", "a", "--off"]);
    assert_eq!((on("a"), on("b")), ("0.1.0".into(), "0.2.0".into()));

    let root = "http://127.0.0.1:9";
    let add = ["account", "add", "c", "--connector", SHOP, "--setting", "shop=c", "--secret", "key=file:key"];
    desk.object(&[&add[..], &["--setting", &format!("root-url={root}"), "--grant-private", root]].concat());
    assert_eq!(on("c"), "0.1.0");
    desk.object(&["account", "remove", "c"]);
    desk.write("files.toml", "data = \".other\"\n[accounts.f]\nconnector = \"./first.wasm\"\n");
    let refused = desk.failure(&["--config", "files.toml", "pin", "f", "0.1.0"]);
    assert_eq!(kind(&refused), (2, "configuration"), "{}", refused.1);

    // Its settings schema makes a secret of the shop's name.
    let schema = "\"description\": \"The shop's name at the platform.\"";
    let secret = format!("{:width$}", "\"writeOnly\": true", width = schema.len());
    let third = with_text(&with_version(component("honest"), "0.1.0", "0.3.0"), schema, &secret);
    let third = package(&desk, &third, "acme.key", "third");
    let refused = desk.failure(&["install", &third]);
    assert_eq!((kind(&refused), &refused.1["more"]), ((8, "more-rights"), &json!(["uses the secret `shop`"])));
    let installed = desk.object(&["install", &third, "--accept"]);
    assert_eq!(installed["more"]["secrets"], json!(["shop"]), "{installed}");
    desk.object(&["uninstall", SHOP, "0.3.0"]);
    assert_eq!(kind(&desk.failure(&["uninstall", SHOP, "0.2.0"])), (2, "in-use"));
    let swept = desk.object(&["sweep"]);
    assert_eq!(swept["packages"], 1, "{swept}");
    assert!(swept["code_bytes"].as_u64().unwrap() > 0, "{swept}");

    let revoked = desk.object(&["revoke", SHOP, "0.1.0", "--reason", "ships twice"]);
    assert_eq!(revoked["still_in_use"], json!([{ "account": "a", "version": "0.1.0" }]));
    assert_eq!(version(&desk, SHOP, "0.1.0")["unusable"], "revoked: ships twice");
    let daemon = Daemon::start(&desk);
    let warned = daemon.at_first.iter().any(|line| line.contains("corner-shop 0.1.0 must not be used any more"));
    assert!(warned, "{:?}", daemon.at_first);
    daemon.kill();
    desk.object(&["activate", SHOP, "0.2.0"]);
    assert_eq!(kind(&desk.failure(&["rollback", SHOP])), (8, "revoked"));
    desk.object(&["trust", "floor", SHOP, "0.2.0"]);
    assert_eq!(desk.object(&["trust", "list", SHOP])["floor"], "0.2.0");
    let out = desk.object(&["trust", "revoke", SHOP, "acme.key.pub", "--reason", "stolen"]);
    assert_eq!(out["still_in_use"].as_array().unwrap().len(), 2, "{out}");
    assert_eq!(kind(&desk.failure(&["install", &third])), (8, "revoked-key"));
    assert_eq!(kind(&desk.failure(&["trust", "add", SHOP, "acme.key.pub"])), (8, "revoked-key"));
}

/// A shop without orders.
async fn empty_shop(listener: TcpListener) {
    let router = axum::Router::new()
        .route("/shop", get(|| async { Json(json!({ "name": "The corner" })) }))
        .route("/orders", get(|| async { Json(json!([])) }));
    axum::serve(listener, router).await.unwrap();
}

#[test]
fn a_canary_that_traps_is_taken_back_by_itself_and_the_reason_stays() {
    let asynchronous = Runtime::new().unwrap();
    let listener = asynchronous.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    asynchronous.spawn(empty_shop(listener));
    let desk = shops(&["a", "b", "c", "d"], &root);
    let good = package(&desk, component("honest"), "acme.key", "good");
    let bad = package(&desk, &trapping_in(&second(component("honest")), "orders.list"), "acme.key", "bad");
    desk.object(&["install", &good, "--accept", "--activate"]);
    desk.object(&["install", &bad]);
    assert_eq!(kind(&desk.failure(&["activate", SHOP, "0.2.0", "--account", "z"])), (2, "configuration"));

    let daemon = Daemon::start_as(&desk, &["run", "--every", "1"]);
    let trial = desk.object(&["activate", SHOP, "0.2.0", "--account", "a", "--account", "b", "--account", "c"]);
    assert_eq!((&trial["trial"], &trial["before"]), (&"canary".into(), &"0.1.0".into()));
    let lines = daemon.lines_until(|line| line.contains("corner-shop 0.2.0 is taken back, 0.1.0 is in its place"));
    assert!(!lines.iter().any(|line| line.starts_with("d: corner-shop 0.2.0")), "d had no part in it: {lines:?}");
    for account in ["a", "b", "c"] {
        assert!(lines.iter().any(|line| line.starts_with(&format!("{account}: corner-shop 0.2.0"))), "{lines:?}");
    }
    let back = Cell::new(0);
    daemon.lines_until(|line| {
        back.set(back.get() + usize::from(line.contains("corner-shop 0.1.0 is in the place of corner-shop 0.2.0")));
        back.get() == 3
    });
    let notes = desk.objects(&["versions", SHOP, "--notes"]);
    let note = notes.iter().find(|note| note["change"] == "rolled-back").unwrap();
    assert_eq!(note["by_itself"], true);
    assert!(note["reason"].as_str().unwrap().contains("calls failed by its own fault"), "{note}");
    assert_eq!(version(&desk, SHOP, "0.2.0")["accounts"], json!([]));
    daemon.kill();
}

#[test]
fn what_an_author_saves_is_in_use_and_what_does_not_load_is_not() {
    let desk = shops(&["a"], "http://127.0.0.1:9");
    let file = desk.directory.path().join("shop.wasm");
    fs::write(&file, component("honest")).unwrap();
    let author = Daemon::start_as(&desk, &["dev", "--wasm", "shop.wasm", "--account", "a"]);
    let on = |account: &str| {
        let shown = desk.object(&["channel", account]);
        assert_eq!(shown["channel"], "dev");
        shown["version"].as_str().unwrap().to_owned()
    };
    let before = on("a");
    assert!(before.starts_with("0.1.0+"), "{before}");
    fs::write(&file, second(component("honest"))).unwrap();
    author.lines_until(|line| line.starts_with("corner-shop 0.2.0+") && line.ends_with("is in use on channel dev"));
    let now = on("a");
    assert!(now.starts_with("0.2.0+"), "{now}");
    fs::write(&file, "not a component").unwrap();
    author.lines_until(|line| line == "not taken; what was in use stays");
    assert_eq!(on("a"), now);
    author.kill();
}

#[test]
fn an_author_s_crate_is_built_and_what_the_compiler_says_is_told() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    build("hardtofind", |_| {}).unwrap();
    let desk = desk();
    let mut command = command(desk.directory.path());
    // Where the connectors of the other tests are built, so that nothing is built twice.
    command.env("CARGO_TARGET_DIR", top.join("target/components")).arg("dev").arg(top.join("connectors/hardtofind"));
    Daemon::spawn(command).kill();
    let built = &desk.objects(&["versions", "hardtofind"])[0];
    assert_eq!((&built["unsigned"], &built["channels"]), (&true.into(), &json!(["dev active"])));

    let broken = desk.directory.path().join("broken");
    fs::create_dir_all(broken.join("src")).unwrap();
    let manifest = "[package]\nname = \"broken\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    fs::write(broken.join("Cargo.toml"), manifest).unwrap();
    fs::write(broken.join("src/lib.rs"), "fn shop() -> u8 { \"not a number\" }").unwrap();
    let author = Daemon::start_as(&desk, &["dev", "broken"]);
    assert!(author.at_first.iter().any(|line| line.contains("mismatched types")), "{:?}", author.at_first);
    author.kill();
}
