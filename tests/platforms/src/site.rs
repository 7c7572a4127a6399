//! A running server: counts requests, applies faults, asks the marketplace, and answers people below `/_sandbox`.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, StatusCode};
use hyper::Response;
use hyper::body::Incoming;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::body::{AnswerBody, Cut};
use crate::exchange::{Answer, Request};
use crate::fault::{self, Fault, FaultKind, FaultSwitch};
use crate::ledger::Ledger;
use crate::server::{self, Outgoing};

/// What a marketplace does with a request. It works in memory and never waits.
pub(crate) trait Marketplace: Send + Sync {
    /// Answers a request, entering what it accepts in the ledger.
    fn answer(&self, request: &Request) -> Answer;

    /// How many records it holds, by stream.
    fn held(&self) -> BTreeMap<String, u64>;

    /// Writes the text of every record that a list shows.
    fn prepare(&self);

    /// What PHP prints when a fault makes it complain, with a line break at the end.
    fn php_notice(&self) -> &'static str {
        fault::WORDPRESS_NOTICE
    }
}

/// Why a marketplace did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is not to be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source} (port 0 takes any free one)")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The ledger's file cannot be opened.
    #[error("cannot append to the ledger's file {}: {source}", path.display())]
    LedgerFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A request that was answered, as told to the hook of [`Platform::between_requests`](crate::Platform::between_requests).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its number among all requests, from 1.
    pub number: u64,
    /// Its method.
    pub method: String,
    /// Its path with its query.
    pub path: String,
}

type Hook = Box<dyn FnMut(&Served) + Send>;

/// How a server is started, whatever the marketplace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The port, or 0 for any free one.
    pub(crate) port: u16,
    /// A path between the host and everything else, empty or such as `/market`.
    pub(crate) prefix: String,
    /// Where the ledger is kept besides memory.
    pub(crate) ledger_file: Option<PathBuf>,
}

/// The server of one marketplace.
pub struct Site {
    root_url: String,
    marketplace: Arc<dyn Marketplace>,
    ledger: Ledger,
    faults: FaultSwitch,
    /// Held while a request is answered, so that the hook's changes fall between two requests and never into one.
    turn: Mutex<Option<Hook>>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Site {
    /// Listens, lets `open` make the marketplace for the address, and serves it.
    pub(crate) async fn start<M: Marketplace + 'static>(
        plan: Plan,
        open: impl FnOnce(&str, Ledger) -> M,
    ) -> Result<(Arc<Self>, Arc<M>), StartError> {
        let Plan { port, prefix, ledger_file } = plan;
        let listener =
            TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| StartError::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { port, source })?;
        let ledger = match ledger_file {
            Some(path) => Ledger::with_file(&path).map_err(|source| StartError::LedgerFile { path, source })?,
            None => Ledger::default(),
        };
        let root_url = format!("http://{address}{prefix}");
        let marketplace = Arc::new(open(&root_url, ledger.clone()));
        let site = Arc::new(Self {
            root_url,
            marketplace: Arc::clone(&marketplace) as Arc<dyn Marketplace>,
            ledger,
            faults: FaultSwitch::default(),
            turn: Mutex::new(None),
            accepting: Mutex::new(None),
        });
        let serving = Arc::clone(&site);
        let task = tokio::spawn(async move {
            server::accept(listener, serving).await;
        });
        *site.accepting() = Some(task);
        Ok((site, marketplace))
    }

    fn accepting(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, Option<Hook>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`Platform::root_url`](crate::Platform::root_url).
    pub fn root_url(&self) -> &str {
        &self.root_url
    }

    /// See [`Platform::held`](crate::Platform::held).
    pub fn held(&self) -> BTreeMap<String, u64> {
        self.marketplace.held()
    }

    /// See [`Platform::ledger`](crate::Platform::ledger).
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// See [`Platform::set_fault`](crate::Platform::set_fault).
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.faults.set(fault);
    }

    /// See [`Platform::between_requests`](crate::Platform::between_requests).
    pub fn between_requests(&self, hook: Box<dyn FnMut(&Served) + Send>) {
        *self.turn() = Some(hook);
    }

    /// See [`Platform::prepare`](crate::Platform::prepare).
    pub fn prepare(&self) {
        self.marketplace.prepare();
    }

    /// See [`Platform::stop`](crate::Platform::stop).
    pub async fn stop(&self) {
        let task = self.accepting().take();
        if let Some(task) = task {
            task.abort();
            // It ends by being aborted, which is the only error it can have.
            let _ = task.await;
        }
    }

    /// Stops without waiting.
    pub(crate) fn abandon(&self) {
        if let Some(task) = self.accepting().take() {
            task.abort();
        }
    }

    /// Answers one request of a connection.
    pub(crate) async fn answer(&self, request: hyper::Request<Incoming>) -> Outgoing {
        let request = Request::read(request).await?;
        if let Some(errand) = request.path.strip_prefix("/_sandbox") {
            return Ok(whole(self.answer_person(&request, errand)));
        }
        let number = self.ledger.count_request();
        let path = request.path_and_query();
        let fault = self.faults.before(&path);
        match fault {
            Some(FaultKind::Reset) => return Err(Cut::Reset),
            Some(FaultKind::Slow(delay)) => tokio::time::sleep(delay).await,
            _ => {}
        }
        if let Some(answer) = fault.and_then(|kind| fault::instead(kind, self.marketplace.php_notice())) {
            return Ok(whole(answer));
        }
        let (answer, wrote) = self.take_turn(number, &request);
        if wrote && self.faults.after_write(&path) {
            return Err(Cut::Reset);
        }
        Ok(match fault {
            Some(FaultKind::Notice) => whole(fault::with_notice(answer, self.marketplace.php_notice())),
            Some(FaultKind::Truncated) => truncated(answer),
            _ => whole(answer),
        })
    }

    /// Lets the marketplace answer, then lets the hook do what it wants. Tells also whether something was written.
    fn take_turn(&self, number: u64, request: &Request) -> (Answer, bool) {
        let mut hook = self.turn();
        let before = self.ledger.len();
        let answer = self.marketplace.answer(request);
        let wrote = self.ledger.len() > before;
        if let Some(hook) = hook.as_mut() {
            hook(&Served { number, method: request.method.to_string(), path: request.path_and_query() });
        }
        (answer, wrote)
    }

    /// Answers a person's request below `/_sandbox`.
    fn answer_person(&self, request: &Request, errand: &str) -> Answer {
        match (&request.method, errand.trim_end_matches('/')) {
            (&Method::GET, "/ledger") => Answer::json(
                StatusCode::OK,
                &json!({
                    "requests": self.ledger.requests(),
                    "logins": self.ledger.logins(),
                    "effects": self.ledger.effects(),
                    "entries": self.ledger.entries(),
                }),
            ),
            (&Method::GET, "/held") => Answer::json(StatusCode::OK, &json!(self.held())),
            (&Method::POST, "/fault") => self.set_fault_from_text(&String::from_utf8_lossy(&request.body)),
            _ => text(StatusCode::NOT_FOUND, "use GET /_sandbox/ledger, GET /_sandbox/held or POST /_sandbox/fault\n"),
        }
    }

    fn set_fault_from_text(&self, wish: &str) -> Answer {
        if ["", "off"].contains(&wish.trim()) {
            self.set_fault(None);
            return text(StatusCode::OK, "no fault\n");
        }
        match wish.parse::<Fault>() {
            Ok(fault) => {
                let answer = text(StatusCode::OK, format!("{fault}\n"));
                self.set_fault(Some(fault));
                answer
            }
            Err(error) => text(StatusCode::BAD_REQUEST, format!("{error}, or off\n")),
        }
    }
}

fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    Answer::new(status, "text/plain; charset=UTF-8", body.into())
}

fn whole(answer: Answer) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Whole(Some(answer.body)));
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    response
}

/// An answer whose header promises all of the body and whose body ends half way.
fn truncated(answer: Answer) -> Response<AnswerBody> {
    let promised = answer.body.len().max(2);
    let part = answer.body.slice(..answer.body.len() / 2);
    let mut response = whole(answer);
    *response.body_mut() = AnswerBody::Truncated { part: Some(part), flushed: false };
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(promised));
    response
}
