//! A loopback server that attacks by answering: it repeats what it was sent in every way, redirects, breaks off, or never
//! answers. It keeps a ledger of the requests and counts the connections, by which tests judge what went out.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::serve::ListenerExt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpListener;
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use tradepost_runtime::Origin;

/// Requests that `/gate` lets through together.
pub const GATE: usize = 4;

/// Most bytes of a request's body that are read.
const BODY_BYTES: usize = 64 << 20;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The request as text, every part of it.
    pub fn text(&self) -> String {
        let mut text = format!("{} {}\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(&self.body));
        text
    }
}

/// The server. It stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Ledger>,
    task: JoinHandle<()>,
}

/// What arrived at a server, and how.
pub struct Ledger {
    token: String,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    gate: Barrier,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a server.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn start() -> Self {
        Self::giving_token("no token").await
    }

    /// Starts a server whose `/login` answers with this token.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn giving_token(token: &str) -> Self {
        let shared = Arc::new(Ledger {
            token: token.into(),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            gate: Barrier::new(GATE),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
        let address = listener.local_addr().expect("a listener has an address");
        let counted = Arc::clone(&shared);
        let listener = listener.tap_io(move |_| {
            counted.connections.fetch_add(1, Ordering::Relaxed);
        });
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, shared, task }
    }

    /// Its root, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin, for grants.
    ///
    /// # Panics
    /// Never: its URL is an origin.
    pub fn origin(&self) -> Origin {
        self.url().parse().expect("an origin")
    }

    /// Everything that arrived, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen()
    }

    /// Its ledger, which outlives it.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.shared)
    }

    /// Connections that were opened, whether or not anything was sent.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Most requests that waited at `/gate` at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::Relaxed)
    }
}

impl Ledger {
    /// Everything that arrived, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.entries().clone()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds requests until so many are there. A host that sends fewer at a time would wait for ever.
    async fn gate(&self) {
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        self.gate.wait().await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(State(shared): State<Arc<Ledger>>, request: Request) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    let headers = parts.headers.iter();
    let seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
    };
    shared.entries().push(seen.clone());
    let path = parts.uri.path();
    Ok(match path {
        "/never" => std::future::pending().await,
        "/gate" => {
            shared.gate().await;
            plain(StatusCode::OK, "through")
        }
        "/login" => {
            let token = serde_json::json!({ "token": shared.token, "you-sent": String::from_utf8_lossy(&body) });
            plain(StatusCode::OK, token.to_string())
        }
        "/echo" => plain(StatusCode::OK, seen.text()),
        "/echo-fails" => plain(StatusCode::INTERNAL_SERVER_ERROR, seen.text()),
        "/echo-redirects" => {
            redirect(StatusCode::FOUND, &format!("/echo?{}", utf8_percent_encode(&seen.text(), NON_ALPHANUMERIC)))
        }
        "/echo-broken" => broken(seen.text()),
        "/echo-in-headers" => in_headers(&seen),
        "/echo-encoded" => plain(StatusCode::OK, encodings(&seen)),
        _ => match path.strip_prefix("/redirect/").and_then(|status| status.parse::<StatusCode>().ok()) {
            Some(status) => {
                redirect(status, parts.uri.query().and_then(|query| query.strip_prefix("to=")).unwrap_or("/"))
            }
            None => plain(StatusCode::OK, "ok"),
        },
    })
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = plain(status, "elsewhere");
    response.headers_mut().insert(LOCATION, HeaderValue::from_str(to).expect("the target is a header value"));
    response
}

/// A chunked body that begins with the text and breaks off.
fn broken(text: String) -> Response<Body> {
    let pieces =
        stream::iter([Ok(Bytes::from(text))]).chain(stream::once(async { Err(io::Error::other("broken off")) }));
    Response::new(Body::from_stream(pieces))
}

/// Each header and the body as values of the answer's headers.
fn in_headers(seen: &Seen) -> Response<Body> {
    let mut response = plain(StatusCode::OK, "see the headers");
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    let values = seen.headers.iter().map(|(_, value)| value.clone()).chain([seen.target.clone(), body]);
    for (index, value) in values.enumerate() {
        let name = HeaderName::try_from(format!("x-echo-{index}")).expect("a header name");
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Everything that was sent in the encodings that servers write in; a Basic credential also decoded.
fn encodings(seen: &Seen) -> String {
    let mut parts = vec![seen.text()];
    for (_, value) in &seen.headers {
        parts.push(value.clone());
        if let Some(decoded) = value.strip_prefix("Basic ").and_then(|pair| STANDARD.decode(pair).ok()) {
            let pair = String::from_utf8_lossy(&decoded).into_owned();
            parts.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
            parts.push(pair);
        }
    }
    let mut text = String::new();
    for part in parts {
        let hexadecimal: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(text, "plain: {part}");
        let _ = writeln!(text, "json: {}", serde_json::Value::String(part.clone()));
        let _ = writeln!(text, "base64: {}", STANDARD.encode(&part));
        let _ = writeln!(text, "url: {}", utf8_percent_encode(&part, NON_ALPHANUMERIC));
        let _ = writeln!(text, "hexadecimal: {hexadecimal}");
    }
    text
}
