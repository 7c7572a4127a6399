//! Using up what there is: calls into the host, memory, log lines.

use std::hint::black_box;
use std::time::{Instant, SystemTime};

use tradepost_sdk::prelude::*;

use crate::{Findings, found};

/// Asks for the time for ever.
pub(crate) fn clock_flood() -> Findings {
    loop {
        black_box(Instant::now());
    }
}

/// Looks at the clocks 50,000 times and says how finely they move.
pub(crate) fn clock() -> Findings {
    let wall = SystemTime::now();
    let (mut last, mut steps, mut smallest) = (Instant::now(), 0_u64, u128::MAX);
    for _ in 0..50_000 {
        let now = Instant::now();
        if now != last {
            steps += 1;
            smallest = smallest.min(now.duration_since(last).as_nanos());
            last = now;
        }
    }
    let wall = if SystemTime::now() == wall { "stands still" } else { "moves" };
    let smallest = if steps == 0 { 0 } else { smallest };
    Ok(vec![found("steps", steps), found("smallest step", smallest), found("wall", wall)])
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

/// A line with ten thousand names.
pub(crate) fn log_names() -> Findings {
    let names: Vec<String> = (0..10_000).map(|number| format!("name-{number}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    log::info("names", &fields);
    Ok(Vec::new())
}
