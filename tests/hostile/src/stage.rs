//! Where attacks happen: a runtime with a healthy connector of another tenant that is called all the while.
//!
//! Every attack has to leave the bystander alone: its calls succeed while the attack runs and after it, and nothing that
//! the attacker wrote in a failed call is in storage.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::sync::{Notify, watch};
use tradepost_runtime::storage::StorageUsage;
use tradepost_runtime::{
    Account, AccountConfig, CallError, Connector, Grants, Limits, LoadError, MemoryStorage, Runtime, Storage,
};

use crate::arena::{Record, locked};
use crate::canary::PASSWORD;
use crate::case::MustFail as _;
use crate::core_module::CoreModule;
use crate::evil;

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

/// The same with time enough that something else runs out.
pub fn roomy() -> Limits {
    Limits { cpu: Duration::from_secs(20), ..tight() }
}

/// The same with memory enough for a connector in Rust that sees a lot.
pub fn spacious() -> Limits {
    Limits { memory_bytes: 64 << 20, ..roomy() }
}

/// A runtime, its storage and a bystander.
pub struct Stage {
    /// The runtime under attack.
    pub runtime: Runtime,
    /// The storage that all accounts share.
    pub storage: Arc<MemoryStorage>,
    bystander: Account,
    record: Arc<Record>,
}

/// What came of an attack.
#[derive(Debug)]
pub struct Aftermath<T> {
    /// Its result.
    pub result: T,
    /// How long it took.
    pub took: Duration,
    /// Calls that the bystander finished meanwhile.
    pub bystander_calls: u32,
}

impl Stage {
    pub(crate) async fn of(runtime: Runtime, record: Arc<Record>) -> anyhow::Result<Self> {
        let storage = Arc::new(MemoryStorage::new());
        let healthy = runtime.load(CoreModule::default().component()).await.context("a healthy connector loads")?;
        let bystander = open(&runtime, &healthy, BYSTANDER, &storage)?;
        Ok(Self { runtime, storage, bystander, record })
    }

    /// Opens the attacker's account on a hand-written connector.
    ///
    /// # Errors
    /// If it does not open.
    pub fn open(&self, connector: &Connector) -> anyhow::Result<Account> {
        open(&self.runtime, connector, ATTACKER, &self.storage)
    }

    /// Loads a hand-written connector.
    ///
    /// # Errors
    /// If it does not load: this attack begins after that.
    pub async fn load(&self, module: &CoreModule) -> anyhow::Result<Connector> {
        self.runtime.load(module.component()).await.context("the attack begins after loading")
    }

    /// Loads the evil connector.
    ///
    /// # Errors
    /// If it does not load.
    pub async fn load_evil(&self) -> anyhow::Result<Connector> {
        self.runtime.load(evil::component()).await.context("the evil connector loads")
    }

    /// Runs an attack beside the bystander. What it comes to must hold no secret.
    ///
    /// # Panics
    /// If the bystander's task does: that is a defect of the harness.
    pub async fn during<T: Debug>(&self, attack: impl Future<Output = T>) -> Aftermath<T> {
        let stop = Arc::new(Notify::new());
        let (served, mut watched) = watch::channel(0_u32);
        let bystander = tokio::spawn({
            let (account, stop, record) = (self.bystander.clone(), Arc::clone(&stop), Arc::clone(&self.record));
            async move {
                let mut pace = tokio::time::interval(BYSTANDER_PACE);
                loop {
                    tokio::select! {
                        biased;
                        () = stop.notified() => break,
                        _ = pace.tick() => serve(&account, &record).await,
                    }
                    served.send_modify(|calls| *calls += 1);
                }
            }
        });
        watched.wait_for(|calls| *calls > 0).await.expect("the bystander is called before the attack");
        let before = *watched.borrow();
        let started = Instant::now();
        let result = attack.await;
        let took = started.elapsed();
        let bystander_calls = *watched.borrow() - before;
        stop.notify_one();
        bystander.await.expect("the bystander's task ends");
        serve(&self.bystander, &self.record).await;
        self.record.scan("what came of the attack", format!("{result:?}").as_bytes());
        Aftermath { result, took, bystander_calls }
    }

    /// Loads a hand-written connector, checks its account beside the bystander, and expects a failure that leaves nothing.
    ///
    /// # Errors
    /// If the attack succeeds, or leaves something.
    pub async fn attack(&self, module: &CoreModule) -> anyhow::Result<Aftermath<CallError>> {
        let account = self.open(&self.load(module).await?)?;
        let Aftermath { result, took, bystander_calls } = self.during(account.check()).await;
        let error = result.must_fail("the call must fail")?;
        self.record.scan("the error as shown", error.to_string().as_bytes());
        self.nothing_stored().await?;
        Ok(Aftermath { result: error, took, bystander_calls })
    }

    /// Loads what must not load.
    ///
    /// # Errors
    /// If it loads.
    pub async fn refuses(&self, component: Vec<u8>) -> anyhow::Result<LoadError> {
        let refused = self.during(self.runtime.load(component)).await.result;
        refused.must_fail("the component must be refused")
    }

    /// Looks at what the attacker has in storage: nothing.
    ///
    /// # Errors
    /// If there is anything.
    pub async fn nothing_stored(&self) -> anyhow::Result<()> {
        let stored = self.storage.usage(ATTACKER).await?;
        ensure!(stored == StorageUsage::default(), "a failed call left something in storage: {stored:?}");
        Ok(())
    }
}

/// One call of the bystander: a normal result, committed.
async fn serve(account: &Account, record: &Record) {
    let started = Instant::now();
    let outcome = async {
        let reply = account.check().await?;
        ensure!(reply.writes.writes.len() == 1, "the bystander's write is missing from its result");
        reply.commit().await?;
        Ok(())
    };
    match outcome.await {
        Ok(()) => locked(&record.served).push(started.elapsed()),
        Err(error) => locked(&record.unserved).push(format!("{error:#}")),
    }
}

fn open(runtime: &Runtime, connector: &Connector, id: &str, storage: &Arc<MemoryStorage>) -> anyhow::Result<Account> {
    let hosts = vec!["https://shop.example".parse()?];
    let config = AccountConfig {
        id: id.into(),
        grants: Grants { hosts, ..Grants::default() },
        secrets: [("password".to_owned(), PASSWORD.to_owned().into())].into(),
        ..AccountConfig::default()
    };
    Ok(runtime.open(connector, config, storage.clone())?)
}
