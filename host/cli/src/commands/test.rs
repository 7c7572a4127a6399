//! `tradepost test`: the conformance kit on one component.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradepost_conformance::{CheckReport, Description, KitError, Options, Report, Verdict, checks, run};

use super::Context;
use crate::explain;
use crate::failure::{Exit, Failure, Result};
use crate::output::{self, Column, column, printable};
use crate::progress;

/// Check a connector against the conformance kit: reading, values, writing, failures, webhooks, hygiene
#[derive(Debug, Args)]
#[command(after_help = "\
The kit plays the platform to the component from a description: a TOML file with sample records, routes, and where the contract shows
what. The connectors of this project have theirs built in; tests/conformance/README.md tells how to write one. No account and no
network are needed. Ends with exit code 7 if a check fails.

Examples:
  tradepost test hardtofind.wasm
  tradepost test shop.wasm --description shop.toml --report report.json
  tradepost test shop.wasm --description shop.toml --only money-exact --only error-matrix
  tradepost test --list")]
pub(crate) struct Test {
    /// The component, a .wasm file
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// The description of its platform, a TOML file; unless given, the one that is built in
    #[arg(long, value_name = "FILE")]
    description: Option<PathBuf>,
    /// Write the whole report to this file as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Run this check only; may be given several times
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// Busy walks for each kind of change between pages
    #[arg(long, value_name = "N", default_value_t = Options::default().seeds, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// List the checks instead
    #[arg(long, conflicts_with_all = ["file", "description", "report", "only"])]
    list: bool,
}

const COLUMNS: &[Column] = &[column("RESULT", 7), column("AREA", 13), column("CHECK", 32), column("EVIDENCE", 96)];

impl Test {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Some(file) = self.file else { return list(context) };
        let unreadable = |file: &PathBuf, error| Failure::usage(format!("{}: {error}", file.display()));
        let component = fs::read(&file).map_err(|error| unreadable(&file, error))?;
        let description = match &self.description {
            None => None,
            Some(file) => {
                let text = fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
                let parsed = Description::parse(&text);
                Some(parsed.map_err(|error| Failure::configuration(format!("{}: {error}", file.display())))?)
            }
        };
        let options = Options { seeds: self.seeds, only: self.only };
        let bar = progress::step("loading the component");
        let shown = bar.clone();
        let ran = tokio::task::spawn_blocking(move || {
            run(component, description, options, |check| {
                shown.set_message(format!("{}: {}", check.check, check.result));
            })
        });
        let report = ran.await.map_err(|panic| Failure::unexpected(format!("the kit broke off: {panic}")));
        bar.finish_and_clear();
        let report = report?.map_err(|error| kit_failure(&error, &file))?;
        if let Some(file) = &self.report {
            let text = output::json(&report)?;
            fs::write(file, text + "\n").map_err(|error| unreadable(file, error))?;
        }
        context.output.single(&report, text)?;
        if report.passed {
            return Ok(());
        }
        let failed: Vec<&str> = report.with(Verdict::Failed).map(|check| check.check).collect();
        let message = format!("{} {} fails {}", report.connector, report.version, failed.join(", "));
        Err(Failure::new(Exit::ConnectorFault, "not-conformant", message).into())
    }
}

fn list(context: &Context) -> Result<()> {
    let checks: Vec<_> = checks()
        .iter()
        .map(|check| json!({"check": check.name, "area": check.area, "question": check.question}))
        .collect();
    context.output.single(&checks, |_| {
        let rows = tradepost_conformance::checks()
            .iter()
            .map(|check| vec![check.area.to_string(), check.name.to_owned(), check.question.to_owned()]);
        let columns = [column("AREA", 13), column("CHECK", 32), column("QUESTION", 110)];
        output::piece(&columns, &rows.collect::<Vec<_>>(), true)
    })
}

fn kit_failure(error: &KitError, file: &std::path::Path) -> Failure {
    match error {
        KitError::Load(error) => explain::load_error(error, &file.display().to_string()),
        KitError::OtherConnector { .. } | KitError::NoDescription(_) | KitError::Description(_) => {
            Failure::configuration(error.to_string())
        }
        KitError::NoSuchCheck(_) => Failure::usage(error.to_string()),
        KitError::Machine(_) => Failure::unexpected(error.to_string()),
    }
}

/// A line for each check, and how many there are of each result. What failed and what was skipped is told whole.
fn text(report: &Report) -> String {
    let row = |check: &CheckReport| {
        vec![check.result.to_string(), check.area.to_string(), check.check.to_owned(), printable(&check.evidence)]
    };
    let rows: Vec<Vec<String>> = report.checks.iter().map(row).collect();
    let mut text = output::piece(COLUMNS, &rows, true);
    for (verdict, title) in [(Verdict::Skipped, "skipped, because"), (Verdict::Failed, "failed")] {
        for check in report.with(verdict) {
            text.push_str(&format!("\n{title}: {}: {}", check.check, printable(&check.evidence)));
        }
    }
    let count = |verdict| report.with(verdict).count();
    text.push_str(&format!(
        "\n{} {} ({}): {} checks passed, {} failed, {} skipped",
        report.connector,
        report.version,
        report.digest,
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Skipped)
    ));
    text
}
