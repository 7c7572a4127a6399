//! What one call of a connector may spend on HTTP, and what it has spent.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{BudgetExceeded, Limit};

/// The HTTP budgets of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Requests, denied ones included. 64: a page walk of a call needs a few; a loop hits it at once.
    pub requests: u32,
    /// Requests under way at the same time. 4: as many as a shop's server takes from one client without pacing it.
    pub in_flight: usize,
    /// Bytes of URLs, headers and bodies sent. 8 MiB.
    pub bytes_out: u64,
    /// Bytes of bodies received, after decompression, and of one answer before it. 16 MiB.
    pub bytes_in: u64,
    /// Decompressed bytes per compressed byte. 100: JSON compresses 10 to 20 times, a bomb 1,000 times.
    pub ratio: u64,
    /// Decompressed bytes below which the ratio is not looked at: short repetitive answers compress well. 64 KiB.
    pub ratio_floor: u64,
    /// Time for one request, from name lookup to the last byte. 30 s.
    #[serde(with = "super::seconds")]
    pub each: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            requests: 64,
            in_flight: 4,
            bytes_out: 8 * 1024 * 1024,
            bytes_in: 16 * 1024 * 1024,
            ratio: 100,
            ratio_floor: 64 * 1024,
            each: Duration::from_secs(30),
        }
    }
}

/// What a call has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests, denied ones included.
    pub requests: u32,
    /// Bytes of URLs, headers and bodies sent.
    pub bytes_out: u64,
    /// Bytes of bodies received, after decompression.
    pub bytes_in: u64,
    /// Whether a request that is not `read` may have reached the source.
    pub wrote: bool,
}

/// Counts a call's spending against its limits. Counted before spending, so that parallel requests cannot overdraw.
pub(super) struct Budget {
    pub(super) limits: HttpLimits,
    requests: AtomicU32,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    writes: AtomicU32,
}

impl Budget {
    pub(super) fn new(limits: HttpLimits) -> Self {
        Self {
            limits,
            requests: AtomicU32::new(0),
            bytes_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            writes: AtomicU32::new(0),
        }
    }

    pub(super) fn request(&self) -> Result<(), BudgetExceeded> {
        let allowed = self.limits.requests;
        let spend = |spent: u32| (spent < allowed).then(|| spent + 1);
        match self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
            Ok(_) => Ok(()),
            Err(_) => Err(BudgetExceeded { limit: Limit::Requests, allowed: allowed.into(), sent: false }),
        }
    }

    pub(super) fn send(&self, bytes: usize) -> Result<(), BudgetExceeded> {
        spend(&self.bytes_out, bytes, self.limits.bytes_out).map_err(|allowed| BudgetExceeded {
            limit: Limit::BytesOut,
            allowed,
            sent: false,
        })
    }

    pub(super) fn receive(&self, bytes: usize) -> Result<(), BudgetExceeded> {
        spend(&self.bytes_in, bytes, self.limits.bytes_in).map_err(|allowed| BudgetExceeded {
            limit: Limit::BytesIn,
            allowed,
            sent: true,
        })
    }

    /// A request that is not `read` is about to be sent. Noted before: the call may be dropped while it is under way.
    pub(super) fn writing(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Nothing of it was sent after all.
    pub(super) fn not_written(&self) {
        self.writes.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            wrote: self.writes.load(Ordering::Relaxed) > 0,
        }
    }
}

fn spend(counter: &AtomicU64, bytes: usize, allowed: u64) -> Result<(), u64> {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    let add = |spent: u64| spent.checked_add(bytes).filter(|total| *total <= allowed);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).map(|_| ()).map_err(|_| allowed)
}
