//! PHP's ways of writing nothing, lists and maps.

use tradepost_sdk::json::{self, Amount, Loose, PhpList, PhpMap, Text, find_json};

/// The body of a real answer of a shop that shows PHP's notices.
const NOTICES: &str = include_str!("../fixtures/php-notices-before-products.html");

#[test]
fn nothing_is_written_in_many_ways() {
    for text in ["null", "false", r#""""#, "[]", "[ ]", "{}"] {
        assert_eq!(json::decode::<Loose<Amount>>(text).unwrap().into_option(), None, "{text}");
    }
    assert_eq!(json::decode::<Loose<Amount>>(r#""5.00""#).unwrap().into_option().unwrap().coefficient, 500);
    assert!(json::decode::<Loose<Amount>>("true").is_err());
    for text in ["null", "false", r#""""#] {
        assert_eq!(&*json::decode::<Text<'_>>(text).unwrap(), "", "{text}");
    }
    assert_eq!(&*json::decode::<Text<'_>>("12").unwrap(), "12");
    assert!(json::decode::<Text<'_>>("true").is_err());
}

#[test]
fn an_empty_map_may_be_a_list_and_a_list_may_have_gaps() {
    let map = |text| {
        json::decode::<PhpMap<'_, Text<'_>>>(text)
            .map(|map| map.0.into_iter().map(|(key, value)| format!("{key}={}", &*value)).collect::<Vec<_>>())
    };
    for text in ["[]", "{}", "null", "false", r#""""#] {
        assert_eq!(map(text).unwrap(), [""; 0], "{text}");
    }
    assert_eq!(map(r#"{"b":"1","a\/c":2}"#).unwrap(), ["b=1", "a/c=2"]);
    assert_eq!(map(r#"["x","y"]"#).unwrap(), ["0=x", "1=y"]);
    assert!(map(r#""text""#).is_err());

    let list = |text| json::decode::<PhpList<u32>>(text).map(|list| list.0);
    for text in ["[]", "{}", "null", "false", r#""""#] {
        assert_eq!(list(text).unwrap(), [0; 0], "{text}");
    }
    assert_eq!(list("[1,2]").unwrap(), [1, 2]);
    assert_eq!(list(r#"{"1":5,"7":6}"#).unwrap(), [5, 6]);
    let error = list(r#"{"one":1}"#).unwrap_err();
    assert!(error.detail.contains("/one"), "{}", error.detail);
}

#[test]
fn of_a_map_key_that_occurs_twice_the_last_one_counts() {
    let map: PhpMap<'_, u32> = json::decode(r#"{"a":1,"a":2}"#).unwrap();
    assert_eq!((map.get("a"), map.get("b")), (Some(&2), None));
}

#[test]
fn json_is_found_behind_notices() {
    let at = find_json(NOTICES).unwrap();
    assert!(at > 0 && NOTICES[at..].starts_with("[{\"id\":"), "{at}");
    assert!(serde_json::from_str::<serde_json::Value>(&NOTICES[at..]).is_ok());
    assert_eq!(find_json("Notice: Undefined [index] in {closure}\n{\"a\":1}"), Some(39));
    assert_eq!(find_json("{\"a\":1}"), Some(0));
    for text in ["", "<html>down</html>", "[1,2", "Array [x] {y}"] {
        assert_eq!(find_json(text), None, "{text}");
    }
}
