//! Records whose content the connector does not expect: status words, unknown fields, missing fields, fields of another type.

use serde_json::{Map, Value};
use tradepost_runtime::errors::{Error, ErrorKind};

use crate::kit::Kit;
use crate::reading::{Read, Reading, Single, cut, like};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{number, remove, render, set};

/// Words that no platform has; the number for those whose words are numbers.
const UNHEARD: (&str, &str) = ("kit-never-heard", "987654");
const AXES: [&str; 3] = ["order", "payment", "fulfilment"];

pub(super) async fn unknown_status_preserved(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for (reading, from, raw) in with_status(kit, "unknown-status-preserved")? {
        let single = kit.single(reading.kind)?;
        let is_number = single.record.pointer(from).is_some_and(Value::is_number);
        let word = if is_number { UNHEARD.1 } else { UNHEARD.0 };
        let read = reading.read_with(&single, from, like(&single.record, from, word)).await;
        let Read::Item(item) = &read else {
            return failed(format!("{}: {from} = {word}: {}", reading.name(), read.told()));
        };
        if item.pointer(raw).and_then(Value::as_str) != Some(word) {
            let shown = item.pointer(raw).cloned().unwrap_or_default();
            return failed(format!("{}: {from} = {word} is shown at {raw} as {shown}", reading.name()));
        }
        for pointer in meanings(raw) {
            let meaning = item.pointer(&pointer).cloned().unwrap_or_default();
            if meaning != "unknown" && meaning != "other" {
                return failed(format!("{}: {from} = {word} means {meaning} at {pointer}", reading.name()));
            }
        }
        evidence.push(format!("{} keeps {word}", reading.name()));
    }
    Ok(evidence.join("; "))
}

pub(super) async fn mapping_total(kit: &Kit) -> Found {
    let table = &kit.connector.manifest().statuses;
    let mut evidence = Vec::new();
    for (reading, from, raw) in with_status(kit, "mapping-total")? {
        let single = kit.single(reading.kind)?;
        for word in &reading.kind.words {
            let read = reading.read_with(&single, from, like(&single.record, from, word)).await;
            let Read::Item(item) = &read else {
                return failed(format!("{}: {from} = {word}: {}", reading.name(), read.told()));
            };
            let Some(pointer) = meanings(raw).into_iter().next() else { continue };
            let meaning = item.pointer(&pointer).cloned().unwrap_or_default();
            // The manifest's table is of orders; other records have states of their own.
            let entry = table.iter().find(|entry| entry.word == *word && raw.ends_with("/raw"));
            let stated =
                entry.and_then(|entry| serde_json::to_value(entry.order).ok()).filter(|order| !order.is_null());
            if let Some(stated) = stated.filter(|stated| *stated != meaning) {
                let name = reading.name();
                return failed(format!("{name}: {word} means {meaning} at {pointer}, and {stated} by the manifest"));
            }
            // Unless the manifest has the word and says that it tells nothing of the order.
            if entry.is_none() && meaning == "unknown" {
                return failed(format!("{}: the platform's word {word} is unknown at {pointer}", reading.name()));
            }
        }
        evidence.push(format!("{} {} words", reading.name(), reading.kind.words.len()));
    }
    Ok(evidence.join("; "))
}

/// Readings of records that have a status, with the pointers into the record and into the item.
fn with_status<'k>(kit: &'k Kit, check: &str) -> Result<Vec<(Reading<'k>, &'k str, &'k str)>, Finding> {
    let readings = kit.readings(check)?;
    let all: Vec<_> = (readings.into_iter())
        .filter_map(|reading| {
            Some((reading, reading.kind.status.as_deref()?, reading.operation.shows.status.as_deref()?))
        })
        .collect();
    if all.is_empty() { skipped("no operation of the description shows a status") } else { Ok(all) }
}

/// Where the meaning of a raw word stands: beside `/status/raw` its three axes, beside `/state_raw` the `/state`.
fn meanings(raw: &str) -> Vec<String> {
    match (raw.strip_suffix("/raw"), raw.strip_suffix("_raw")) {
        (Some(status), _) => AXES.iter().map(|axis| format!("{status}/{axis}")).collect(),
        (None, Some(state)) => vec![state.to_owned()],
        (None, None) => Vec::new(),
    }
}

pub(super) async fn raw_roundtrip(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for reading in kit.readings("raw-roundtrip")? {
        let Some(raw) = &reading.operation.shows.raw else { continue };
        let single = kit.single(reading.kind)?;
        let plain = render(&single.record);
        let inner = plain.trim().strip_prefix('{').unwrap_or_default();
        let odd = r#""kit_unknown" : {"1e2":1.50e+2, "big":123456789012345678901234567890, "\u00fc\/ü":[ null,true ]}"#;
        let text = format!("{{ {odd},\t{inner}");
        let read = reading.read_text(&single, text.clone()).await;
        let Read::Item(item) = &read else {
            return failed(format!("{}: a record with an unknown field: {}", reading.name(), read.told()));
        };
        let shown = item.pointer(raw).and_then(Value::as_str).unwrap_or_default();
        if shown != text {
            let place = shown.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
            let around = |text: &str| {
                cut(&text[text.floor_char_boundary(place.saturating_sub(10))..text.floor_char_boundary(place + 40)])
            };
            return failed(format!(
                "{}: raw differs from byte {place} on: {:?} was written, {:?} is shown ({} and {} bytes)",
                reading.name(),
                around(&text),
                around(shown),
                text.len(),
                shown.len()
            ));
        }
        evidence.push(format!("{} {} bytes", reading.name(), text.len()));
    }
    if evidence.is_empty() {
        return skipped("no operation of the description shows the source's own JSON");
    }
    Ok(evidence.join("; "))
}

/// What happens to a field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gap {
    Removed,
    Null,
    WrongType,
}

pub(super) async fn missing_and_null_fields(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for reading in kit.readings("missing-and-null-fields")? {
        let single = kit.single(reading.kind)?;
        reading.plain(&single).await?;
        let pointers = pointers(&single.record);
        let mut refused = 0;
        for pointer in &pointers {
            for gap in [Gap::Removed, Gap::Null, Gap::WrongType] {
                refused += usize::from(one_gap(&reading, &single, pointer, gap).await?);
            }
        }
        let tried = pointers.len() * 3;
        evidence.push(format!("{} {tried} records, {refused} of them refused as protocol errors", reading.name()));
    }
    Ok(evidence.join("; "))
}

/// Reads a record with a gap. Whether it was refused.
async fn one_gap(reading: &Reading<'_>, single: &Single, pointer: &str, gap: Gap) -> Result<bool, Finding> {
    let mut changed = single.record.clone();
    match gap {
        Gap::Removed => remove(&mut changed, pointer),
        Gap::Null => set(&mut changed, pointer, Value::Null),
        Gap::WrongType => {
            let wrong = match changed.pointer(pointer) {
                Some(Value::Object(_) | Value::Array(_)) => number("7"),
                _ => serde_json::json!({"kit_unexpected": [true]}),
            };
            set(&mut changed, pointer, wrong);
        }
    }
    let read = reading.read_text(single, render(&changed)).await;
    let is_optional = gap != Gap::WrongType && reading.kind.optional.iter().any(|optional| optional == pointer);
    let is_id = reading.kind.id.starts_with(pointer);
    match &read {
        Read::Item(_) => Ok(false),
        // Without its id a record may be none at all.
        Read::Absent | Read::Refused(Error { kind: ErrorKind::NotFound, .. }) if is_id => Ok(false),
        refused if refused.is_protocol_error() && !is_optional => Ok(true),
        Read::Absent => failed(format!("{}: {pointer} {gap:?}: the record is left out in silence", reading.name())),
        other => {
            let optional = if is_optional { " (an optional field)" } else { "" };
            failed(format!("{}: {pointer}{optional} {gap:?}: {}", reading.name(), other.told()))
        }
    }
}

/// Every place in a record: fields and what holds them.
fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
    let none = Map::new();
    let members = value.as_object().unwrap_or(&none).iter();
    let members = members.map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value));
    let items = value.as_array().into_iter().flatten().enumerate().map(|(index, value)| (index.to_string(), value));
    for (name, value) in members.chain(items) {
        let pointer = format!("{at}/{name}");
        found.push(pointer.clone());
        collect(value, &pointer, found);
    }
}

#[cfg(test)]
mod tests {
    use super::{meanings, pointers};
    use serde_json::json;

    #[test]
    fn pointers_name_fields_and_what_holds_them() {
        let record = json!({"a": {"b/c": 1}, "d": [1, {"e": null}]});
        assert_eq!(pointers(&record), ["/a", "/a/b~1c", "/d", "/d/0", "/d/1", "/d/1/e"]);
    }

    #[test]
    fn a_raw_word_has_its_meaning_beside_it() {
        assert_eq!(meanings("/status/raw"), ["/status/order", "/status/payment", "/status/fulfilment"]);
        assert_eq!(meanings("/state_raw"), ["/state"]);
        assert!(meanings("/code").is_empty());
    }
}
