//! Using up what there is: calls into the host, memory, log lines.

use std::hint::black_box;
use std::time::Instant;

use tradepost_sdk::prelude::*;

use crate::Findings;

/// Asks for the time for ever.
pub(crate) fn clock_flood() -> Findings {
    loop {
        black_box(Instant::now());
    }
}

/// Takes memory until there is none.
pub(crate) fn hoard() -> Findings {
    storage::set("trace", b"written before the memory ran out", None)?;
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        black_box(&hoard);
    }
}

/// A thousand lines, one of them long.
pub(crate) fn log_flood() -> Findings {
    log::info(&"long ".repeat(100_000), &[]);
    for line in 1..1000 {
        log::info(&format!("line {line}"), &[]);
    }
    Ok(Vec::new())
}

/// A line that would be two, in red, backwards.
pub(crate) fn log_forgery() -> Findings {
    let forged = "ok\r\n2026-01-01 ERROR \u{1b}[31mforged\u{202e}\0";
    log::warn(forged, &[(forged, forged)]);
    Ok(Vec::new())
}
