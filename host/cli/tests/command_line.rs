//! What the command says and how it ends where no platform is needed: usage, the table of accounts, files that are no
//! connector.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tradepost_hostile::core_module::{CoreModule, altered_component};

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
