//! What the command says and how it ends where no platform is needed: usage, the table of accounts, files that are no
//! connector.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tradepost_hostile::core_module::{CoreModule, altered_component};
use tradepost_package::{Claim, Package, Parts, Rights, SecretKey};

fn tradepost(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradepost"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("TRADEPOST_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The one JSON object on stderr.
fn error(output: &Output) -> Value {
    let text = stderr(output);
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    value["error"].clone()
}

#[test]
fn usage_mistakes_end_with_2_and_say_what_is_right() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["pull", "acme/x", "ordres"][..], "orders"),
        (&["sandbox", "ebay"], "hardtofind"),
        (&["order-status", "a", "1", "--state", "finished"], "completed"),
        (&["ship", "a", "1", "--line", "3=many"], "99.95"),
        (&["sandbox", "--fault", "404"], "use one of 429"),
        (&["packing-slip", "a", "1", "--force"], "--out"),
        (&["pull", "a", "stock", "--raw"], "do not apply to stock"),
        (&["pull", "a", "sellers", "--since", "2024-05-01T00:00:00Z"], "do not apply to sellers"),
        (&["notes", "add", "a", "1", "text", "--audience", "everybody"], "internal"),
        (&["fulfilment", "update", "a", "1"], "--address"),
        (&["fulfilment", "update", "a", "1", "--status", "Closed", "--address", "x.json"], "--address"),
        (&["fulfilment", "submit", "a", "--from", "absent.json"], "absent.json"),
        (&["webhook", "a"], "--body"),
        (&["webhook", "a", "--body", "x", "--header", "no colon"], "Name: value"),
        (&["webhook", "a", "--from", "x", "--body", "y"], "--body"),
        (&["gift-card", "issue", "a", "ten", "--reference", "1"], "99.95"),
        (&["gift-card", "show", "a", "-"], "no gift card code"),
        (&["docs"], "<FILE>"),
        (&["parked", "resolve", "1"], "--abandon"),
        (&["parked", "resolve", "1", "--retry", "--applied", "seen"], "--applied"),
        (&["commands", "--state", "finished"], "waiting, running, done, parked"),
        (&["run", "--every", "0"], "--every"),
        (&["sync", "--stream", "ordres"], "orders"),
        (&["records", "a", "orders", "--since", "yesterday"], "RFC 3339"),
        (&["docs", "x.wasm", "--all"], "--all"),
        (&["pack"], "<COMPONENT>"),
        (&["sign", "x.tradepost"], "--key"),
        (&["verify", "x.tradepost", "--key", "ed25519:AAAA"], "no public key"),
        (&["verify", "x.tradepost", "--key", "absent.pub"], "absent.pub"),
    ] {
        let output = tradepost(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        let json = [&["--json"], arguments].concat();
        let error = error(&tradepost(directory.path(), &json));
        assert_eq!((&error["kind"], &error["exit_code"]), (&"usage".into(), &2.into()), "{arguments:?}");
    }
}

#[test]
fn an_order_that_is_not_the_contract_s_is_refused_with_its_place_before_an_account_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let order = |address: &str, quantity: &str| {
        format!(
            "{{\"reference\": \"1\", \"placed_at\": \"2024-05-01T10:00:00Z\",\n \"address\": {{{address}}},\n \"items\": [{{\"sku\": \"A\", \"quantity\": {quantity}}}]}}"
        )
    };
    let address = r#""first_name": "J", "last_name": "K", "company": "", "city": "W", "postcode": "0""#;
    for (text, expected) in [
        (order(&address.replace("city", "town"), r#""1""#), "unknown field `town`"),
        (order(r#""first_name": "J""#, r#""1""#), "missing field `last_name` at line 2"),
        (order(address, "1.5"), "at line 3"),
        (order(address, r#""one""#), "99.95"),
        ("[]".to_owned(), "order.json"),
    ] {
        std::fs::write(directory.path().join("order.json"), &text).unwrap();
        let output = tradepost(directory.path(), &["fulfilment", "submit", "a", "--from", "order.json", "--json"]);
        let error = error(&output);
        assert_eq!((output.status.code(), &error["kind"]), (Some(2), &"usage".into()), "{text}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("order.json: ") && message.contains(expected), "{text}: {message}");
    }
    std::fs::write(directory.path().join("order.json"), order(address, r#""1""#)).unwrap();
    let output = tradepost(directory.path(), &["fulfilment", "submit", "a", "--file", "order.json", "--json"]);
    assert_eq!(error(&output)["kind"], "configuration", "the order is fine; there is no table of accounts");
}

#[test]
fn a_page_is_not_made_of_what_is_no_connector_and_not_over_a_file_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x.wasm"), b"hello there").unwrap();
    std::fs::write(directory.path().join("page.md"), b"mine").unwrap();
    let page = || std::fs::read(directory.path().join("page.md")).unwrap();
    let existing = tradepost(directory.path(), &["docs", "x.wasm", "--out", "page.md"]);
    assert_eq!(existing.status.code(), Some(2));
    assert!(stderr(&existing).contains("--force"), "{}", stderr(&existing));
    let broken = tradepost(directory.path(), &["docs", "x.wasm", "--out", "page.md", "--force"]);
    assert_eq!((broken.status.code(), page().as_slice()), (Some(7), &b"mine"[..]));
}

#[test]
fn without_a_table_it_says_how_to_get_one() {
    let directory = tempfile::tempdir().unwrap();
    let output = tradepost(directory.path(), &["check", "acme/x"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(
        text.contains("tradepost.toml") && text.contains("--config") && text.contains("tradepost sandbox --write"),
        "{text}"
    );
}

#[test]
fn a_secret_in_the_table_is_refused_without_being_shown() {
    let directory = tempfile::tempdir().unwrap();
    let table = "[accounts.shop]\nconnector = \"x.wasm\"\nsecrets.password = \"hunter2hunter2\"\n";
    std::fs::write(directory.path().join("tradepost.toml"), table).unwrap();
    let output = tradepost(directory.path(), &["accounts"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("secrets.password = { env = \"NAME\" }") && !text.contains("hunter2"), "{text}");
}

#[test]
fn accounts_lists_where_secrets_come_from_and_no_value() {
    let directory = tempfile::tempdir().unwrap();
    let table = "[accounts.\"acme/shop\"]\nconnector = \"x.wasm\"\nsecrets.password = { file = \"pw\" }\nsecrets.key = { env = \"TRADEPOST_TEST_UNSET\" }\n";
    std::fs::write(directory.path().join("tradepost.toml"), table).unwrap();
    std::fs::write(directory.path().join("pw"), "hunter2hunter2\n").unwrap();
    let output = tradepost(directory.path(), &["accounts", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let account: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(account["account"], "acme/shop");
    assert_eq!(
        (&account["secrets"]["password"]["present"], &account["secrets"]["key"]["present"]),
        (&true.into(), &false.into())
    );
    let people = tradepost(directory.path(), &["accounts"]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(
        text.contains("acme/shop") && text.contains("TRADEPOST_TEST_UNSET (missing)") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn an_unknown_account_and_a_missing_secret_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let table =
        "[accounts.\"acme/shop\"]\nconnector = \"x.wasm\"\nsecrets.password = { env = \"TRADEPOST_TEST_UNSET\" }\n";
    std::fs::write(directory.path().join("tradepost.toml"), table).unwrap();
    let unknown = error(&tradepost(directory.path(), &["check", "acme/shep", "--json"]));
    assert_eq!((&unknown["kind"], &unknown["exit_code"]), (&"configuration".into(), &2.into()));
    assert!(unknown["advice"].as_str().unwrap().contains("acme/shop"), "{unknown}");
    let missing = error(&tradepost(directory.path(), &["check", "acme/shop", "--json"]));
    assert!(missing["message"].as_str().unwrap().contains("TRADEPOST_TEST_UNSET is not set"), "{missing}");
    assert!(missing["advice"].as_str().unwrap().contains("export TRADEPOST_TEST_UNSET"), "{missing}");
}

#[test]
fn what_is_no_connector_is_told_by_name_and_ends_with_7() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.wasm");
    for (bytes, kind, expected) in [
        (&b""[..], "not-a-component", "empty"),
        (b"\x7fELF\x02\x01\x01\x00", "not-a-component", "native code"),
        (b"\0asm\x01\x00\x00\x00", "not-a-component", "core WebAssembly module"),
        (b"hello there", "not-a-component", "does not begin"),
        (b"\0asm\x0d\x00\x01\x00", "no-connector", "exports no"),
        (b"\0asm\x0d\x00\x01\x00\x01", "malformed-component", "damaged"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let output = tradepost(directory.path(), &["inspect", "x.wasm", "--json"]);
        let error = error(&output);
        assert_eq!(output.status.code(), Some(7), "{error}");
        assert_eq!(error["kind"], kind, "{error}");
        assert!(error["message"].as_str().unwrap().contains(expected), "{error}");
    }
    let absent = tradepost(directory.path(), &["inspect", "absent.wasm"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(stderr(&absent).contains("absent.wasm"), "{}", stderr(&absent));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::io::Read;
    let mut child = Command::new(env!("CARGO_BIN_EXE_tradepost"))
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((child.wait().unwrap().code(), text.as_str()), (Some(0), ""));
}

#[test]
fn help_documents_the_exit_codes_and_the_version_is_the_crate_s() {
    let directory = tempfile::tempdir().unwrap();
    let help = String::from_utf8(tradepost(directory.path(), &["--help"]).stdout).unwrap();
    for code in 0..=8 {
        assert!(help.contains(&format!("\n  {code}  ")), "exit code {code} is missing:\n{help}");
    }
    let version = String::from_utf8(tradepost(directory.path(), &["--version"]).stdout).unwrap();
    assert_eq!(version.trim(), concat!("tradepost ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn inspect_names_what_is_mistyped_in_orders_list() {
    let orders = r#"
        (func (export "tradepost:connector/orders@0.1.0#list")
            (param i32 i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (unreachable))
        (func (export "tradepost:connector/orders@0.1.0#get") (param i32 i32) (result i32) (unreachable))"#;
    let module = CoreModule::default().exporting("orders", orders);
    let as_string = "Whether prices include tax, where the source says.\n        prices-include-tax: option<bool>";
    let as_bytes = "As a word.\n        prices-include-tax: option<string>";
    let directory = tempfile::tempdir().unwrap();
    let component = altered_component((as_string, as_bytes), &module.world, &module.wat());
    std::fs::write(directory.path().join("mistyped.wasm"), component).unwrap();

    let output = tradepost(directory.path(), &["inspect", "mistyped.wasm"]);
    assert_eq!(output.status.code(), Some(7));
    let text = stderr(&output);
    for part in ["orders@0.1.0", "`list`", "result.ok.items[].prices-include-tax", "found string", "supports bool"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn a_key_is_made_for_its_owner_and_never_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let made = tradepost(directory.path(), &["keygen", "acme.key", "--json"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let told: Value = serde_json::from_slice(&made.stdout).unwrap();
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let (secret, public) = (read("acme.key"), read("acme.key.pub"));
    assert_eq!(told["public_key"], public.trim());
    let material = secret.trim().rsplit(':').next().unwrap();
    assert!(material.len() > 40 && !String::from_utf8_lossy(&made.stdout).contains(material));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = directory.path().join("acme.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(directory.path().join("x.tradepost"), package("shop").to_bytes()).unwrap();
        let open = error(&tradepost(directory.path(), &["sign", "x.tradepost", "--key", "acme.key", "--json"]));
        assert!(open["message"].as_str().unwrap().contains("chmod 600"), "{open}");
    }
    for gone in ["acme.key", "acme.key.pub"] {
        let refused = error(&tradepost(directory.path(), &["keygen", "acme.key", "--json"]));
        assert_eq!(refused["exit_code"], 2, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("never overwritten"), "{refused}");
        assert_eq!(
            (read("acme.key.pub"), directory.path().join("acme.key").exists()),
            (public.clone(), gone == "acme.key")
        );
        std::fs::remove_file(directory.path().join(gone)).unwrap();
    }
}

/// A package whose component is none.
fn package(id: &str) -> Package {
    let claim = Claim {
        id: id.to_owned(),
        version: "0.1.0".parse().unwrap(),
        contract: "0.1.0".parse().unwrap(),
        rights: Rights::default(),
    };
    let component = b"hello there".as_slice().into();
    Package::build(Parts { claim, component, manifest: "{}".into(), page: String::new(), report: None }).unwrap()
}

#[test]
fn a_package_that_is_altered_unsigned_or_a_stranger_s_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let (acme, stranger) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let mut signed = package("shop");
    signed.sign(&acme).unwrap();
    let whole = signed.to_bytes();
    let mut altered = whole.to_vec();
    altered[700] ^= 1;
    let mut other = package("shep");
    other.sign(&acme).unwrap();
    let key = |key: &SecretKey| vec!["--key".to_owned(), key.public().to_string()];
    for (bytes, keys, exit, kind, expected) in [
        (package("shop").to_bytes().to_vec(), key(&acme), 8, "unsigned", "shop 0.1.0 is unsigned"),
        (package("shop").to_bytes().to_vec(), vec![], 8, "unsigned", "anybody may have made it"),
        (whole.to_vec(), key(&stranger), 8, "untrusted", "by none of the keys given"),
        (whole.to_vec(), [key(&stranger), key(&acme)].concat(), 7, "not-a-component", "does not begin"),
        (whole.to_vec(), vec![], 7, "not-a-component", "does not begin"),
        (whole[..whole.len() - 512].to_vec(), key(&acme), 7, "altered-package", "cut off within its end"),
        ([&whole, b"x".as_slice()].concat(), key(&acme), 7, "altered-package", "behind its end"),
        (altered, key(&acme), 7, "malformed-package", "statement.json"),
        (b"\0asm\x0d\0\x01\0".to_vec(), key(&acme), 7, "not-a-package", "`tradepost pack`"),
    ] {
        std::fs::write(directory.path().join("x.tradepost"), bytes).unwrap();
        let arguments: Vec<&str> =
            ["verify", "x.tradepost", "--json"].into_iter().chain(keys.iter().map(String::as_str)).collect();
        let output = tradepost(directory.path(), &arguments);
        let error = error(&output);
        assert_eq!((output.status.code(), &error["kind"]), (Some(exit), &kind.into()), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("x.tradepost: ") && message.contains(expected), "{error}");
        assert!(output.stdout.is_empty());
    }
    let absent = error(&tradepost(directory.path(), &["verify", "absent.tradepost", "--json"]));
    assert_eq!(absent["exit_code"], 2, "{absent}");
}

#[test]
fn a_damaged_package_is_not_signed_and_what_is_no_component_is_not_packed() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
    SecretKey::generate().unwrap().write(&directory.path().join("acme.key")).unwrap();
    let damaged = &package("shop").to_bytes()[512..];
    write("x.tradepost", damaged);
    write("whole.tradepost", &package("shop").to_bytes());
    write("x.wasm", b"\0asm\x01\0\0\0");
    write("key.txt", b"hunter2hunter2");
    for (arguments, exit, expected) in [
        (&["sign", "x.tradepost", "--key", "acme.key"][..], 7, "statement.json"),
        (&["sign", "whole.tradepost", "--key", "absent.key"], 2, "tradepost keygen"),
        (&["sign", "whole.tradepost", "--key", "acme.key.pub"], 2, "acme.key.pub"),
        (&["sign", "whole.tradepost", "--key", "key.txt"], 2, "key.txt"),
        (&["pack", "x.wasm"], 7, "core WebAssembly module"),
        (&["pack", "whole.tradepost"], 2, "tradepost sign"),
        (&["pack", "absent.wasm"], 2, "absent.wasm"),
        (&["pack", "x.wasm", "--report", "absent.json"], 2, "absent.json"),
        (&["pack", "x.wasm", "--out", "key.txt"], 2, "--force"),
        (&["inspect", "x.tradepost"], 7, "statement.json"),
    ] {
        let output = tradepost(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", stderr(&output));
        let text = stderr(&output);
        assert!(text.contains(expected) && !text.contains("hunter2"), "{arguments:?}: {text}");
    }
    assert_eq!(std::fs::read(directory.path().join("x.tradepost")).unwrap(), damaged);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 6, "nothing was made");
}
