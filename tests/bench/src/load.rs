//! How long a connector takes from its bytes to ready: comparison with the contract, compilation, linking, `describe`.

use std::time::Instant;

use crate::measure::{Rounds, median};
use crate::{Figure, setup};

pub(crate) fn measure(rounds: &Rounds) -> anyhow::Result<Vec<Figure>> {
    let bytes = setup::component("tradepost-wcfm")?;
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let runtime = tradepost_runtime::Runtime::new()?;
    let mut times = Vec::new();
    for _ in 0..if rounds.quick { 3 } else { 9 } {
        let start = Instant::now();
        executor.block_on(runtime.load(bytes.clone()))?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let what = format!("the wcfm connector ({} KiB) from .wasm to ready", bytes.len() / 1024);
    Ok(vec![Figure::value("load-ms", median(times.into_iter()), "ms", what)])
}
