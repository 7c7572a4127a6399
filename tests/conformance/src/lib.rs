//! The conformance kit: named checks that a connector must pass before anybody relies on it.
//!
//! The checks are the same for every connector. What differs is a [`Description`]: a TOML file with a sample of each record, the
//! platform's routes, and where the contract shows what. From it the kit plays the platform to the component (no network, a clock that
//! moves only when a check moves it), changes records between two pages, fails in every way a server can, and compares what the
//! connector makes of it with what the platform holds. A new connector needs a description and no new check.
//!
//! ```no_run
//! use tradepost_conformance::{Description, Options, run};
//!
//! let component = std::fs::read("target/components/hardtofind.wasm")?;
//! let description = Description::parse(&std::fs::read_to_string("hardtofind.toml")?)?;
//! let report = run(component, Some(description), Options::default(), |check| eprintln!("{}: {}", check.check, check.result))?;
//! assert!(report.passed);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod built_in;
mod checks;
mod description;
mod inheritance;
mod kit;
mod log_lines;
mod operation;
mod reading;
mod report;
mod source;

use tradepost_runtime::LoadError;

pub use built_in::built_in;
pub use checks::{Check, checks};
pub use description::{
    Answer, DateFormat, Description, DescriptionError, Exception, Invalid, Login, Operation, Paging, RecordKind,
    Refusals, Route, RowOrder, Shows, Webhook,
};
pub use report::{Area, CheckReport, Level, Report, Verdict};

use kit::Kit;
use report::Finding;

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many walks with changes between their pages each of the paging checks makes, each from a seed of its own.
    pub seeds: u64,
    /// Only the checks of these names. Empty = all.
    pub only: Vec<String>,
}

impl Default for Options {
    /// 250 walks for each of the four kinds of change: 1,000 in all.
    fn default() -> Self {
        Self { seeds: 250, only: Vec::new() }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The component does not load.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// The description is another connector's.
    #[error("the component is the connector {found}, and the description is for {expected}")]
    OtherConnector {
        /// The component's id.
        found: String,
        /// The description's.
        expected: String,
    },
    /// No description was given, and the kit has none for this connector.
    #[error("the kit has no description of {0}'s platform; write one and name it with --description")]
    NoDescription(String),
    /// The description that the kit has does not read.
    #[error("{0}")]
    Description(#[from] DescriptionError),
    /// A name that no check has.
    #[error("there is no check {0}; `tradepost test --list` names them all")]
    NoSuchCheck(String),
    /// The machine failed.
    #[error("{0}")]
    Machine(String),
}

/// Runs the checks on a component, one after another. Without a description, the kit looks for one of its own ([`built_in`]). `seen` is
/// told each result as it is found. Blocks; call it outside of an asynchronous executor, because it brings one whose clock stands still.
pub fn run(
    component: Vec<u8>,
    description: Option<Description>,
    options: Options,
    mut seen: impl FnMut(&CheckReport),
) -> Result<Report, KitError> {
    if let Some(name) = options.only.iter().find(|name| checks().iter().all(|check| check.name != name.as_str())) {
        return Err(KitError::NoSuchCheck(name.clone()));
    }
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| KitError::Machine(error.to_string()))?;
    executor.block_on(async {
        let kit = Kit::load(component, description, options).await?;
        let mut reports = Vec::new();
        for check in checks() {
            if !kit.options.only.is_empty() && kit.options.only.iter().all(|name| name != check.name) {
                continue;
            }
            let report = check.run(&kit).await;
            seen(&report);
            reports.push(report);
        }
        let manifest = kit.connector.manifest();
        Ok(Report {
            connector: manifest.id.clone(),
            version: manifest.version.clone(),
            digest: kit.connector.digest(),
            contract: kit.connector.inspection().contract.clone(),
            level: Level::Bronze,
            passed: reports.iter().all(|report| report.result != Verdict::Failed),
            checks: reports,
        })
    })
}

impl Check {
    async fn run(&self, kit: &Kit) -> CheckReport {
        let found = match kit.description.skip.get(self.name) {
            Some(reason) => Err(Finding::Skipped(reason.clone())),
            None => (self.run)(kit).await,
        };
        let (result, evidence) = match found {
            Ok(evidence) => (Verdict::Passed, evidence),
            Err(Finding::Failed(evidence)) => (Verdict::Failed, evidence),
            Err(Finding::Skipped(reason)) => (Verdict::Skipped, reason),
        };
        CheckReport { check: self.name, area: self.area, question: self.question, result, evidence }
    }
}
