//! Categories as documented, in both revisions, and as other shop systems may write them.

use serde_json::{Value, json};
use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

use super::shop::{assert_is_sample, ok, seed};

fn list(answer: Answer) -> Result<CategoryPage, Error> {
    Host::new().then(answer).run(|| <OmniSeller as Categories>::list(None))
}

/// The one category of an answer with this row.
fn read(row: Value) -> Category {
    list(ok(&Value::Array(vec![row]))).unwrap().items.remove(0)
}

#[test]
fn the_documented_categories_are_read_field_by_field() {
    let host = Host::new().then(Answer::json(200, seed!("categories")));
    let page = host.run(|| <OmniSeller as Categories>::list(None)).unwrap();
    assert_eq!((page.next, page.end), (None, true));
    assert_eq!(
        page.items,
        [Category {
            id: "1c59e65e30bcaa3a694b818d0b62adb0".into(),
            parent_id: None,
            name: "Möbel".into(),
            active: Some(true)
        }]
    );
    let [request] = &host.requests()[..] else { panic!("one request") };
    assert_is_sample(request, seed!("categories-request"));
    assert_eq!(request.effective_effect(), Effect::Read);
}

#[test]
fn active_is_read_in_every_notation() {
    for (written, expected) in [
        (json!(1), Some(true)),
        (json!(0), Some(false)),
        (json!(true), Some(true)),
        (json!(false), Some(false)),
        (json!("1"), Some(true)),
        (json!("0"), Some(false)),
        (json!(""), None),
        (json!(null), None),
    ] {
        assert_eq!(
            read(json!({"ID": "a", "ParentID": "b", "Aktiv": written, "Name": "n"})).active,
            expected,
            "{written}"
        );
    }
    assert_eq!(read(json!({"ID": "a"})).active, None);
    for written in [json!(2), json!("ja"), json!([])] {
        let error = list(ok(&json!([{"ID": "a", "Aktiv": 1}, {"ID": "b", "Aktiv": written}]))).unwrap_err();
        let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{error:?}") };
        assert_eq!(unexpected.pointer, "/data/1/Aktiv", "{written}");
    }
}

#[test]
fn the_root_has_no_parent_whatever_it_is_called() {
    for root in [json!("oxrootID"), json!(""), json!("0"), json!(0), json!(null)] {
        assert_eq!(read(json!({"ID": "a", "ParentID": root})).parent_id, None, "{root}");
    }
    assert_eq!(read(json!({"ID": "a"})).parent_id, None);
    assert_eq!(read(json!({"ID": "a", "ParentID": 17})).parent_id.as_deref(), Some("17"));
}

#[test]
fn ids_may_be_numbers_and_unknown_fields_are_passed_over() {
    let category = read(json!({"ID": 12, "ParentID": "3", "Name": "Tische", "Sort": [{"x": 1}], "Aktiv": true}));
    assert_eq!(
        (category.id.as_str(), category.parent_id.as_deref(), category.name.as_str()),
        ("12", Some("3"), "Tische")
    );
}

#[test]
fn a_shop_without_categories_is_empty_and_one_that_leaves_data_out_is_an_error() {
    for nothing in [json!([]), json!(""), json!(null), json!({})] {
        assert!(list(ok(&nothing)).unwrap().items.is_empty(), "{nothing}");
    }
    let gapped = list(ok(&json!({"0": {"ID": "a"}, "2": {"ID": "b"}}))).unwrap();
    assert_eq!(gapped.items.len(), 2);
    for (body, pointer) in [
        (r#"{"status":"OK","debugMessage":""}"#, "/data"),
        (r#"{"status":"OK","data":"none"}"#, "/data"),
        (r#"{"status":"OK","data":[{"Name":"n"}]}"#, "/data/0/ID"),
        (r#"{"status":"OK","data":[{"ID":{}}]}"#, "/data/0/ID"),
    ] {
        let ErrorKind::Protocol(unexpected) = list(Answer::json(200, body)).unwrap_err().kind else { panic!("{body}") };
        assert_eq!(unexpected.pointer, pointer, "{body}");
    }
}
