//! Many runs, several at once: a run spends most of its time waiting for the pace that the marketplace allows.

use std::io::{self, IsTerminal};

use anyhow::Result;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::points::Point;
use crate::scenario::{Bench, run};
use crate::table::Row;

/// Which runs are made.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// The points.
    pub points: &'a [&'static Point],
    /// Runs of each.
    pub seeds: u64,
    /// The first seed.
    pub first: u64,
    /// Runs at the same time.
    pub jobs: usize,
}

impl Matrix<'_> {
    /// Makes the runs, and gives a row for each point.
    pub async fn run(&self, bench: &Bench) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = self.points.iter().map(|point| Row::new(point.name, point.what)).collect();
        // Seed by seed, so that runs of the same kind, which wait for the same things, do not fall together.
        let seeds = self.first..self.first + self.seeds;
        let runs =
            seeds.flat_map(|seed| self.points.iter().enumerate().map(move |(place, point)| (place, *point, seed)));
        let bar = progress(self.seeds * self.points.len() as u64);
        let mut running = futures_util::stream::iter(runs)
            .map(|(place, point, seed)| {
                let bench = bench.clone();
                async move { (place, seed, tokio::spawn(async move { run(&bench, point, seed).await }).await) }
            })
            .buffer_unordered(self.jobs.max(1));
        while let Some((place, seed, result)) = running.next().await {
            let row = &mut rows[place];
            row.count(seed, &result.map_err(anyhow::Error::from).and_then(|run| run));
            bar.set_message(format!("{} seed {seed}", row.name));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(rows)
    }
}

/// A bar on stderr, where that is a terminal.
pub fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {elapsed} of about {duration}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
