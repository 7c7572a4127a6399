//! Receives what platforms send: a small HTTP server that hands each request to the engine and answers as that says.
//!
//! An account's webhooks come to `/webhooks/ACCOUNT`; what stands behind it in the path, and the query, reach its connector. Whoever is
//! out there is a stranger: sizes and times have limits before anything is looked at, and refusals say nothing but their status.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tradepost_engine::Engine;
use tradepost_engine::receive::MOST_BODY;
use tradepost_runtime::contract::{WebhookAnswer, WebhookRequest};

use crate::failure::{Failure, Result};

/// The prefix of the addresses that accounts have.
const PREFIX: &str = "/webhooks/";
/// How long a sender may take for a request's headers, and for its body.
const HEADERS_TIME: Duration = Duration::from_secs(10);
const BODY_TIME: Duration = Duration::from_secs(10);
/// Connections that are open at the same time; further ones wait.
const MOST_CONNECTIONS: usize = 512;

/// A receiver that listens. It goes on with what is under way when it is stopped.
pub(crate) struct WebhookReceiver {
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl WebhookReceiver {
    /// Listens on an address for the accounts of an engine.
    pub(crate) async fn start(address: SocketAddr, engine: Engine) -> Result<Self> {
        let broken = |error: std::io::Error| {
            Failure::configuration(format!("cannot listen for webhooks on {address}: {error}"))
                .advice("choose another address; port 0 takes one that is free")
        };
        let listener = TcpListener::bind(address).await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let stop = CancellationToken::new();
        let router = Router::new().route("/health", get(|| async { "ok\n" })).fallback(receive).with_state(engine);
        let server = tokio::spawn(serve(listener, router, stop.clone()));
        Ok(Self { address, stop, server })
    }

    /// Where an account's webhooks come to.
    pub(crate) fn url(&self, account: &str) -> String {
        format!("http://{}{PREFIX}{account}", self.address)
    }

    /// Takes no more, and finishes what is under way.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let _ended = self.server.await;
    }
}

/// Takes connections until it is told to stop, then waits for those that are open.
async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, most likely: room comes with the end of a connection.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (service, stop) = (TowerToHyperService::new(router.clone()), stop.clone());
        connections.spawn(async move {
            let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
            builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_TIME).max_buf_size(64 << 10);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                _ = &mut connection => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ended = connection.await;
                }
            }
            drop(place);
        });
    }
    connections.close();
    connections.wait().await;
}

async fn receive(State(engine): State<Engine>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let Some((account, rest)) = target(&engine, &path) else { return StatusCode::NOT_FOUND.into_response() };
    let body = match whole(body, &head.headers).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let request = WebhookRequest { method: head.method.to_string(), path: rest, headers, body };
    match engine.receive(&account, request).await {
        Ok(answer) => into_response(answer),
        Err(error) => {
            let status = error.status();
            tracing::warn!(account, status, %error, "a webhook was not taken");
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

/// The account that a path means, the longest id that fits, and what is left of the path for its connector.
fn target(engine: &Engine, path: &str) -> Option<(String, String)> {
    let rest = path.strip_prefix(PREFIX)?;
    let fits = |account: &tradepost_runtime::Account| {
        rest.strip_prefix(account.id()).is_some_and(|after| after.is_empty() || after.starts_with(['/', '?']))
    };
    let account = engine.accounts().into_iter().filter(fits).max_by_key(|account| account.id().len())?;
    let after = &rest[account.id().len()..];
    let slash = if after.starts_with('/') { "" } else { "/" };
    Some((account.id().to_owned(), format!("{slash}{after}")))
}

/// The whole body, in time and within its limit.
async fn whole(body: Body, headers: &HeaderMap) -> std::result::Result<Vec<u8>, StatusCode> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MOST_BODY) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match timeout(BODY_TIME, to_bytes(body, MOST_BODY)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn into_response(answer: WebhookAnswer) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
