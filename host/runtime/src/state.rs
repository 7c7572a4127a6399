//! What one call holds, and the host's side of the contract's imports.
//!
//! Each function here is one door: it counts itself, turns the guest's words into the host's, and gives answers in the
//! contract's words. `describe` runs without capabilities, and then every door but the log is shut.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac};
use secrecy::ExposeSecret;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::account::AccountInner;
use crate::contract::errors::{Error, ErrorKind, RetryHint, UnexpectedAnswer};
use crate::contract::generated::tradepost::connector::settings;
use crate::contract::http::{self, Effect, Method, Request, Response};
use crate::contract::secrets::{self, HmacAlgorithm, SecretError};
use crate::contract::storage::{self as contract_storage, StorageError};
use crate::contract::{commerce, errors, log, manifest};
use crate::egress::{self, BudgetExceeded, Denial, SendError};
use crate::journal::Outbound;
use crate::limits::{Limits, Meter};
use crate::log_book::{LogBook, LogLine};
use crate::storage::{Overlay, Refusal, StorageWrites};
use crate::wasi::{self, LastWords};

/// What an account's call may do.
pub(crate) struct Capabilities {
    pub(crate) account: Arc<AccountInner>,
    pub(crate) outbound: Outbound,
    pub(crate) overlay: Overlay,
}

/// The store data of one call.
pub(crate) struct CallState {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(crate) meter: Meter,
    pub(crate) last_words: LastWords,
    log: LogBook,
    /// The last request that the host refused. The guest is told the layer only: the text names addresses and grants.
    denial: Option<Denial>,
    /// The HTTP budget that ran out, if one did.
    spent: Option<BudgetExceeded>,
    capabilities: Option<Capabilities>,
}

/// What is left of a call.
#[derive(Default)]
pub(crate) struct Remains {
    pub(crate) log: Vec<LogLine>,
    pub(crate) writes: StorageWrites,
    pub(crate) http: egress::Usage,
    /// The newest token that a request carried.
    pub(crate) token: Option<u64>,
    /// Whether a token that was refused was renewed.
    pub(crate) renewed: bool,
    pub(crate) denial: Option<Denial>,
    pub(crate) spent: Option<BudgetExceeded>,
}

impl CallState {
    /// `now` is the time of day that the guest sees, for the whole call.
    pub(crate) fn new(limits: &Limits, now: SystemTime, log: LogBook, capabilities: Option<Capabilities>) -> Self {
        let (wasi, last_words) = wasi::context(now);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self { wasi, table, meter: Meter::new(limits), last_words, log, denial: None, spent: None, capabilities }
    }

    /// What is left when the call is over.
    pub(crate) fn finish(self) -> Remains {
        let log = self.log.finish();
        match self.capabilities {
            Some(Capabilities { outbound, overlay, .. }) => Remains {
                log,
                writes: overlay.into_writes(),
                http: outbound.exchange().usage(),
                token: outbound.exchange().token_generation(),
                renewed: outbound.exchange().has_renewed(),
                denial: self.denial,
                spent: self.spent,
            },
            None => Remains { log, ..Remains::default() },
        }
    }

    /// The contract's word for a request without an answer. What may have been carried out and must not be repeated is
    /// `outcome-unknown`; what is safe to repeat is `transient`.
    fn send_error(&mut self, error: SendError, effect: egress::Effect) -> Error {
        let in_doubt = error.may_have_been_sent() && effect == egress::Effect::Once;
        let detail = match &error {
            SendError::Denied(denial) => format!("denied by the {} layer", denial.layer()),
            other => other.to_string(),
        };
        let (kind, message) = match error {
            _ if in_doubt => (ErrorKind::OutcomeUnknown, "it is not known whether the request was carried out"),
            SendError::Denied(denial) => {
                self.denial = Some(denial);
                (ErrorKind::Forbidden, "the host denied the request")
            }
            SendError::AuthRejected(_) => (ErrorKind::AuthRejected, "the platform refused the login"),
            SendError::NotSent(_) | SendError::InDoubt(_) => {
                (ErrorKind::Transient(RetryHint { retry_after_ms: None }), "the platform could not be reached")
            }
            SendError::Protocol(text) => (
                ErrorKind::Protocol(UnexpectedAnswer {
                    pointer: String::new(),
                    expected: "an answer within the host's limits".into(),
                    excerpt: text,
                }),
                "the platform's answer was not acceptable",
            ),
            SendError::Budget(spent) => {
                self.spent = Some(spent);
                (ErrorKind::Forbidden, "the connector used up its share of HTTP")
            }
        };
        Error { kind, message: message.into(), detail }
    }

    fn capabilities(&mut self) -> wasmtime::Result<&mut Capabilities> {
        self.capabilities.as_mut().ok_or_else(|| {
            wasmtime::format_err!("connector.describe runs without capabilities: it may call nothing but log.write")
        })
    }
}

impl WasiView for CallState {
    /// Called on each WASI function, which is how those are counted too: the next tick stops a guest that overdoes it.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let _counted = self.meter.host_call();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

// Interfaces that are types only.
impl commerce::Host for CallState {}
impl errors::Host for CallState {}
impl manifest::Host for CallState {}

impl http::Host for CallState {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        self.meter.host_call()?;
        self.meter.pause();
        let (request, effect) = outgoing(request);
        let answer = self.capabilities()?.outbound.send(request).await?;
        self.meter.resume();
        Ok(answer.map(incoming).map_err(|error| self.send_error(error, effect)))
    }

    async fn send_all(&mut self, requests: Vec<Request>) -> wasmtime::Result<Vec<Result<Response, Error>>> {
        self.meter.host_call()?;
        self.meter.pause();
        let (requests, effects): (Vec<_>, Vec<_>) = requests.into_iter().map(outgoing).unzip();
        let answers = self.capabilities()?.outbound.send_all(requests).await?;
        self.meter.resume();
        Ok(answers
            .into_iter()
            .zip(effects)
            .map(|(answer, effect)| answer.map(incoming).map_err(|error| self.send_error(error, effect)))
            .collect())
    }
}

fn outgoing(request: Request) -> (egress::Request, egress::Effect) {
    let (method, by_default) = match request.method {
        Method::Get => (egress::Method::Get, egress::Effect::Read),
        Method::Head => (egress::Method::Head, egress::Effect::Read),
        Method::Post => (egress::Method::Post, egress::Effect::Once),
        Method::Put => (egress::Method::Put, egress::Effect::Repeatable),
        Method::Patch => (egress::Method::Patch, egress::Effect::Once),
        Method::Delete => (egress::Method::Delete, egress::Effect::Repeatable),
    };
    let effect = match request.effect {
        Some(Effect::Read) => egress::Effect::Read,
        Some(Effect::Repeatable) => egress::Effect::Repeatable,
        Some(Effect::Once) => egress::Effect::Once,
        None => by_default,
    };
    let request = egress::Request {
        method,
        url: request.url,
        headers: request.headers,
        body: request.body.map(Into::into),
        authenticate: request.authenticate,
        effect,
    };
    (request, effect)
}

fn incoming(response: egress::Response) -> Response {
    Response { status: response.status, headers: response.headers, body: response.body.into() }
}

impl contract_storage::Host for CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, StorageError>> {
        self.meter.host_call()?;
        self.meter.pause();
        let value = self.capabilities()?.overlay.get(&key).await;
        self.meter.resume();
        Ok(value.map_err(storage_error))
    }

    async fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        ttl_seconds: Option<u32>,
    ) -> wasmtime::Result<Result<(), StorageError>> {
        self.meter.host_call()?;
        self.meter.pause();
        let time_to_live = ttl_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let done = self.capabilities()?.overlay.set(key, value, time_to_live).await;
        self.meter.resume();
        Ok(done.map_err(storage_error))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), StorageError>> {
        self.meter.host_call()?;
        self.meter.pause();
        let done = self.capabilities()?.overlay.delete(key).await;
        self.meter.resume();
        Ok(done.map_err(storage_error))
    }

    async fn list(
        &mut self,
        prefix: String,
        after: Option<String>,
    ) -> wasmtime::Result<Result<Vec<String>, StorageError>> {
        self.meter.host_call()?;
        self.meter.pause();
        let keys = self.capabilities()?.overlay.list(&prefix, after.as_deref()).await;
        self.meter.resume();
        Ok(keys.map_err(storage_error))
    }

    async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<bool, StorageError>> {
        self.meter.host_call()?;
        self.meter.pause();
        let done = self.capabilities()?.overlay.compare_and_set(key, expected, value).await;
        self.meter.resume();
        Ok(done.map_err(storage_error))
    }
}

fn storage_error(refusal: Refusal) -> StorageError {
    match refusal {
        Refusal::InvalidKey => StorageError::InvalidKey,
        Refusal::ValueTooLarge => StorageError::ValueTooLarge,
        Refusal::QuotaExceeded => StorageError::QuotaExceeded,
        Refusal::Unavailable(reason) => {
            tracing::warn!(reason, "storage does not answer");
            StorageError::Unavailable
        }
    }
}

impl settings::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.meter.host_call()?;
        Ok(self.capabilities()?.account.settings_json.clone())
    }
}

impl secrets::Host for CallState {
    fn matches(&mut self, name: String, candidate: Vec<u8>) -> wasmtime::Result<Result<bool, SecretError>> {
        self.meter.host_call()?;
        let account = &self.capabilities()?.account;
        Ok(account.secret(&name).map(|secret| secret.expose_secret().as_bytes().ct_eq(&candidate).into()))
    }

    fn hmac(
        &mut self,
        name: String,
        algorithm: HmacAlgorithm,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, SecretError>> {
        self.meter.host_call()?;
        let account = &self.capabilities()?.account;
        Ok(account.secret(&name).map(|secret| {
            let key = secret.expose_secret().as_bytes();
            match algorithm {
                HmacAlgorithm::Sha256 => keyed_hash::<Hmac<Sha256>>(key, &data),
                HmacAlgorithm::Sha512 => keyed_hash::<Hmac<Sha512>>(key, &data),
            }
        }))
    }
}

fn keyed_hash<M: Mac + hmac::digest::KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as hmac::digest::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        self.meter.host_call()?;
        self.log.write(level, &message, &fields);
        Ok(())
    }
}
