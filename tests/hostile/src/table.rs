//! The table that people read.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, ContentArrangement, Table};
use tradepost_hostile::{Report, Verdict};

/// Columns that a table takes where it is not printed to a terminal.
const WIDTH: u16 = 200;

/// A row for each case; under what was measured, what the invariants came to.
pub(crate) fn of(reports: &[Report]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["case", "attack", "expected", "measured", "verdict"]);
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    for report in reports {
        let star = if report.starred { "*" } else { "" };
        table.add_row([
            Cell::new(format!("{}{star}", report.id)),
            Cell::new(report.title),
            Cell::new(report.expected),
            Cell::new(measured(report)),
            Cell::new(verdict(report)),
        ]);
    }
    table
}

fn measured(report: &Report) -> String {
    let mut text = report.measured.clone();
    for (invariant, number) in report.invariants.iter().zip(1..) {
        let mark = match invariant.holds {
            Some(true) => "",
            Some(false) => " BROKEN",
            None => " not judged",
        };
        text.push_str(&format!("\nI{number}{mark}: {}", invariant.found));
    }
    text
}

fn verdict(report: &Report) -> String {
    match report.verdict {
        Verdict::Holds => format!("holds\n{:.1} s", seconds(report)),
        Verdict::DoesNotHold => format!("DOES NOT HOLD\n{:.1} s", seconds(report)),
        Verdict::NotRun => "not run".to_owned(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a case takes less than a century")]
fn seconds(report: &Report) -> f64 {
    report.took_ms as f64 / 1000.0
}

/// How many of which.
pub(crate) fn summary(reports: &[Report]) -> String {
    let count = |verdict: Verdict, starred: bool| {
        reports.iter().filter(|report| report.verdict == verdict && report.starred == starred).count()
    };
    let line = |verdict, word: &str| {
        let (starred, others) = (count(verdict, true), count(verdict, false));
        format!("{word}: {} ({starred} starred)", starred + others)
    };
    [
        format!("{} cases", reports.len()),
        line(Verdict::Holds, "hold"),
        line(Verdict::DoesNotHold, "do not hold"),
        line(Verdict::NotRun, "not run"),
    ]
    .join(", ")
}
