//! What a call may use, and the meter that counts it.
//!
//! Every limit is on by default and named in the error when it is reached. wasmtime's own limiter looks at one memory at
//! a time; the meter sums all memories and tables of the instance. Processor time is counted only while the guest runs.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

use crate::egress::HttpLimits;
use crate::error::LimitReached;
use crate::storage::StorageLimits;

/// How often running guests are interrupted to look at their limits and to let others run.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Bytes a table element takes: a function reference.
const TABLE_ELEMENT_BYTES: usize = 8;

/// What one call may use. See each field for its default's reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of all memories and tables together: 128 MiB. Rust connectors need less than 8, interpreters about 64.
    pub memory_bytes: usize,
    /// Processor time of the guest: 2 s. A page of 100 orders takes about a millisecond.
    #[serde(with = "crate::egress::seconds")]
    pub cpu: Duration,
    /// Time from start to end: 60 s, below any lease on the account's work.
    #[serde(with = "crate::egress::seconds")]
    pub wall: Duration,
    /// Calls into the host: 100,000.
    pub host_calls: u64,
    /// Bytes copied into the host by one host call or result: 16 MiB.
    pub lift_bytes: usize,
    /// Open handles: 1,024.
    pub handles: usize,
    /// Bytes of a page's cursor: 4 KiB.
    pub cursor_bytes: usize,
    /// Log lines a call: 100.
    pub log_lines: u32,
    /// Bytes a log line: 4 KiB.
    pub log_line_bytes: usize,
    /// HTTP.
    pub http: HttpLimits,
    /// Storage.
    pub storage: StorageLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            cpu: Duration::from_secs(2),
            wall: Duration::from_mins(1),
            host_calls: 100_000,
            lift_bytes: 16 << 20,
            handles: 1_024,
            cursor_bytes: 4 << 10,
            log_lines: 100,
            log_line_bytes: 4 << 10,
            http: HttpLimits::default(),
            storage: StorageLimits::default(),
        }
    }
}

/// Counts what one call uses.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_limit: usize,
    cpu_limit: Duration,
    host_call_limit: u64,
    memory: usize,
    peak_memory: usize,
    cpu: Duration,
    host_calls: u64,
    running_since: Instant,
    reached: Option<LimitReached>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_limit: limits.memory_bytes,
            cpu_limit: limits.cpu,
            host_call_limit: limits.host_calls,
            memory: 0,
            peak_memory: 0,
            cpu: Duration::ZERO,
            host_calls: 0,
            running_since: Instant::now(),
            reached: None,
        }
    }

    /// The limit that was reached first, if any.
    pub(crate) fn reached(&self) -> Option<LimitReached> {
        self.reached
    }

    /// Counts a host call. Fails, and so traps the guest, beyond the limit.
    pub(crate) fn host_call(&mut self) -> Result<(), LimitReached> {
        self.host_calls += 1;
        if self.host_calls > self.host_call_limit {
            return Err(self.reach(LimitReached::HostCalls(self.host_call_limit)));
        }
        Ok(())
    }

    /// Stops the processor clock while the guest waits for the host.
    pub(crate) fn pause(&mut self) {
        self.charge(Instant::now());
    }

    /// Starts it again.
    pub(crate) fn resume(&mut self) {
        self.running_since = Instant::now();
    }

    /// Called at each tick that meets the guest running.
    pub(crate) fn tick(&mut self) -> Result<(), LimitReached> {
        self.charge(Instant::now());
        if self.host_calls > self.host_call_limit {
            return Err(self.reach(LimitReached::HostCalls(self.host_call_limit)));
        }
        if self.cpu >= self.cpu_limit {
            return Err(self.reach(LimitReached::Cpu(self.cpu_limit)));
        }
        Ok(())
    }

    /// A guest that runs is met by every tick, so anything beyond two ticks was spent waiting for its turn.
    fn charge(&mut self, now: Instant) {
        self.cpu += now.duration_since(self.running_since).min(TICK * 2);
        self.running_since = now;
    }

    fn reach(&mut self, limit: LimitReached) -> LimitReached {
        *self.reached.get_or_insert(limit)
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let total = self.memory.saturating_sub(current).saturating_add(desired);
        if total > self.memory_limit {
            self.reach(LimitReached::Memory(self.memory_limit));
            return false;
        }
        self.memory = total;
        self.peak_memory = self.peak_memory.max(total);
        true
    }

    /// What was used so far.
    pub(crate) fn usage(&self) -> (Duration, u64, usize) {
        (self.cpu, self.host_calls, self.peak_memory)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current.saturating_mul(TABLE_ELEMENT_BYTES), desired.saturating_mul(TABLE_ELEMENT_BYTES)))
    }
}
