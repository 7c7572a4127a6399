//! The judgement of a run: what the platforms hold and what their ledgers say they accepted, against what the store tells.
//!
//! It counts as the project's crash matrix does. *Lost*: an order that no event told of in its newest version, a command that counts as
//! done and that the platform does not have. *Duplicated*: an order told of as new twice, an effect that a ledger has twice and that
//! may not be repeated. *Phantom*: what nobody asked for. *Silent*: a command of which nobody can see how it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use tradepost_engine::command::{Command, CommandOutcome, CommandState};
use tradepost_engine::event::{Change, Event, EventFilter};
use tradepost_engine::store::Store;
use tradepost_platforms::{HardToFind, Hft71, Platform};
use tradepost_runtime::egress::Effect;

use crate::traffic::{PRODUCER, SELLER, commands, is_held_back, word};

/// Attempts after which the engine leaves a command to a person.
const MOST_ATTEMPTS: u32 = 10;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Records that no event told of in their newest version, and effects of commands that count as done and did not happen.
    pub lost: usize,
    /// Records that were told of as new more than once, and effects that the ledgers have more than once.
    pub duplicated: usize,
    /// Effects and records that nobody asked for.
    pub phantom: usize,
    /// Commands that are neither done, nor parked with evidence.
    pub silent: usize,
    /// Commands that wait for a person, each with evidence.
    pub parked: usize,
    /// Commands in all.
    pub commands: usize,
    /// Events in all.
    pub events: usize,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether there is nothing to find fault with.
    pub fn is_good(&self) -> bool {
        (self.lost, self.duplicated, self.phantom, self.silent) == (0, 0, 0, 0) && self.findings.is_empty()
    }

    pub(crate) fn find(&mut self, count: fn(&mut Self) -> &mut usize, finding: String) {
        *count(self) += 1;
        self.findings.push(finding);
    }
}

/// Judges the marketplace and the producer of a run, whose answers may have been garbled.
pub(crate) async fn judge(
    store: &Arc<dyn Store>,
    seller: &HardToFind,
    producer: &Hft71,
    garbled: bool,
    verdict: &mut Verdict,
) -> Result<()> {
    let events = events_of(store, None).await?;
    verdict.events = events.iter().filter(|event| event.kind != "commands").count();
    judge_orders(&events, seller, verdict);
    let all = commands(store).await?;
    verdict.commands = all.len();
    for command in all.iter().filter(|command| [SELLER, PRODUCER].contains(&command.account.as_str())) {
        let held_back = is_held_back(command, &all);
        let book = Book::of(command, seller, producer, garbled);
        judge_command(store, command, held_back, &book, verdict).await?;
    }
    judge_updates(producer, verdict);
    let keys: BTreeSet<&str> = all.iter().filter_map(|command| command.key.as_deref()).collect();
    for entry in seller.ledger().entries().into_iter().chain(producer.ledger().entries()) {
        let key = match entry.effect {
            "order.submit" => format!("submit-{}", entry.key),
            "order.process" => format!("acknowledge-{}", entry.key),
            "order.ship" => format!("ship-{}", entry.key),
            _ => format!("update-{}-{}", entry.key, entry.json["orderStatus"].as_str().unwrap_or_default()),
        };
        if !keys.contains(key.as_str()) {
            verdict.find(|v| &mut v.phantom, format!("nobody asked for {} {}", entry.effect, entry.key));
        }
    }
    Ok(())
}

/// The events of one kind, or all.
pub(crate) async fn events_of(store: &Arc<dyn Store>, kind: Option<&str>) -> Result<Vec<Event>> {
    let filter = EventFilter { account: None, kind: kind.map(str::to_owned) };
    Ok(store.events(0, usize::MAX, &filter).await?)
}

/// Looks whether the database is whole.
pub(crate) fn judge_database(database: &Path, verdict: &mut Verdict) -> Result<()> {
    let connection = rusqlite::Connection::open(database)?;
    let answer: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if answer != "ok" {
        verdict.find(|v| &mut v.lost, format!("the database is damaged: {answer}"));
    }
    Ok(())
}

/// The newest record of each id that the events tell of, counting what is told of as new more than once.
pub(crate) fn newest<'a>(
    events: impl Iterator<Item = &'a Event>,
    verdict: &mut Verdict,
) -> BTreeMap<&'a str, &'a Value> {
    let mut newest: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in events {
        let (kind, id) = (&event.kind, event.id.as_str());
        if event.change == Change::Created && newest.contains_key(id) {
            verdict.find(|v| &mut v.duplicated, format!("{kind} {id} was told of as new twice"));
        }
        match &event.record {
            Some(record) => newest.insert(id, record),
            None => newest.remove(id),
        };
    }
    newest
}

fn judge_orders(events: &[Event], seller: &HardToFind, verdict: &mut Verdict) {
    let of_seller = events.iter().filter(|event| event.account == SELLER && event.kind == "orders");
    let mut newest = newest(of_seller, verdict);
    for id in seller.shop().order_ids() {
        let held = seller.shop().order(&id).unwrap_or_default();
        let held = (held["status"].as_str().unwrap_or_default().to_owned(), instant(&held["dates"]["updated_at"]));
        let told = newest.remove(id.as_str());
        let told = told
            .map(|told| (told["status"]["raw"].as_str().unwrap_or_default().to_owned(), instant(&told["updated_at"])));
        if told.as_ref() != Some(&held) {
            verdict.find(|v| &mut v.lost, format!("order {id} is {held:?} and was told of as {told:?}"));
        }
    }
    for id in newest.keys() {
        verdict.find(|v| &mut v.phantom, format!("order {id} was told of and is not held"));
    }
}

/// A date with its offset written in one way: `+1000` and `+10:00` are the same.
fn instant(date: &Value) -> String {
    date.as_str().unwrap_or_default().replace(':', "")
}

/// What the ledgers say of a command.
pub(crate) struct Book {
    /// How often its effect stands there.
    pub(crate) times: usize,
    /// Whether it may stand there more than once.
    pub(crate) repeatable: bool,
    /// Whether the platform's answers may have been garbled.
    pub(crate) garbled: bool,
}

impl Book {
    fn of(command: &Command, seller: &HardToFind, producer: &Hft71, garbled: bool) -> Self {
        let text =
            |pointer: &str| command.arguments.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let count = |platform: &dyn Platform, effect: &str, key: &str| {
            platform.ledger().of(effect).iter().filter(|entry| entry.key == key).count()
        };
        match command.operation.as_str() {
            "fulfilment.submit" => {
                Self { times: count(producer, "order.submit", &text("/order/reference")), repeatable: false, garbled }
            }
            "fulfilment-updates.update" => {
                let (id, status) = (text("/id"), text("/change/status"));
                let entries = producer.ledger().of("order.update-status");
                let same = entries.iter().filter(|entry| entry.key == id && entry.json["orderStatus"] == *status);
                Self { times: same.count(), repeatable: true, garbled }
            }
            "shipments.ship" => {
                Self { times: count(seller, "order.ship", &text("/order_id")), repeatable: false, garbled }
            }
            _ => Self { times: count(seller, "order.process", &text("/id")), repeatable: false, garbled },
        }
    }
}

pub(crate) async fn judge_command(
    store: &Arc<dyn Store>,
    command: &Command,
    held_back: bool,
    book: &Book,
    verdict: &mut Verdict,
) -> Result<()> {
    let Command { id, operation, key, .. } = command;
    let times = book.times;
    let name = format!("command {id} ({operation} {})", key.as_deref().unwrap_or_default());
    if times > 1 && !book.repeatable {
        verdict.duplicated += times - 1;
        verdict.findings.push(format!("{name} stands {times} times in the ledger"));
    }
    match (&command.state, &command.outcome) {
        (CommandState::Done, Some(CommandOutcome::Applied(_))) if times == 0 => {
            verdict.find(|v| &mut v.lost, format!("{name} is done, and the ledger does not have it"));
        }
        (CommandState::Done, Some(CommandOutcome::Refused(error))) => {
            verdict.find(|v| &mut v.silent, format!("{name} is refused, {times} times in the ledger: {error}"));
        }
        (CommandState::Done, _) => {}
        (CommandState::Parked, _) => {
            verdict.parked += 1;
            let requests = store.requests_of(command.id).await?;
            // No answer, or one that servers give when they fail, and after which nobody knows either; or, where the platforms answer
            // nonsense on purpose, any answer to a write.
            let in_doubt = requests.iter().any(|request| match &request.answer {
                None => true,
                Some(answer) => {
                    answer.status >= 500 || answer.status == 408 || (book.garbled && request.effect != Effect::Read)
                }
            });
            let is_given_up = command.attempts >= MOST_ATTEMPTS;
            if !(in_doubt || is_given_up) || command.reason.is_none() {
                verdict.find(|v| &mut v.silent, format!("{name} is parked without evidence: {:?}", command.reason));
            }
        }
        (CommandState::Waiting, _) if times == 0 && held_back => {}
        (state, _) => {
            verdict.find(|v| &mut v.silent, format!("{name} is {state:?}, {times} times in the ledger"));
        }
    }
    Ok(())
}

/// Changes of the same order are made in their order, however often each is sent.
fn judge_updates(producer: &Hft71, verdict: &mut Verdict) {
    let number = |status: &Value| status.as_str()?.strip_prefix(&word(0)[..5])?.parse::<u64>().ok();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for entry in producer.ledger().of("order.update-status") {
        let Some(number) = number(&entry.json["orderStatus"]) else { continue };
        let before = last.insert(entry.key.clone(), number).unwrap_or_default();
        if number < before {
            let finding = format!("order {} got change {number} after change {before}", entry.key);
            verdict.find(|v| &mut v.duplicated, finding);
        }
    }
}
