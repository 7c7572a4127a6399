//! The component as such: what it imports and exports, whom it speaks to, and what a page of records costs.

#![allow(clippy::unused_async, reason = "a check is a future, also where it needs to wait for nothing")]

use std::time::Duration;

use serde_json::Value;
use tradepost_runtime::contract::http::Effect;
use tradepost_runtime::{CONTRACT_PACKAGE, CallError, Capability, MAX_COMPONENT_BYTES, Usage};

use crate::description::{Answer, Operation};
use crate::kit::{Bench, Kit};
use crate::operation::OperationError;
use crate::reading::{Read, Reading, cut};
use crate::report::{Finding, Found, failed};
use crate::source::{Part, Trouble, render, set};

/// A host that no account has.
const FOREIGN: &str = "https://foreign.test";
/// Records of the page that is measured.
const PAGE: usize = 100;

pub(super) async fn imports_only_declared(kit: &Kit) -> Found {
    let of_contract = format!("{CONTRACT_PACKAGE}/");
    let (mut contract, mut wasi) = (Vec::new(), 0);
    for import in &kit.connector.inspection().imports {
        if let Some(name) = import.strip_prefix(&of_contract) {
            contract.push(name.split('@').next().unwrap_or(name));
        } else if import.starts_with("wasi:") && !import.starts_with("wasi:http") {
            wasi += 1;
        } else {
            return failed(format!("it imports {import}, which is not of the contract"));
        }
    }
    Ok(format!("{} of the contract ({}), {wasi} of WASI with nothing behind them", contract.len(), contract.join(", ")))
}

pub(super) async fn exports_match_manifest(kit: &Kit) -> Found {
    let manifest = kit.connector.manifest();
    let exported: Vec<&str> = kit.connector.capabilities().map(Capability::name).collect();
    let operations = kit.connector.operations();
    let mut writes = 0;
    for operation in &operations {
        let name = format!("{}.{}", operation.interface, operation.function);
        match operation.effect {
            None => return failed(format!("{name} writes, and the manifest names no effect for it")),
            Some(Effect::Read) => {}
            Some(_) => writes += 1,
        }
        let is_list = operation.function == "list" && STREAMS.contains(&operation.interface);
        if is_list && !manifest.streams.iter().any(|stream| stream.interface == operation.interface) {
            return failed(format!("{name} is exported, and the manifest does not describe the stream"));
        }
    }
    for stream in &manifest.streams {
        if !exported.contains(&stream.interface.as_str()) {
            return failed(format!("the manifest describes the stream {}, which is not exported", stream.interface));
        }
    }
    for effect in &manifest.effects {
        let is_there = operations
            .iter()
            .any(|operation| effect.operation == format!("{}.{}", operation.interface, operation.function));
        if !is_there {
            return failed(format!("the manifest names an effect of {}, which is not exported", effect.operation));
        }
    }
    if let Some(operation) = kit
        .description
        .operations
        .iter()
        .find(|operation| operation.interface() != "connector" && !exported.contains(&operation.interface()))
    {
        return failed(format!("the description calls {}, which is not exported", operation.name));
    }
    let described: Vec<&str> = kit.description.operations.iter().map(Operation::interface).collect();
    let silent: Vec<&str> =
        exported.iter().copied().filter(|name| !described.contains(name) && *name != "webhooks").collect();
    let silent = if silent.is_empty() { "all".to_owned() } else { format!("all but {}", silent.join(", ")) };
    Ok(format!(
        "{} interfaces, {} streams, {writes} writing operations with their effect; {silent} called by the description",
        exported.len(),
        manifest.streams.len()
    ))
}

/// Interfaces whose lists are streams.
const STREAMS: [&str; 6] = ["orders", "products", "categories", "stock", "notifications", "sellers"];

pub(super) async fn egress_declared(kit: &Kit) -> Found {
    kit.take_strays();
    let mut planted = 0;
    let mut called = 0;
    for reading in kit.readings("egress-declared")? {
        let single = kit.single(reading.kind)?;
        let mut record = single.record.clone();
        let urls = plant(&mut record, "");
        planted += urls;
        set(&mut record, "/kit_next", format!("{FOREIGN}/next?page=2").into());
        allowed(&reading, "foreign addresses in the record", &reading.read_text(&single, render(&record)).await)?;
        // A redirect is an answer; whoever follows it asks the other host.
        single.bench.trouble(|seen| {
            let headers = [("location".to_owned(), format!("{FOREIGN}/elsewhere"))].into();
            (seen.part != Part::Login).then(|| Trouble::Instead(Answer { status: 302, headers, body: String::new() }))
        });
        allowed(&reading, "a redirect to another host", &reading.read(&single.bench, &single.id).await)?;
        single.bench.quiet();
        called += 2;
    }
    let strays = kit.take_strays();
    if let Some(stray) = strays.first() {
        return failed(format!("{} requests reached other hosts, the first {stray}", strays.len()));
    }
    Ok(format!(
        "{called} calls with {planted} foreign addresses in records and redirects to elsewhere asked no other host"
    ))
}

/// Whether a read ended in a way that a connector that minds its host may end in.
fn allowed(reading: &Reading<'_>, what: &str, read: &Read) -> Result<(), Finding> {
    match read {
        Read::Broken(problem) => failed(format!("{}, {what}: {problem}", reading.name())),
        _ => Ok(()),
    }
}

/// Puts foreign addresses into the place of a record's own. How many.
fn plant(value: &mut Value, at: &str) -> usize {
    match value {
        Value::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
            *text = format!("{FOREIGN}{at}");
            1
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().map(|(index, item)| plant(item, &format!("{at}/{index}"))).sum()
        }
        Value::Object(fields) => fields.iter_mut().map(|(name, field)| plant(field, &format!("{at}/{name}"))).sum(),
        _ => 0,
    }
}

pub(super) async fn fuel_budget(kit: &Kit) -> Found {
    let limits = kit.runtime.limits();
    let mut evidence = Vec::new();
    for (name, items, usage) in measured(kit).await? {
        // Requests are counted and not judged here: what a platform has no list of costs one each, and the limit itself ends the call.
        if usage.cpu * 2 > limits.cpu || usage.host_calls * 2 > limits.host_calls {
            return failed(format!(
                "{name} with {items} records: {}, which is more than half of a limit ({:?}, {} host calls)",
                told(&usage),
                limits.cpu,
                limits.host_calls
            ));
        }
        evidence.push(format!("{name} {items} records: {}", told(&usage)));
    }
    Ok(evidence.join("; "))
}

fn told(usage: &Usage) -> String {
    let Usage { cpu, host_calls, http_requests, .. } = usage;
    let cpu = if *cpu < Duration::from_millis(1) { "under 1 ms".to_owned() } else { format!("{} ms", cpu.as_millis()) };
    format!("{cpu} of cpu, {host_calls} host calls, {http_requests} requests")
}

pub(super) async fn memory_budget(kit: &Kit) -> Found {
    let limit = kit.runtime.limits().memory_bytes;
    let mut evidence = Vec::new();
    for (name, items, usage) in measured(kit).await? {
        let peak = usage.peak_memory;
        if peak * 2 > limit {
            return failed(format!("{name} with {items} records takes {peak} bytes, more than half of {limit}"));
        }
        evidence.push(format!("{name} {items} records: {} KiB", peak / 1024));
    }
    Ok(evidence.join("; "))
}

/// A page of a hundred records of each list, or the largest page it has: its items and what it used.
async fn measured(kit: &Kit) -> Result<Vec<(&str, usize, Usage)>, Finding> {
    let mut found = Vec::new();
    for (list, kind) in kit.lists() {
        let bench = kit.bench()?;
        bench.seed(&kind.name, PAGE);
        let outcome = bench.page(list, None).await?;
        found.push((list.name.as_str(), outcome.value["items"].as_array().map_or(0, Vec::len), outcome.usage));
    }
    if found.is_empty() {
        let bench = kit.bench()?;
        let outcome = bench.call_with("connector.check", &Value::Null).await?;
        found.push(("connector.check", 0, outcome.usage));
    }
    Ok(found)
}

pub(super) async fn size_and_digest(kit: &Kit) -> Found {
    let inspection = kit.connector.inspection();
    if kit.bytes > MAX_COMPONENT_BYTES {
        return failed(format!("{} bytes, and the limit is {MAX_COMPONENT_BYTES}", kit.bytes));
    }
    if inspection.bytes != kit.bytes || kit.connector.digest() != kit.digest {
        let loaded = format!("{} bytes, {}", kit.bytes, kit.digest);
        return failed(format!("{loaded} were loaded; {} bytes, {} are told", inspection.bytes, inspection.digest));
    }
    Ok(format!("{} KiB of at most {} MiB, {}", kit.bytes / 1024, MAX_COMPONENT_BYTES >> 20, kit.digest))
}

/// A source that never answers and one that answers too much, each ended from outside; and what comes after.
pub(super) async fn trap_contained(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for reading in kit.readings("trap-contained")? {
        let single = kit.single(reading.kind)?;
        let neighbour = kit.single(reading.kind)?;
        let whole = reading.plain(&single).await?;
        let others = reading.plain(&neighbour).await?;
        let stored = stored(&single.bench).await?;
        let mut ended = Vec::new();
        for end in [End::Silence, End::Dropped, End::Flood] {
            single.bench.trouble(move |seen| (seen.part != Part::Login).then(|| end.trouble()));
            let patience = if end == End::Dropped { Duration::from_secs(1) } else { Duration::from_secs(3600) };
            let call = tokio::time::timeout(patience, reading.read(&single.bench, &single.id));
            let (call, beside) = futures_util::future::join(call, reading.read(&neighbour.bench, &neighbour.id)).await;
            if !matches!(&beside, Read::Item(item) if *item == others) {
                let told = beside.told();
                return failed(format!("{}: another account beside a call with {end:?}: {told}", reading.name()));
            }
            ended.push(match call {
                Err(_) => "dropped".to_owned(),
                Ok(Read::Item(item)) => {
                    return failed(format!("{}: {end:?} brought {}", reading.name(), cut(&item.to_string())));
                }
                Ok(read) => cut(&read.told()),
            });
            single.bench.quiet();
            let again = reading.read(&single.bench, &single.id).await;
            if !matches!(&again, Read::Item(item) if *item == whole) {
                let name = reading.name();
                return failed(format!("{name}: the call after one with {end:?} brought otherwise: {}", again.told()));
            }
            if self::stored(&single.bench).await? != stored {
                return failed(format!("{}: a call that ended with {end:?} stored something", reading.name()));
            }
        }
        evidence.push(format!("{} ended {} times, the same afterwards", reading.name(), ended.len()));
    }
    Ok(evidence.join("; "))
}

/// How a call is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// No answer ever comes, and the host's limits end the call.
    Silence,
    /// No answer comes, and the embedder drops the call.
    Dropped,
    /// The answer is larger than any call may receive.
    Flood,
}

impl End {
    fn trouble(self) -> Trouble {
        match self {
            Self::Silence | Self::Dropped => Trouble::Silent,
            Self::Flood => Trouble::Instead(Answer::json(200, format!("[{}]", "\"flood\",".repeat(2_500_000)))),
        }
    }
}

/// What the connector has stored for an account: keys and values.
pub(super) async fn stored(bench: &Bench) -> Result<Vec<(String, Vec<u8>)>, Finding> {
    let problem = |error| Finding::Failed(format!("the storage fails: {error}"));
    let (storage, id) = (bench.account.storage(), bench.account.id());
    let mut values = Vec::new();
    for key in storage.list(id, "", None, 10_000).await.map_err(problem)? {
        let value = storage.get(id, &key).await.map_err(problem)?.unwrap_or_default();
        values.push((key, value));
    }
    Ok(values)
}

pub(super) async fn no_state_between_calls(kit: &Kit) -> Found {
    let readings = kit.readings("no-state-between-calls")?;
    let mut calls = 0;
    for reading in &readings {
        let benches = [kit.bench()?, kit.bench()?];
        let mut ids = Vec::new();
        for (number, bench) in benches.iter().enumerate() {
            let seeded = bench.seed(&reading.kind.name, 3 + number * 2);
            // The same ids with other content: whatever is mixed up shows.
            for _ in 0..=number * 7 {
                bench.state().records_mut(&reading.kind.name).touch(&seeded[0], |_| {});
            }
            ids.push(seeded[0].clone());
        }
        let ask = async |number: usize| told_all(reading, &benches[number], &ids[number]).await;
        let alone = [ask(0).await?, ask(1).await?];
        for number in [0, 1, 1, 0, 1, 0, 0, 1] {
            calls += 1;
            if ask(number).await? != alone[number] {
                return failed(format!("{}: account {number} is told otherwise in turn with another", reading.name()));
            }
        }
        let together = futures_util::future::join_all([0, 1, 0, 1, 1, 0].map(ask)).await;
        for (told, number) in together.into_iter().zip([0, 1, 0, 1, 1, 0]) {
            calls += 1;
            if told? != alone[number] {
                return failed(format!("{}: account {number} is told otherwise beside another", reading.name()));
            }
        }
    }
    Ok(format!("{} operations, {calls} calls of two accounts in turn and at once, all as alone", readings.len()))
}

/// All of what an operation answers, as text.
async fn told_all(reading: &Reading<'_>, bench: &Bench, id: &str) -> Result<String, OperationError> {
    let outcome = if reading.operation.is_list() {
        bench.page(reading.operation, None).await
    } else {
        bench.call(reading.operation, id).await
    };
    match outcome {
        Ok(outcome) => Ok(format!("{} {:?}", outcome.value, outcome.log)),
        Err(OperationError::Call(CallError::Connector(error))) => Ok(format!("{error:?}")),
        Err(error) => Err(error),
    }
}
