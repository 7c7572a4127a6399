//! The short form of the crash harness: every point with a few seeds, and the mutants, which show that it sees what it looks for.
//! `cargo run --release -p tradepost-crash` is the long form.

use std::sync::OnceLock;

use futures_util::{StreamExt, stream};
use tradepost_crash::table::{Row, table};
use tradepost_crash::{Bench, Connectors, Matrix, Mutant, POINTS, Point, mutant_row};

fn bench() -> Bench {
    Bench {
        program: env!("CARGO_BIN_EXE_tradepost-crash").into(),
        connectors: Connectors::build(&["hardtofind", "hft71"]).unwrap(),
        orders: 60,
    }
}

/// All tests share an executor.
fn run<T>(test: impl Future<Output = T>) -> T {
    static EXECUTOR: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    EXECUTOR.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(test)
}

/// Makes the runs of a family, `jobs` at the same time. The families run beside each other and wait, most of the time, for the pace that
/// the marketplace allows.
fn family(name: &str, jobs: usize) -> Vec<Row> {
    let points: Vec<&'static Point> = POINTS.iter().filter(|point| point.family() == name).collect();
    assert!(!points.is_empty());
    let bench = bench();
    let rows = run(Matrix { points: &points, seeds: 3, first: 1, jobs }.run(&bench)).unwrap();
    let findings: Vec<&String> = rows.iter().flat_map(|row| &row.findings).collect();
    assert!(rows.iter().all(Row::is_good), "{}\n{findings:#?}", table("POINT", &rows));
    assert!(rows.iter().all(|row| row.commands > 0 && row.events > 0), "{}", table("POINT", &rows));
    rows
}

#[test]
fn a_daemon_killed_anywhere_in_a_walk_loses_no_order_and_tells_of_none_twice() {
    family("S", 3);
}

#[test]
fn a_daemon_killed_anywhere_in_a_command_does_nothing_twice_and_nothing_in_silence() {
    let rows = family("O", 5);
    assert!(rows.iter().any(|row| row.parked > 0), "what cannot be known is left to a person");
}

#[test]
fn a_daemon_killed_while_it_logs_in_logs_in_again() {
    family("T", 2);
}

#[test]
fn a_webhook_that_was_answered_is_told_of_once_wherever_the_daemon_is_killed() {
    family("W", 2);
}

#[test]
fn a_daemon_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    family("RANDOM", 3);
}

#[test]
fn every_fault_that_is_built_in_shows_and_the_sound_store_shows_none() {
    let bench = bench();
    let runs = stream::iter(Mutant::ALL).map(|mutant| mutant_row(&bench, mutant, 1..4));
    let rows: Vec<Row> = run(runs.buffered(2).collect());
    for (mutant, row) in Mutant::ALL.iter().zip(&rows) {
        if *mutant == Mutant::None {
            assert!(row.is_good(), "{row:#?}");
        } else {
            assert!(row.is_wrong(), "{} shows nothing: {row:#?}", mutant.name());
        }
    }
}
