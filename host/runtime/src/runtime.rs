//! The runtime: one engine for the process, the linker with the host's side of the contract, and loading.
//!
//! Numbers of the instance pool stand beside their reasons. A fresh instance from the pool costs microseconds, because
//! its memory is mapped copy-on-write from the component's image and only dirty pages are restored afterwards.

use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::{HasSelf, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::account::{Account, AccountConfig};
use crate::call;
use crate::code_cache::CodeCache;
use crate::compile::{Compiler, Place, Verdict, compile, compiles_at_once};
use crate::connector::{Connector, Exports};
use crate::contract::generated::Everything;
use crate::egress::{Egress, MemoryTokenStore, TokenStore};
use crate::error::{AccountError, CallError, LoadError};
use crate::inspect::{Digest, Inspection, MAX_COMPONENT_BYTES, inspect};
use crate::limits::{Limits, TICK};
use crate::machine_code::{Compatibility, MachineCode, code_config};
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
    compiler: Compiler,
    compiles: Arc<Semaphore>,
    code_cache: Option<CodeCache>,
    compatibility: Compatibility,
}

/// Settings of a [`Runtime`]; the defaults suit most embedders.
pub struct RuntimeBuilder {
    limits: Limits,
    egress: Option<Egress>,
    tokens: Option<Arc<dyn TokenStore>>,
    concurrent_calls: u32,
    compiler: Compiler,
    compiles_at_once: usize,
    code_cache: Option<CodeCache>,
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

    /// Where components are compiled; by default in this process, which is for components that one trusts.
    #[must_use]
    pub fn compile_with(mut self, compiler: Compiler) -> Self {
        self.compiler = compiler;
        self
    }

    /// How many components are compiled at the same time before further ones wait. By default one for every two processors.
    #[must_use]
    pub fn compiles_at_once(mut self, compiles: usize) -> Self {
        self.compiles_at_once = compiles.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Where compiled components are kept for the next start. By default nowhere.
    #[must_use]
    pub fn code_cache(mut self, cache: CodeCache) -> Self {
        self.code_cache = Some(cache);
        self
    }

    /// Makes the runtime. Fails where the machine refuses the memory reservation or the certificate store cannot be read.
    pub fn build(self) -> anyhow::Result<Runtime> {
        let engine = Engine::new(&engine_config(self.concurrent_calls, &self.limits))?;
        start_ticker(&engine)?;
        let compatibility = Compatibility::of(&engine);
        if let Some(cache) = &self.code_cache {
            cache.used_by(compatibility);
        }
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
                compiler: self.compiler,
                compiles: Arc::new(Semaphore::new(self.compiles_at_once)),
                code_cache: self.code_cache,
                compatibility,
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
            compiler: Compiler::in_process(),
            compiles_at_once: compiles_at_once(),
            code_cache: None,
        }
    }

    /// Loads a component: compares it with the contract, compiles it or takes its code from the cache, links it, and asks it for
    /// its manifest. Nothing of it runs before the contract is known to fit. See [`compile`](crate::compile) for what bounds the work.
    pub async fn load(&self, bytes: impl Into<Vec<u8>>) -> Result<Connector, LoadError> {
        let component = Bytes::from(bytes.into());
        let linked = match self.cached(&component).await? {
            Some(linked) => linked,
            None => self.compiled(component).await?,
        };
        let Linked { inspection, pre, exports, is_from_cache } = linked;
        let manifest =
            call::describe(self, &pre, &exports).await.map_err(|error| LoadError::Describe(Box::new(error)))?;
        let manifest = CheckedManifest::check(manifest)?;
        Ok(Connector::new(inspection, pre, exports, manifest, is_from_cache))
    }

    /// A component whose code is in the cache. It was read and compiled before, so doing that once more is no risk.
    async fn cached(&self, component: &Bytes) -> Result<Option<Linked>, LoadError> {
        let Some(cache) = self.inner.code_cache.clone() else { return Ok(None) };
        let (runtime, component) = (self.clone(), component.clone());
        blocking(move || {
            let (digest, engine) = (Digest::of(&component), runtime.inner.compatibility);
            let Some(code) = cache.read(digest, engine) else { return Ok(None) };
            let pre = match runtime.instantiate_pre(&code) {
                Ok(pre) => pre,
                Err(error) => {
                    cache.distrust(digest, engine, &format!("{error:#}"));
                    return Ok(None);
                }
            };
            Linked::new(inspect(&component)?, pre, true).map(Some)
        })
        .await
    }

    /// A component that is compiled now, when it is its turn.
    async fn compiled(&self, component: Bytes) -> Result<Linked, LoadError> {
        let closed = |closed: tokio::sync::AcquireError| LoadError::Compile(closed.to_string());
        let turn = Arc::clone(&self.inner.compiles).acquire_owned().await.map_err(closed)?;
        // Another load may have compiled the same component meanwhile.
        if let Some(linked) = self.cached(&component).await? {
            return Ok(linked);
        }
        // What does not even begin like a component, `inspect` refuses at a glance.
        let is_component = component.len() <= MAX_COMPONENT_BYTES && component.starts_with(b"\0asm\x0d\0\x01\0");
        let verdict = match &self.inner.compiler.place {
            Place::Child(child) if is_component => Some(child.compile(self.inner.compatibility, &component).await?),
            Place::Child(_) | Place::Here => None,
        };
        let runtime = self.clone();
        blocking(move || {
            // Kept until the work is done, which goes on when nobody waits for it any more.
            let _turn = turn;
            let inspection = inspect(&component)?;
            let code = match verdict {
                Some(Verdict::Code(code)) => code,
                Some(Verdict::Refused(reason)) => return Err(LoadError::Compile(reason)),
                None => {
                    compile(&runtime.inner.engine, &component, &inspection).map_err(|error| compile_error(&error))?
                }
            };
            let pre = runtime.instantiate_pre(&code).map_err(|error| compile_error(&error))?;
            if let Some(cache) = &runtime.inner.code_cache {
                cache.store(inspection.digest, runtime.inner.compatibility, &code);
            }
            Linked::new(inspection, pre, false)
        })
        .await
    }

    fn instantiate_pre(&self, code: &MachineCode) -> wasmtime::Result<InstancePre<CallState>> {
        self.inner.linker.instantiate_pre(&code.component(&self.inner.engine)?)
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

/// A component that is ready to be instantiated.
struct Linked {
    inspection: Inspection,
    pre: InstancePre<CallState>,
    exports: Exports,
    is_from_cache: bool,
}

impl Linked {
    fn new(inspection: Inspection, pre: InstancePre<CallState>, is_from_cache: bool) -> Result<Self, LoadError> {
        let exports = Exports::find(&pre, &inspection.exports).map_err(|error| compile_error(&error))?;
        Ok(Self { inspection, pre, exports, is_from_cache })
    }
}

fn compile_error(error: &wasmtime::Error) -> LoadError {
    LoadError::Compile(format!("{error:#}"))
}

/// Work that keeps a thread busy, on one that may be.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => Err(LoadError::Compile(format!("the compiler failed: {panic}"))),
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
    let mut config = code_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_child_s_engine_makes_code_for_the_pool_s() {
        let pooling = Engine::new(&engine_config(1, &Limits::default())).unwrap();
        let mut config = code_config();
        config.parallel_compilation(false);
        let compiling = Engine::new(&config).unwrap();
        assert_eq!(Compatibility::of(&pooling), Compatibility::of(&compiling));
        let other = Engine::new(code_config().epoch_interruption(false)).unwrap();
        assert_ne!(Compatibility::of(&pooling), Compatibility::of(&other));
    }

    /// Another engine's code under the right name and tag cannot come about by accident; the engine's own check is the last one.
    #[tokio::test]
    async fn code_that_the_engine_refuses_is_removed_and_the_component_compiled() {
        let directory = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(directory.path().join("compiled")).unwrap();
        let runtime = Runtime::builder().concurrent_calls(1).code_cache(cache.clone()).build().unwrap();
        let empty_component = b"\0asm\x0d\0\x01\0";
        let digest = Digest::of(empty_component);
        cache.store(digest, runtime.inner.compatibility, &MachineCode::compiled(b"no machine code".to_vec()));
        let files = || fs::read_dir(cache.directory()).unwrap().count();
        assert_eq!(files(), 2);
        let loaded = runtime.load(empty_component.to_vec()).await;
        assert!(matches!(loaded, Err(LoadError::NoConnector { .. })), "it was read anew");
        assert_eq!(files(), 1, "only the key is left");
    }
}
