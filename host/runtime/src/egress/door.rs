//! One account's way out: what its connector asks for, what its operator granted, and its credential.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderMap;
use secrecy::SecretString;
use tokio::time::Instant;
use url::{Host, Url};

use super::address::{AddressClass, classify};
use super::auth::{Credential, Placement};
use super::breaker::Breakers;
use super::error::{Denial, Layer, SendError};
use super::exchange::{Exchange, Method, Request, Response};
use super::headers::RequestHeaders;
use super::login::Login;
use super::origin::{Grants, Origin};
use super::scrub::Scrubber;
use super::target::target;
use super::token::TokenStore;
use super::transport::{Admission, Egress, Granted};
use super::turnstile::Turnstile;
use super::{HttpLimits, budget::Budget};

/// What one account's connector may reach.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name and version of the connector, for messages: `hft71 0.1.0`.
    pub connector: String,
    /// The account, for messages and as the key of its token: `acme/hft71`.
    pub account: String,
    /// What relative URLs are appended to. Query and fragment are ignored.
    pub root_url: Url,
    /// The origins that the manifest asks for, with its templates filled in.
    pub hosts: Vec<Origin>,
    /// What the operator granted.
    pub grants: Grants,
    /// Header names that the manifest asks for beyond the host's allow-list.
    pub request_headers: Vec<String>,
    /// How many requests in how much time the platform allows, where it says.
    pub pace: Option<(u32, Duration)>,
}

/// An account's credential or root URL cannot work as it is filled in. Nothing in it is secret.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("account {account}: {reason}")]
pub struct DoorError {
    account: String,
    reason: String,
}

/// One account's way out. Made when an account is bound; kept while its settings stay the same, because it holds the
/// account's token.
pub struct Door {
    egress: Egress,
    policy: Policy,
    headers: RequestHeaders,
    problems: Vec<Denial>,
    placement: Option<Placement>,
    /// The only origin that the credential goes to.
    root_origin: Origin,
    turnstile: Option<Turnstile>,
    breakers: Option<Breakers>,
    pub(super) auth: Authentication,
}

/// How requests of this door are authenticated.
pub(super) enum Authentication {
    /// Nothing to place.
    None { scrubber: Arc<Scrubber> },
    /// The same value each time.
    Fixed { value: SecretString, scrubber: Arc<Scrubber> },
    /// A token.
    Login(Box<Login>),
}

impl Egress {
    /// Opens the door of one account. `secrets` are all secret settings of the account, whether or not the credential uses
    /// them (webhook keys, ...): they are removed from answers, as are the credential's own secrets and live tokens.
    ///
    /// Missing grants do not fail here: they fail the request that needs them, and [`Door::policy_problems`] tells them
    /// beforehand.
    ///
    /// # Errors
    /// If the root URL is not `http` or `https`, or the credential cannot be placed or its login cannot be addressed.
    pub fn door(
        &self,
        policy: Policy,
        credential: Credential,
        secrets: Vec<SecretString>,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Arc<Door>, DoorError> {
        let fail = |reason: String| DoorError { account: policy.account.clone(), reason };
        let root_origin = Origin::of(&policy.root_url).map_err(|error| fail(format!("root URL: {error}")))?;
        credential.check().map_err(fail)?;
        let placement = credential.placement().cloned();
        let credential_header = placement.as_ref().and_then(Placement::header);
        let (headers, mut problems) = RequestHeaders::new(&policy.request_headers, credential_header);

        let all_secrets: Vec<SecretString> = secrets.into_iter().chain(credential.secrets()).collect();
        let mut needed = policy.hosts.clone();
        if !policy.hosts.contains(&root_origin) {
            problems.push(undeclared(&policy, &root_origin));
        }
        let fixed = credential.fixed_value();
        let auth = match (credential, fixed) {
            (Credential::Login(recipe), _) => {
                let url =
                    target(&policy.root_url, &recipe.url).map_err(|denial| fail(format!("login URL: {denial}")))?;
                let origin = Origin::of(&url).map_err(|error| fail(format!("login URL: {error}")))?;
                if !policy.hosts.contains(&origin) {
                    problems.push(undeclared(&policy, &origin));
                }
                Authentication::Login(Box::new(Login::new(recipe, url, origin, all_secrets, tokens, self.clock())))
            }
            (_, Some(value)) => {
                let scrubber = Arc::new(Scrubber::new(all_secrets.iter().chain([&value])));
                Authentication::Fixed { value, scrubber }
            }
            (_, None) => Authentication::None { scrubber: Arc::new(Scrubber::new(&all_secrets)) },
        };
        needed.retain(|origin| granted(&policy, origin).is_none());
        problems.extend(not_granted(&policy, &needed));
        let pace = policy.pace.filter(|_| self.is_paced());
        let turnstile = pace.and_then(|(requests, interval)| Turnstile::new(requests, interval));
        let breakers = self.is_paced().then(Breakers::default);
        Ok(Arc::new(Door {
            egress: self.clone(),
            turnstile,
            breakers,
            policy,
            headers,
            problems,
            placement,
            root_origin,
            auth,
        }))
    }
}

fn granted(policy: &Policy, origin: &Origin) -> Option<Granted> {
    // The private grant covers public addresses too: it says what the name may also be.
    if policy.grants.private_hosts.contains(origin) {
        Some(Granted::Private)
    } else {
        policy.grants.hosts.contains(origin).then_some(Granted::Public)
    }
}

fn undeclared(policy: &Policy, origin: &Origin) -> Denial {
    let declared = if policy.hosts.is_empty() { "none".to_owned() } else { listed(&policy.hosts) };
    Denial::new(
        Layer::Manifest,
        format!(
            "host not declared: {origin} (the manifest of connector {} does not ask for it; it asks for: {declared}). Only a \
             version of the connector whose manifest lists it under hosts may reach it",
            policy.connector
        ),
    )
}

fn listed(origins: &[Origin]) -> String {
    origins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The settings line that adds origins to a list of grants: the whole list, ready to be pasted.
fn grant_line(list: &str, present: &[Origin], missing: &[Origin]) -> String {
    let all: Vec<String> = present.iter().chain(missing).map(|origin| format!("\"{origin}\"")).collect();
    format!("grants.{list} = [{}]", all.join(", "))
}

/// Whether an origin is private on the face of it, so that a public grant would only lead to the next refusal.
fn is_private(origin: &Origin) -> bool {
    let address = match origin.host() {
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
        Host::Domain(name) => return name == "localhost",
    };
    matches!(classify(address), AddressClass::Private(_))
}

fn not_granted(policy: &Policy, missing: &[Origin]) -> Option<Denial> {
    if missing.is_empty() {
        return None;
    }
    let (private, public): (Vec<Origin>, Vec<Origin>) = missing.iter().cloned().partition(is_private);
    let mut lines = Vec::new();
    if !public.is_empty() {
        lines.push(grant_line("hosts", &policy.grants.hosts, &public));
    }
    if !private.is_empty() {
        lines.push(grant_line("private_hosts", &policy.grants.private_hosts, &private));
    }
    let line = lines.join("\n");
    let them = if missing.len() == 1 { "it" } else { "them" };
    let message = format!(
        "hosts not granted: {} (connector {} asks for {them}; allow {them} with {line:?} in account {})",
        listed(missing),
        policy.connector,
        policy.account
    );
    Some(Denial::allowed_by(Layer::Grant, message, line))
}

impl Door {
    /// What the operator granted.
    pub(crate) fn grants(&self) -> &Grants {
        &self.policy.grants
    }

    /// What will be refused whatever the connector sends: hosts of the manifest that are not granted, a root or login URL
    /// that the manifest does not declare, header names that no connector may set. Worth showing when an account is bound.
    pub fn policy_problems(&self) -> &[Denial] {
        &self.problems
    }

    /// The manifest's hosts that are not granted, if any, as one denial that names the line for all of them.
    pub fn missing_grants(&self) -> Option<&Denial> {
        self.problems.iter().find(|denial| denial.layer() == Layer::Grant)
    }

    /// Waits until a request to the platform may go.
    pub(super) async fn turn(&self, origin: &Origin) {
        if let Some(turnstile) = self.turnstile.as_ref().filter(|_| *origin == self.root_origin) {
            turnstile.pass().await;
        }
    }

    /// Sends something to a server, unless the server is left alone, and notes what became of it.
    pub(super) async fn guarded(
        &self,
        origin: &Origin,
        send: impl Future<Output = Result<Response, SendError>>,
    ) -> Result<Response, SendError> {
        let Some(breakers) = &self.breakers else { return send.await };
        breakers.admit(origin, Instant::now())?;
        let outcome = send.await;
        breakers.note(origin, &outcome, Instant::now());
        outcome
    }

    /// The policy it was opened with.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Begins the exchange of one call of the connector.
    pub fn exchange(self: &Arc<Self>, limits: HttpLimits) -> Exchange {
        Exchange::new(Arc::clone(self), limits)
    }

    /// Marks the token of this generation, and older ones, as refused by the source: the next request logs in again. For
    /// connectors that report `auth-expired` where the source does not answer 401. The generation is that of
    /// [`Exchange::token_generation`]; a newer token is not touched.
    pub fn invalidate_token(&self, used_generation: u64) {
        if let Authentication::Login(login) = &self.auth {
            login.keeper.spend(used_generation);
        }
    }

    pub(super) fn egress(&self) -> &Egress {
        &self.egress
    }

    pub(super) fn placement(&self) -> Option<&Placement> {
        self.placement.as_ref()
    }

    pub(super) fn scrubber(&self) -> Arc<Scrubber> {
        match &self.auth {
            Authentication::None { scrubber } | Authentication::Fixed { scrubber, .. } => Arc::clone(scrubber),
            Authentication::Login(login) => login.keeper.scrubber(),
        }
    }

    /// Everything about a request that can be refused without a lookup.
    pub(super) fn prepare(&self, request: &Request) -> Result<Prepared, Denial> {
        let url = target(&self.policy.root_url, &request.url)?;
        let origin = Origin::of(&url).map_err(|error| Denial::new(Layer::Url, error.to_string()))?;
        self.allowed(&origin)?;
        let headers = self.headers.check(&request.headers)?;
        let bodiless = matches!(request.method, Method::Get | Method::Head);
        if bodiless && request.body.is_some() {
            let message = format!("{} carries no body; send it with POST, or as query parameters", request.method);
            return Err(Denial::new(Layer::Method, message));
        }
        // A host that may be reached is not one that is trusted with the credential: it would learn it by being asked.
        if request.authenticate && self.placement.is_some() && origin != self.root_origin {
            let message = format!(
                "the account's credential goes to {} only, not to {origin}; send this request without `authenticate`",
                self.root_origin
            );
            return Err(Denial::new(Layer::Url, message));
        }
        if let Some(placement) = &self.placement {
            placement.check_free(&url, request.body.as_ref())?;
            if bodiless && request.authenticate && matches!(placement, Placement::JsonBody(_)) {
                let message =
                    format!("the account's token goes into a JSON body, which {} does not have", request.method);
                return Err(Denial::new(Layer::Method, message));
            }
        }
        Ok(Prepared { url, origin, headers })
    }

    fn allowed(&self, origin: &Origin) -> Result<Granted, Denial> {
        if !self.policy.hosts.contains(origin) {
            return Err(undeclared(&self.policy, origin));
        }
        granted(&self.policy, origin)
            .ok_or_else(|| not_granted(&self.policy, std::slice::from_ref(origin)).expect("one origin is missing"))
    }

    /// Checks an origin at every layer, addresses included.
    pub(super) async fn admit(&self, origin: &Origin) -> Result<Admission, SendError> {
        let granted = self.allowed(origin)?;
        let line = grant_line("private_hosts", &self.policy.grants.private_hosts, std::slice::from_ref(origin));
        self.egress.admit(origin, granted, &line, &self.policy.account).await
    }

    pub(super) fn login_budget() -> Arc<Budget> {
        // A login's answer is a few hundred bytes; its requests do not count against the connector's own.
        Arc::new(Budget::new(HttpLimits { bytes_in: 256 * 1024, ..HttpLimits::default() }))
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("connector", &self.policy.connector)
            .field("account", &self.policy.account)
            .finish_non_exhaustive()
    }
}

/// A request that passed every check but that of its addresses.
pub(super) struct Prepared {
    pub(super) url: Url,
    pub(super) origin: Origin,
    pub(super) headers: HeaderMap,
}
