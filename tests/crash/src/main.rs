//! `tradepost-crash`: the crash harness with as many seeds as one likes, as a table.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tradepost_crash::{Plan, program_beside, run};

/// Kill the daemon again and again while it works, and count what is lost or doubled
#[derive(Debug, Parser)]
#[command(after_help = "\
Needs the program tradepost: build it first (cargo build --release -p tradepost), or name it.

Examples:
  tradepost-crash --seeds 20
  tradepost-crash --seeds 1 --first 7 --kills 50")]
struct Arguments {
    /// How many runs
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Orders that the marketplace holds at the start
    #[arg(long, default_value_t = 200)]
    orders: u64,
    /// Kills in each run
    #[arg(long, default_value_t = 12)]
    kills: u32,
    /// The longest that the daemon lives, in milliseconds
    #[arg(long, default_value_t = 3_000)]
    longest_life: u64,
    /// The program tradepost
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let program = match arguments.program {
        Some(program) => program,
        None => program_beside(&std::env::current_exe()?)
            .context("the program tradepost is not built: cargo build --release -p tradepost")?,
    };
    println!(
        "{:>6} {:>8} {:>8} {:>6} {:>6} {:>8} {:>7} {:>7}",
        "SEED", "COMMANDS", "EVENTS", "LOST", "DOUBLE", "PHANTOM", "SILENT", "PARKED"
    );
    let mut good = true;
    for seed in arguments.first..arguments.first + arguments.seeds {
        let plan = Plan {
            program: program.clone(),
            seed,
            orders: arguments.orders,
            kills: arguments.kills,
            longest_life: arguments.longest_life,
        };
        let verdict = run(&plan).await.with_context(|| format!("seed {seed}"))?;
        println!(
            "{seed:>6} {:>8} {:>8} {:>6} {:>6} {:>8} {:>7} {:>7}",
            verdict.commands,
            verdict.events,
            verdict.lost,
            verdict.duplicated,
            verdict.phantom,
            verdict.silent,
            verdict.parked
        );
        for finding in &verdict.findings {
            println!("       {finding}");
        }
        good &= verdict.is_good();
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
