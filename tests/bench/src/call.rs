//! A fresh instance and a trivial call, against bare wasmtime doing the same: the same component, the same pool, epoch
//! interruption on, a new store and instance each time, the same typed function.

use std::sync::Arc;

use tradepost_runtime::commerce::{ListQuery, OrderPage};
use tradepost_runtime::errors::Error;
use tradepost_runtime::{AccountConfig, CONTRACT_PACKAGE, CONTRACT_VERSION, Grants, MemoryStorage};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::measure::Rounds;
use crate::{Figure, setup};

/// How often Tradepost must not exceed bare wasmtime.
const BAR: f64 = 2.0;

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let bytes = setup::component("tradepost-bench-guest")?;
    let executor = setup::executor()?;

    let runtime = tradepost_runtime::Runtime::new()?;
    let connector = executor.block_on(runtime.load(bytes.clone()))?;
    let config = AccountConfig {
        id: "bench/idle".into(),
        grants: Grants { private_hosts: vec!["http://127.0.0.1:9".parse()?], ..Grants::default() },
        ..AccountConfig::default()
    };
    let account = runtime.open(&connector, config, Arc::new(MemoryStorage::new()))?;
    let query = ListQuery::default();
    let ours = || {
        let reply = executor.block_on(account.list_orders(&query, None)).expect("the idle connector answers");
        assert!(reply.value.end);
    };

    let engine = bare_engine()?;
    let component = Component::new(&engine, &bytes)?;
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let pre = linker.instantiate_pre(&component)?;
    let orders = format!("{CONTRACT_PACKAGE}/orders@{CONTRACT_VERSION}");
    let orders = component.get_export_index(None, &orders).expect("it exports orders");
    let list = component.get_export_index(Some(&orders), "list").expect("orders has list");
    let bare = || {
        let page: wasmtime::Result<Result<OrderPage, Error>> = executor.block_on(async {
            let mut store = Store::new(&engine, ());
            store.set_epoch_deadline(u64::MAX / 2);
            let instance = pre.instantiate_async(&mut store).await?;
            let list =
                instance.get_typed_func::<(&ListQuery, Option<&str>), (Result<OrderPage, Error>,)>(&mut store, list)?;
            let (page,) = list.call_async(&mut store, (&query, None)).await?;
            Ok(page)
        });
        assert!(page.expect("it runs").expect("it answers").end);
    };

    let found = rounds.compare(ours, bare);
    let what = format!("fresh instance and trivial call, all limits on, against bare wasmtime ({})", found.times());
    Ok(vec![Figure::ratio("call-vs-wasmtime", found.ratio, Some(BAR), what)])
}

/// Bare wasmtime with a pool and epoch interruption on.
pub(crate) fn bare_engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(4 << 20).table_keep_resident(64 << 10).pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.epoch_interruption(true).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}
