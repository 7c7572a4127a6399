//! Progress on stderr, and only where stderr is a terminal: in a file or a pipe it would be noise.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A walk whose length is not known until a page says so.
pub(crate) fn walk(what: &str) -> ProgressBar {
    let bar = hidden_unless_terminal(ProgressBar::no_length());
    bar.set_style(style("{spinner} {msg} {pos} {elapsed}"));
    bar.set_message(what.to_owned());
    bar
}

/// Tells the bar how many items there are.
pub(crate) fn set_total(bar: &ProgressBar, total: u64) {
    if bar.length() != Some(total) {
        bar.set_style(style("{msg} [{bar:30}] {pos}/{len} {elapsed}"));
        bar.set_length(total);
    }
}

/// A step of unknown length.
pub(crate) fn step(what: &str) -> ProgressBar {
    let bar = hidden_unless_terminal(ProgressBar::new_spinner());
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A message for people, never for programs.
pub(crate) fn note(text: &str) {
    // Where stderr is closed there is nobody left to tell.
    let _closed = writeln!(io::stderr(), "{text}");
}

fn hidden_unless_terminal(bar: ProgressBar) -> ProgressBar {
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
