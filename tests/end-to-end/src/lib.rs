//! The bench for end-to-end tests: real components, the real host, loopback marketplaces.
//!
//! Compiling a component takes longer than most tests, so a test program loads each connector once. That is why all its
//! tests run on one asynchronous runtime: connections of the shared host belong to it.

pub mod dying_store;

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::OnceCell;
use tradepost_platforms::Platform;
use tradepost_runtime::commerce::{ListQuery, Order};
use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, AccountConfig, CallError, Connector, Egress, Grants, MemoryStorage, Reply, Runtime};

/// Runs a test on the runtime that all tests of the program share.
pub fn run<F: Future>(test: F) -> F::Output {
    static TOKIO: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    TOKIO.get_or_init(|| tokio::runtime::Runtime::new().expect("a multi-threaded runtime starts")).block_on(test)
}

/// The host that all tests of the program share.
pub fn host() -> &'static Runtime {
    static HOST: OnceLock<Runtime> = OnceLock::new();
    HOST.get_or_init(|| {
        // The marketplaces are the tests' own: nobody has to wait for the pace that the real ones allow.
        let egress = Egress::builder().unpaced().build().expect("the egress starts");
        Runtime::builder().egress(egress).build().expect("the sandbox starts")
    })
}

/// The connector for a platform, built and loaded once.
pub async fn connector(platform: &str) -> Connector {
    static LOADED: Mutex<BTreeMap<String, Arc<OnceCell<Connector>>>> = Mutex::new(BTreeMap::new());
    let cell =
        Arc::clone(LOADED.lock().unwrap_or_else(PoisonError::into_inner).entry(platform.to_owned()).or_default());
    let name = platform.to_owned();
    let loaded = cell.get_or_init(|| async move {
        let build = name.clone();
        let built = tokio::task::spawn_blocking(move || tradepost_components::build(&build, |_| {})).await;
        let path = built.expect("the build does not panic").unwrap_or_else(|error| panic!("{error}"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        host().load(bytes).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    loaded.await.clone()
}

/// An account's configuration for a marketplace: what the marketplace gives, sorted by the connector's schema. No two have the same id,
/// because tokens are kept by it.
pub async fn config(platform: &dyn Platform) -> AccountConfig {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let root = platform.root_url();
    // Without the path, where the marketplace has one.
    let origin = root.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let given: BTreeMap<String, String> =
        platform.example_settings().into_iter().chain(platform.example_secrets()).collect();
    let mut config = AccountConfig {
        id: format!("test-{}/{}", COUNT.fetch_add(1, Ordering::Relaxed), platform.name()),
        grants: Grants {
            private_hosts: vec![origin.parse().expect("a marketplace listens at an origin")],
            ..Grants::default()
        },
        ..AccountConfig::default()
    };
    let schema: serde_json::Value = serde_json::from_str(&connector(platform.name()).await.manifest().settings_schema)
        .expect("a manifest that loads has a schema");
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        // Connectors name the address as they like: `root-url`, `site-url`.
        let address = name.ends_with("-url").then(|| root.to_owned());
        match given.get(name).cloned().or(address) {
            Some(value) if field["writeOnly"] == true => {
                config.secrets.insert(name.clone(), value.into());
            }
            Some(value) => {
                config.settings.insert(name.clone(), value.into());
            }
            None => {}
        }
    }
    config
}

/// An account that is open at a marketplace, with its storage.
pub async fn open(platform: &dyn Platform) -> (Account, Arc<MemoryStorage>) {
    let storage = Arc::new(MemoryStorage::new());
    let account = host()
        .open(&connector(platform.name()).await, config(platform).await, storage.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", platform.name()));
    (account, storage)
}

/// The same without its storage.
pub async fn account(platform: &dyn Platform) -> Account {
    open(platform).await.0
}

/// Takes a result and commits what the connector stored.
pub async fn keep<T>(reply: Result<Reply<T>, CallError>) -> Result<T, CallError> {
    reply?.commit().await
}

/// A walk through the orders from a cursor (none = the first walk) to the end, and the cursor for the next walk.
pub async fn walk_orders(
    account: &Account,
    query: &ListQuery,
    from: Option<String>,
) -> Result<(Vec<Order>, Option<String>), CallError> {
    let (mut orders, mut cursor) = (Vec::new(), from);
    loop {
        let page = keep(account.list_orders(query, cursor.as_deref()).await).await?;
        orders.extend(page.items);
        cursor = page.next;
        if page.end {
            return Ok((orders, cursor));
        }
    }
}

/// The ids of some orders, each once.
pub fn ids(orders: &[Order]) -> HashSet<String> {
    orders.iter().map(|order| order.id.clone()).collect()
}

/// The contract's name of the error that a call ended with: `auth-rejected`.
pub fn kind<T: std::fmt::Debug>(result: &Result<T, CallError>) -> &'static str {
    let error = match result {
        Ok(value) => panic!("expected an error, got {value:?}"),
        Err(error) => error,
    };
    match error.kind() {
        None => panic!("expected an error of the contract, got {error}"),
        Some(ErrorKind::AuthExpired) => "auth-expired",
        Some(ErrorKind::AuthRejected) => "auth-rejected",
        Some(ErrorKind::Forbidden) => "forbidden",
        Some(ErrorKind::RateLimited(_)) => "rate-limited",
        Some(ErrorKind::NotFound) => "not-found",
        Some(ErrorKind::InvalidInput(_)) => "invalid-input",
        Some(ErrorKind::Conflict) => "conflict",
        Some(ErrorKind::Unsupported) => "unsupported",
        Some(ErrorKind::Transient(_)) => "transient",
        Some(ErrorKind::OutcomeUnknown) => "outcome-unknown",
        Some(ErrorKind::Protocol(_)) => "protocol",
        Some(ErrorKind::Partial(_)) => "partial",
        Some(ErrorKind::Unavailable(_)) => "unavailable",
    }
}
