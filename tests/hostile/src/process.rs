//! What this process holds: memory, mappings, threads, tasks and open files, from `/proc` where there is one; and its panics.

use std::fs;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

/// What is held at one moment. Where the system does not say, 0.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Held {
    /// Resident memory, KiB.
    pub resident_kib: u64,
    /// Pieces of memory that are mapped: code that is loaded is among them.
    pub mappings: usize,
    /// Threads.
    pub threads: u64,
    /// Open files and sockets.
    pub files: usize,
    /// Tasks of the asynchronous runtime that are not finished.
    pub tasks: usize,
}

impl Held {
    /// What is held now. Inside a Tokio runtime.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        Self {
            resident_kib: figure("VmRSS:"),
            mappings: fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count()),
            threads: figure("Threads:"),
            files: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }
}

static PANICS: AtomicUsize = AtomicUsize::new(0);
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Counts panics from now on, instead of printing them, and gives how many there were.
pub(crate) fn count_panics() -> usize {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
            PANICS.fetch_add(1, Ordering::SeqCst);
        }));
    });
    PANICS.load(Ordering::SeqCst)
}

/// What the last panic said.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
