//! A scripted host, so that connector code runs natively in unit tests and benchmarks.
//!
//! ```
//! use tradepost_sdk::prelude::*;
//! use tradepost_sdk::testing::Host;
//!
//! let host = Host::new().settings(r#"{"shop":"one"}"#).respond(|request| {
//!     assert_eq!(request.url(), "/ping");
//!     Answer::json(200, r#"{"ok":true}"#)
//! });
//! let answer = host.run(|| http::get("/ping").send()).unwrap();
//! assert_eq!(answer.status, 200);
//! assert_eq!(host.requests().len(), 1);
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::bindings::contract::errors::Error;
pub use crate::bindings::contract::log::Level;
use crate::bindings::contract::secrets::HmacAlgorithm;
use crate::bindings::contract::values::Timestamp;
use crate::http::{Answer, Request};

/// What answers a request.
type Responder = Box<dyn FnMut(&Request) -> Result<Answer, Error>>;
/// What computes a keyed hash: algorithm, key, data.
type Hmac = Box<dyn Fn(HmacAlgorithm, &[u8], &[u8]) -> Vec<u8>>;

/// One line a connector logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The message.
    pub message: String,
    /// Its named values.
    pub fields: Vec<(String, String)>,
}

/// A host that does what a test tells it. It stands in for the real one on the thread that calls [`Host::run`].
#[derive(Clone)]
pub struct Host(Rc<RefCell<State>>);

struct State {
    settings: String,
    secrets: BTreeMap<String, Vec<u8>>,
    hmac: Hmac,
    responder: Responder,
    queue: VecDeque<Result<Answer, Error>>,
    requests: Vec<Request>,
    storage: BTreeMap<String, Vec<u8>>,
    log: Vec<LogLine>,
    now: Timestamp,
}

thread_local! {
    static CURRENT: RefCell<Option<Host>> = const { RefCell::new(None) };
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host without settings, secrets or answers, whose clock stands at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(State {
            settings: "{}".into(),
            secrets: BTreeMap::new(),
            hmac: Box::new(|_, _, _| panic!("the test scripted no keyed hash: call Host::hmac")),
            responder: Box::new(|request| {
                panic!("the test scripted no answer to {:?} {}", request.method(), request.url())
            }),
            queue: VecDeque::new(),
            requests: Vec::new(),
            storage: BTreeMap::new(),
            log: Vec::new(),
            now: Timestamp { epoch_seconds: 1_767_225_600, nanoseconds: 0, offset_minutes: 0 },
        })))
    }

    /// Sets the settings object.
    #[must_use]
    pub fn settings(self, json: impl Into<String>) -> Self {
        self.0.borrow_mut().settings = json.into();
        self
    }

    /// Gives a secret a value.
    #[must_use]
    pub fn secret(self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.0.borrow_mut().secrets.insert(name.to_owned(), value.into());
        self
    }

    /// Sets what computes keyed hashes. The SDK brings no hash function: on the real host that is the host's work.
    #[must_use]
    pub fn hmac(self, hash: impl Fn(HmacAlgorithm, &[u8], &[u8]) -> Vec<u8> + 'static) -> Self {
        self.0.borrow_mut().hmac = Box::new(hash);
        self
    }

    /// Puts a value into the account's storage.
    #[must_use]
    pub fn stored(self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.0.borrow_mut().storage.insert(key.to_owned(), value.into());
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn now(self, now: Timestamp) -> Self {
        self.0.borrow_mut().now = now;
        self
    }

    /// Sets what answers requests.
    #[must_use]
    pub fn respond(self, mut answer: impl FnMut(&Request) -> Answer + 'static) -> Self {
        self.respond_with(move |request| Ok(answer(request)))
    }

    /// Sets what answers requests, or fails them as the host would.
    #[must_use]
    pub fn respond_with(self, answer: impl FnMut(&Request) -> Result<Answer, Error> + 'static) -> Self {
        self.0.borrow_mut().responder = Box::new(answer);
        self
    }

    /// Queues an answer for the next request that has none queued before it; the responder is asked when the queue is empty.
    #[must_use]
    pub fn then(self, answer: Answer) -> Self {
        self.0.borrow_mut().queue.push_back(Ok(answer));
        self
    }

    /// Runs connector code with this host behind the SDK.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        struct Restore(Option<Host>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.with(|current| *current.borrow_mut() = self.0.take());
            }
        }
        let _restore = Restore(CURRENT.with(|current| current.borrow_mut().replace(self.clone())));
        call()
    }

    /// The requests sent so far.
    pub fn requests(&self) -> Vec<Request> {
        self.0.borrow().requests.clone()
    }

    /// What was logged so far.
    pub fn log(&self) -> Vec<LogLine> {
        self.0.borrow().log.clone()
    }

    /// What is stored under a key.
    pub fn stored_value(&self, key: &str) -> Option<Vec<u8>> {
        self.0.borrow().storage.get(key).cloned()
    }

    fn answer(&self, request: &Request) -> Result<Answer, Error> {
        let (queued, mut responder) = {
            let mut state = self.0.borrow_mut();
            state.requests.push(request.clone());
            let queued = state.queue.pop_front();
            // Taken out while it runs, so that it may look at the host itself.
            let idle: Responder = Box::new(|_| panic!("a responder sent a request itself"));
            (queued, std::mem::replace(&mut state.responder, idle))
        };
        let answer = queued.unwrap_or_else(|| responder(request));
        self.0.borrow_mut().responder = responder;
        answer
    }
}

/// The host's side of [`crate::host`] outside the sandbox.
pub(crate) mod seam {
    use super::{CURRENT, Host, LogLine, State};
    use crate::bindings::contract::errors::Error;
    use crate::bindings::contract::http;
    use crate::bindings::contract::log::Level;
    use crate::bindings::contract::secrets::{HmacAlgorithm, SecretError};
    use crate::bindings::contract::storage::StorageError;
    use crate::bindings::contract::values::Timestamp;
    use crate::http::Request;

    fn current() -> Host {
        CURRENT.with(|current| current.borrow().clone()).expect(
            "connector code ran outside the sandbox without a scripted host: wrap the call in testing::Host::run",
        )
    }

    fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut current().0.borrow_mut())
    }

    pub(crate) fn send(request: &http::Request) -> Result<http::Response, Error> {
        current().answer(&Request::from_wire(request.clone())).map(crate::http::Answer::into_wire)
    }

    pub(crate) fn send_all(requests: &[http::Request]) -> Vec<Result<http::Response, Error>> {
        requests.iter().map(send).collect()
    }

    pub(crate) fn settings() -> String {
        with(|state| state.settings.clone())
    }

    pub(crate) fn log(level: Level, message: &str, fields: &[(String, String)]) {
        with(|state| state.log.push(LogLine { level, message: message.to_owned(), fields: fields.to_vec() }));
    }

    pub(crate) fn secret_matches(name: &str, candidate: &[u8]) -> Result<bool, SecretError> {
        with(|state| state.secrets.get(name).map(|secret| secret == candidate).ok_or(SecretError::Missing))
    }

    pub(crate) fn secret_hmac(name: &str, algorithm: HmacAlgorithm, data: &[u8]) -> Result<Vec<u8>, SecretError> {
        with(|state| {
            let key = state.secrets.get(name).ok_or(SecretError::Missing)?;
            Ok((state.hmac)(algorithm, key, data))
        })
    }

    /// The limits of interface `storage`.
    fn check_key(key: &str) -> Result<(), StorageError> {
        let valid = (1..=512).contains(&key.len()) && !key.chars().any(char::is_control);
        if valid { Ok(()) } else { Err(StorageError::InvalidKey) }
    }

    pub(crate) fn storage_get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        check_key(key)?;
        with(|state| Ok(state.storage.get(key).cloned()))
    }

    pub(crate) fn storage_set(key: &str, value: &[u8], _ttl_seconds: Option<u32>) -> Result<(), StorageError> {
        check_key(key)?;
        if value.len() > 256 * 1024 {
            return Err(StorageError::ValueTooLarge);
        }
        with(|state| state.storage.insert(key.to_owned(), value.to_vec()));
        Ok(())
    }

    pub(crate) fn storage_delete(key: &str) -> Result<(), StorageError> {
        check_key(key)?;
        with(|state| state.storage.remove(key));
        Ok(())
    }

    pub(crate) fn storage_list(prefix: &str, after: Option<&str>) -> Result<Vec<String>, StorageError> {
        with(|state| {
            let keys = state.storage.keys().filter(|key| key.starts_with(prefix));
            let keys = keys.filter(|key| after.is_none_or(|after| key.as_str() > after));
            Ok(keys.take(256).cloned().collect())
        })
    }

    pub(crate) fn storage_compare_and_set(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<bool, StorageError> {
        if storage_get(key)?.as_deref() != expected {
            return Ok(false);
        }
        match value {
            Some(value) => storage_set(key, value, None)?,
            None => storage_delete(key)?,
        }
        Ok(true)
    }

    pub(crate) fn now() -> Timestamp {
        // Pure functions that read the clock should not need a scripted host.
        CURRENT.with(|current| current.borrow().as_ref().map(|host| host.0.borrow().now)).unwrap_or(Timestamp {
            epoch_seconds: 1_767_225_600,
            nanoseconds: 0,
            offset_minutes: 0,
        })
    }
}
