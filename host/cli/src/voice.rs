//! Where a program that works for long tells what happens: lines on stderr, or JSON lines on stdout. A reader that has gone away keeps
//! nothing from being done.

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{self, Output, printable};
use crate::progress;

/// Tells what happens.
#[derive(Clone, Copy)]
pub(crate) struct Voice(pub(crate) Output);

impl Voice {
    /// Something happened: `what` in a word with its fields, for programs; and for people.
    pub(crate) fn say<T: Serialize>(self, what: &str, fields: &T, text: &str) {
        if !self.0.json {
            return progress::note(&printable(text));
        }
        let mut line = json!({ "event": what });
        if let (Value::Object(line), Ok(Value::Object(fields))) = (&mut line, serde_json::to_value(fields)) {
            line.extend(fields);
        }
        let _gone = output::print(&line.to_string());
    }

    /// Something was not done, and the work goes on. `text` says what is of it.
    pub(crate) fn say_failed(self, what: &str, mut fields: Value, text: &str, failure: &Failure) {
        fields["error"] = failure.to_json()["error"].take();
        self.say(what, &fields, &format!("{text}\n{}", failure.to_text().trim_end()));
    }
}
