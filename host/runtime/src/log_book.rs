//! A connector's log lines: bounded, escaped, and handed to `tracing`.
//!
//! Guest text is only ever the value of a field, never part of the format or a name, so that a line can be neither forged
//! nor used to steer a terminal.

use serde::Serialize;

use crate::contract::log::Level;
use crate::limits::Limits;
use crate::wasi::escape_control;

/// One line a connector wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The text, escaped and cut to the limit.
    pub message: String,
    /// Named values, escaped and cut together with the text.
    pub fields: Vec<(String, String)>,
}

/// The lines of one call.
pub(crate) struct LogBook {
    connector: String,
    account: String,
    lines: Vec<LogLine>,
    line_limit: usize,
    byte_limit: usize,
    dropped: u64,
}

impl LogBook {
    pub(crate) fn new(connector: String, account: String, limits: &Limits) -> Self {
        Self {
            connector,
            account,
            lines: Vec::new(),
            line_limit: usize::try_from(limits.log_lines).unwrap_or(usize::MAX),
            byte_limit: limits.log_line_bytes,
            dropped: 0,
        }
    }

    pub(crate) fn write(&mut self, level: Level, message: &str, fields: &[(String, String)]) {
        if self.lines.len() >= self.line_limit {
            self.dropped += 1;
            return;
        }
        let mut room = self.byte_limit;
        let mut fit = |text: &str| {
            let text = escape_control(cut(text, room));
            let text = cut(&text, room).to_owned();
            room -= text.len();
            text
        };
        let message = fit(message);
        let mut kept = Vec::new();
        for (name, value) in fields {
            let (name, value) = (fit(name), fit(value));
            if !name.is_empty() {
                kept.push((name, value));
            }
        }
        let (connector, account) = (&self.connector, &self.account);
        match level {
            Level::Debug => {
                tracing::debug!(target: "tradepost::connector", %connector, %account, fields = ?kept, text = %message);
            }
            Level::Info => {
                tracing::info!(target: "tradepost::connector", %connector, %account, fields = ?kept, text = %message);
            }
            Level::Warn => {
                tracing::warn!(target: "tradepost::connector", %connector, %account, fields = ?kept, text = %message);
            }
            Level::Error => {
                tracing::error!(target: "tradepost::connector", %connector, %account, fields = ?kept, text = %message);
            }
        }
        self.lines.push(LogLine { level, message, fields: kept });
    }

    /// The lines; where some were dropped, a last one says how many.
    pub(crate) fn finish(mut self) -> Vec<LogLine> {
        if self.dropped > 0 {
            let message =
                format!("{} further log lines were dropped (limits.log_lines = {})", self.dropped, self.line_limit);
            tracing::warn!(target: "tradepost::connector", connector = %self.connector, account = %self.account, dropped = self.dropped);
            self.lines.push(LogLine {
                level: Level::Warn,
                message,
                fields: vec![("dropped".into(), self.dropped.to_string())],
            });
        }
        self.lines
    }
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(limits: &Limits) -> LogBook {
        LogBook::new("evil 0.1.0".into(), "acme/evil".into(), limits)
    }

    #[test]
    fn lines_beyond_the_limit_are_counted_and_dropped() {
        let mut book = book(&Limits::default());
        for _ in 0..250 {
            book.write(Level::Info, "flood", &[]);
        }
        let lines = book.finish();
        assert_eq!(lines.len(), 101);
        assert_eq!(lines[100].fields, [("dropped".to_owned(), "150".to_owned())]);
    }

    #[test]
    fn a_line_with_its_fields_stays_within_the_limit_and_holds_no_control_character() {
        let mut book = book(&Limits { log_line_bytes: 64, ..Limits::default() });
        book.write(Level::Warn, &"é\n".repeat(100), &[("a".into(), "b".repeat(100)), ("c\x1b[0m".into(), "d".into())]);
        let line = book.finish().remove(0);
        let bytes =
            line.message.len() + line.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        assert!(bytes <= 64, "{bytes}");
        assert!(!line.message.contains('\n'));
    }
}
