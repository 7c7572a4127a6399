//! Egress itself: the HTTP clients, the address check in front of them, and one request on the wire.

use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue};
use tokio::time::{Instant, timeout, timeout_at};
use url::Host;

use super::address::{AddressClass, classify};
use super::answer::{Pace, check_headers, describe, read_body};
use super::budget::Budget;
use super::error::{Denial, Layer, SendError};
use super::exchange::{Effect, Response};
use super::headers;
use super::origin::Origin;
use super::resolve::{CheckedAddresses, Published, Resolve, SystemResolver};
use super::token::{Clock, SystemClock};

/// More addresses than this are not looked at: no shop has them, and the answer is somebody else's to make long.
const MAX_ADDRESSES: usize = 64;

/// How long each step of a request may take. The whole has a limit of its own, [`HttpLimits::each`](super::HttpLimits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name lookup. 3 s.
    pub lookup: Duration,
    /// TCP connection and TLS handshake. 5 s.
    pub connect: Duration,
    /// From then until the answer's headers are complete. 20 s.
    pub first_byte: Duration,
    /// Between two pieces of the body. 10 s.
    pub between_bytes: Duration,
    /// How long a body may come slower than `least_rate`. 10 s.
    pub slow_after: Duration,
    /// Bytes a second a body must come with once `slow_after` has passed. 1024.
    pub least_rate: u64,
    /// How long an unused connection is kept. 15 s: shorter than servers do, so that they rarely close it under a request.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            lookup: Duration::from_secs(3),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(20),
            between_bytes: Duration::from_secs(10),
            slow_after: Duration::from_secs(10),
            least_rate: 1024,
            idle: Duration::from_secs(15),
        }
    }
}

/// Egress could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("HTTP cannot be set up: {0}")]
pub struct EgressError(String);

/// Settings of an [`Egress`].
#[must_use]
pub struct EgressBuilder {
    resolver: Arc<dyn Resolve>,
    own: Vec<SocketAddr>,
    timeouts: Timeouts,
    user_agent: String,
    clock: Arc<dyn Clock>,
    source: Option<Arc<dyn Source>>,
    paced: bool,
}

impl EgressBuilder {
    /// Looks names up with something else than the system's resolver.
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Where the host itself listens (metrics, webhooks, database, ...): never dialled, no grant allows it. A listener on
    /// the unspecified address (`0.0.0.0:9090`) covers that port on every address of this machine; addresses that a router
    /// forwards to it must be listed.
    pub fn own_addresses(mut self, own: Vec<SocketAddr>) -> Self {
        self.own = own;
        self
    }

    /// How long each step may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The `User-Agent` of every request.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The clock that tokens are renewed by and that guests see. For tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Answers every request in place of the network: a recorded or scripted platform, for conformance checks and
    /// benchmarks. Nothing is looked up or dialled; every other rule stays in force.
    pub fn source(mut self, source: Arc<dyn Source>) -> Self {
        self.source = Some(source);
        self
    }

    /// Does not wait for the pace that platforms allow: for platforms that are tests'.
    pub fn unpaced(mut self) -> Self {
        self.paced = false;
        self
    }

    /// Builds the clients.
    ///
    /// # Errors
    /// If the user agent is not a header value, or the system's root certificates cannot be read.
    pub fn build(self) -> Result<Egress, EgressError> {
        let lane = || Lane::new(&self.timeouts, &self.user_agent).map_err(|error| EgressError(describe(error)));
        Ok(Egress {
            inner: Arc::new(Inner {
                public: lane()?,
                private: lane()?,
                resolver: self.resolver,
                own: self.own,
                timeouts: self.timeouts,
                clock: self.clock,
                source: self.source,
                paced: self.paced,
            }),
        })
    }
}

impl fmt::Debug for EgressBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressBuilder")
            .field("own", &self.own)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// What answers in place of the network.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The answer to a request that passed every check, with its credential in place.
    async fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError>;
}

/// The one way out. Cheap to clone; one per host.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

struct Inner {
    public: Lane,
    private: Lane,
    resolver: Arc<dyn Resolve>,
    own: Vec<SocketAddr>,
    timeouts: Timeouts,
    clock: Arc<dyn Clock>,
    source: Option<Arc<dyn Source>>,
    paced: bool,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("own", &self.inner.own)
            .field("timeouts", &self.inner.timeouts)
            .finish_non_exhaustive()
    }
}

/// Connections to public, or to privately granted addresses. Two lanes with clients of their own, so that a pooled
/// connection to a private address is never found by an account that was not granted it.
struct Lane {
    checked: CheckedAddresses,
    pooled: reqwest::Client,
    /// For `once` requests: always a new connection. On a kept one that the server has just closed, nobody can tell
    /// whether the request was read, and a `once` request in doubt waits for a person.
    fresh: reqwest::Client,
}

impl Lane {
    fn new(timeouts: &Timeouts, user_agent: &str) -> reqwest::Result<Self> {
        let checked = CheckedAddresses::default();
        let client = |idle_connections: usize| {
            // Each default switched off here is a way around the door: redirects skip the checks and carry custom token
            // headers along, an environment proxy skips the resolver, a retry sends twice.
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .retry(reqwest::retry::never())
                .http1_only()
                .dns_resolver(checked.clone())
                .connect_timeout(timeouts.connect)
                .pool_idle_timeout(timeouts.idle)
                .pool_max_idle_per_host(idle_connections)
                .user_agent(user_agent)
                .build()
        };
        Ok(Self { pooled: client(8)?, fresh: client(0)?, checked })
    }
}

/// Which addresses an origin was granted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granted {
    Public,
    Private,
}

/// A destination whose addresses have been checked. While it lives, the lane's client may dial them.
pub(super) struct Admission {
    private: bool,
    _published: Option<Published>,
}

/// Why addresses are not dialled.
enum Refusal {
    Never(String),
    NotPublic(String),
}

/// What to send.
pub(super) struct Outgoing {
    pub(super) request: reqwest::Request,
    pub(super) effect: Effect,
}

impl Egress {
    /// Defaults: the system's resolver, no addresses of our own, default timeouts.
    pub fn builder() -> EgressBuilder {
        EgressBuilder {
            resolver: Arc::new(SystemResolver),
            own: Vec::new(),
            timeouts: Timeouts::default(),
            user_agent: concat!("tradepost/", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: Arc::new(SystemClock::default()),
            source: None,
            paced: true,
        }
    }

    pub(super) fn is_paced(&self) -> bool {
        self.inner.paced
    }

    /// What tells the time, to token keeping and to guests.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    /// Looks the origin's host up and checks every address. `private_line` is the settings line of `account` that would
    /// allow a private address.
    pub(super) async fn admit(
        &self,
        origin: &Origin,
        granted: Granted,
        private_line: &str,
        account: &str,
    ) -> Result<Admission, SendError> {
        if self.inner.source.is_some() {
            return Ok(Admission { private: false, _published: None });
        }
        let (name, addresses) = match origin.host() {
            Host::Ipv4(address) => (None, vec![IpAddr::V4(*address)]),
            Host::Ipv6(address) => (None, vec![IpAddr::V6(*address)]),
            Host::Domain(name) => (Some(name), self.look_up(name).await?),
        };
        let private = self.check(origin, &addresses, granted).map_err(|refusal| match refusal {
            Refusal::Never(message) => Denial::new(Layer::Address, message),
            Refusal::NotPublic(message) => Denial::allowed_by(
                Layer::Address,
                format!("{message}; if that is meant, allow it with {private_line:?} in account {account}"),
                private_line,
            ),
        })?;
        let lane = if private { &self.inner.private } else { &self.inner.public };
        Ok(Admission { private, _published: name.map(|name| lane.checked.publish(name, origin.port(), addresses)) })
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, SendError> {
        let unsent = |reason: String| SendError::NotSent(format!("the name {name} could not be looked up: {reason}"));
        let addresses = timeout(self.inner.timeouts.lookup, self.inner.resolver.resolve(name))
            .await
            .map_err(|_| unsent(format!("no answer within {:?}", self.inner.timeouts.lookup)))?
            .map_err(|error| unsent(error.to_string()))?;
        match addresses.len() {
            0 => Err(unsent("it has no addresses".to_owned())),
            1..=MAX_ADDRESSES => Ok(addresses),
            many => Err(unsent(format!("it has {many} addresses, more than {MAX_ADDRESSES}"))),
        }
    }

    /// One bad address refuses the whole answer: which of them gets dialled is a race that an attacker can rig.
    /// Returns whether the addresses are private.
    fn check(&self, origin: &Origin, addresses: &[IpAddr], granted: Granted) -> Result<bool, Refusal> {
        let deny = Refusal::Never;
        let (mut public, mut private) = (None, None);
        for address in addresses {
            if self.is_own(*address, origin.port()) {
                return Err(deny(format!(
                    "{origin} leads to {address}, where this host itself listens; no grant allows it"
                )));
            }
            match classify(*address) {
                AddressClass::Refused(range) => {
                    return Err(deny(format!(
                        "{origin} leads to {address} ({range}), which is never dialled; no grant allows it"
                    )));
                }
                AddressClass::Private(range) if granted == Granted::Public => {
                    return Err(Refusal::NotPublic(format!(
                        "{origin} leads to {address} ({range}), which is not public"
                    )));
                }
                AddressClass::Private(_) => private = Some(address),
                AddressClass::Public => public = Some(address),
            }
        }
        match (public, private) {
            (Some(public), Some(private)) => Err(deny(format!(
                "{origin} leads both to the public {public} and to the private {private}; one of them is wrong"
            ))),
            (_, private) => Ok(private.is_some()),
        }
    }

    fn is_own(&self, address: IpAddr, port: u16) -> bool {
        // Binding to an address succeeds only where it is one of this machine's.
        let local = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
        self.inner.own.iter().filter(|own| own.port() == port).any(|own| {
            let same_address = own.ip().to_canonical() == address.to_canonical();
            same_address || (own.ip().is_unspecified() && local(address))
        })
    }

    /// Sends one request and reads the whole answer. `admission` is that of the request's origin.
    pub(super) async fn transmit(
        &self,
        admission: &Admission,
        outgoing: Outgoing,
        budget: &Arc<Budget>,
        deadline: Instant,
    ) -> Result<Response, SendError> {
        let Outgoing { mut request, effect } = outgoing;
        let timeouts = &self.inner.timeouts;
        let lane = if admission.private { &self.inner.private } else { &self.inner.public };
        let client = if effect == Effect::Once { &lane.fresh } else { &lane.pooled };
        let head = request.method() == http::Method::HEAD;
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
        // Servers answer 411 to a POST that does not say that it has no body, and the client library leaves that out.
        let expects_body = matches!(*request.method(), http::Method::POST | http::Method::PUT | http::Method::PATCH);
        if expects_body && request.body().is_none() {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }

        // Connecting has a shorter limit of its own inside the client, and fails with an error that says so.
        let first_byte = deadline.min(Instant::now() + timeouts.connect + timeouts.first_byte);
        if effect != Effect::Read {
            budget.writing();
        }
        let answered = async {
            match &self.inner.source {
                None => Ok(client.execute(request).await),
                Some(source) => source.answer(scripted(request)).await.map(|answer| Ok(answer.into())),
            }
        };
        let outcome = match timeout_at(first_byte, answered).await {
            Ok(outcome) => Ok(outcome?),
            Err(elapsed) => Err(elapsed),
        };
        let mut response = match outcome {
            Err(_) => return Err(SendError::InDoubt("no answer came in time".to_owned())),
            Ok(Err(error)) if error.is_connect() => {
                if effect != Effect::Read {
                    budget.not_written();
                }
                return Err(SendError::NotSent(format!("no connection: {}", describe(error))));
            }
            Ok(Err(error)) => return Err(SendError::InDoubt(format!("no complete answer: {}", describe(error)))),
            Ok(Ok(response)) => response,
        };
        fail::fail_point!("request.headers-read");
        #[cfg(feature = "failpoints")]
        if effect != Effect::Read {
            fail::fail_point!("request.write-headers-read");
        }
        check_headers(response.headers())?;
        let pace = Pace {
            between_bytes: timeouts.between_bytes,
            slow_after: timeouts.slow_after,
            least_rate: timeouts.least_rate,
        };
        let body = read_body(&mut response, budget, pace, deadline).await?;
        Ok(Response { status: response.status().as_u16(), headers: headers::visible(response.headers(), head), body })
    }
}

/// The request as a source sees it.
fn scripted(mut request: reqwest::Request) -> http::Request<Bytes> {
    let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice).unwrap_or_default();
    let mut plain = http::Request::new(body);
    *plain.method_mut() = request.method().clone();
    // A URL that passed the checks is a URI; were it not, the source would be asked for `/`.
    *plain.uri_mut() = request.url().as_str().parse().unwrap_or_default();
    std::mem::swap(plain.headers_mut(), request.headers_mut());
    plain
}
