//! Writing: what is written arrives once, as it was meant, or the caller is told that nobody knows.

use std::collections::BTreeMap;

use serde_json::Value;
use tradepost_runtime::contract::http::Effect;
use tradepost_runtime::errors::ErrorKind;

use super::ending::{Ending, ending, excepted, in_operation, short, told, word};
use crate::description::{Answer, Operation, json};
use crate::kit::{Bench, Kit};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{Part, Trouble, remove, substitute};

pub(super) async fn write_works(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for operation in kit.writes_for("write-works")? {
        let (bench, id) = kit.ready(operation)?;
        let ended = bench.perform(operation, &id).await?;
        let Ok(outcome) = &ended else { return failed(format!("{}: {}", operation.name, told(&ended))) };
        let unknown = bench.state().seen.iter().find(|seen| seen.part == Part::Unknown).map(|seen| seen.line.clone());
        if let Some(line) = unknown {
            return failed(format!("{}: the description has no route for {line}", operation.name));
        }
        let effects = bench.state().effects.clone();
        if effects.len() != 1 {
            return failed(format!("{}: one effect expected, the source has {effects:?}", operation.name));
        }
        let id = written_id(&bench, operation, id);
        let sent = bench.state().seen.iter().find(|seen| seen.part == Part::Writing).map(|seen| seen.body.clone());
        for (held, expected, whose) in [
            (sent.unwrap_or_default(), &operation.sends, "the request"),
            (outcome.value.clone(), &operation.answers, "the result"),
        ] {
            holds(&held, expected, &id)
                .map_err(|seen| Finding::Failed(format!("{}: {whose} {seen}", operation.name)))?;
        }
        evidence.push(format!("{} ({})", operation.name, effects[0]));
    }
    Ok(evidence.join(", "))
}

/// The id of the record that was written; of one that was made, the newest.
fn written_id(bench: &Bench, operation: &Operation, id: String) -> String {
    let makes = bench.description.routes.iter().any(|route| route.create.is_some() && route.create == operation.record);
    match &operation.record {
        Some(kind) if makes && !operation.arguments.as_deref().unwrap_or_default().contains("$id") => {
            bench.state().records[kind].all().last().map_or(id, |record| record.id.clone())
        }
        _ => id,
    }
}

/// Whether a value holds what is expected, or what it says instead.
pub(super) fn holds(held: &Value, expected: &BTreeMap<String, String>, id: &str) -> Result<(), String> {
    for (pointer, text) in expected {
        let mut wanted = json(text).unwrap_or_default();
        substitute(&mut wanted, &|name| (name == "id").then(|| id.into()));
        let found = held.pointer(pointer).cloned().unwrap_or_default();
        if found != wanted {
            return Err(format!("should say {} at {pointer}, and says {}", short(&wanted), short(&found)));
        }
    }
    Ok(())
}

pub(super) async fn write_idempotent(kit: &Kit) -> Found {
    const CHECK: &str = "write-idempotent";
    let mut evidence = Vec::new();
    let writes = kit.writes_for(CHECK)?;
    for operation in &writes {
        let is_repeatable = kit.effect(operation) != Effect::Once;
        if !operation.repeat_is_seen && !is_repeatable {
            return failed(format!(
                "{}: it is `once`, and the description says neither `repeat-is-seen` nor why not (skip.\"{CHECK}\")",
                operation.name
            ));
        }
        let (bench, id) = kit.ready(operation)?;
        let mut states = Vec::new();
        for time in ["first", "second"] {
            let ended = bench.perform(operation, &id).await?;
            if ended.is_err() {
                return failed(format!("{}, {time} call: {}", operation.name, told(&ended)));
            }
            states.push(held(&bench));
        }
        let effects = bench.state().effects.len();
        if operation.repeat_is_seen && effects != 1 {
            return failed(format!("{}: two equal calls had {effects} effects, not one", operation.name));
        }
        if states[0] != states[1] {
            return failed(format!("{}: a second, equal call left the source in another state", operation.name));
        }
        let how = if effects == 1 { "one effect" } else { "sent again, same state" };
        evidence.push(format!("{} {how}", operation.name));
    }
    let all: Vec<&Operation> = kit.operations().into_iter().filter(|operation| operation.is_write()).collect();
    evidence.extend(excepted(&all, CHECK).into_iter().map(|reason| format!("left out: {reason}")));
    Ok(evidence.join("; "))
}

/// What a source holds, without what changes at every write.
fn held(bench: &Bench) -> Vec<Value> {
    let state = bench.state();
    let mut held = Vec::new();
    for records in state.records.values() {
        for record in records.all() {
            let mut value = record.value.clone();
            for pointer in records.kind.version.iter().chain(&records.kind.updated) {
                remove(&mut value, pointer);
            }
            held.push(value);
        }
    }
    held
}

pub(super) async fn timeout_after_send(kit: &Kit) -> Found {
    const CHECK: &str = "timeout-after-send";
    let mut evidence = Vec::new();
    for operation in kit.writes_for(CHECK)? {
        let is_once = kit.effect(operation) == Effect::Once;
        let mut said = Vec::new();
        for (name, trouble) in [("no answer", Trouble::Lost), ("broken answer", Trouble::Broken)] {
            let (bench, id) = kit.ready(operation)?;
            bench.trouble(move |seen| (seen.part == Part::Writing).then(|| trouble.clone()));
            let ended = bench.perform(operation, &id).await?;
            sent_once(&bench, operation, name)?;
            let fits = match word(&ended).as_str() {
                "ok" | "outcome-unknown" => true,
                "transient" | "unavailable" => !is_once,
                _ => false,
            };
            if !fits {
                let expected =
                    if is_once { "outcome-unknown or a result" } else { "a result, outcome-unknown or transient" };
                return failed(format!(
                    "{}, carried out with {name}: expected {expected}, seen {}",
                    operation.name,
                    told(&ended)
                ));
            }
            said.push(format!("{name} {}", word(&ended)));
        }
        // The write is answered well; what fails is what is read afterwards.
        let (bench, id) = kit.ready(operation)?;
        let mut is_written = false;
        bench.trouble(move |seen| {
            is_written |= seen.part == Part::Writing;
            (is_written && seen.part == Part::Reading).then(|| Trouble::Instead(Answer::json(500, "{}")))
        });
        let ended = bench.perform(operation, &id).await?;
        let asks_again = matches!(word(&ended).as_str(), "transient" | "unavailable" | "rate-limited" | "auth-expired");
        if asks_again && is_once && !operation.repeat_is_seen {
            return failed(format!(
                "{}: written, and reading back failed: a second try would write again, and the answer is {}",
                operation.name,
                told(&ended)
            ));
        }
        evidence.push(format!("{}: {}", operation.name, said.join(", ")));
    }
    Ok(evidence.join("; "))
}

/// Whether exactly one writing request went out.
fn sent_once(bench: &Bench, operation: &Operation, what: &str) -> Result<(), Finding> {
    match bench.count(Part::Writing) {
        1 => Ok(()),
        0 => failed(format!("{}, {what}: no writing request was seen", operation.name)),
        many => failed(format!(
            "{}, {what}: {many} writing requests in one call; the host decides on repeats",
            operation.name
        )),
    }
}

pub(super) async fn guest_never_retries(kit: &Kit) -> Found {
    let later = |status| {
        let headers = BTreeMap::from([("retry-after".to_owned(), "1".to_owned())]);
        Trouble::Instead(Answer { headers, ..Answer::json(status, "{}") })
    };
    let plain = |status| Trouble::Instead(Answer::json(status, "{}"));
    let troubles = [
        ("500", plain(500)),
        ("502", plain(502)),
        ("503 with Retry-After", later(503)),
        ("429 with Retry-After", later(429)),
        ("409", plain(409)),
        ("no answer", Trouble::Silent),
        ("a refused connection", Trouble::Refused),
    ];
    let mut calls = 0;
    for operation in kit.writes_for("guest-never-retries")? {
        for (name, trouble) in &troubles {
            let (bench, id) = kit.ready(operation)?;
            let trouble = trouble.clone();
            bench.trouble(move |seen| (seen.part == Part::Writing).then(|| trouble.clone()));
            let ended = bench.perform(operation, &id).await?;
            sent_once(&bench, operation, name)?;
            not_confirmed(operation, &ended, name)?;
            calls += 1;
        }
    }
    Ok(format!("{calls} failed writes, one writing request each"))
}

/// Nothing was carried out, so nothing may be called done. A batch of stock may say so for each article.
pub(super) fn not_confirmed(operation: &Operation, ended: &Ending, what: &str) -> Result<(), Finding> {
    let Ok(outcome) = ended else { return Ok(()) };
    let is_batch = operation.name == "stock-updates.set";
    let confirmed = outcome.value.as_array().into_iter().flatten().any(|result| result["outcome"] == "confirmed");
    if is_batch && !confirmed {
        return Ok(());
    }
    failed(format!("{}, {what}: nothing was carried out, and the result is {}", operation.name, short(&outcome.value)))
}

pub(super) async fn partial_batch_reported(kit: &Kit) -> Found {
    const CHECK: &str = "partial-batch-reported";
    let Some(operation) = kit.operations().into_iter().find(|operation| operation.name == "stock-updates.set") else {
        return skipped("the connector writes no stock, or the description does not say how");
    };
    if let Some(reason) = operation.skip.get(CHECK) {
        return skipped(format!("{}: {reason}", operation.name));
    }
    let (bench, first) = kit.ready(operation)?;
    let second = match &operation.record {
        Some(kind) => bench.seed(kind, 1).swap_remove(0),
        None => "kit-other".to_owned(),
    };
    let first = if first.is_empty() { "kit-known".to_owned() } else { first };
    let named = [first, "99000099".to_owned(), second];
    let results = set(&bench, operation, &named).await?;
    let mut said = Vec::new();
    for (article, result) in named.iter().zip(&results) {
        let outcome = result["outcome"].as_str().unwrap_or_default();
        if outcome == "confirmed" {
            shows_level(&bench, operation, article)?;
        }
        said.push(outcome.to_owned());
    }
    // A source that says yes and does nothing.
    let (idle, id) = kit.ready(operation)?;
    idle.trouble(|seen| (seen.part == Part::Writing).then_some(Trouble::Ignored));
    let id = if id.is_empty() { "kit-known".to_owned() } else { id };
    let ended = ending(idle.call_with(&operation.name, &changes(operation, &[id])).await)?;
    not_confirmed(operation, &ended, "accepted and ignored")?;
    Ok(format!("known, unknown, known: {}; accepted and ignored: not confirmed", said.join(", ")))
}

/// Sets the stock of articles and gives the results, one for each, in order.
async fn set(bench: &Bench, operation: &Operation, articles: &[String]) -> Result<Vec<Value>, Finding> {
    let ended = ending(bench.call_with(&operation.name, &changes(operation, articles)).await)?;
    let results = match &ended {
        Ok(outcome) => outcome.value.as_array().cloned().unwrap_or_default(),
        Err(_) => {
            return failed(format!(
                "{}: an unknown article among known ones ended the whole: {}",
                operation.name,
                told(&ended)
            ));
        }
    };
    if results.len() != articles.len() {
        return failed(format!("{}: {} changes, {} results", operation.name, articles.len(), results.len()));
    }
    for (article, result) in articles.iter().zip(&results) {
        if result["article"] != article.as_str() {
            return failed(format!("{}: the result for {article} names {}", operation.name, result["article"]));
        }
    }
    Ok(results)
}

/// The description's first change, once for each article.
fn changes(operation: &Operation, articles: &[String]) -> Value {
    let template = json(operation.arguments.as_deref().unwrap_or("{}")).unwrap_or_default();
    let changes = articles.iter().map(|article| {
        let mut change = template["changes"][0].clone();
        substitute(&mut change, &|name| (name == "id").then(|| article.as_str().into()));
        change
    });
    serde_json::json!({ "changes": changes.collect::<Vec<_>>() })
}

/// Whether the source shows the level that was set: what is called confirmed must be there.
fn shows_level(bench: &Bench, operation: &Operation, article: &str) -> Result<(), Finding> {
    let state = bench.state();
    let wanted = changes(operation, &[article.to_owned()])["changes"][0]["available"].clone();
    let shown = operation.record.as_ref().zip(operation.level.as_ref()).and_then(|(kind, pointer)| {
        let record = state.records[kind].get(article)?;
        record.value.pointer(pointer).map(crate::source::plain)
    });
    if shown.as_deref() == wanted.as_str() {
        return Ok(());
    }
    failed(format!("{}: {article} is called confirmed at {wanted}, and the source shows {shown:?}", operation.name))
}

pub(super) async fn invalid_input_before_sending(kit: &Kit) -> Found {
    let mut cases = 0;
    for operation in kit.operations() {
        for invalid in &operation.invalid {
            let (bench, id) = kit.ready(operation)?;
            let mut arguments = json(&invalid.arguments).unwrap_or_default();
            substitute(&mut arguments, &|name| (name == "id").then(|| id.as_str().into()));
            let ended = ending(bench.call_with(&operation.name, &arguments).await)
                .map_err(|finding| in_operation(finding, &operation.name))?;
            let mut wanted: Vec<&str> = invalid.pointers.iter().map(String::as_str).collect();
            wanted.sort_unstable();
            let mut named = match &ended {
                Err(error) => match &error.kind {
                    ErrorKind::InvalidInput(issues) => issues.iter().map(|issue| issue.pointer.as_str()).collect(),
                    _ => Vec::new(),
                },
                Ok(_) => Vec::new(),
            };
            named.sort_unstable();
            named.dedup();
            if named != wanted {
                return failed(format!(
                    "{} with {}: expected invalid-input at {wanted:?}, seen {} at {named:?}",
                    operation.name,
                    short(&arguments),
                    told(&ended)
                ));
            }
            if let Some(sent) = bench.state().seen.iter().find(|seen| seen.part != Part::Login) {
                return failed(format!(
                    "{} with {}: refused after {} was sent",
                    operation.name,
                    short(&arguments),
                    sent.line
                ));
            }
            cases += 1;
        }
    }
    if cases == 0 {
        return skipped("the description has no invalid arguments");
    }
    Ok(format!("{cases} calls refused with the right pointers, nothing sent"))
}
