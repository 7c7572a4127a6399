//! Egress against servers on loopback: what they saw is what counts, not what the client believes.

mod addresses;
mod canary;
mod hostile_component;
mod hostile_server;
mod login;
mod proxy;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use url::Url;

use super::*;

/// Short steps, so that a test of a slow server is over soon. Connecting keeps its time: these machines may be busy.
fn hasty() -> Timeouts {
    Timeouts {
        first_byte: Duration::from_millis(300),
        connect: Duration::from_millis(700),
        between_bytes: Duration::from_millis(300),
        slow_after: Duration::from_millis(500),
        ..Timeouts::default()
    }
}

/// A resolver that answers from a script: each name's answers in turn, the last one for ever.
#[derive(Default)]
struct Script {
    names: HashMap<String, Vec<Vec<IpAddr>>>,
    lookups: AtomicUsize,
}

impl Script {
    fn name(mut self, name: &str, answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect()).collect();
        self.names.insert(name.to_owned(), answers);
        self
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let lookup = self.lookups.fetch_add(1, Ordering::SeqCst);
        let answers = self.names.get(host).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))?;
        Ok(answers[lookup.min(answers.len() - 1)].clone())
    }
}

/// A server that speaks bytes. It keeps what it was sent.
#[derive(Clone)]
struct RawServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl RawServer {
    /// Reads a request off each connection and hands the connection to `answer`, which closes it by returning.
    async fn start<F, Fut>(answer: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0", answer).await
    }

    async fn start_at<F, Fut>(at: &str, answer: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(at).await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), requests: Arc::default(), connections: Arc::default() };
        let (kept, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                kept.connections.fetch_add(1, Ordering::SeqCst);
                let (kept, answer) = (kept.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    if let Some(request) = read_request(&mut connection).await {
                        kept.requests.lock().unwrap().push(request);
                        // A client that has had enough closes; that is no failure of the server.
                        let _ = answer(connection).await;
                    }
                });
            }
        });
        server
    }

    /// Answers every request with these bytes and closes.
    async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut connection| {
            let bytes = bytes.clone();
            async move { connection.write_all(&bytes).await }
        })
        .await
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A port that refuses connections, for as long as the socket is held: bound, so that nobody else gets it, but not
/// listening.
fn refusing_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A whole request, as text; none where the client closed before.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        if let Some(head) = received.windows(4).position(|end| end == b"\r\n\r\n") {
            let length = String::from_utf8_lossy(&received[..head])
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if received.len() >= head + 4 + length {
                return Some(String::from_utf8_lossy(&received).into_owned());
            }
        }
        match connection.read(&mut piece).await {
            Ok(read) if read > 0 => received.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
}

/// A plain answer.
fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", &[], body.as_bytes())
}

fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Serves an axum router on loopback; returns its origin.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

/// An account whose origins are all declared; which are granted is up to the test.
struct Account {
    policy: Policy,
    credential: Credential,
    secrets: Vec<secrecy::SecretString>,
    tokens: Arc<dyn TokenStore>,
    egress: EgressBuilder,
}

impl Account {
    fn new(root: &str, hosts: &[&str]) -> Self {
        Self {
            policy: Policy {
                connector: "hft71 0.1.0".to_owned(),
                account: "acme/hft71".to_owned(),
                root_url: Url::parse(root).unwrap(),
                hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
                grants: Grants::default(),
                request_headers: Vec::new(),
                pace: None,
            },
            credential: Credential::None,
            secrets: Vec::new(),
            tokens: Arc::new(MemoryTokenStore::default()),
            egress: Egress::builder(),
        }
    }

    /// One loopback server, granted as private.
    fn at(origin: &str) -> Self {
        let mut account = Self::new(origin, &[origin]);
        account.policy.grants.private_hosts = account.policy.hosts.clone();
        account
    }

    fn granted(mut self) -> Self {
        self.policy.grants.hosts = self.policy.hosts.clone();
        self
    }

    fn privately(mut self) -> Self {
        self.policy.grants.private_hosts = self.policy.hosts.clone();
        self
    }

    fn resolver(mut self, script: &Arc<Script>) -> Self {
        self.egress = self.egress.resolver(script.clone());
        self
    }

    fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.egress = self.egress.timeouts(timeouts);
        self
    }

    fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    fn door(self) -> Arc<Door> {
        self.egress.build().unwrap().door(self.policy, self.credential, self.secrets, self.tokens).unwrap()
    }

    fn exchange(self) -> Exchange {
        self.door().exchange(HttpLimits::default())
    }
}

fn request(method: Method, url: &str) -> Request {
    Request {
        method,
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        authenticate: true,
        effect: if matches!(method, Method::Get | Method::Head) { Effect::Read } else { Effect::Once },
    }
}

fn get(url: &str) -> Request {
    request(Method::Get, url)
}

fn post(url: &str, body: &str) -> Request {
    Request { body: Some(Bytes::from(body.to_owned())), ..request(Method::Post, url) }
}

fn denial(outcome: Result<Response, SendError>) -> Denial {
    match outcome {
        Err(SendError::Denied(denial)) => denial,
        other => panic!("expected a denial, got {other:?}"),
    }
}
