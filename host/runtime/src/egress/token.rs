//! Tokens that a login yields: kept, renewed before they end, once for many concurrent requests.
//!
//! A token is stored before its first use. After a crash the host would otherwise hold no token while the source counts
//! one as issued, and sources that rotate or ration tokens lock such a client out.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use secrecy::{ExposeSecret, SecretString};

use super::error::SendError;
use super::scrub::Scrubber;

/// Time as the token keeper and guests see it. A host uses [`SystemClock`]; tests set their own.
pub trait Clock: Send + Sync + 'static {
    /// Time since some fixed point; never goes back. Decides when a token is renewed.
    fn monotonic(&self) -> Duration;
    /// Time of day: what guests see, and a token's end in the store, which outlives the process.
    fn wall(&self) -> SystemTime;
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A token as it is stored. A secret: encrypt it at rest.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token.
    pub value: SecretString,
    /// When it ends, by this host's clock.
    pub expires_at: SystemTime,
    /// Digest of the login it came from, in hexadecimal. After a change of credentials the old token is not used: it may
    /// belong to another shop. Derived from secrets, so it is kept as safe as the token.
    pub login: SecretString,
}

/// The token store did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the token store failed: {0}")]
pub struct TokenStoreError(
    /// What happened, without secrets.
    pub String,
);

/// Keeps tokens over restarts, and shares them between processes that serve the same account.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// The account's token, if there is one.
    async fn load(&self, account: &str) -> Result<Option<StoredToken>, TokenStoreError>;
    /// Replaces the account's token. Durable when this returns: the token is used right after.
    async fn save(&self, account: &str, token: &StoredToken) -> Result<(), TokenStoreError>;
}

/// Keeps tokens for the life of the process.
#[derive(Default)]
pub struct MemoryTokenStore {
    tokens: Mutex<HashMap<String, StoredToken>>,
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokenStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn load(&self, account: &str) -> Result<Option<StoredToken>, TokenStoreError> {
        Ok(self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned())
    }

    async fn save(&self, account: &str, token: &StoredToken) -> Result<(), TokenStoreError> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), token.clone());
        Ok(())
    }
}

/// A live token.
pub(super) struct Token {
    pub(super) value: SecretString,
    pub(super) generation: u64,
    /// Monotonic time from which it is renewed.
    renew_from: Duration,
}

/// What a login or the store yielded.
pub(super) struct NewToken {
    pub(super) value: SecretString,
    pub(super) remaining: Duration,
    pub(super) margin: Duration,
}

type Renewal = Shared<BoxFuture<'static, Result<Arc<Token>, SendError>>>;

struct State {
    current: Option<Arc<Token>>,
    /// Requests that are under way may still carry it, and their answers echo it.
    previous: Option<SecretString>,
    generation: u64,
    /// Tokens up to this generation were refused by the source.
    spent: u64,
    renewal: Option<Renewal>,
    scrubber: Arc<Scrubber>,
}

/// The token of one account.
pub(super) struct TokenKeeper {
    secrets: Vec<SecretString>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl TokenKeeper {
    pub(super) fn new(secrets: Vec<SecretString>, clock: Arc<dyn Clock>) -> Self {
        let scrubber = Arc::new(Scrubber::new(&secrets));
        let state = State { current: None, previous: None, generation: 0, spent: 0, renewal: None, scrubber };
        Self { secrets, clock, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(super) fn scrubber(&self) -> Arc<Scrubber> {
        Arc::clone(&self.lock().scrubber)
    }

    /// The token in memory, whatever its state: what the store is compared with.
    pub(super) fn known(&self) -> Option<SecretString> {
        self.lock().current.as_ref().map(|token| token.value.clone())
    }

    /// Marks every token up to `generation` as refused by the source.
    pub(super) fn spend(&self, generation: u64) {
        let mut state = self.lock();
        // A generation that was never issued must not block the ones to come.
        state.spent = state.spent.max(generation.min(state.generation));
    }

    /// A usable token: the one at hand, the one being fetched, or a new one through `renew`, which runs as a task of its
    /// own. A caller that gives up does not take a login with it that the others wait for and the source has counted.
    pub(super) async fn usable<F>(self: &Arc<Self>, renew: impl FnOnce() -> F) -> Result<Arc<Token>, SendError>
    where
        F: Future<Output = Result<Arc<Token>, SendError>> + Send + 'static,
    {
        let renewal = {
            let mut state = self.lock();
            if let Some(token) = &state.current
                && token.generation > state.spent
                && self.clock.monotonic() < token.renew_from
            {
                return Ok(Arc::clone(token));
            }
            if let Some(renewal) = state.renewal.clone().filter(|renewal| renewal.peek().is_none()) {
                renewal
            } else {
                let (keeper, renew) = (Arc::clone(self), renew());
                let task = tokio::spawn(async move {
                    let result = renew.await;
                    // A failure is for those who waited for it; the next request tries again.
                    if result.is_err() {
                        keeper.lock().renewal = None;
                    }
                    result
                });
                let renewal = async move {
                    task.await.unwrap_or_else(|_| Err(SendError::NotSent("the login was interrupted".to_owned())))
                }
                .boxed()
                .shared();
                state.renewal = Some(renewal.clone());
                renewal
            }
        };
        renewal.await
    }

    /// Makes a token the current one.
    pub(super) fn install(&self, new: NewToken) -> Arc<Token> {
        let margin = new.margin.min(new.remaining / 2);
        let mut state = self.lock();
        state.generation += 1;
        let token = Arc::new(Token {
            value: new.value,
            generation: state.generation,
            renew_from: self.clock.monotonic() + new.remaining.saturating_sub(margin),
        });
        state.previous = state.current.replace(Arc::clone(&token)).map(|token| token.value.clone());
        let tokens = [Some(&token.value), state.previous.as_ref()];
        state.scrubber = Arc::new(Scrubber::new(self.secrets.iter().chain(tokens.into_iter().flatten())));
        state.renewal = None;
        token
    }
}

/// Whether two secrets are the same.
pub(super) fn same(one: &SecretString, other: &SecretString) -> bool {
    use subtle::ConstantTimeEq;
    one.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()).into()
}
