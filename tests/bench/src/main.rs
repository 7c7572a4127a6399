//! Measures Tradepost beside its yardsticks, in one run, as ratios.
//!
//! An absolute time says more about the machine than about the program, so every figure that can be a ratio is one: both
//! sides do the same work, taking turns, in the same process with the same allocator.

mod apart;
mod call;
mod callers;
mod feed;
mod idle;
mod install_ready;
mod installation;
mod load;
mod many_swaps;
mod measure;
mod memory;
mod native;
mod normalise;
mod process;
mod pull;
mod scripted_hardtofind;
mod setup;
mod start_cached;
mod swap_first_call;
mod swap_under_load;
mod sync;
mod two_versions;

use std::borrow::Cow;

use clap::Parser;
use comfy_table::Table;
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Tradepost beside its yardsticks.
#[derive(Parser)]
#[command(
    name = "tradepost-bench",
    after_help = "Example:\n  cargo run --release -p tradepost-bench -- --quick --json"
)]
struct Arguments {
    /// Fewer rounds: a minute instead of several.
    #[arg(long)]
    quick: bool,
    /// One JSON object on standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Only measurements whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Measures memory in this process, for the process that was started for it.
    #[arg(long, hide = true)]
    here: bool,
}

/// One figure.
#[derive(Serialize, Deserialize)]
pub struct Figure {
    name: Cow<'static, str>,
    /// How many times the yardstick it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// A figure that has no yardstick.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    unit: Cow<'static, str>,
    /// What it must not exceed, where there is such a promise.
    bar: Option<f64>,
    ok: bool,
    /// What was compared with what.
    what: String,
}

impl Figure {
    fn ratio(name: &'static str, ratio: f64, bar: Option<f64>, what: impl Into<String>) -> Self {
        let ok = bar.is_none_or(|bar| ratio <= bar);
        Self {
            name: name.into(),
            ratio: Some(rounded(ratio)),
            value: None,
            unit: "x".into(),
            bar,
            ok,
            what: what.into(),
        }
    }

    fn value(name: &'static str, value: f64, unit: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            name: name.into(),
            ratio: None,
            value: Some(rounded(value)),
            unit: unit.into(),
            bar: None,
            ok: true,
            what,
        }
    }

    /// With something that it must not exceed.
    fn at_most(self, bar: f64) -> Self {
        let ok = self.value.is_none_or(|value| value <= bar);
        Self { bar: Some(bar), ok, ..self }
    }
}

fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let wanted = |name: &&str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
    let rounds = measure::Rounds::new(arguments.quick);
    let mut figures = Vec::new();
    let mut run = |names: &[&str], measure: &dyn Fn() -> anyhow::Result<Vec<Figure>>| -> anyhow::Result<()> {
        if names.iter().any(wanted) {
            if !arguments.here {
                eprintln!("measuring {} ...", names.join(", "));
            }
            figures.extend(measure()?);
        }
        Ok(())
    };
    run(&["call-vs-wasmtime"], &|| call::measure(&rounds))?;
    run(&["normalise-vs-native", "normalise-vs-same-code"], &|| normalise::measure(&rounds))?;
    run(&["pull-vs-native"], &|| pull::measure(&rounds))?;
    run(&["sync-vs-native"], &|| sync::measure(&rounds))?;
    run(&["load-ms"], &|| load::measure(&rounds))?;
    run(&["swap-first-call", "swap-first-call-bytes", "cached-vs-bytes"], &|| swap_first_call::measure(&rounds))?;
    run(&["start-five-cached", "start-five-cached-ms"], &|| start_cached::measure(&rounds))?;
    run(&["install-ready"], &|| install_ready::measure(&rounds))?;
    run(&["swap-under-load", "swap-under-load-failed", "swap-under-load-stale"], &|| {
        swap_under_load::measure(arguments.quick)
    })?;
    let apart = |name: &str, measure: &dyn Fn() -> anyhow::Result<Vec<Figure>>| -> anyhow::Result<Vec<Figure>> {
        if arguments.here { measure() } else { apart::measure(name, arguments.quick) }
    };
    run(&["ten-thousand-swaps", "ten-thousand-swaps-handles", "ten-thousand-swaps-threads"], &|| {
        apart("ten-thousand-swaps", &|| many_swaps::measure(arguments.quick))
    })?;
    run(&["memory-per-call-mib"], &|| apart("memory-per-call-mib", &memory::measure))?;
    run(&["feed-memory-mib", "feed-events-per-second"], &|| apart("feed", &|| feed::measure(arguments.quick)))?;
    run(&["idle-accounts-mib", "idle-account-kib", "idle-cpu-ms-per-second"], &|| {
        apart("idle-accounts", &|| idle::measure(arguments.quick))
    })?;

    if arguments.json {
        println!("{}", serde_json::json!({ "results": figures }));
    } else {
        let mut table = Table::new();
        table.set_header(["measurement", "figure", "bar", "", "what"]);
        for figure in &figures {
            table.add_row([
                figure.name.to_string(),
                format!("{:.2} {}", figure.ratio.or(figure.value).unwrap_or_default(), figure.unit),
                figure.bar.map_or_else(|| "-".to_owned(), |bar| format!("<= {bar} {}", figure.unit)),
                if figure.ok { "ok" } else { "MISSED" }.to_owned(),
                figure.what.clone(),
            ]);
        }
        println!("{table}");
    }
    if figures.iter().all(|figure| figure.ok) {
        return Ok(());
    }
    std::process::exit(1);
}
