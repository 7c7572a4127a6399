//! Failures of the source: whatever it answers, the connector says what happened in the contract's words.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use tokio::time::Instant;
use tradepost_runtime::CallError;
use tradepost_runtime::contract::http::Effect;

use super::connection::page;
use super::ending::{Ending, ending, in_operation, told, wait, word};
use super::writing::not_confirmed;
use crate::description::{Answer, Exception, Operation};
use crate::kit::{Bench, Kit};
use crate::operation::OperationError;
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{Part, Trouble};

/// Waits that are asked for: in seconds, and until a date so many seconds from now.
const WAIT_SECONDS: u64 = 7;
const WAIT_UNTIL_SECONDS: i64 = 120;
/// The name, for exceptions, of a record that the source does not have.
const MISSING: &str = "missing";
/// Logins of a call whose requests are all answered with 401: the first token, and a renewed one.
const LOGINS_AT_401: usize = 2;

/// Kinds of errors after which the same call may be made again.
const PASSING: &[&str] = &["transient", "unavailable"];
/// Any error of the contract.
const ANY: &[&str] = &[];

/// What the source said of waiting.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wait {
    /// Whatever the error says is right.
    Any,
    /// It did not say, so the error must not, either.
    NotSaid,
    /// So many milliseconds.
    Milliseconds(u64),
}

impl Wait {
    fn fits(self, told: Option<u64>) -> bool {
        match self {
            Self::Any => true,
            Self::NotSaid => told.is_none(),
            Self::Milliseconds(asked) => told == Some(asked),
        }
    }
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any wait"),
            Self::NotSaid => f.write_str("no time to wait, because the source named none"),
            Self::Milliseconds(milliseconds) => write!(f, "a wait of {milliseconds} ms"),
        }
    }
}

/// One way for a request to fail, and what may be made of it.
struct Failure {
    name: &'static str,
    trouble: Trouble,
    /// Kinds of errors that are right where something was only read.
    reading: &'static [&'static str],
    /// What the error must say of waiting, where it says that it passes.
    wait: Wait,
    /// Whether a request that writes may have been carried out all the same.
    in_doubt: bool,
}

fn failures(now: i64) -> Vec<Failure> {
    let answered = |name, status, reading| Failure {
        name,
        trouble: Trouble::Instead(Answer::json(status, "{}")),
        reading,
        wait: Wait::Any,
        in_doubt: status >= 500,
    };
    let asked = |name, status, reading, header: Option<String>, wait| {
        let headers = header.map(|value| ("retry-after".to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>();
        let trouble = Trouble::Instead(Answer { headers, ..Answer::json(status, "{}") });
        Failure { trouble, wait, ..answered(name, status, reading) }
    };
    let other = |name, trouble, reading| Failure { name, trouble, reading, wait: Wait::Any, in_doubt: true };
    let seconds = (WAIT_SECONDS.to_string(), Wait::Milliseconds(WAIT_SECONDS * 1000));
    let until = (http_date(now + WAIT_UNTIL_SECONDS), Wait::Milliseconds(WAIT_UNTIL_SECONDS.unsigned_abs() * 1000));
    vec![
        answered("400", 400, ANY),
        answered("401", 401, &["auth-rejected", "auth-expired"]),
        answered("403", 403, &["forbidden"]),
        answered("404", 404, ANY),
        answered("409", 409, ANY),
        answered("410", 410, ANY),
        answered("422", 422, ANY),
        asked("429-seconds", 429, &["rate-limited"], Some(seconds.0.clone()), seconds.1),
        asked("429-date", 429, &["rate-limited"], Some(until.0), until.1),
        asked("429", 429, &["rate-limited"], None, Wait::NotSaid),
        answered("500", 500, PASSING),
        answered("502", 502, PASSING),
        answered("503", 503, PASSING),
        asked("503-seconds", 503, PASSING, Some(seconds.0), seconds.1),
        Failure { in_doubt: false, ..other("refused", Trouble::Refused, PASSING) },
        other("silent", Trouble::Silent, PASSING),
        other("broken", Trouble::Broken, PASSING),
        other("truncated", Trouble::Truncated, &["protocol"]),
        other("html", Trouble::Instead(page(200)), &["protocol"]),
        other("empty", Trouble::Instead(Answer::json(200, "")), &["protocol"]),
        other("bomb", Trouble::Bomb, &["protocol"]),
    ]
}

fn http_date(seconds: i64) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&format).unwrap_or_default()
}

pub(super) async fn error_matrix(kit: &Kit) -> Found {
    const CHECK: &str = "error-matrix";
    let (mut reads, mut writes, mut excepted, mut wrong) = (0, 0, Vec::new(), Vec::new());
    for operation in kit.operations() {
        if operation.name.starts_with("webhooks.") {
            continue;
        }
        if let Some(reason) = operation.skip.get(CHECK) {
            excepted.push(format!("{}: {reason}", operation.name));
            continue;
        }
        if reads_a_record(operation) && operation.record.is_some() {
            let missing = when_missing(kit, operation, exception(kit, operation, MISSING)).await;
            wrong.extend(missing.err().map(|finding| (operation.name.as_str(), finding)));
        }
        for (number, Failure { name, .. }) in failures(kit.clock.now()).into_iter().enumerate() {
            let exception = exception(kit, operation, name);
            excepted.extend(exception.map(|exception| format!("{} {name}: {}", operation.name, exception.reason)));
            match when_reading(kit, operation, number, exception).await {
                Ok(was_sent) => reads += usize::from(was_sent),
                Err(finding) => wrong.push((operation.name.as_str(), finding)),
            }
            if operation.is_write() {
                match when_writing(kit, operation, number, exception).await {
                    Ok(was_sent) => writes += usize::from(was_sent),
                    Err(finding) => wrong.push((operation.name.as_str(), finding)),
                }
            }
        }
    }
    if !wrong.is_empty() {
        return failed(listed(&wrong));
    }
    if reads + writes == 0 {
        return skipped("the description has no operation that sends anything");
    }
    excepted.dedup();
    let excepted =
        if excepted.is_empty() { String::new() } else { format!("; otherwise, as described: {}", excepted.join("; ")) };
    Ok(format!(
        "{reads} failures while reading and {writes} while writing, each told in the contract's words{excepted}"
    ))
}

/// The findings, each once with the operations that it is about; the first few where they are many.
fn listed(findings: &[(&str, Finding)]) -> String {
    const SHOWN: usize = 5;
    let mut operations: Vec<(&str, Vec<&str>)> = Vec::new();
    for (operation, finding) in findings {
        let (Finding::Failed(text) | Finding::Skipped(text)) = finding;
        let rest = text.strip_prefix(operation).unwrap_or(text);
        match operations.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, names)) => names.push(operation),
            None => operations.push((rest, vec![operation])),
        }
    }
    let texts: Vec<String> =
        operations.iter().take(SHOWN).map(|(rest, names)| format!("{}{rest}", names.join(" and "))).collect();
    match operations.len().saturating_sub(SHOWN) {
        0 => texts.join("; "),
        more => format!("{}; and {more} more", texts.join("; ")),
    }
}

fn exception<'k>(kit: &'k Kit, operation: &'k Operation, failure: &str) -> Option<&'k Exception> {
    operation.failures.get(failure).or_else(|| kit.description.failures.get(failure))
}

/// Makes every request fail that only reads. Gives whether there was one.
async fn when_reading(
    kit: &Kit,
    operation: &Operation,
    number: usize,
    exception: Option<&Exception>,
) -> Result<bool, Finding> {
    let (bench, id) = kit.ready(operation)?;
    // Made now: filling the source took time, and one of them names a date.
    let failure = &failures(kit.clock.now())[number];
    let trouble = failure.trouble.clone();
    bench.trouble(move |seen| matches!(seen.part, Part::Reading | Part::Unknown).then(|| trouble.clone()));
    let ended = attempt(&bench, operation, &id, failure).await?;
    if bench.count(Part::Reading) + bench.count(Part::Unknown) == 0 {
        return Ok(false);
    }
    let Some(ended) = ended else { return Ok(true) };
    let wrong = |expected: &str| {
        failed(format!(
            "{}, {} while reading: expected {expected}, seen {}",
            operation.name,
            failure.name,
            told(&ended)
        ))
    };
    let said = word(&ended);
    if let Some(exception) = exception {
        let fits = exception.kinds.contains(&said);
        return if fits { Ok(true) } else { wrong(&format!("{:?}, as described", exception.kinds)) };
    }
    let kinds = if failure.name == "404" && reads_a_record(operation) { &["not-found"] } else { failure.reading };
    let is_written = bench.count(Part::Writing) > 0;
    match &ended {
        // What was read may not have mattered to the write; what is said after it is another check's question.
        _ if is_written => {}
        Ok(_) => return wrong("an error"),
        Err(_) if !kinds.is_empty() && !kinds.contains(&said.as_str()) => return wrong(&kinds.join(" or ")),
        Err(error) if !failure.wait.fits(wait(error)) => return wrong(&failure.wait.to_string()),
        Err(_) => {}
    }
    if failure.name == "401" {
        let logins = bench.count(Part::Login);
        if logins > LOGINS_AT_401 {
            return failed(format!("{}: {logins} logins in one call that is always answered with 401", operation.name));
        }
    }
    Ok(true)
}

/// Whether it reads one record by its id.
fn reads_a_record(operation: &Operation) -> bool {
    let names_it = operation.arguments.as_deref().unwrap_or_default().contains("$id");
    names_it && !operation.is_write() && !operation.is_list()
}

/// Asks for a record that the source does not have, in the source's own words for that.
async fn when_missing(kit: &Kit, operation: &Operation, exception: Option<&Exception>) -> Result<(), Finding> {
    let (bench, _) = kit.ready(operation)?;
    let ended = bench.perform(operation, "99000099").await?;
    let said = word(&ended);
    let fits = exception.map_or(said == "not-found", |exception| exception.kinds.contains(&said));
    if fits {
        return Ok(());
    }
    failed(format!(
        "{}: a record that the source does not have: expected not-found, seen {}",
        operation.name,
        told(&ended)
    ))
}

/// Makes the request fail that writes.
async fn when_writing(
    kit: &Kit,
    operation: &Operation,
    number: usize,
    exception: Option<&Exception>,
) -> Result<bool, Finding> {
    let (bench, id) = kit.ready(operation)?;
    // Made now: filling the source took time, and one of them names a date.
    let failure = &failures(kit.clock.now())[number];
    let trouble = failure.trouble.clone();
    bench.trouble(move |seen| (seen.part == Part::Writing).then(|| trouble.clone()));
    let ended = attempt(&bench, operation, &id, failure).await?;
    if bench.count(Part::Writing) == 0 {
        return Ok(false);
    }
    let Some(ended) = ended else { return Ok(true) };
    let said = word(&ended);
    let wrong = |expected: &str| {
        failed(format!(
            "{}, {} while writing: expected {expected}, seen {}",
            operation.name,
            failure.name,
            told(&ended)
        ))
    };
    if let Some(exception) = exception {
        let fits = exception.kinds.contains(&said);
        return if fits { Ok(true) } else { wrong(&format!("{:?}, as described", exception.kinds)) };
    }
    let is_carried_out = matches!(failure.trouble, Trouble::Broken | Trouble::Truncated);
    // The source said yes with nothing: whoever trusts the status is right to.
    if !is_carried_out && failure.name != "empty" {
        not_confirmed(operation, &ended, failure.name)?;
    }
    let Err(error) = &ended else { return Ok(true) };
    let asks_again = matches!(said.as_str(), "transient" | "unavailable" | "rate-limited");
    let may_repeat = kit.effect(operation) != Effect::Once || operation.repeat_is_seen;
    // A conflict is what reading back may show.
    let is_told = matches!(said.as_str(), "outcome-unknown" | "conflict");
    if failure.in_doubt && !is_told && !may_repeat {
        return wrong("outcome-unknown: it may have been carried out, and a second try would write again");
    }
    let is_told_by_status = matches!(failure.name, "401" | "403" | "429" | "429-seconds" | "429-date" | "refused");
    if is_told_by_status && !failure.reading.contains(&said.as_str()) {
        return wrong(&failure.reading.join(" or "));
    }
    if asks_again && !failure.wait.fits(wait(error)) {
        return wrong(&failure.wait.to_string());
    }
    Ok(true)
}

/// Calls an operation under a failure. None where the host's own limit ended it, as it may with a bomb.
async fn attempt(bench: &Bench, operation: &Operation, id: &str, failure: &Failure) -> Result<Option<Ending>, Finding> {
    let result = if operation.is_list() { bench.page(operation, None).await } else { bench.call(operation, id).await };
    match result {
        Err(OperationError::Call(CallError::Limit { .. })) if failure.name == "bomb" => Ok(None),
        result => ending(result)
            .map(Some)
            .map_err(|finding| in_operation(finding, &format!("{}, {}", operation.name, failure.name))),
    }
}

pub(super) async fn guest_never_sleeps(kit: &Kit) -> Found {
    let later = |status| {
        let headers = BTreeMap::from([("retry-after".to_owned(), "5".to_owned())]);
        Trouble::Instead(Answer { headers, ..Answer::json(status, "{}") })
    };
    let mut calls = 0;
    for operation in kit.operations() {
        for (name, trouble) in [
            ("a good answer", None),
            ("429 with Retry-After", Some(later(429))),
            ("503 with Retry-After", Some(later(503))),
            ("500", Some(Trouble::Instead(Answer::json(500, "{}")))),
        ] {
            let (bench, id) = kit.ready(operation)?;
            if let Some(trouble) = trouble {
                bench.trouble(move |seen| (seen.part != Part::Login).then(|| trouble.clone()));
            }
            let started = Instant::now();
            // How it ends is another check's question.
            let _ended = bench.perform(operation, &id).await?;
            let slept = started.elapsed();
            if !slept.is_zero() {
                return failed(format!(
                    "{}, {name}: every answer came at once, and the call took {slept:.1?}: waiting is the host's",
                    operation.name
                ));
            }
            calls += 1;
        }
    }
    if calls == 0 {
        return skipped("the description has no operation");
    }
    Ok(format!("{calls} calls took no time, also under 429 and 503 with Retry-After"))
}
