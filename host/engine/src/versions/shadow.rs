//! Comparing a page with the one that another version made of the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::note::ShadowDifference;
use crate::stream::{Item, StreamKey};

/// Differences of one page that are told.
const MOST_TOLD: usize = 50;
/// Bytes of a value that are shown.
const SHOWN: usize = 80;

/// What differs between a page and the same page as read along.
pub(crate) fn differences(key: &StreamKey, used: &[Item], along: &[Item]) -> Vec<ShadowDifference> {
    let mut along: BTreeMap<&str, &str> = along.iter().map(|item| (item.id.as_str(), item.record.as_str())).collect();
    let mut found = Vec::new();
    for item in used {
        match along.remove(item.id.as_str()) {
            None => found.push((item.id.as_str(), "it does not bring this record".to_owned())),
            Some(record) if record != item.record => found.push((&item.id, difference(&item.record, record))),
            Some(_) => {}
        }
    }
    found.extend(along.keys().map(|id| (*id, "it brings this record as well".to_owned())));
    found.truncate(MOST_TOLD);
    let tell = |(id, what): (&str, String)| ShadowDifference {
        account: key.account.clone(),
        kind: key.kind.clone(),
        id: id.to_owned(),
        what,
    };
    found.into_iter().map(tell).collect()
}

/// The first place where two records differ.
fn difference(used: &str, along: &str) -> String {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut place = String::new();
    match first(&parse(used), &parse(along), &mut place) {
        Some((used, along)) => format!("{place}: {used} in use, {along} along"),
        None => "written differently".to_owned(),
    }
}

fn first(used: &Value, along: &Value, place: &mut String) -> Option<(String, String)> {
    let step = |name: String, used: Option<&Value>, along: Option<&Value>, place: &mut String| {
        let length = place.len();
        place.push('/');
        place.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let found = match (used, along) {
            (Some(used), Some(along)) => first(used, along, place),
            (used, along) => Some((shown(used), shown(along))),
        };
        if found.is_none() {
            place.truncate(length);
        }
        found
    };
    match (used, along) {
        (Value::Object(one), Value::Object(other)) => {
            let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
            names.into_iter().find_map(|name| step(name.clone(), one.get(name), other.get(name), place))
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .find_map(|index| step(index.to_string(), one.get(index), other.get(index), place)),
        _ => (used != along).then(|| (shown(Some(used)), shown(Some(along)))),
    }
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    if text.len() <= SHOWN { text } else { format!("{}...", &text[..text.floor_char_boundary(SHOWN)]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, record: &str) -> Item {
        Item { id: id.into(), record: record.into() }
    }

    #[test]
    fn each_difference_is_told_with_its_place() {
        let key = StreamKey::new("acme", "orders");
        let used = [
            item("1", r#"{"id":"1","lines":[{"sku":"A"},{"sku":"B"}]}"#),
            item("2", r#"{"id":"2","note":null}"#),
            item("3", r#"{"id":"3"}"#),
        ];
        let along = [
            item("1", r#"{"id":"1","lines":[{"sku":"A"},{"sku":"C"}]}"#),
            item("2", r#"{"id":"2"}"#),
            item("4", r#"{"id":"4"}"#),
        ];
        let told: Vec<String> =
            differences(&key, &used, &along).iter().map(|found| format!("{} {}", found.id, found.what)).collect();
        assert_eq!(
            told,
            [
                "1 /lines/1/sku: \"B\" in use, \"C\" along",
                "2 /note: null in use, nothing along",
                "3 it does not bring this record",
                "4 it brings this record as well",
            ]
        );
        assert!(differences(&key, &used, &used).is_empty());
    }
}
