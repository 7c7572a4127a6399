//! The webhook's sender: a queue and one task that delivers in order, one at a time, each once.
//!
//! Changes happen while requests are answered, which never waits; so they only queue. A test waits with
//! [`Webhook::settled`] until everything queued was delivered, and needs no sleep.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::delivery::{Delivery, DeliveryAnswer, SentSecret};

/// The header that carries the shared secret.
const SECRET_HEADER: &str = "X-HFT71-Webhook-Secret";

/// How long a receiver may take before a delivery counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What waits to be delivered.
struct Letter {
    url: String,
    external_id: String,
    status: String,
    secret: SentSecret,
    secret_text: String,
}

struct State {
    url: Option<String>,
    secret: String,
    deliveries: Vec<Delivery>,
}

/// The sender.
pub(super) struct Webhook {
    state: Arc<Mutex<State>>,
    letters: mpsc::UnboundedSender<Letter>,
    /// How many letters were queued and how many of them delivered.
    queued: watch::Sender<usize>,
    delivered: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Webhook {
    /// Starts the task, inside a Tokio runtime.
    pub(super) fn start(url: Option<String>, secret: String) -> Self {
        let state = Arc::new(Mutex::new(State { url, secret, deliveries: Vec::new() }));
        let (letters, mut waiting) = mpsc::unbounded_channel::<Letter>();
        let (done, delivered) = watch::channel(0);
        let book = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Some(letter) = waiting.recv().await {
                let answer = match tokio::time::timeout(PATIENCE, deliver(&letter)).await {
                    Ok(answer) => answer.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
                };
                let Letter { url, external_id, status, secret, .. } = letter;
                let mut book = lock(&book);
                let number = book.deliveries.len() + 1;
                book.deliveries.push(Delivery { number, url, external_id, status, secret, answer });
                drop(book);
                done.send_modify(|count| *count += 1);
            }
        });
        Self { state, letters, queued: watch::Sender::new(0), delivered, task }
    }

    /// Sends to this address from now on, or to nobody.
    pub(super) fn set_url(&self, url: Option<String>) {
        lock(&self.state).url = url;
    }

    /// Uses another secret from now on.
    pub(super) fn set_secret(&self, secret: String) {
        lock(&self.state).secret = secret;
    }

    /// The agreed secret.
    pub(super) fn secret(&self) -> String {
        lock(&self.state).secret.clone()
    }

    /// Queues a delivery, if there is an address. Tells whether there is.
    pub(super) fn announce(&self, external_id: &str, status: &str, secret: SentSecret) -> bool {
        let state = lock(&self.state);
        let Some(url) = state.url.clone() else {
            return false;
        };
        let (external_id, status, secret_text) = (external_id.to_owned(), status.to_owned(), state.secret.clone());
        // The receiving end lives as long as the task, and a letter after its end is one that nobody waits for.
        if self.letters.send(Letter { url, external_id, status, secret, secret_text }).is_ok() {
            self.queued.send_modify(|count| *count += 1);
        }
        true
    }

    /// Queues the delivery with this number once more, to the present address. Tells whether there is one.
    pub(super) fn repeat(&self, number: usize, secret: SentSecret) -> bool {
        let found = number.checked_sub(1).and_then(|place| lock(&self.state).deliveries.get(place).cloned());
        found.is_some_and(|delivery| self.announce(&delivery.external_id, &delivery.status, secret))
    }

    /// The deliveries made so far.
    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.state).deliveries.clone()
    }

    /// Waits until everything that was queued before this call is delivered, and answers all deliveries.
    pub(super) async fn settled(&self) -> Vec<Delivery> {
        let wanted = *self.queued.borrow();
        // It fails only when the task has ended, and then there is nothing to wait for.
        let _ = self.delivered.clone().wait_for(|count| *count >= wanted).await;
        self.deliveries()
    }

    /// Delivers nothing more.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error("{0:?} is no address such as http://127.0.0.1:8080/order-status")]
    Address(String),
    #[error("the address cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    #[error("the answer broke off: {0}")]
    Http(#[from] hyper::Error),
}

/// Posts one letter on a connection of its own.
async fn deliver(letter: &Letter) -> Result<DeliveryAnswer, DeliveryError> {
    let address = || DeliveryError::Address(letter.url.clone());
    let url = Url::parse(&letter.url).ok().filter(|url| url.scheme() == "http").ok_or_else(address)?;
    let host = url.host_str().ok_or_else(address)?;
    let port = url.port_or_known_default().ok_or_else(address)?;
    let body = json!({"external_id": letter.external_id, "status": letter.status}).to_string();
    let mut request = hyper::Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, format!("{host}:{port}"))
        .header(CONTENT_TYPE, "application/json");
    request = match letter.secret {
        SentSecret::Right => request.header(SECRET_HEADER, &letter.secret_text),
        SentSecret::Wrong => request.header(SECRET_HEADER, "x".repeat(letter.secret_text.len().max(1))),
        SentSecret::Missing => request,
    };
    let request = request.body(Full::<Bytes>::from(body))?;
    // `host_str` keeps the brackets of an IPv6 address, which connecting wants without.
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok::<_, DeliveryError>(DeliveryAnswer { status, body: String::from_utf8_lossy(&body).into_owned() })
    };
    let driver = async {
        // An error of the connection is also the exchange's, which tells it.
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        answer = exchange => answer,
        never = driver => match never {},
    }
}
