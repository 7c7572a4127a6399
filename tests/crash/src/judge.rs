//! The judgement of a run: what the platforms hold and what their ledgers say they accepted, against what the store tells.
//!
//! It counts as the project's crash matrix does. *Lost*: an order that no event told of in its newest version, a command that counts as
//! done and that the platform does not have. *Duplicated*: an order told of as new twice, an effect that a ledger has twice and that
//! may not be repeated. *Phantom*: what nobody asked for. *Silent*: a command of which nobody can see how it stands, or one that counts as
//! refused and was not: nothing here asks for what a platform refuses. Only where a platform claimed success with nonsense and did
//! nothing, a refusal is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use tradepost_engine::command::{Command, CommandOutcome, CommandState, JournalEntry};
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
    /// Whether it may stand there more than once, which one that is repeatable may.
    pub(crate) effect: Effect,
    /// Whether other commands ask for the same effect, so that what stands there may be theirs.
    pub(crate) shared: bool,
    /// Whether the platform came to what the command asks for without any command.
    pub(crate) was_so: bool,
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
        let (times, effect) = match command.operation.as_str() {
            "fulfilment.submit" => (count(producer, "order.submit", &text("/order/reference")), Effect::Once),
            "fulfilment-updates.update" => {
                let (id, status) = (text("/id"), text("/change/status"));
                let entries = producer.ledger().of("order.update-status");
                let same = entries.iter().filter(|entry| entry.key == id && entry.json["orderStatus"] == *status);
                (same.count(), Effect::Repeatable)
            }
            "shipments.ship" => (count(seller, "order.ship", &text("/order_id")), Effect::Once),
            _ => (count(seller, "order.process", &text("/id")), Effect::Once),
        };
        Self { times, effect, shared: false, was_so: false, garbled }
    }
}

/// Judges a command by what the ledgers say of it and by its journal.
pub(crate) async fn judge_command(
    store: &Arc<dyn Store>,
    command: &Command,
    held_back: bool,
    book: &Book,
    verdict: &mut Verdict,
) -> Result<()> {
    weigh(command, held_back, book, &store.requests_of(command.id).await?, verdict);
    Ok(())
}

fn weigh(command: &Command, held_back: bool, book: &Book, requests: &[JournalEntry], verdict: &mut Verdict) {
    let Command { id, operation, key, attempts, .. } = command;
    let times = book.times;
    let name = format!("command {id} ({operation} {})", key.as_deref().unwrap_or_default());
    if times > 1 && book.effect == Effect::Once {
        verdict.duplicated += times - 1;
        verdict.findings.push(format!("{name} stands {times} times in the ledger"));
    }
    // The platform claimed success with nonsense, and nothing was done.
    let is_unfulfilled = book.garbled && times == 0 && requests.iter().any(is_empty_promise);
    match (&command.state, &command.outcome) {
        // Whoever looks what became of it sees what was asked for.
        (CommandState::Done, Some(CommandOutcome::Applied(_))) if is_unfulfilled && book.was_so => {}
        (CommandState::Done, Some(CommandOutcome::Applied(_))) if times == 0 => {
            verdict.find(|v| &mut v.lost, format!("{name} is done, and the ledger does not have it"));
        }
        (CommandState::Done, Some(CommandOutcome::Refused(_))) if is_unfulfilled => {}
        (CommandState::Done, Some(CommandOutcome::Refused(error))) => {
            verdict.find(|v| &mut v.silent, format!("{name} is refused, {times} times in the ledger: {error}"));
        }
        (CommandState::Done, _) => {}
        (CommandState::Parked, _) => {
            verdict.parked += 1;
            // No answer, or one that servers give when they fail, and after which nobody knows either; or, where the platforms answer
            // nonsense on purpose, any answer to a write.
            let in_doubt = requests.iter().any(|request| match &request.answer {
                None => true,
                Some(answer) => {
                    answer.status >= 500 || answer.status == 408 || (book.garbled && request.effect != Effect::Read)
                }
            });
            let is_given_up = *attempts >= MOST_ATTEMPTS;
            if !(in_doubt || is_given_up) || command.reason.is_none() {
                verdict.find(|v| &mut v.silent, format!("{name} is parked without evidence: {:?}", command.reason));
            }
        }
        // What was never begun and stands in the ledger nevertheless is somebody else's, where there is somebody else.
        (CommandState::Waiting, _) if held_back && (times == 0 || book.shared && *attempts == 0) => {}
        (state, _) => {
            verdict.find(|v| &mut v.silent, format!("{name} is {state:?}, {times} times in the ledger"));
        }
    }
}

/// Whether a write was answered with success in a way in which the platforms, which answer every write with JSON, do so only when they are
/// made to fail.
fn is_empty_promise(request: &JournalEntry) -> bool {
    let Some(answer) = &request.answer else { return false };
    let is_success = (200..300).contains(&answer.status);
    request.effect != Effect::Read && is_success && serde_json::from_slice::<Value>(&answer.body).is_err()
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tradepost_runtime::egress::Response;

    use super::*;

    fn command(state: CommandState, outcome: Option<CommandOutcome>, attempts: u32) -> Command {
        Command {
            id: 7,
            account: SELLER.to_owned(),
            operation: "shipments.ship".to_owned(),
            arguments: json!({}),
            entity: "orders/900001".to_owned(),
            key: Some("ship-900001".to_owned()),
            state,
            outcome,
            attempts,
            cause: None,
            reason: None,
            recorded_at: 0,
            due_at: 0,
            digest: None,
        }
    }

    fn refused() -> Command {
        let error = json!({"kind": "conflict", "message": "accepted, and no effect shows"});
        command(CommandState::Done, Some(CommandOutcome::Refused(error)), 1)
    }

    fn request(effect: Effect, status: u16, body: &'static str) -> JournalEntry {
        let answer = Response { status, headers: Vec::new(), body: body.into() };
        let line = "POST /order/900001/transition".to_owned();
        JournalEntry { index: 1, effect, fingerprint: [0; 32], line, answer: Some(answer) }
    }

    fn silent(command: &Command, held_back: bool, book: &Book, requests: &[JournalEntry]) -> usize {
        let mut verdict = Verdict::default();
        weigh(command, held_back, book, requests, &mut verdict);
        assert_eq!(verdict.silent, verdict.findings.len(), "{:?}", verdict.findings);
        verdict.silent
    }

    #[test]
    fn a_refusal_is_true_where_success_was_nonsense_and_nothing_came_of_it() {
        let book = |times, garbled| Book { times, effect: Effect::Once, shared: false, was_so: false, garbled };
        let order = r#"{"status":"READY"}"#;
        for (case, times, garbled, effect, status, body, expected) in [
            ("an empty answer, nothing done", 0, true, Effect::Once, 200, "", 0),
            ("a page, nothing done", 0, true, Effect::Once, 200, "<html>", 0),
            ("an empty answer, and done", 1, true, Effect::Once, 200, "", 1),
            ("no faults", 0, false, Effect::Once, 200, "", 1),
            ("a whole answer", 0, true, Effect::Once, 200, order, 1),
            ("no success", 0, true, Effect::Once, 409, "", 1),
            ("only a read was garbled", 0, true, Effect::Read, 200, "", 1),
        ] {
            let requests = [request(effect, status, body)];
            assert_eq!(silent(&refused(), false, &book(times, garbled), &requests), expected, "{case}");
        }
        assert_eq!(silent(&refused(), false, &book(0, true), &[]), 1, "nothing was sent");
    }

    #[test]
    fn a_command_may_wait_only_behind_a_parked_one_and_untouched() {
        let book = |times, shared| Book { times, effect: Effect::Repeatable, shared, was_so: false, garbled: true };
        for (case, held_back, attempts, times, shared, expected) in [
            ("held back", true, 0, 0, false, 0),
            ("held back, another one did the same", true, 0, 1, true, 0),
            ("held back, and done all the same", true, 0, 1, false, 1),
            ("held back, and it was begun", true, 1, 1, true, 1),
            ("held back by nothing", false, 0, 0, false, 1),
            ("held back by nothing, another one did the same", false, 0, 1, true, 1),
        ] {
            let waiting = command(CommandState::Waiting, None, attempts);
            assert_eq!(silent(&waiting, held_back, &book(times, shared), &[]), expected, "{case}");
        }
    }

    #[test]
    fn done_without_an_effect_is_lost_unless_it_was_so_and_success_was_nonsense() {
        let done = command(CommandState::Done, Some(CommandOutcome::Applied(Value::Null)), 1);
        for (case, times, was_so, garbled, body, lost) in [
            ("done", 1, false, true, "{}", 0),
            ("not done", 0, false, true, "{}", 1),
            ("not done, an empty answer", 0, false, true, "", 1),
            ("not done, it was so, a whole answer", 0, true, true, "{}", 1),
            ("not done, it was so, no faults", 0, true, false, "", 1),
            ("not done, it was so, an empty answer", 0, true, true, "", 0),
        ] {
            let mut verdict = Verdict::default();
            let book = Book { times, effect: Effect::Repeatable, shared: false, was_so, garbled };
            weigh(&done, false, &book, &[request(Effect::Repeatable, 200, body)], &mut verdict);
            assert_eq!((verdict.lost, verdict.is_good()), (lost, lost == 0), "{case}");
        }
    }
}
