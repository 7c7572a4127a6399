//! What a run found: each check by name, its result, and the evidence.

use std::fmt;

use serde::Serialize;
use tradepost_runtime::Digest;

/// What the kit found about one component.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The connector's id.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the component that was checked.
    pub digest: Digest,
    /// The version of the contract that the component was built against.
    pub contract: String,
    /// The level that the checks stand for.
    pub level: Level,
    /// Whether no check failed.
    pub passed: bool,
    /// The checks in the kit's order.
    pub checks: Vec<CheckReport>,
}

/// How much a set of checks demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good enough to publish.
    Bronze,
}

/// What one check found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Its name.
    pub check: &'static str,
    /// What it belongs to.
    pub area: Area,
    /// What it asks.
    pub question: &'static str,
    /// The result.
    pub result: Verdict,
    /// What was seen, or why it was skipped.
    pub evidence: String,
}

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It does not apply; the evidence gives the reason.
    Skipped,
}

/// What a check belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// The component as such.
    Hygiene,
    /// Manifest and settings.
    Configuration,
    /// Connection and login.
    Connection,
    /// Reading lists.
    Reading,
    /// Values in records.
    Values,
    /// Writing.
    Writing,
    /// Failures of the source.
    Failures,
    /// Webhooks.
    Webhooks,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hygiene => "hygiene",
            Self::Configuration => "configuration",
            Self::Connection => "connection",
            Self::Reading => "reading",
            Self::Values => "values",
            Self::Writing => "writing",
            Self::Failures => "failures",
            Self::Webhooks => "webhooks",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        })
    }
}

impl Report {
    /// The checks with this result.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CheckReport> {
        self.checks.iter().filter(move |check| check.result == verdict)
    }
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finding {
    /// It does not hold; what was seen.
    Failed(String),
    /// It does not apply; why.
    Skipped(String),
}

/// What a check ends with: evidence that it holds, or a finding.
pub(crate) type Found = Result<String, Finding>;

pub(crate) fn failed<T>(evidence: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Failed(evidence.into()))
}

pub(crate) fn skipped<T>(reason: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Skipped(reason.into()))
}
