//! The figures of many runs, as a table for people and as JSON for programs.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde::Serialize;

use crate::scenario::Run;

/// The sums of the runs of one point or mutant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Runs.
    pub runs: usize,
    /// Runs in which the daemon died where it was to.
    pub reached: usize,
    /// Commands.
    pub commands: usize,
    /// Events that told of records.
    pub events: usize,
    /// See [`Verdict`](crate::Verdict).
    pub lost: usize,
    /// See [`Verdict`](crate::Verdict).
    pub duplicated: usize,
    /// See [`Verdict`](crate::Verdict).
    pub phantom: usize,
    /// See [`Verdict`](crate::Verdict).
    pub silent: usize,
    /// See [`Verdict`](crate::Verdict).
    pub parked: usize,
    /// What is wrong, each with its seed.
    pub findings: Vec<String>,
}

impl Row {
    /// An empty one.
    pub fn new(name: &str, what: &str) -> Self {
        Self { name: name.to_owned(), what: what.to_owned(), ..Self::default() }
    }

    /// Counts a run in; or that there was none, and why.
    pub fn count(&mut self, seed: u64, run: &anyhow::Result<Run>) {
        self.runs += 1;
        let name = self.name.clone();
        let mut find = |finding: &str| self.findings.push(format!("{name} seed {seed}: {finding}"));
        match run {
            Ok(run) => {
                run.verdict.findings.iter().for_each(|finding| find(finding));
                if !run.reached {
                    find("the point was not reached");
                }
                let verdict = &run.verdict;
                self.reached += usize::from(run.reached);
                self.add(&Self {
                    commands: verdict.commands,
                    events: verdict.events,
                    lost: verdict.lost,
                    duplicated: verdict.duplicated,
                    phantom: verdict.phantom,
                    silent: verdict.silent,
                    parked: verdict.parked,
                    ..Self::default()
                });
            }
            Err(error) => find(&format!("{error:#}")),
        }
    }

    /// Adds another one's figures.
    fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.reached += other.reached;
        self.commands += other.commands;
        self.events += other.events;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.phantom += other.phantom;
        self.silent += other.silent;
        self.parked += other.parked;
    }

    /// Whether something was lost, doubled or made up.
    pub fn is_wrong(&self) -> bool {
        self.lost + self.duplicated + self.phantom > 0
    }

    /// Whether every run came to its point and nothing was found.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty() && self.reached == self.runs
    }
}

/// The rows as a table with their sum below.
pub fn table(head: &str, rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    let heads = ["WHAT", "RUNS", "REACHED", "COMMANDS", "EVENTS", "LOST", "DOUBLE", "PHANTOM", "SILENT", "PARKED"];
    table.set_header([head].into_iter().chain(heads));
    let mut total = Row::new("total", "");
    for row in rows {
        total.add(row);
    }
    for row in rows.iter().chain([&total]) {
        let figures = [
            row.runs,
            row.reached,
            row.commands,
            row.events,
            row.lost,
            row.duplicated,
            row.phantom,
            row.silent,
            row.parked,
        ];
        let texts = [Cell::new(&row.name), Cell::new(&row.what)];
        let figures = figures.map(|figure| Cell::new(figure).set_alignment(CellAlignment::Right));
        table.add_row(texts.into_iter().chain(figures));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}
