//! Where attacks happen: a runtime with a healthy connector of another tenant that is called all the while.
//!
//! Every attack has to leave the bystander alone: its calls succeed while the attack runs and after it, and nothing that
//! the attacker wrote in a failed call is in storage. The bystander's latency is not judged: these tests share their
//! machine with others, and a figure that depends on the neighbours proves nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tradepost_runtime::storage::StorageUsage;
use tradepost_runtime::{
    Account, AccountConfig, CallError, Connector, Grants, Limits, LoadError, MemoryStorage, Runtime, RuntimeBuilder,
    Storage,
};

use crate::core_module::CoreModule;

/// The attacker's account.
pub const ATTACKER: &str = "mallory/shop";
/// The bystander's account.
pub const BYSTANDER: &str = "alice/shop";

/// Twenty calls a second, as a busy tenant makes them.
const BYSTANDER_PACE: Duration = Duration::from_millis(50);

/// Small limits, so that attacks end soon.
pub fn tight() -> Limits {
    Limits {
        cpu: Duration::from_millis(200),
        wall: Duration::from_secs(20),
        memory_bytes: 8 << 20,
        ..Limits::default()
    }
}

/// A runtime, its storage and a bystander.
pub struct Stage {
    /// The runtime under attack.
    pub runtime: Runtime,
    /// The storage that all accounts share.
    pub storage: Arc<MemoryStorage>,
    bystander: Account,
}

/// What came of an attack.
pub struct Aftermath<T> {
    /// Its result.
    pub result: T,
    /// How long it took.
    pub took: Duration,
    /// Calls that the bystander finished meanwhile.
    pub bystander_calls: u32,
}

impl Stage {
    /// A stage with these limits.
    ///
    /// # Panics
    /// If the runtime cannot be made.
    pub async fn new(limits: Limits) -> Self {
        Self::with(Runtime::builder().limits(limits)).await
    }

    /// A stage with a runtime of the test's own settings. The pool is kept small: tests run many runtimes at a time.
    ///
    /// # Panics
    /// If the runtime cannot be made, or the bystander's connector does not load.
    pub async fn with(builder: RuntimeBuilder) -> Self {
        Self::with_pool(builder, 16).await
    }

    /// The same with so many instances at a time.
    ///
    /// # Panics
    /// As [`Stage::with`].
    pub async fn with_pool(builder: RuntimeBuilder, calls: u32) -> Self {
        let runtime = builder.concurrent_calls(calls).build().expect("the runtime starts");
        let storage = Arc::new(MemoryStorage::new());
        let healthy = runtime.load(CoreModule::default().component()).await.expect("a healthy connector loads");
        let bystander = open(&runtime, &healthy, BYSTANDER, &storage);
        Self { runtime, storage, bystander }
    }

    /// Opens the attacker's account on a hand-written connector.
    ///
    /// # Panics
    /// If it does not open.
    pub fn open(&self, connector: &Connector) -> Account {
        open(&self.runtime, connector, ATTACKER, &self.storage)
    }

    /// Runs an attack beside the bystander.
    ///
    /// # Panics
    /// If the bystander suffers, during the attack or after it.
    pub async fn during<T>(&self, attack: impl Future<Output = T>) -> Aftermath<T> {
        let stop = Arc::new(Notify::new());
        let (served, mut watched) = watch::channel(0_u32);
        let bystander = tokio::spawn({
            let (account, stop) = (self.bystander.clone(), Arc::clone(&stop));
            async move {
                let mut pace = tokio::time::interval(BYSTANDER_PACE);
                loop {
                    tokio::select! {
                        biased;
                        () = stop.notified() => break,
                        _ = pace.tick() => serve(&account).await,
                    }
                    served.send_modify(|calls| *calls += 1);
                }
            }
        });
        watched.wait_for(|calls| *calls > 0).await.expect("the bystander is served before the attack");
        let before = *watched.borrow();
        let started = Instant::now();
        let result = attack.await;
        let took = started.elapsed();
        let bystander_calls = *watched.borrow() - before;
        stop.notify_one();
        bystander.await.expect("the bystander is served during the attack");
        serve(&self.bystander).await;
        Aftermath { result, took, bystander_calls }
    }

    /// Loads a hand-written connector, checks its account beside the bystander, and expects a failure that leaves nothing.
    ///
    /// # Panics
    /// If the attack succeeds, or hurts anybody.
    pub async fn attack(&self, module: &CoreModule) -> Aftermath<CallError> {
        let connector = self.runtime.load(module.component()).await.expect("the attack begins after loading");
        let account = self.open(&connector);
        let Aftermath { result, took, bystander_calls } = self.during(account.check()).await;
        let error = match result {
            Ok(reply) => panic!("the attack went through: {reply:?}"),
            Err(error) => error,
        };
        self.assert_nothing_stored().await;
        Aftermath { result: error, took, bystander_calls }
    }

    /// Loads a hand-written connector that must not load.
    ///
    /// # Panics
    /// If it loads, or hurts anybody.
    pub async fn refuses(&self, component: Vec<u8>) -> LoadError {
        let refused = self.during(self.runtime.load(component)).await.result;
        refused.expect_err("the component must be refused")
    }

    /// Looks at what the attacker has in storage: nothing.
    ///
    /// # Panics
    /// If there is anything.
    pub async fn assert_nothing_stored(&self) {
        let stored = self.storage.usage(ATTACKER).await.expect("memory storage answers");
        assert_eq!(stored, StorageUsage::default(), "a failed call left something in storage");
    }
}

/// One call of the bystander: a normal result, committed.
async fn serve(account: &Account) {
    let reply = account.check().await.expect("a bystander's call succeeds whatever its neighbours do");
    assert_eq!(reply.writes.writes.len(), 1, "the bystander's write is part of its result");
    reply.commit().await.expect("the bystander's write is committed");
}

fn open(runtime: &Runtime, connector: &Connector, id: &str, storage: &Arc<MemoryStorage>) -> Account {
    let hosts = vec!["https://shop.example".parse().expect("an origin")];
    let config =
        AccountConfig { id: id.into(), grants: Grants { hosts, ..Grants::default() }, ..AccountConfig::default() };
    runtime.open(connector, config, storage.clone()).expect("a hand-written connector needs no settings")
}
