//! `tradepost webhook`: a request that a platform sent, given to the connector to verify and read.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_runtime::contract::{WebhookReading, WebhookRequest};

use super::{Context, input};
use crate::failure::{Failure, Result, Stop};
use crate::output::printable;
use crate::views;

/// Give a connector a request that its platform sent: what it tells, and the answer to give
#[derive(Debug, Args)]
#[command(after_help = "\
With --from the request is one JSON object; a body that is not text stands in `body_base64`:
  {\"method\": \"POST\", \"path\": \"/hook?shop=1\", \"headers\": [[\"X-Secret\", \"...\"]], \"body\": \"...\"}

A request that is refused ends with a code other than 0, and nothing of it is kept. A secret on the command line can be seen by
others on this machine; in a file it need not be.

Examples:
  tradepost webhook acme/hft71 --from request.json
  tradepost webhook acme/hft71 --header 'X-HFT71-Webhook-Secret: s' --body body.json
  curl -s https://example.com/last-request.json | tradepost webhook acme/hft71 --from - --json")]
pub(crate) struct Webhook {
    /// The account, as the table names it
    account: String,
    /// The request as JSON, from a file or from stdin (-)
    #[arg(long, visible_alias = "file", value_name = "FILE|-", conflicts_with_all = ["method", "path", "headers", "body"])]
    from: Option<PathBuf>,
    /// The request's method
    #[arg(long, default_value = "POST")]
    method: String,
    /// The request's path and query
    #[arg(long, default_value = "/")]
    path: String,
    /// A header of the request; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The request's body, byte by byte, from a file or from stdin (-)
    #[arg(long, value_name = "FILE|-", required_unless_present = "from")]
    body: Option<PathBuf>,
}

/// A request as a file holds it: the contract's record with a body that people can write.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    method: String,
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
}

impl Webhook {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let account = self.account.clone();
        let request = self.request()?;
        let session = context.open(&account).await?;
        let reading = session.keep(session.account.receive_webhook(&request).await).await.map_err(nothing_kept)?;
        context.output.single(&to_json(&reading), |_| to_text(&reading))
    }

    fn request(self) -> Result<WebhookRequest> {
        if let Some(from) = &self.from {
            return input::object::<Recorded>(from)?
                .request()
                .map_err(|problem| Failure::usage(format!("{}: {problem}", from.display())).into());
        }
        let body = match &self.body {
            Some(from) => input::bytes(from)?,
            None => Vec::new(),
        };
        Ok(WebhookRequest { method: self.method, path: self.path, headers: lower_case(self.headers), body })
    }
}

impl Recorded {
    fn request(self) -> std::result::Result<WebhookRequest, String> {
        let body = match (self.body, self.body_base64) {
            (Some(_), Some(_)) => return Err("`body` and `body_base64` are both given: give one".into()),
            (None, Some(encoded)) => {
                BASE64_STANDARD.decode(encoded).map_err(|error| format!("`body_base64` is not base64: {error}"))?
            }
            (text, None) => text.unwrap_or_default().into_bytes(),
        };
        Ok(WebhookRequest { method: self.method, path: self.path, headers: lower_case(self.headers), body })
    }
}

/// The contract gives connectors header names in lower case.
fn lower_case(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

fn header(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write a header as 'Name: value'".into()),
    }
}

/// Whoever sends the request again wants to know that the first one left no trace.
fn nothing_kept(stop: Stop) -> Stop {
    match stop {
        Stop::Failed(mut failure) => {
            failure.message.push_str("; nothing of the request was kept");
            Stop::Failed(Box::new(failure.fact("kept", false)))
        }
        Stop::PipeClosed => Stop::PipeClosed,
    }
}

fn to_json(reading: &WebhookReading) -> Value {
    let answer = &reading.answer;
    let mut value = json!({
        "events": reading.events,
        "answer": { "status": answer.status, "headers": answer.headers },
    });
    match std::str::from_utf8(&answer.body) {
        Ok(text) => value["answer"]["body"] = text.into(),
        Err(_) => value["answer"]["body_base64"] = BASE64_STANDARD.encode(&answer.body).into(),
    }
    value
}

fn to_text(reading: &WebhookReading) -> String {
    let answer = &reading.answer;
    let mut lines: Vec<String> = reading.events.iter().map(views::webhook_event).collect();
    if lines.is_empty() {
        lines.push("understood; it tells nothing".into());
    }
    lines.push(format!("answer {}", answer.status));
    lines.extend(answer.headers.iter().map(|(name, value)| format!("  {name}: {value}")));
    match std::str::from_utf8(&answer.body) {
        Ok("") => {}
        Ok(text) => lines.push(format!("  {text}")),
        Err(_) => lines.push(format!("  ({} bytes)", answer.body.len())),
    }
    printable(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use tradepost_runtime::contract::WebhookAnswer;

    use super::*;
    use crate::failure::Exit;

    fn recorded(text: &str) -> std::result::Result<WebhookRequest, String> {
        serde_json::from_str::<Recorded>(text).map_err(|error| error.to_string())?.request()
    }

    #[test]
    fn a_recorded_request_has_its_body_as_text_or_in_base64() {
        for body in [r#""body": "a=1""#, r#""body_base64": "YT0x""#] {
            let text = format!(r#"{{"method": "POST", "path": "/h?x=1", "headers": [["X-Secret", "S"]], {body}}}"#);
            let request = recorded(&text).unwrap();
            assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/h?x=1"));
            assert_eq!(request.headers, [("x-secret".to_owned(), "S".to_owned())]);
            assert_eq!(request.body, b"a=1", "{body}");
        }
        assert_eq!(recorded(r#"{"method": "GET", "path": "/"}"#).unwrap().body, b"");
        for (text, expected) in [
            (r#"{"method": "GET", "path": "/", "body": "", "body_base64": ""}"#, "give one"),
            (r#"{"method": "GET", "path": "/", "body_base64": "%"}"#, "not base64"),
            (r#"{"method": "GET", "path": "/", "header": []}"#, "unknown field `header`"),
            (r#"{"method": "GET"}"#, "missing field `path`"),
        ] {
            let problem = recorded(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        assert_eq!(header("X-Secret: a:b "), Ok(("X-Secret".into(), "a:b".into())));
        assert_eq!(header("X-Empty:"), Ok(("X-Empty".into(), String::new())));
        for text in ["X-Secret", ": value", ""] {
            assert!(header(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refused_request_is_said_to_have_left_no_trace() {
        let refused = Failure::new(Exit::Credentials, "auth-rejected", "the secret is wrong").into();
        let Stop::Failed(failure) = nothing_kept(refused) else { panic!("it failed") };
        assert_eq!(failure.message, "the secret is wrong; nothing of the request was kept");
        assert_eq!(failure.facts["kept"], false);
    }

    #[test]
    fn what_the_answer_holds_is_shown_whatever_it_is() {
        let reading = |body: &[u8]| WebhookReading {
            events: Vec::new(),
            answer: WebhookAnswer {
                status: 200,
                headers: vec![("content-type".into(), "text/plain".into())],
                body: body.to_vec(),
            },
        };
        let text = to_text(&reading(b"ok\x1b[2J"));
        assert_eq!(text, "understood; it tells nothing\nanswer 200\n  content-type: text/plain\n  ok\u{fffd}[2J");
        assert_eq!(to_json(&reading(b"ok"))["answer"]["body"], "ok");
        assert_eq!(to_json(&reading(b"\xff"))["answer"]["body_base64"], "/w==");
    }
}
