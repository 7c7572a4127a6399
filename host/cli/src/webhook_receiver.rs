//! A receiver of webhooks on loopback: each request goes to a connector, and is answered as the connector says once its events are kept.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tradepost_runtime::contract::{WebhookEvent, WebhookRequest};
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, CallError};

use crate::failure::{Failure, Result};

/// A receiver that listens.
pub(crate) struct WebhookReceiver {
    address: SocketAddr,
    events: Arc<Mutex<Vec<WebhookEvent>>>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Inbox {
    account: Account,
    events: Arc<Mutex<Vec<WebhookEvent>>>,
}

impl WebhookReceiver {
    /// Listens on a free port of the loopback address, for this account.
    pub(crate) async fn start(account: Account) -> Result<Self> {
        let broken = |error: std::io::Error| Failure::unexpected(format!("cannot listen for webhooks: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let inbox = Inbox { account, events: Arc::clone(&events) };
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(receive).with_state(inbox);
        let server = tokio::spawn(async move {
            let until = async { stopped.await.unwrap_or_default() };
            axum::serve(listener, router).with_graceful_shutdown(until).await
        });
        Ok(Self { address, events, stop, server })
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The source's words that were told of an order's status, in their order.
    pub(crate) fn words_of(&self, order: &str) -> Vec<String> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let words = events.iter().filter_map(|event| match event {
            WebhookEvent::OrderStatus(told) if told.id == order => Some(told.status.raw.clone()),
            _ => None,
        });
        words.collect()
    }

    /// Takes no more.
    pub(crate) async fn stop(self) {
        let _listening = self.stop.send(());
        let _ended = self.server.await;
    }
}

async fn receive(State(inbox): State<Inbox>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request = WebhookRequest {
        method: method.to_string(),
        path: uri.to_string(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
    };
    let reading = match inbox.account.receive_webhook(&request).await {
        Ok(reply) => reply.commit().await,
        Err(error) => Err(error),
    };
    match reading {
        Ok(reading) => {
            inbox.events.lock().unwrap_or_else(PoisonError::into_inner).extend(reading.events);
            let mut answer = Response::builder().status(reading.answer.status);
            for (name, value) in reading.answer.headers {
                answer = answer.header(name, value);
            }
            answer
                .body(reading.answer.body.into())
                .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Err(CallError::Connector(error)) if error.kind == ErrorKind::AuthRejected => {
            StatusCode::UNAUTHORIZED.into_response()
        }
        Err(CallError::Connector(_)) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
