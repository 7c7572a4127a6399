//! One call of one exported function, in a fresh instance that is dropped afterwards.
//!
//! The processor limit works inside (the epoch callback), the wall-clock limit outside (a timeout that drops the whole
//! call), because a guest that waits for the host runs no code that could be interrupted. Which limit or trap ended a
//! call is told from the meter first: a guest that runs out of memory panics, and the panic alone would not say why.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use wasmtime::component::{Instance, InstancePre, ResourceTableError};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::account::{Account, AccountInner};
use crate::connector::{Capability, Exported, Exports};
use crate::contract::errors::{Error, ErrorKind};
use crate::contract::exports;
use crate::contract::manifest::Manifest;
use crate::error::{CallError, LimitReached};
use crate::journal::{JournalStop, Outbound};
use crate::limits::Limits;
use crate::log_book::{LogBook, LogLine};
use crate::machine_code::WASM_STACK;
use crate::runtime::Runtime;
use crate::state::{CallState, Capabilities, Remains};
use crate::storage::{Overlay, StorageWrites};
use crate::wasi::escape_control;

/// Most bytes of a trap's message that are passed on.
const MESSAGE_BYTES: usize = 1 << 10;

/// What a call brought: the value, and the storage writes that belong to it. Nothing is stored before the commit.
#[derive(Debug)]
#[must_use = "storage writes are lost unless the reply is committed or taken apart"]
pub struct Reply<T> {
    /// The result.
    pub value: T,
    /// What the connector wrote, to be committed with whatever the embedder keeps of the value.
    pub writes: StorageWrites,
    /// What the call used.
    pub usage: Usage,
    /// What the connector logged.
    pub log: Vec<LogLine>,
    account: Account,
}

impl<T> Reply<T> {
    /// Commits the writes to the account's own storage and gives the value. Embedders with a transaction of their own
    /// take [`Reply::writes`] instead.
    pub async fn commit(self) -> Result<T, CallError> {
        if !self.writes.is_empty() {
            self.account.storage().commit(self.account.id(), self.writes).await?;
        }
        Ok(self.value)
    }

    /// The connector that gave it, as messages show it.
    pub(crate) fn connector(&self) -> &str {
        self.account.connector().label()
    }

    /// The same reply with another value.
    pub(crate) fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Reply<U>, E> {
        let Self { value, writes, usage, log, account } = self;
        Ok(Reply { value: change(value)?, writes, usage, log, account })
    }
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Processor time of the guest, to the tick.
    pub cpu: Duration,
    /// Calls into the host.
    pub host_calls: u64,
    /// Most bytes of memories and tables held at once.
    pub peak_memory: usize,
    /// HTTP requests sent.
    pub http_requests: u32,
}

/// A call of an exported function, ready to run in any fresh instance; it may have to run twice.
pub(crate) trait Invocation: Send + Sync {
    type Output: Checked + Send;

    fn invoke<'a>(
        &'a self,
        exports: &'a Exports,
        store: &'a mut Store<CallState>,
        instance: &'a Instance,
    ) -> BoxFuture<'a, wasmtime::Result<Result<Self::Output, Error>>>;
}

/// What the types of a result cannot say about it.
pub(crate) trait Checked {
    fn check(&self, _limits: &Limits) -> Result<(), String> {
        Ok(())
    }
}

impl Account {
    pub(crate) async fn call<I: Invocation>(
        &self,
        capability: Option<Capability>,
        function: &str,
        invocation: &I,
    ) -> Result<Reply<I::Output>, CallError> {
        let account = &*self.inner;
        let operation = format!("{}.{function}", capability.map_or("connector", Capability::name));
        if let Some(capability) = capability.filter(|capability| !account.connector.has(*capability)) {
            return Err(CallError::Unsupported {
                connector: account.connector.label().to_owned(),
                capability: capability.to_string(),
                offered: account.connector.capabilities().map(Capability::name).collect::<Vec<_>>().join(", "),
            });
        }
        let retired =
            || CallError::Retired { connector: account.connector.label().to_owned(), operation: operation.clone() };
        let Some(_under_way) = account.calls.begin() else { return Err(retired()) };
        tokio::select! {
            biased;
            // A result that is there is not thrown away.
            result = self.attempt(&operation, invocation) => result,
            () = account.calls.retired() => Err(retired()),
        }
    }

    /// Runs the function, and once more with another token where its token had expired.
    async fn attempt<I: Invocation>(&self, operation: &str, invocation: &I) -> Result<Reply<I::Output>, CallError> {
        let account = &*self.inner;
        let failed = match self.run(operation, invocation).await {
            Ok(reply) => return Ok(reply),
            Err(failed) => failed,
        };
        if !failed.is_auth_expired() {
            return Err(failed.error);
        }
        // The connector was refused, or recognised an expired token that came without a 401. Its token is good for nothing any more.
        // The call runs once more with another, but only where that repeats nothing but reads, and not where a token fresh from the
        // login was refused as well: logging in again and again locks accounts.
        if let Some(token) = failed.token {
            account.door.invalidate_token(token);
            if failed.wrote {
                return Err(failed.error);
            }
            if !failed.renewed {
                return self.run(operation, invocation).await.map_err(Failed::into_final);
            }
        }
        Err(failed.into_final())
    }

    async fn run<I: Invocation>(&self, operation: &str, invocation: &I) -> Result<Reply<I::Output>, Failed> {
        let account = &*self.inner;
        let limits = account.runtime.limits();
        let capabilities = Capabilities {
            account: self.inner.clone(),
            outbound: Outbound::new(
                account.door.exchange(limits.http),
                self.journaled.as_ref().map(|journaled| Arc::clone(&journaled.journal)),
            ),
            overlay: Overlay::new(account.storage.clone(), account.id.clone(), limits.storage),
        };
        let now =
            self.journaled.as_ref().map_or_else(|| account.runtime.egress().clock().wall(), |journaled| journaled.now);
        let label = account.connector.label();
        let log = LogBook::new(label.to_owned(), account.id.clone(), limits);
        let state = CallState::new(limits, now, log, Some(capabilities));
        let (outcome, state) = run_guest(
            &account.runtime,
            account.connector.pre(),
            account.connector.exports(),
            label,
            operation,
            state,
            invocation,
        )
        .await;
        let (cpu, host_calls, peak_memory) = state.meter.usage();
        let Remains { log, writes, http, token, renewed, denial, spent } = state.finish();
        let failed = |error| Failed { error, token, renewed, wrote: http.wrote };
        let value = outcome.map_err(|error| {
            let forbidden = matches!(&error, CallError::Connector(error) if error.kind == ErrorKind::Forbidden);
            let (connector, operation) = (label.to_owned(), operation.to_owned());
            // The connector knows only that it was denied; the operator must know what would allow it.
            failed(match (denial, spent) {
                (Some(denial), _) if forbidden => CallError::Denied { operation, denial },
                (None, Some(spent)) if forbidden => {
                    CallError::Limit { connector, operation, limit: LimitReached::Http(spent) }
                }
                _ => error,
            })
        })?;
        value.check(limits).map_err(|problem| {
            failed(CallError::InvalidResult { connector: label.to_owned(), operation: operation.to_owned(), problem })
        })?;
        let usage = Usage { cpu, host_calls, peak_memory, http_requests: http.requests };
        Ok(Reply { value, writes, usage, log, account: self.clone() })
    }
}

/// A run that brought no result.
struct Failed {
    error: CallError,
    /// The newest token it used.
    token: Option<u64>,
    /// Whether it renewed that token because one was refused.
    renewed: bool,
    /// Whether something that writes was sent.
    wrote: bool,
}

impl Failed {
    fn is_auth_expired(&self) -> bool {
        matches!(&self.error, CallError::Connector(Error { kind: ErrorKind::AuthExpired, .. }))
    }

    /// The error where nothing is left to be renewed: what calls itself expired is rejected.
    fn into_final(mut self) -> CallError {
        if let CallError::Connector(error) = &mut self.error
            && error.kind == ErrorKind::AuthExpired
        {
            error.kind = ErrorKind::AuthRejected;
        }
        self.error
    }
}

/// Instantiates, calls, and tells what happened. The store is gone when this returns.
async fn run_guest<I: Invocation>(
    runtime: &Runtime,
    pre: &InstancePre<CallState>,
    exports: &Exports,
    connector: &str,
    operation: &str,
    state: CallState,
    invocation: &I,
) -> (Result<I::Output, CallError>, CallState) {
    let limits = runtime.limits();
    let turn = match runtime.turn().await {
        Ok(turn) => turn,
        Err(error) => return (Err(error), state),
    };
    let mut store = Store::new(runtime.engine(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.lift_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().meter.tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
    store.data_mut().meter.resume();
    let guest = async {
        let instance = pre.instantiate_async(&mut store).await?;
        invocation.invoke(exports, &mut store, &instance).await
    };
    let ended = tokio::time::timeout(limits.wall, guest).await;
    store.data_mut().meter.pause();
    let limit = |limit| CallError::Limit { connector: connector.to_owned(), operation: operation.to_owned(), limit };
    let outcome = match ended {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(CallError::Connector(bounded(error))),
        Ok(Err(error)) => {
            Err(match (error.downcast_ref::<JournalStop>(), limit_behind(&error, store.data(), limits)) {
                (Some(stop), _) => CallError::Journal { operation: operation.to_owned(), stop: stop.clone() },
                (None, Some(reached)) => limit(reached),
                (None, None) => CallError::Trap {
                    connector: connector.to_owned(),
                    operation: operation.to_owned(),
                    message: trap_message(&error, store.data()),
                },
            })
        }
        Err(_elapsed) => Err(limit(LimitReached::Wall(limits.wall))),
    };
    let state = store.into_data();
    drop(turn);
    (outcome, state)
}

/// The limit that made the guest trap, if one did.
fn limit_behind(error: &wasmtime::Error, state: &CallState, limits: &Limits) -> Option<LimitReached> {
    if let Some(reached) = error.downcast_ref::<LimitReached>() {
        return Some(*reached);
    }
    if let Some(Trap::StackOverflow) = error.downcast_ref::<Trap>() {
        return Some(LimitReached::Stack(WASM_STACK));
    }
    if error.chain().any(|cause| matches!(cause.downcast_ref(), Some(ResourceTableError::Full))) {
        return Some(LimitReached::Handles(limits.handles));
    }
    // The engine reports this one as text only.
    if error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls")) {
        return Some(LimitReached::LiftBytes(limits.lift_bytes));
    }
    state.meter.reached()
}

/// The panic message if the guest left one, else the trap's name.
fn trap_message(error: &wasmtime::Error, state: &CallState) -> String {
    let message = state.last_words.text().unwrap_or_else(|| escape_control(&format!("{}", error.root_cause())));
    message[..message.floor_char_boundary(MESSAGE_BYTES)].to_owned()
}

/// A connector's error with its texts escaped and cut: it may go to a merchant's screen or an operator's terminal.
fn bounded(mut error: Error) -> Error {
    let mut texts = vec![&mut error.message, &mut error.detail];
    match &mut error.kind {
        ErrorKind::InvalidInput(issues) => {
            texts.extend(issues.iter_mut().flat_map(|issue| [&mut issue.pointer, &mut issue.code, &mut issue.message]));
        }
        ErrorKind::Partial(failures) => {
            texts.extend(
                failures.iter_mut().flat_map(|failure| [&mut failure.item, &mut failure.code, &mut failure.message]),
            );
        }
        ErrorKind::Protocol(answer) => texts.extend([&mut answer.pointer, &mut answer.expected, &mut answer.excerpt]),
        _ => {}
    }
    for text in texts {
        let safe = escape_control(text);
        safe[..safe.floor_char_boundary(2 * MESSAGE_BYTES)].clone_into(text);
    }
    error
}

/// Asks a component for its manifest, without any capability.
pub(crate) async fn describe(
    runtime: &Runtime,
    pre: &InstancePre<CallState>,
    exports: &Exports,
) -> Result<Manifest, CallError> {
    struct Describe;

    impl Invocation for Describe {
        type Output = Manifest;

        fn invoke<'a>(
            &'a self,
            exports: &'a Exports,
            store: &'a mut Store<CallState>,
            instance: &'a Instance,
        ) -> BoxFuture<'a, wasmtime::Result<Result<Manifest, Error>>> {
            Box::pin(async move {
                let guest = exports::connector::Guest::load(exports, store, instance)?;
                Ok(Ok(guest.call_describe(store).await?))
            })
        }
    }

    let log = LogBook::new("(loading)".into(), String::new(), runtime.limits());
    let state = CallState::new(runtime.limits(), runtime.egress().clock().wall(), log, None);
    run_guest(runtime, pre, exports, "(loading)", "connector.describe", state, &Describe).await.0
}

impl Checked for Manifest {}

impl std::fmt::Debug for AccountInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountInner").field("id", &self.id).finish_non_exhaustive()
    }
}
