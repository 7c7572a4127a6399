//! Resident memory of a call in flight: many calls wait for their platform at once, and the process grows by so much.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tradepost_runtime::commerce::ListQuery;
use tradepost_runtime::egress::{SendError, Source};
use tradepost_runtime::{AccountConfig, Grants, MemoryStorage};

use crate::process::{mib, resident_bytes};
use crate::{Figure, setup};

/// Calls in flight.
const CALLS: u32 = 200;

/// Holds every answer back until it is let go, and says when a request has come.
struct Waiting {
    arrived: mpsc::UnboundedSender<()>,
    gate: Semaphore,
}

#[async_trait]
impl Source for Waiting {
    async fn answer(&self, _request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendError> {
        let _received = self.arrived.send(());
        let _passed = self.gate.acquire().await;
        Ok(http::Response::new(Bytes::from_static(b"{}")))
    }
}

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let bytes = setup::component("tradepost-bench-guest")?;
    let executor = setup::executor()?;
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let source = Arc::new(Waiting { arrived, gate: Semaphore::new(0) });
    let runtime = setup::scripted_runtime(source.clone())?;
    let growth = executor.block_on(async {
        let connector = runtime.load(bytes).await?;
        let config = AccountConfig {
            id: "bench/idle".into(),
            grants: Grants { private_hosts: vec!["http://127.0.0.1:9".parse()?], ..Grants::default() },
            ..AccountConfig::default()
        };
        let account = runtime.open(&connector, config, Arc::new(MemoryStorage::new()))?;
        let before = resident_bytes()?;
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let account = account.clone();
                tokio::spawn(async move {
                    let query = ListQuery { statuses: vec!["wait".into()], ..ListQuery::default() };
                    account.list_orders(&query, None).await.map(|reply| reply.value.end)
                })
            })
            .collect();
        for _ in 0..CALLS {
            arrivals.recv().await.context("a call ended before it asked its platform")?;
        }
        let during = resident_bytes()?;
        source.gate.add_permits(CALLS as usize);
        for call in calls {
            call.await??;
        }
        anyhow::Ok(during.saturating_sub(before))
    })?;
    let each = mib(growth) / f64::from(CALLS);
    let what = format!("resident memory of a call that waits for its platform ({CALLS} in flight)");
    Ok(vec![Figure::value("memory-per-call-mib", each, "MiB", what)])
}
