//! Secrets: whatever a source does with what it is sent, none of it is seen outside of the host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::hygiene::stored;
use crate::description::{Answer, Operation};
use crate::kit::{Bench, Kit};
use crate::log_lines::LogLines;
use crate::operation::Outcome;
use crate::report::{Finding, Found, failed};
use crate::source::{Part, Seen, Trouble, set};

/// How tokens of the scripted source begin.
const TOKEN: &str = "kit-token-";
/// How the kit's secrets begin; its other canaries are settings.
const SECRET: &str = "kit-secret-";

/// What a source does with a credential.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Echo {
    /// Nothing: it answers as always.
    None,
    /// It refuses with this status, and quotes what it was sent.
    Refusal(u16),
    /// The same as a web page.
    Page,
    /// It answers well, and quotes what it was sent in a header and in a text of the record.
    Record,
    /// The login itself quotes what it was sent.
    Login,
}

const ECHOES: [Echo; 11] = [
    Echo::None,
    Echo::Refusal(200),
    Echo::Refusal(400),
    Echo::Refusal(401),
    Echo::Refusal(403),
    Echo::Refusal(404),
    Echo::Refusal(422),
    Echo::Refusal(500),
    Echo::Page,
    Echo::Record,
    Echo::Login,
];

pub(super) async fn no_secret_material_visible(kit: &Kit) -> Found {
    let lines = LogLines::listen();
    let (mut calls, mut seen_lines, mut stored_values) = (0, 0, 0);
    let described = kit.description.operations.iter().filter(|operation| kit.offers(operation)).cloned();
    // Every connector has it, whether it is described or not.
    let check = toml::from_str::<Operation>("name = \"connector.check\"").ok();
    let operations: Vec<Operation> = check.into_iter().chain(described).collect();
    for operation in &operations {
        for echo in ECHOES {
            let bench = kit.bench()?;
            let id = ready(&bench, kit, operation, echo);
            let canaries = Canaries::of(&bench);
            listen_in(&bench, echo, &canaries);
            let called =
                if operation.is_list() { bench.page(operation, None).await } else { bench.call(operation, &id).await };
            calls += 1;
            let place = format!("{}, {echo:?}", operation.name);
            match called {
                Ok(Outcome { value, log, .. }) => {
                    canaries.find_secret(&format!("{place}: the result"), &value.to_string())?;
                    canaries.find_any(&format!("{place}: a log line"), &format!("{log:?}"))?;
                }
                Err(error) => canaries.find_any(&format!("{place}: the error"), &format!("{error} {error:?}"))?,
            }
            let logged = lines.take();
            seen_lines += logged.len();
            for line in logged {
                canaries.find_any(&format!("{place}: a log line"), &line)?;
            }
            for (key, value) in stored(&bench).await? {
                stored_values += 1;
                let text = format!("{key} {}", String::from_utf8_lossy(&value));
                canaries.find_secret(&format!("{place}: a stored value"), &text)?;
            }
        }
    }
    Ok(format!(
        "{calls} calls of {} operations, {seen_lines} log lines and {stored_values} stored values, those of failed calls included",
        operations.len()
    ))
}

/// The record that an operation is about, as it must be before, with a text that a source could quote something in.
fn ready(bench: &Bench, kit: &Kit, operation: &Operation, echo: Echo) -> String {
    let Some(kind) = operation.record.as_ref().and_then(|name| kit.description.record(name)) else {
        return String::new();
    };
    let id = bench.seed(&kind.name, 1).remove(0);
    let mut state = bench.state();
    let texts = operation.shows.texts.keys().chain(operation.shows.html.keys());
    let texts: Vec<String> = texts.cloned().chain(["/kit_echo".to_owned()]).collect();
    let quoted: Vec<String> = bench.canaries.iter().filter(|canary| canary.starts_with(SECRET)).cloned().collect();
    state.records_mut(&kind.name).edit(&id, |record| {
        for (pointer, value) in &operation.before {
            set(record, pointer, crate::description::json(value).unwrap_or_default());
        }
        if echo == Echo::Record {
            for pointer in &texts {
                set(record, pointer, format!("you sent {}", quoted.join(" ")).into());
            }
        }
    });
    id
}

fn listen_in(bench: &Bench, echo: Echo, canaries: &Canaries) {
    let known = canaries.secrets.clone();
    bench.trouble(move |seen| {
        let sent = sent(seen, &known);
        match (echo, seen.part == Part::Login) {
            (Echo::Refusal(status), false) => Some(Trouble::Instead(refusal(status, &sent))),
            (Echo::Page, false) => Some(Trouble::Instead(Answer {
                status: 200,
                headers: [("content-type".to_owned(), "text/html".to_owned()), ("x-echo".to_owned(), sent.clone())]
                    .into(),
                body: format!("<html><body>You sent: {sent}</body></html>"),
            })),
            (Echo::Login, true) => Some(Trouble::Instead(refusal(401, &sent))),
            _ => None,
        }
    });
}

/// What a request carries that a source could quote.
fn sent(seen: &Seen, known: &[String]) -> String {
    let headers = seen.headers.iter().filter(|(name, _)| name != "host" && name != "user-agent" && name != "accept");
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    let encoded = known.iter().map(|secret| STANDARD.encode(secret));
    headers.chain(known.iter().cloned()).chain(encoded).collect::<Vec<_>>().join("; ")
}

fn refusal(status: u16, sent: &str) -> Answer {
    let body = json!({
        "code": format!("refused {sent}"),
        "message": format!("You sent {sent}"),
        "error": format!("You sent {sent}"),
        "errors": [{"message": sent}],
        "debug": sent,
    });
    let headers = [("x-echo", sent.to_owned()), ("www-authenticate", format!("Basic realm=\"{sent}\""))];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Answer { headers, ..Answer::json(status, body.to_string()) }
}

/// Values that must not be seen.
struct Canaries {
    /// Secrets, and how they look in base64 in the place of a credential.
    secrets: Vec<String>,
    /// Settings: a source may name a user, but no log and no error needs to.
    settings: Vec<String>,
}

impl Canaries {
    fn of(bench: &Bench) -> Self {
        let (secrets, settings) = bench.canaries.iter().cloned().partition(|canary| canary.starts_with(SECRET));
        Self { secrets, settings }
    }

    fn find_secret(&self, place: &str, text: &str) -> Result<(), Finding> {
        let encoded: Vec<String> = self.secrets.iter().map(|secret| STANDARD.encode(secret)).collect();
        let credentials = self
            .settings
            .iter()
            .flat_map(|user| self.secrets.iter().map(move |secret| STANDARD.encode(format!("{user}:{secret}"))));
        let mut all = self.secrets.iter().cloned().chain(encoded).chain(credentials).chain([TOKEN.to_owned()]);
        match all.find(|canary| text.contains(canary.as_str())) {
            Some(canary) => failed(format!("{place} holds {canary}")),
            None => Ok(()),
        }
    }

    fn find_any(&self, place: &str, text: &str) -> Result<(), Finding> {
        self.find_secret(place, text)?;
        match self.settings.iter().find(|canary| text.contains(canary.as_str())) {
            Some(canary) => failed(format!("{place} holds the setting {canary}")),
            None => Ok(()),
        }
    }
}
