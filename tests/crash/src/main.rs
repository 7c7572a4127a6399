//! `tradepost-crash`: the crash matrix with as many seeds as one likes, as a table; the mutants; the soak. Hidden commands make it the
//! process that is killed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use futures_util::StreamExt;
use tradepost_crash::failpoint::Arm;
use tradepost_crash::soak::{CONNECTORS, Soak, Soaked, thirds};
use tradepost_crash::table::{Row, table};
use tradepost_crash::worker::Worker;
use tradepost_crash::{Bench, Connectors, Matrix, Mutant, POINTS, Point, Verdict, mutant_row, point};

/// Kill the daemon at every place that matters, and count what is lost or done twice
#[derive(Debug, Parser)]
#[command(after_help = "\
Each run starts a marketplace, a producer and the daemon; the daemon dies where the point says and how the seed draws it, another one takes
over, and the platforms' ledgers tell what was lost or done twice. The same seed makes the same plan.

Examples:
  tradepost-crash --seeds 20
  tradepost-crash --point O06 --point O08 --first 7 --seeds 1
  tradepost-crash --mutants --seeds 3
  tradepost-crash soak --minutes 30")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    matrix: MatrixArguments,
}

#[derive(Debug, Args)]
struct MatrixArguments {
    /// Runs of each point
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Orders that the marketplace holds at the start
    #[arg(long, default_value_t = 200)]
    orders: u64,
    /// Only this point; may be given more than once
    #[arg(long = "point", value_name = "POINT", value_parser = known_point)]
    points: Vec<String>,
    /// Runs at the same time; most of a run is waiting
    #[arg(long, default_value_t = 16)]
    jobs: usize,
    /// Not the points but the mutants: stores with a fault built in, which must show
    #[arg(long, conflicts_with = "points")]
    mutants: bool,
    /// Only this mutant
    #[arg(long, conflicts_with = "points")]
    mutant: Option<Mutant>,
    /// JSON on stdout instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill the daemon every few seconds for a long time, with all platforms, faults that come and go, and its memory watched
    Soak {
        /// How long, in minutes; what is open then settles without faults
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// What its choices come from
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// JSON on stdout instead of a table
        #[arg(long)]
        json: bool,
    },
    /// The daemon that is killed: `tradepost run` with failpoints
    #[command(hide = true)]
    Daemon {
        #[arg(long = "arm")]
        arms: Vec<Arm>,
        /// Where it takes webhooks
        #[arg(long)]
        webhooks: Option<String>,
    },
    /// A process that installs a package and activates it
    #[command(hide = true)]
    Install {
        #[arg(long = "arm")]
        arms: Vec<Arm>,
        /// The data directory
        data: PathBuf,
        /// The package
        package: PathBuf,
    },
    /// A program that embeds the engine, maybe with a fault built in
    #[command(hide = true)]
    Worker {
        #[arg(long = "arm")]
        arms: Vec<Arm>,
        #[arg(long)]
        mutant: Mutant,
        /// Milliseconds from a walk to the next
        #[arg(long, default_value_t = 1000)]
        every: u64,
        /// Milliseconds
        #[arg(long, default_value_t = 120_000)]
        lease: u64,
        #[arg(long, action = clap::ArgAction::Set, default_value_t = false)]
        alone: bool,
    },
}

fn known_point(name: &str) -> Result<String, String> {
    point(name).map(|point| point.name.to_owned()).ok_or_else(|| {
        let all: Vec<&str> = POINTS.iter().map(|point| point.name).collect();
        format!("there are {}", all.join(", "))
    })
}

fn main() -> Result<ExitCode> {
    // The daemon is started as its own compiler, as `tradepost` is.
    if let Some(code) = tradepost_cli::compiler_child() {
        return Ok(code);
    }
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Daemon { arms, webhooks }) => daemon(&arms, webhooks),
        Some(Command::Install { arms, data, package }) => {
            let _scenario = tradepost_crash::failpoint::arm(&arms, &data)?;
            executor()?.block_on(tradepost_crash::installer::install(&data, &package))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Worker { arms, mutant, every, lease, alone }) => {
            let _scenario = tradepost_crash::failpoint::arm(&arms, Path::new("."))?;
            let (every, lease) = (Duration::from_millis(every), Duration::from_millis(lease));
            executor()?.block_on(Worker { mutant, every, lease, alone }.run(Path::new(".")))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Soak { minutes, seed, json }) => executor()?.block_on(soak(minutes, seed, json)),
        None if arguments.matrix.mutants || arguments.matrix.mutant.is_some() => {
            executor()?.block_on(mutants(&arguments.matrix))
        }
        None => executor()?.block_on(matrix(&arguments.matrix)),
    }
}

fn executor() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("the asynchronous runtime did not start")
}

/// Is the daemon.
fn daemon(arms: &[Arm], webhooks: Option<String>) -> Result<ExitCode> {
    let _scenario = tradepost_crash::failpoint::arm(arms, Path::new("."))?;
    let mut words: Vec<OsString> = ["tradepost", "run", "--every", "1"].map(OsString::from).into();
    if let Some(address) = webhooks {
        words.extend(["--webhooks".into(), address.into()]);
    }
    Ok(tradepost_cli::main(words))
}

async fn matrix(arguments: &MatrixArguments) -> Result<ExitCode> {
    let chosen: Vec<&'static Point> = if arguments.points.is_empty() {
        POINTS.iter().collect()
    } else {
        arguments.points.iter().filter_map(|name| point(name)).collect()
    };
    let bench = bench(arguments)?;
    let matrix = Matrix { points: &chosen, seeds: arguments.seeds, first: arguments.first, jobs: arguments.jobs };
    let rows = matrix.run(&bench).await?;
    print("POINT", &rows, rows.iter().all(Row::is_good), arguments.json)
}

fn bench(arguments: &MatrixArguments) -> Result<Bench> {
    Ok(Bench {
        program: std::env::current_exe()?,
        connectors: Connectors::build(&["hardtofind", "hft71"])?,
        orders: arguments.orders,
    })
}

/// Each mutant must show, and the sound store must not.
async fn mutants(arguments: &MatrixArguments) -> Result<ExitCode> {
    let bench = bench(arguments)?;
    let chosen = arguments.mutant.map_or(Mutant::ALL.to_vec(), |mutant| vec![mutant]);
    let seeds = arguments.first..arguments.first + arguments.seeds;
    let bar = tradepost_crash::matrix::progress(chosen.len() as u64);
    let rows: Vec<Row> = futures_util::stream::iter(&chosen)
        .map(|mutant| mutant_row(&bench, *mutant, seeds.clone()))
        .buffered(arguments.jobs.max(1))
        .inspect(|_| bar.inc(1))
        .collect()
        .await;
    bar.finish_and_clear();
    let is_good = rows.iter().zip(&chosen).all(|(row, mutant)| match mutant {
        Mutant::None => row.is_good(),
        _ => row.is_wrong(),
    });
    print("MUTANT", &rows, is_good, arguments.json)
}

async fn soak(minutes: u64, seed: u64, json: bool) -> Result<ExitCode> {
    let soak = Soak {
        program: std::env::current_exe()?,
        connectors: Connectors::build(&CONNECTORS)?,
        length: Duration::from_secs(minutes * 60),
        seed,
    };
    let soaked = soak.run(|line| eprintln!("{line}")).await?;
    let is_good = soaked.verdict.is_good();
    if json {
        println!("{}", serde_json::to_string_pretty(&soaked)?);
        return Ok(exit(is_good));
    }
    let Soaked { verdict, lives, requests, faults } = &soaked;
    println!("LIVES                 NUMBER  MOST MEMORY  STORE AT THE END");
    for (name, (number, life)) in ["first third", "middle third", "last third"].iter().zip(thirds(lives)) {
        let (memory, store) = (format!("{} MiB", life.memory >> 20), format!("{} KiB", life.store >> 10));
        println!("{name:20} {number:7} {memory:>12} {store:>17}");
    }
    let Verdict { lost, duplicated, phantom, silent, parked, commands, events, findings } = verdict;
    println!(
        "\n{} kills, {faults} faults, {requests} requests, {commands} commands, {events} events: {lost} lost, {duplicated} double, {phantom} phantom, {silent} silent, {parked} parked",
        lives.len().saturating_sub(1)
    );
    for finding in findings {
        println!("  {finding}");
    }
    Ok(exit(is_good))
}

fn exit(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(head: &str, rows: &[Row], is_good: bool, json: bool) -> Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({"good": is_good, "rows": rows}))?);
    } else {
        println!("{}", table(head, rows));
        let findings: Vec<&String> = rows.iter().flat_map(|row| &row.findings).collect();
        if !findings.is_empty() {
            println!("\n{} findings", findings.len());
        }
        for finding in findings {
            println!("  {finding}");
        }
    }
    Ok(exit(is_good))
}
