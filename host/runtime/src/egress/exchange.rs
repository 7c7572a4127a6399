//! The HTTP of one call: its requests, its budgets, its answers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::HeaderMap;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::budget::{Budget, HttpLimits, Usage};
use super::door::{Authentication, Door, Prepared};
use super::error::SendError;
use super::login::Login;
use super::token::Token;
use super::transport::Outgoing;

/// The methods a connector may use. No others exist: `CONNECT` and `TRACE` cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Read headers only.
    Head,
    /// Usually a change.
    Post,
    /// Replace.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(http::Method::from(*self).as_str())
    }
}

/// What sending a request does to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something; twice is the same as once.
    Repeatable,
    /// Changes something each time. Sent on a new connection, so that a closed kept one does not leave it in doubt.
    Once,
}

/// A request as a connector gives it.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// An absolute URL, or a path (`/orders?page=2`) or query (`?page=2`) appended to the account's root URL.
    pub url: String,
    /// Names and values; checked against the allow-list.
    pub headers: Vec<(String, String)>,
    /// The body, if any. `GET` and `HEAD` have none.
    pub body: Option<Bytes>,
    /// Whether the host adds the account's credential.
    pub authenticate: bool,
    /// What it does, the method's default already filled in.
    pub effect: Effect,
}

/// Shows no header values, query or body: they hold customers' data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url.split(['?', '#']).next().unwrap_or_default())
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .field("authenticate", &self.authenticate)
            .field("effect", &self.effect)
            .finish()
    }
}

/// A complete answer, whatever its status; free of the account's secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code. Redirects are not followed.
    pub status: u16,
    /// Names in lower case and values, without cookies and connection headers.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Bytes,
}

/// Shows no header values or body: they hold customers' data.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The HTTP of one call of a connector. Shared by its parallel requests; dropped with the call.
pub struct Exchange {
    door: Arc<Door>,
    budget: Arc<Budget>,
    slots: Semaphore,
    /// The newest token generation a request of this call carried; 0 = none.
    generation: AtomicU64,
    /// The generation that a 401 in this call led to; 0 = none. It is refused too if the credential is at fault, and
    /// logging in again for each request would lock the account.
    renewed: AtomicU64,
    /// A login that was refused is not tried again in the same call.
    login_refused: Mutex<Option<String>>,
}

impl Exchange {
    pub(super) fn new(door: Arc<Door>, limits: HttpLimits) -> Self {
        Self {
            door,
            slots: Semaphore::new(limits.in_flight.max(1)),
            budget: Arc::new(Budget::new(limits)),
            generation: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
            login_refused: Mutex::new(None),
        }
    }

    /// What the call has spent so far.
    pub fn usage(&self) -> Usage {
        self.budget.usage()
    }

    /// The newest token that a request of this call carried, for [`Door::invalidate_token`]; none if there was none.
    pub fn token_generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Relaxed)).filter(|generation| *generation > 0)
    }

    /// Whether a request of this call was answered 401 and led to a new login.
    pub fn has_renewed(&self) -> bool {
        self.renewed.load(Ordering::Relaxed) > 0
    }

    /// Sends several requests, at most [`HttpLimits::in_flight`] at a time, and returns the outcomes in order.
    pub async fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, SendError>> {
        let at_once = self.budget.limits.in_flight.max(1);
        stream::iter(requests).map(|request| self.send(request)).buffered(at_once).collect().await
    }

    /// Sends one request and waits for the whole answer.
    ///
    /// # Errors
    /// See [`SendError`]; [`SendError::may_have_been_sent`] tells whether the source may have acted on it. A 4xx or 5xx is
    /// an answer, not an error. An answer 401 to a request that carried a token leads to a new login and the same request
    /// once more, also for `once`: 401 says that it was not processed.
    pub async fn send(&self, request: Request) -> Result<Response, SendError> {
        self.budget.request()?;
        let _slot = self.slots.acquire().await.map_err(|_| SendError::NotSent("the call has ended".to_owned()))?;
        let prepared = self.door.prepare(&request)?;
        let shown = (request.method, prepared.origin.clone(), request.effect);
        let outcome = self.authenticated(&request, prepared).await;
        let account = self.door.policy().account.as_str();
        let (method, origin, effect) = shown;
        match &outcome {
            Ok(Response { status, body, .. }) => {
                tracing::debug!(account, %method, %origin, ?effect, status, bytes = body.len(), "answered");
            }
            Err(error) => tracing::debug!(account, %method, %origin, ?effect, %error, "no answer"),
        }
        outcome.map(|response| self.scrub(response))
    }

    async fn authenticated(&self, request: &Request, prepared: Prepared) -> Result<Response, SendError> {
        if !request.authenticate {
            return self.attempt(request, &prepared, None).await;
        }
        match &self.door.auth {
            Authentication::None { .. } => self.attempt(request, &prepared, None).await,
            Authentication::Fixed { value, .. } => self.attempt(request, &prepared, Some(value)).await,
            Authentication::Login(login) => {
                let token = self.token(login).await?;
                let response = self.attempt(request, &prepared, Some(&token.value)).await?;
                let renewed = self.renewed.load(Ordering::Relaxed);
                if response.status != 401 || (renewed > 0 && token.generation >= renewed) {
                    return Ok(response);
                }
                login.keeper.spend(token.generation);
                let token = self.token(login).await?;
                self.renewed.fetch_max(token.generation, Ordering::Relaxed);
                self.attempt(request, &prepared, Some(&token.value)).await
            }
        }
    }

    /// Logs in where this request will need a token and there is none, so that it does not wait for one when it counts as sent already.
    /// What goes wrong goes wrong again, and is told, when it is sent.
    pub(crate) async fn log_in_for(&self, request: &Request) {
        if let Authentication::Login(login) = &self.door.auth
            && request.authenticate
        {
            let _told_later = self.token(login).await;
        }
    }

    async fn token(&self, login: &Login) -> Result<Arc<Token>, SendError> {
        let refused = || self.login_refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = refused().clone() {
            return Err(SendError::AuthRejected(text));
        }
        let token = self.door.token(login).await;
        match &token {
            Ok(token) => {
                self.generation.fetch_max(token.generation, Ordering::Relaxed);
            }
            Err(SendError::AuthRejected(text)) => *refused() = Some(text.clone()),
            Err(_) => {}
        }
        token
    }

    async fn attempt(
        &self,
        request: &Request,
        prepared: &Prepared,
        credential: Option<&SecretString>,
    ) -> Result<Response, SendError> {
        self.door.guarded(&prepared.origin, self.transmit(request, prepared, credential)).await
    }

    async fn transmit(
        &self,
        request: &Request,
        prepared: &Prepared,
        credential: Option<&SecretString>,
    ) -> Result<Response, SendError> {
        self.door.turn(&prepared.origin).await;
        let deadline = Instant::now() + self.budget.limits.each;
        let (mut url, mut headers) = (prepared.url.clone(), prepared.headers.clone());
        let mut body = request.body.clone();
        if let (Some(value), Some(placement)) = (credential, self.door.placement()) {
            placement.place(value, &mut url, &mut headers, &mut body)?;
        }
        self.budget.send(size(&url, &headers, body.as_ref()))?;
        let admission = timeout_at(deadline, self.door.admit(&prepared.origin))
            .await
            .map_err(|_| SendError::NotSent("the name could not be looked up in time".to_owned()))??;
        let mut outgoing = reqwest::Request::new(request.method.into(), url);
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = body.map(reqwest::Body::from);
        let outgoing = Outgoing { request: outgoing, effect: request.effect };
        fail::fail_point!("request.about-to-be-sent");
        #[cfg(feature = "failpoints")]
        if request.effect != Effect::Read {
            fail::fail_point!("request.write-about-to-be-sent");
        }
        let answer = self.door.egress().transmit(&admission, outgoing, &self.budget, deadline).await;
        fail::fail_point!("request.answered");
        answer
    }

    fn scrub(&self, response: Response) -> Response {
        let scrubber = self.door.scrubber();
        let headers = response
            .headers
            .into_iter()
            .map(|(name, value)| {
                let clean = scrubber.text(&value).into_owned();
                (name, clean)
            })
            .collect();
        Response { status: response.status, headers, body: scrubber.body(response.body) }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("door", &self.door).field("usage", &self.usage()).finish_non_exhaustive()
    }
}

fn size(url: &Url, headers: &HeaderMap, body: Option<&Bytes>) -> usize {
    let headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    url.as_str().len() + headers + body.map_or(0, Bytes::len)
}
