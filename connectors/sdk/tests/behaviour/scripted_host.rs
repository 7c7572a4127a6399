//! The scripted host stands in for the real one: settings, secrets, storage, log.

use tradepost_sdk::prelude::*;
use tradepost_sdk::secrets::HmacAlgorithm;
use tradepost_sdk::testing::{Host, Level};

json::record! {
    struct ShopSettings {
        "root-url" => root_url: String,
        "page-size" => page_size: Option<u32>,
    }
}

#[test]
fn settings_are_read_whole_or_one_by_one() {
    let host = Host::new().settings(r#"{"root-url":"https:\/\/x.example","page-size":20,"live":true,"none":null}"#);
    host.run(|| {
        let settings: ShopSettings = settings::get().unwrap();
        assert_eq!((settings.root_url.as_str(), settings.page_size), ("https://x.example", Some(20)));
        let field = |name| settings::field(name).unwrap();
        assert_eq!(field("root-url").as_deref(), Some("https://x.example"));
        assert_eq!((field("page-size").as_deref(), field("live").as_deref()), (Some("20"), Some("true")));
        assert_eq!((field("none"), field("absent")), (None, None));
        let error = settings::required("absent").unwrap_err();
        assert!(matches!(error.kind, ErrorKind::InvalidInput(issues) if issues[0].pointer == "/absent"));
    });
}

#[test]
fn secrets_answer_questions_and_explain_refusals() {
    let host = Host::new().secret("key", "s3cret").hmac(|_, key, data| [key, data].concat());
    host.run(|| {
        assert_eq!(secrets::matches("key", b"s3cret"), Ok(true));
        assert_eq!(secrets::matches("key", b"other"), Ok(false));
        assert_eq!(secrets::hmac("key", HmacAlgorithm::Sha256, b"!").unwrap(), b"s3cret!");
        assert_eq!(secrets::matches("absent", b"x").unwrap_err().kind, ErrorKind::AuthRejected);
    });
}

#[test]
fn storage_keeps_what_it_is_given_and_refuses_what_the_contract_refuses() {
    let host = Host::new().stored("a/1", "one");
    host.run(|| {
        storage::set("a/2", b"two", Some(60)).unwrap();
        assert_eq!(storage::get("a/1").unwrap().unwrap(), b"one");
        assert_eq!(storage::list("a/", Some("a/1")).unwrap(), ["a/2"]);
        assert_eq!(storage::compare_and_set("a/2", Some(b"other"), None), Ok(false));
        assert_eq!(storage::compare_and_set("a/2", Some(b"two"), None), Ok(true));
        storage::delete("a/1").unwrap();
        assert_eq!(storage::get("a/1"), Ok(None));
        assert!(storage::set("", b"", None).unwrap_err().detail.contains("512 bytes"));
        assert!(storage::set("k", &vec![0; 256 * 1024 + 1], None).unwrap_err().detail.contains("256 KiB"));
    });
    assert_eq!(host.stored_value("a/2"), None);
}

#[test]
fn what_is_logged_can_be_looked_at() {
    let host = Host::new();
    host.run(|| log::warn("odd status", &[("word", "X")]));
    let [line] = &host.log()[..] else { panic!("one line") };
    assert_eq!((line.level, line.message.as_str()), (Level::Warn, "odd status"));
    assert_eq!(line.fields, [("word".to_owned(), "X".to_owned())]);
}

#[test]
fn hosts_nest_and_the_outer_one_comes_back() {
    let (outer, inner) = (Host::new().settings(r#"{"who":"outer"}"#), Host::new().settings(r#"{"who":"inner"}"#));
    outer.run(|| {
        assert_eq!(inner.run(|| settings::field("who")).unwrap().as_deref(), Some("inner"));
        assert_eq!(settings::field("who").unwrap().as_deref(), Some("outer"));
    });
}
