//! A dry run: the connector is run for real, reads included, up to the first request that would write; that one is shown and not sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use tradepost_runtime::egress::Request;
use tradepost_runtime::journal::{Journal, JournalStop, Ruling, Step, StepEnd};
use tradepost_runtime::{CallError, NamedCallError};

use crate::body_text::{as_json, as_text};
use crate::failure::{Failure, Result};
use crate::output::{Output, printable};
use crate::progress;
use crate::session::Session;

/// Lets reads through and stops at the first write.
#[derive(Default)]
struct Trial {
    /// The first request that would write. Of several sent at once, the one the connector named first.
    first: Mutex<Option<Step>>,
}

impl Trial {
    fn taken(&self) -> Option<Step> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait::async_trait]
impl Journal for Trial {
    fn started(&self) {}

    async fn before(&self, step: &Step) -> std::result::Result<Ruling, JournalStop> {
        if step.is_read() {
            return Ok(Ruling::Send);
        }
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|known| step.index < known.index) {
            *first = Some(step.clone());
        }
        Err(JournalStop::Trial(step.line.clone()))
    }

    async fn after(&self, _step: &Step, _end: StepEnd<'_>) -> std::result::Result<(), JournalStop> {
        Ok(())
    }
}

/// Runs an operation as far as it only reads, and shows what it would send next. Nothing is recorded, nothing is stored.
pub(crate) async fn show(output: Output, session: &Session, operation: &str, arguments: &Value) -> Result<()> {
    let trial = Arc::new(Trial::default());
    let account = session.account.journaled(Arc::clone(&trial) as _, SystemTime::now());
    let ended = account.call_by_name(operation, arguments).await;
    match (trial.taken(), ended) {
        (Some(step), _) => {
            if !output.json {
                progress::note(&format!("dry run: {operation} would send this; nothing that writes was sent"));
            }
            let shown = json!({ "dry_run": true, "operation": operation, "request": request_json(&step.request) });
            output.single(&shown, |_| request_text(&step.request))
        }
        // Where the platform holds it already there is nothing to send.
        (None, Ok(reply)) => {
            let shown = json!({ "dry_run": true, "operation": operation, "request": null, "result": reply.value });
            output.single(&shown, |_| format!("dry run: {operation} would send nothing that writes"))
        }
        (None, Err(NamedCallError::Call(error))) => Err(explained(session, &error).into()),
        (None, Err(error)) => Err(session.located(Failure::unexpected(error.to_string())).into()),
    }
}

fn explained(session: &Session, error: &CallError) -> Failure {
    session.explain(error).fact("dry_run", true)
}

fn request_json(request: &Request) -> Value {
    let headers: Vec<Value> = request.headers.iter().map(|(name, value)| json!([name, value])).collect();
    let mut shown = Map::from_iter([
        ("method".to_owned(), request.method.to_string().into()),
        ("path".to_owned(), request.url.clone().into()),
        ("headers".to_owned(), headers.into()),
    ]);
    if let Some(body) = &request.body {
        shown.extend([as_json(body)]);
    }
    shown.into()
}

fn request_text(request: &Request) -> String {
    let mut lines = vec![format!("{} {}", request.method, request.url)];
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if let Some(body) = &request.body {
        lines.extend([String::new(), as_text(body)]);
    }
    printable(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use tradepost_runtime::egress::{Effect, Method};

    use super::*;

    fn request(body: &'static [u8]) -> Request {
        Request {
            method: Method::Post,
            url: "/order?notify=1".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Some(body.into()),
            authenticate: true,
            effect: Effect::Once,
        }
    }

    #[test]
    fn a_request_is_shown_as_it_would_be_sent() {
        let text = request_text(&request(br#"{"a":1}"#));
        assert_eq!(text, "POST /order?notify=1\ncontent-type: application/json\n\n{\"a\":1}");
        let shown = request_json(&request(b"\xff\x00"));
        assert_eq!((&shown["path"], &shown["body_base64"]), (&"/order?notify=1".into(), &"/wA=".into()));
    }
}
