//! What an embedder keeps of a call's HTTP, so that the call can be run again and nothing that was answered is sent twice.
//!
//! A call that writes may be cut off anywhere: by a deadline, a trap, a power cut. Run again from its start, on the same clock, it
//! makes the same requests in the same order; the journal gives it the answers that came, lets through what was never sent, and says
//! of a request that was sent and not answered that its outcome is not known. See [`Account::journaled`](crate::Account::journaled).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::egress::{Effect, Exchange, Method, Request, Response, SendError};

/// Keeps the requests of one call. Asked from a task of its own that no deadline of the call cuts off, so an answer that came is
/// always entered.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Whether the account logs in, where it has to, before a request that writes is entered: a process that ends during a login then leaves
    /// no write in doubt. Not for a trial, which sends nothing for the sake of a write.
    fn logs_in_first(&self) -> bool {
        false
    }

    /// The call starts, or starts anew: its requests are counted from 0 again.
    fn started(&self);

    /// Asked before each request. Where a request that writes is let through, that it is about to be sent must be durable when this
    /// returns.
    async fn before(&self, step: &Step) -> Result<Ruling, JournalStop>;

    /// What became of a request that was let through. The answer to one that writes must be durable when this returns; only then the
    /// connector sees it.
    async fn after(&self, step: &Step, end: StepEnd<'_>) -> Result<(), JournalStop>;
}

/// A request of a call.
#[derive(Clone)]
pub struct Step {
    /// Its place among the requests of the call, from 0.
    pub index: u32,
    /// What sending it does.
    pub effect: Effect,
    /// SHA-256 over method, URL, headers and body: the same request has the same.
    pub fingerprint: [u8; 32],
    /// Method and URL as the connector gave them, without the query: `POST /order`.
    pub line: String,
    /// The request, without its credential.
    pub request: Request,
}

/// Shows no header values, query or body: they hold customers' data.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("index", &self.index)
            .field("effect", &self.effect)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Ruling {
    /// Send it.
    Send,
    /// It was answered before; this is the answer.
    Answered(Response),
    /// It was sent before and no answer is known: it is not sent again, and the connector is told `outcome-unknown`.
    InDoubt,
}

/// What became of a request.
#[derive(Debug)]
pub enum StepEnd<'a> {
    /// An answer came.
    Answered(&'a Response),
    /// Nothing of it was sent, for this reason.
    NotSent(&'a SendError),
    /// It may have been sent, and no complete answer came, for this reason.
    InDoubt(&'a SendError),
}

/// The journal ends the call.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum JournalStop {
    /// The call does not repeat itself: at this place it made another request before.
    #[error(
        "request {index} was `{before}` when the call ran first and is `{now}` now; a connector must make the same requests when it runs again"
    )]
    Differs {
        /// The request's place.
        index: u32,
        /// What it was.
        before: String,
        /// What it is.
        now: String,
    },
    /// A trial that writes nothing has come to a request that would.
    #[error("this is as far as a trial goes: the next request would write ({0})")]
    Trial(String),
    /// The journal cannot be kept.
    #[error("the journal cannot be kept: {0}")]
    Unavailable(String),
}

/// The journal of a call and its frozen clock.
#[derive(Clone)]
pub(crate) struct Journaled {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) now: SystemTime,
}

/// The HTTP of one call, through its journal where it has one.
pub(crate) struct Outbound {
    exchange: Arc<Exchange>,
    journal: Option<Arc<dyn Journal>>,
    next: AtomicU32,
}

impl Outbound {
    pub(crate) fn new(exchange: Exchange, journal: Option<Arc<dyn Journal>>) -> Self {
        if let Some(journal) = &journal {
            journal.started();
        }
        Self { exchange: Arc::new(exchange), journal, next: AtomicU32::new(0) }
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Result<Response, SendError>, JournalStop> {
        let Some(journal) = &self.journal else { return Ok(self.exchange.send(request).await) };
        let step = Step::new(self.next.fetch_add(1, Ordering::Relaxed), request);
        through(Arc::clone(&self.exchange), Arc::clone(journal), step).await
    }

    pub(crate) async fn send_all(
        &self,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<Response, SendError>>, JournalStop> {
        if self.journal.is_none() {
            return Ok(self.exchange.send_all(requests).await);
        }
        // All are made before the first is waited for: they get their places in the connector's order.
        let sends: Vec<_> = requests.into_iter().map(|request| self.send(request)).collect();
        futures_util::future::join_all(sends).await.into_iter().collect()
    }
}

/// One request through the journal, in a task that runs to its end whether the call waits for it or not.
async fn through(
    exchange: Arc<Exchange>,
    journal: Arc<dyn Journal>,
    step: Step,
) -> Result<Result<Response, SendError>, JournalStop> {
    let task = tokio::spawn(async move {
        if !step.is_read() && journal.logs_in_first() {
            exchange.log_in_for(&step.request).await;
        }
        match journal.before(&step).await? {
            Ruling::Answered(response) => return Ok(Ok(response)),
            Ruling::InDoubt => {
                let text = format!("{} was sent before, and no answer to it is known", step.line);
                return Ok(Err(SendError::InDoubt(text)));
            }
            Ruling::Send => {}
        }
        let outcome = exchange.send(step.request.clone()).await;
        let end = match &outcome {
            Ok(response) => StepEnd::Answered(response),
            Err(error) if error.may_have_been_sent() => StepEnd::InDoubt(error),
            Err(error) => StepEnd::NotSent(error),
        };
        journal.after(&step, end).await?;
        Ok(outcome)
    });
    task.await.unwrap_or_else(|broken| Err(JournalStop::Unavailable(broken.to_string())))
}

impl Step {
    fn new(index: u32, request: Request) -> Self {
        let mut hash = Sha256::new();
        // Each part with its length in front, so that no two requests run together into the same bytes.
        let mut part = |bytes: &[u8]| {
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(bytes);
        };
        part(request.method.to_string().as_bytes());
        part(request.url.as_bytes());
        for (name, value) in &request.headers {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(&[u8::from(request.body.is_some()), u8::from(request.authenticate)]);
        part(request.body.as_deref().unwrap_or_default());
        let path = request.url.split(['?', '#']).next().unwrap_or_default();
        let line = format!("{} {path}", request.method);
        Self { index, effect: request.effect, fingerprint: hash.finalize().into(), line, request }
    }

    /// Whether the request only reads.
    pub fn is_read(&self) -> bool {
        self.effect == Effect::Read
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.request.method
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, body: Option<&'static str>) -> Request {
        Request {
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.map(|text| text.as_bytes().into()),
            authenticate: true,
            effect: Effect::Once,
        }
    }

    #[test]
    fn every_part_of_a_request_is_in_its_fingerprint() {
        let first = Step::new(0, request("/order?key=1", Some("{}")));
        assert_eq!(first.line, "POST /order");
        assert_eq!(first.fingerprint, Step::new(7, request("/order?key=1", Some("{}"))).fingerprint);
        let others = [
            request("/order?key=2", Some("{}")),
            request("/order?key=1", Some("{ }")),
            request("/order?key=1", None),
            Request { headers: Vec::new(), ..request("/order?key=1", Some("{}")) },
            Request { method: Method::Put, ..request("/order?key=1", Some("{}")) },
            Request { authenticate: false, ..request("/order?key=1", Some("{}")) },
        ];
        for other in others {
            assert_ne!(first.fingerprint, Step::new(0, other.clone()).fingerprint, "{other:?}");
        }
    }
}
