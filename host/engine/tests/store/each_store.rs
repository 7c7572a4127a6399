//! Every implementation of the store: a check that takes any of them runs on all. A new implementation is added here.

use std::future::Future;
use std::sync::Arc;

use tradepost_engine::store::{self, Store};

/// Runs a check on a new, empty store of each implementation.
pub(crate) async fn on_each<F, Fut>(check: F)
where
    F: Fn(Arc<dyn Store>) -> Fut,
    Fut: Future<Output = ()>,
{
    let directory = tempfile::tempdir().unwrap();
    check(Arc::new(store::open(directory.path()).unwrap())).await;
}
