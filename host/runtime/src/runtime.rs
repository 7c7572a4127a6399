//! The runtime: one engine for the process, the linker with the host's side of the contract, and loading.
//!
//! Numbers of the instance pool stand beside their reasons. A fresh instance from the pool costs microseconds, because
//! its memory is mapped copy-on-write from the component's image and only dirty pages are restored afterwards.

use std::sync::Arc;
use std::thread;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::account::{Account, AccountConfig};
use crate::call;
use crate::connector::{Connector, Exports};
use crate::contract::generated::Everything;
use crate::egress::{Egress, MemoryTokenStore, TokenStore};
use crate::error::{AccountError, CallError, LoadError};
use crate::inspect::{inspect, raise};
use crate::limits::{Limits, TICK};
use crate::manifest::CheckedManifest;
use crate::state::CallState;
use crate::storage::Storage;

/// Calls that run at the same time before further ones wait: each may hold up to `limits.memory_bytes`.
const DEFAULT_CONCURRENT_CALLS: u32 = 256;
/// A Rust connector has 2 core instances; a Python one, with its library linked in pieces, about 50.
const CORE_INSTANCES_PER_COMPONENT: u32 = 64;
/// A Rust connector has 1 memory; adapters may add one each.
const MEMORIES_PER_COMPONENT: u32 = 8;
/// A Rust connector has 2 tables.
const TABLES_PER_COMPONENT: u32 = 32;
/// An interpreter fills a table with all its functions; 20,000, the engine's default, is tight for those.
const TABLE_ELEMENTS: usize = 100_000;
/// Memory of a finished instance that stays mapped for the next one, so that its pages are not faulted in again. A page of
/// 100 orders touches about 2 MiB.
const KEEP_RESIDENT: usize = 4 << 20;
/// How many such memories are kept at most: 64 MiB in all.
const WARM_SLOTS: u32 = 16;
/// Depth of guest calls.
pub(crate) const WASM_STACK: usize = 512 << 10;

/// Loads connectors and opens accounts on them. Make one for the whole process; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    linker: Linker<CallState>,
    limits: Limits,
    egress: Egress,
    tokens: Arc<dyn TokenStore>,
    concurrent_calls: Semaphore,
}

/// Settings of a [`Runtime`]; the defaults suit most embedders.
pub struct RuntimeBuilder {
    limits: Limits,
    egress: Option<Egress>,
    tokens: Option<Arc<dyn TokenStore>>,
    concurrent_calls: u32,
}

impl RuntimeBuilder {
    /// What each call may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The way out: its resolver, time limits, addresses it never dials.
    #[must_use]
    pub fn egress(mut self, egress: Egress) -> Self {
        self.egress = Some(egress);
        self
    }

    /// Where tokens from logins are kept, so that they outlive the process.
    #[must_use]
    pub fn tokens(mut self, tokens: Arc<dyn TokenStore>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// How many calls run at the same time before further ones wait.
    #[must_use]
    pub fn concurrent_calls(mut self, calls: u32) -> Self {
        self.concurrent_calls = calls.max(1);
        self
    }

    /// Makes the runtime. Fails where the machine refuses the memory reservation or the certificate store cannot be read.
    pub fn build(self) -> anyhow::Result<Runtime> {
        let engine = Engine::new(&engine_config(self.concurrent_calls, &self.limits))?;
        start_ticker(&engine)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        Everything::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        let egress = match self.egress {
            Some(egress) => egress,
            None => Egress::builder().build()?,
        };
        Ok(Runtime {
            inner: Arc::new(Inner {
                engine,
                linker,
                limits: self.limits,
                egress,
                tokens: self.tokens.unwrap_or_else(|| Arc::new(MemoryTokenStore::default())),
                concurrent_calls: Semaphore::new(self.concurrent_calls as usize),
            }),
        })
    }
}

impl Runtime {
    /// A runtime with the default limits and the machine's resolver.
    pub fn new() -> anyhow::Result<Self> {
        Self::builder().build()
    }

    /// A runtime with other settings.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder {
            limits: Limits::default(),
            egress: None,
            tokens: None,
            concurrent_calls: DEFAULT_CONCURRENT_CALLS,
        }
    }

    /// Loads a component: compares it with the contract, compiles it on a thread of its own, links it, and asks it for its
    /// manifest. Nothing of it runs before the contract is known to fit.
    pub async fn load(&self, bytes: impl Into<Vec<u8>>) -> Result<Connector, LoadError> {
        let bytes: Vec<u8> = bytes.into();
        let runtime = self.clone();
        let compiled = tokio::task::spawn_blocking(move || {
            let inspection = inspect(&bytes)?;
            let compile_error = |error: wasmtime::Error| LoadError::Compile(format!("{error:#}"));
            let raised = raise(&bytes, &inspection.contract)?;
            let component = Component::new(&runtime.inner.engine, &raised).map_err(compile_error)?;
            let pre = runtime.inner.linker.instantiate_pre(&component).map_err(compile_error)?;
            let exports = Exports::find(&pre, &inspection.exports).map_err(compile_error)?;
            Ok((inspection, pre, exports))
        });
        let (inspection, pre, exports) = match compiled.await {
            Ok(result) => result?,
            Err(panic) => return Err(LoadError::Compile(format!("the compiler failed: {panic}"))),
        };
        let manifest =
            call::describe(self, &pre, &exports).await.map_err(|error| LoadError::Describe(Box::new(error)))?;
        let manifest = CheckedManifest::check(manifest)?;
        Ok(Connector::new(inspection, pre, exports, manifest))
    }

    /// Opens an account on a connector: checks its settings against the schema, fills the manifest's templates, and makes
    /// the way out that its calls will use.
    pub fn open(
        &self,
        connector: &Connector,
        config: AccountConfig,
        storage: Arc<dyn Storage>,
    ) -> Result<Account, AccountError> {
        Account::open(self.clone(), connector.clone(), config, storage, self.inner.tokens.clone())
    }

    /// What each call may use.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn egress(&self) -> &Egress {
        &self.inner.egress
    }

    /// Waits for a turn: the pool holds as many instances as there are permits, so that it never runs out.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, CallError> {
        self.inner.concurrent_calls.acquire().await.map_err(|closed| CallError::Host(closed.to_string()))
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

fn engine_config(concurrent_calls: u32, limits: &Limits) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(concurrent_calls)
        .total_stacks(concurrent_calls)
        .total_core_instances(concurrent_calls.saturating_mul(CORE_INSTANCES_PER_COMPONENT))
        .total_memories(concurrent_calls.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(concurrent_calls.saturating_mul(TABLES_PER_COMPONENT))
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .max_memories_per_module(MEMORIES_PER_COMPONENT)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(limits.memory_bytes)
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .max_wasm_stack(WASM_STACK)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Advances the epoch on a thread of its own: a timer on the executor would be starved by the very guests it interrupts.
fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("tradepost-ticker".into()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    })?;
    Ok(())
}
