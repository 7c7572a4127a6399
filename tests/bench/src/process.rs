//! What the kernel says of this process: resident memory, its peak, processor time, handles, threads. Linux only.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Bytes of resident memory.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    Ok(status("VmRSS:")? * 1024)
}

/// Most bytes that were resident at once since [`forget_peak`].
pub(crate) fn peak_bytes() -> anyhow::Result<u64> {
    Ok(status("VmHWM:")? * 1024)
}

/// Begins a new peak.
pub(crate) fn forget_peak() -> anyhow::Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("this measurement needs Linux")
}

/// Processor time of all threads so far, in steps of 10 ms.
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("this measurement needs Linux")?;
    // The second field is the program's name, in parentheses, and may hold anything; user and system time are the 14th and 15th.
    let fields = stat.rsplit(')').next().context("an empty stat")?.split_whitespace();
    let ticks: Vec<u64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    // Linux counts these in hundredths of a second on every machine.
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// Handles that are open: files, sockets, pipes. The one that this takes to look counts too.
pub(crate) fn open_handles() -> anyhow::Result<u64> {
    Ok(fs::read_dir("/proc/self/fd").context("this measurement needs Linux")?.count() as u64)
}

/// Threads that run.
pub(crate) fn threads() -> anyhow::Result<u64> {
    status("Threads:")
}

/// The figure in a line of the process's status.
fn status(name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("this measurement needs Linux")?;
    let line = status.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
    Ok(line.split_whitespace().nth(1).with_context(|| format!("{name} without a figure"))?.parse()?)
}

/// Bytes as MiB.
#[allow(clippy::cast_precision_loss, reason = "bytes of a process fit a double")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
