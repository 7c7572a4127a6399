//! A loopback server that speaks bytes: what no HTTP library would send. It keeps what it was sent, and counts connections.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tradepost_runtime::Origin;

use crate::arena::locked;

/// The server. It stops when it is dropped.
pub struct RawServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RawServer {
    /// Reads a request off each connection and hands the connection to `answer`, which closes it by returning.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn start<F, Fut>(answer: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0", answer).await
    }

    /// The same at an address.
    ///
    /// # Panics
    /// If it cannot be listened on.
    pub async fn start_at<F, Fut>(at: &str, answer: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&requests);
        let answer = Arc::new(answer);
        Self::serving(at, requests, move |mut connection| {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            async move {
                if let Some(request) = read_request(&mut connection).await {
                    locked(&kept).push(request);
                    // A client that has had enough closes; that is no failure of the server.
                    let _ = answer(connection).await;
                }
            }
        })
        .await
    }

    /// Hands each connection over as it is, nothing read.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn untouched<F, Fut>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::serving("127.0.0.1:0", Arc::default(), serve).await
    }

    /// Accepts, and neither reads nor answers.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn silent() -> Self {
        Self::untouched(|connection| async move {
            let _kept_open = connection;
            std::future::pending::<()>().await;
        })
        .await
    }

    async fn serving<F, Fut>(at: &str, requests: Arc<Mutex<Vec<String>>>, serve: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(at).await.expect("loopback can be listened on");
        let address = listener.local_addr().expect("a listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut served = tokio::task::JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                served.spawn(serve(connection));
            }
        });
        Self { address, requests, connections, task }
    }

    /// Answers every request with these bytes and closes.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        Self::start(move |mut connection| {
            let bytes = Arc::clone(&bytes);
            async move { connection.write_all(&bytes).await }
        })
        .await
    }

    /// Answers every request with these bytes, then with `piece` again and again: so often a second, or without a pause.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn dripping(start: impl Into<Vec<u8>>, piece: impl Into<Vec<u8>>, pause: Option<Duration>) -> Self {
        let (start, piece): (Arc<[u8]>, Arc<[u8]>) = (start.into().into(), piece.into().into());
        Self::start(move |mut connection| {
            let (start, piece) = (Arc::clone(&start), Arc::clone(&piece));
            async move {
                connection.write_all(&start).await?;
                let mut tick = pause.map(tokio::time::interval);
                loop {
                    if let Some(tick) = &mut tick {
                        tick.tick().await;
                    }
                    connection.write_all(&piece).await?;
                }
            }
        })
        .await
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its origin, for grants.
    ///
    /// # Panics
    /// Never: its URL is an origin.
    pub fn origin(&self) -> Origin {
        self.url().parse().expect("an origin")
    }

    /// Connections that were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Requests that arrived, whole, as text.
    pub fn requests(&self) -> Vec<String> {
        locked(&self.requests).clone()
    }
}

/// A whole request, as text; none where the client closed before.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    let mut piece = vec![0; 64 << 10];
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
