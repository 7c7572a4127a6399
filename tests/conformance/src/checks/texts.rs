//! Texts and ids: passed on as they are, whatever they hold.

use serde_json::{Value, json};

use crate::kit::{Kit, shown};
use crate::reading::{Read, Reading, Single, cut};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{number, render, set};

/// Stands in a record until a half of a surrogate pair takes its place, which no JSON value can hold.
const HALF_PLACE: &str = "kit-half-of-a-pair";

/// Texts that are shown as they are.
fn texts() -> Vec<(&'static str, String)> {
    vec![
        ("emoji", "Gift \u{1f381} for \u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}".into()),
        ("right-to-left", "\u{202b}\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}\u{202c}".into()),
        ("quotes and backslashes", "5\" \\ 'pipe' \\\" C:\\new\\table /slash".into()),
        ("10 kB", "Grüße aus Köln. ".repeat(600) + "Bis bald!"),
    ]
}

pub(super) async fn text_safe(kit: &Kit) -> Found {
    let (mut evidence, mut without) = (Vec::new(), Vec::new());
    for reading in kit.readings("text-safe")? {
        let shows = &reading.operation.shows;
        let single = kit.single(reading.kind)?;
        odd_json(&reading, &single).await?;
        for (from, to) in &shows.texts {
            let entities = [("HTML entities", "Fish &amp; Chips &lt;b&gt; &#8364; &nbsp;".to_owned())];
            for (what, text) in texts().into_iter().chain(entities) {
                let read = reading.read_with(&single, from, text.as_str().into()).await;
                same_text(&reading, (from, to), what, &text, &read)?;
            }
            holds_a_nul(&reading, &single, (from, to)).await?;
        }
        for (from, to) in &shows.html {
            for (what, text) in texts() {
                let read = reading.read_with(&single, from, text.trim().into()).await;
                same_text(&reading, (from, to), what, text.trim(), &read)?;
            }
            let html = "Fish &amp; Chips <b>XL</b> &lt;3 &quot;hot&quot; &#8364;&#x20AC; &ndash; size";
            let read = reading.read_with(&single, from, html.into()).await;
            same_text(&reading, (from, to), "HTML", "Fish & Chips XL <3 \"hot\" €€ – size", &read)?;
            holds_a_nul(&reading, &single, (from, to)).await?;
        }
        match shows.texts.len() + shows.html.len() {
            0 => without.push(reading.name()),
            fields => evidence.push(format!("{} {fields} fields", reading.name())),
        }
    }
    if evidence.is_empty() {
        return skipped(format!("no texts are described ({})", without.join(", ")));
    }
    Ok(evidence.join("; "))
}

fn same_text(
    reading: &Reading<'_>,
    (from, to): (&str, &str),
    what: &str,
    text: &str,
    read: &Read,
) -> Result<(), Finding> {
    let Read::Item(item) = read else {
        return failed(format!("{}: {from} with {what}: {}", reading.name(), read.told()));
    };
    match item.pointer(to).and_then(Value::as_str) {
        Some(shown) if shown == text => Ok(()),
        shown => {
            let shown = shown.map_or_else(|| "nothing".to_owned(), |shown| format!("{:?}", cut(shown)));
            let text = cut(text);
            failed(format!("{}: {from} with {what}: {text:?} is shown at {to} as {shown}", reading.name()))
        }
    }
}

/// NUL may go, and must take nothing else with it.
async fn holds_a_nul(reading: &Reading<'_>, single: &Single, (from, to): (&str, &str)) -> Result<(), Finding> {
    let read = reading.read_with(single, from, "before\0behind".into()).await;
    let shown = match &read {
        Read::Item(item) => item.pointer(to).and_then(Value::as_str).unwrap_or_default(),
        refused if refused.is_protocol_error() => return Ok(()),
        other => return failed(format!("{}: {from} with NUL: {}", reading.name(), other.told())),
    };
    if ["before\0behind", "beforebehind", "before behind", "before\u{fffd}behind"].contains(&shown) {
        return Ok(());
    }
    failed(format!("{}: {from} with NUL between `before` and `behind` is shown at {to} as {shown:?}", reading.name()))
}

/// JSON that is allowed and odd, and JSON that is just not allowed: the record or an error of the contract.
async fn odd_json(reading: &Reading<'_>, single: &Single) -> Result<(), Finding> {
    let text = render(&single.record);
    let open = text.trim_end().strip_suffix('}').unwrap_or(&text);
    let mut halved = single.record.clone();
    let place = reading.operation.shows.texts.keys().chain(reading.operation.shows.html.keys()).next();
    set(&mut halved, place.map_or("/kit_half", String::as_str), HALF_PLACE.into());
    let halved = render(&halved).replace(HALF_PLACE, "half \\ud83d of a pair");
    let mut cases = vec![
        ("a duplicate of an unknown key", format!("{open},\"kit_twice\":1,\"kit_twice\":2}}")),
        ("half of a surrogate pair", halved),
        ("a key with escapes", format!("{open},\"kit\\u005f\\u0000\\ud83c\\udf81\":[[[[[[]]]]]]}}")),
    ];
    if let Some((name, value)) = single.record.as_object().and_then(|object| object.iter().next_back()) {
        cases.push(("a duplicate key", format!("{open},{}:{}}}", json!(name), render(value))));
    }
    for (what, text) in cases {
        match reading.read_text(single, text).await {
            Read::Item(_) => {}
            refused if refused.is_protocol_error() => {}
            other => return failed(format!("{}: a record with {what}: {}", reading.name(), other.told())),
        }
    }
    Ok(())
}

pub(super) async fn ids_are_opaque(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for reading in kit.readings("ids-are-opaque")? {
        let kind = reading.kind;
        if reading.operation.shows.id.is_none() {
            evidence.push(format!("{} shows no id", reading.name()));
            continue;
        }
        let is_number = kind.sample().pointer(&kind.id).is_some_and(Value::is_number);
        let numbers = ["9007199254740993", "9223372036854775807", "7"];
        let texts = ["9007199254740993", "18446744073709551617", "007", "0000123456", "A-1 \u{fc}?&#%2F+:"];
        let ids = if is_number || kind.numeric_ids { &numbers[..] } else { &texts[..] };
        for id in ids {
            let bench = kit.bench()?;
            bench.state().records_mut(&kind.name).insert_as(id);
            same_id(&reading, id, &reading.read(&bench, id).await)?;
        }
        let single = kit.single(kind)?;
        let other_type = if is_number { single.id.as_str().into() } else { number(&single.id) };
        match reading.read_with(&single, &kind.id, other_type).await {
            refused if refused.is_protocol_error() => {}
            read => same_id(&reading, &single.id, &read)?,
        }
        evidence.push(format!("{} {} ids", reading.name(), ids.len() + 1));
    }
    Ok(evidence.join("; "))
}

fn same_id(reading: &Reading<'_>, id: &str, read: &Read) -> Result<(), Finding> {
    let Read::Item(item) = read else {
        return failed(format!("{}: the record with the id {id}: {}", reading.name(), read.told()));
    };
    match shown(item, reading.operation.shows.id.as_ref()) {
        Some(found) if found == id => Ok(()),
        found => failed(format!("{}: the id {id} is shown as {}", reading.name(), found.unwrap_or_default())),
    }
}
