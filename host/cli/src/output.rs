//! What goes to stdout: tables for people, JSON for programs. Everything else goes to stderr.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;
use tradepost_runtime::{Decimal, Timestamp};

use crate::failure::{Failure, Result, writing_failed};

/// How a command prints its data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// One result: a JSON object, or what `text` makes of it.
    pub(crate) fn single<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json { print(&json(value)?) } else { print(&text(value)) }
    }

    /// A whole list: a JSON object a line, or a table.
    pub(crate) fn list<T: Serialize>(
        self,
        items: &[T],
        columns: &[Column],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<()> {
        if self.json {
            return items.iter().try_for_each(|item| print(&json(item)?));
        }
        let mut table = headed(columns);
        for item in items {
            table.add_row(row(item).iter().map(|cell| printable(cell)));
        }
        align(&mut table, columns);
        print(&table.trim_fmt())
    }
}

/// Text and a line end, on stdout.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", text.trim_end_matches('\n'))
        .and_then(|()| stdout.flush())
        .map_err(|error| writing_failed(&error))
}

/// One JSON text in one line.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Failure::unexpected(format!("a result cannot be written as JSON: {error}")).into())
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Characters that a cell takes where tables are printed piece by piece and must line up.
    pub(crate) width: u16,
    pub(crate) numeric: bool,
}

/// A column of text.
pub(crate) const fn column(title: &'static str, width: u16) -> Column {
    Column { title, width, numeric: false }
}

/// A column of numbers.
pub(crate) const fn number(title: &'static str, width: u16) -> Column {
    Column { title, width, numeric: true }
}

fn headed(columns: &[Column]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns.iter().map(|column| Cell::new(column.title).fg(Color::Cyan)));
    table
}

fn align(table: &mut Table, columns: &[Column]) {
    for (index, _) in columns.iter().enumerate().filter(|(_, column)| column.numeric) {
        if let Some(place) = table.column_mut(index) {
            place.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// A piece of a table that is printed while its rows come in: columns have fixed widths so that all pieces line up.
pub(crate) fn piece(columns: &[Column], rows: &[Vec<String>], with_header: bool) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if with_header {
        table.set_header(columns.iter().map(|column| Cell::new(column.title).fg(Color::Cyan)));
    }
    for row in rows {
        table.add_row(row.iter().zip(columns).map(|(cell, column)| shortened(&printable(cell), column.width)));
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(place) = table.column_mut(index) {
            // Two blanks of padding are part of the width.
            place.set_constraint(ColumnConstraint::Absolute(Width::Fixed(column.width + 2)));
        }
    }
    align(&mut table, columns);
    table.trim_fmt()
}

/// Names and values, one a line.
pub(crate) fn facts<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([Cell::new(printable(name)).fg(Color::Cyan), Cell::new(printable(&value))]);
    }
    table.trim_fmt()
}

/// A table below a title, for single results.
pub(crate) fn section(title: &str, columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = headed(columns);
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    if table.row_count() == 0 {
        return String::new();
    }
    align(&mut table, columns);
    format!("\n{title}\n{}\n", table.trim_fmt())
}

/// Text without characters that steer a terminal: platforms and connectors choose what stands in it. Line ends stay.
pub(crate) fn printable(text: &str) -> String {
    if !text.contains(|c: char| is_steering(c)) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_steering(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters but the line end, and the marks that turn the direction of writing.
fn is_steering(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shortened(text: &str, width: u16) -> String {
    let text = text.replace('\n', " ");
    let width = usize::from(width);
    if text.chars().count() <= width {
        return text;
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The contract's own spelling of an enum value: `on-hold`.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

/// The value, or nothing.
pub(crate) fn optional<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// A time in milliseconds since 1970, as people read it: RFC 3339 in UTC, to the second.
pub(crate) fn moment(milliseconds: u64) -> String {
    let epoch_seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes: 0 }.to_string()
}

/// An amount with its currency, as far as both are known.
pub(crate) fn money(amount: Option<&Decimal>, currency: Option<&str>) -> String {
    match amount {
        Some(amount) => format!("{amount} {}", currency.unwrap_or_default()).trim_end().to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_table_line_up() {
        let columns = [column("NAME", 6), number("N", 4)];
        let first = piece(&columns, &[vec!["a".into(), "1".into()]], true);
        let second = piece(&columns, &[vec!["longer name".into(), "1000".into()]], false);
        let end = |text: &str| text.lines().last().map(|line| line.chars().count());
        assert_eq!(end(&first), end(&second), "{first}\n{second}");
        assert!(second.contains("longe…"), "{second}");
    }

    #[test]
    fn times_of_the_store_are_shown_in_utc() {
        assert_eq!(moment(1_471_495_402_999), "2016-08-18T04:43:22Z");
    }

    #[test]
    fn cells_hold_no_character_that_steers_a_terminal() {
        for (text, safe) in
            [("plain", "plain"), ("Zoë 小明", "Zoë 小明"), ("a\x1b[2Jb", "a\u{fffd}[2Jb"), ("x\u{202e}y", "x\u{fffd}y")]
        {
            assert_eq!(printable(text), safe);
        }
    }
}
