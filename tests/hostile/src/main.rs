//! Prints the hostile suite: every case with what is expected and what was measured, one after the other, in full.

mod table;

use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tradepost_hostile::arena::run;
use tradepost_hostile::cases::all;
use tradepost_hostile::{Case, Effort, Report, Verdict, evil, own_process};

/// Attacks the host and says what it stood. Ends with 1 where a starred case does not hold.
#[derive(Parser)]
#[command(name = "tradepost-hostile", version)]
struct Arguments {
    /// Only cases whose id begins with this: `HC-4`, `WH`. May be given several times.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Only starred cases.
    #[arg(long)]
    starred: bool,
    /// Cut repetitions short, as the tests do.
    #[arg(long)]
    quick: bool,
    /// JSON, a line for each case, as soon as it is done.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn wants(&self, case: &Case) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|only| case.id.starts_with(&only.to_uppercase()));
        named && (case.starred || !self.starred)
    }
}

fn main() -> anyhow::Result<ExitCode> {
    if let Some(ended) = own_process::serve() {
        return Ok(ended);
    }
    own_process::program_is(std::env::current_exe()?);
    let arguments = Arguments::parse();
    let cases: Vec<Case> = all().into_iter().filter(|case| arguments.wants(case)).collect();
    ensure!(!cases.is_empty(), "no case is called that; ids are such as HC-01, HS-09, WH-14, SW-01, TP-01");
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    // Building components takes longer than most attacks, and is none of their business.
    evil::component();
    let progress = ProgressBar::new(cases.len() as u64);
    progress.set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}")?);
    let mut reports = Vec::new();
    for case in &cases {
        progress.set_message(format!("{} {}", case.id, case.title));
        let report = run(case, effort);
        if arguments.json {
            println!("{}", serde_json::to_string(&report)?);
        }
        reports.push(report);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if !arguments.json {
        println!("{}", table::of(&reports));
        println!("{}", table::summary(&reports));
    }
    let fallen = |report: &Report| report.starred && report.verdict == Verdict::DoesNotHold;
    Ok(if reports.iter().any(fallen) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
