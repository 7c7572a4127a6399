//! JSON for request bodies: an object built member by member, without a tree.

use crate::bindings::contract::values::Decimal;
use crate::decimal;

/// A JSON object in the making.
///
/// ```
/// use tradepost_sdk::{decimal, json};
///
/// let data = json::Object::new().text("tracking_number", "A \"1\"").finish();
/// let body = json::Object::new().text("action", "ship").raw("data", &data).number("price", decimal::from_int(3)).finish();
/// assert_eq!(body, r#"{"action":"ship","data":{"tracking_number":"A \"1\""},"price":3}"#);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Object(String);

/// A JSON array in the making.
#[derive(Debug, Clone)]
#[must_use]
pub struct Array(String);

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self("{".into())
    }

    /// Adds a string.
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_string(&mut self.0, value);
        self
    }

    /// Adds a string, where there is one.
    pub fn text_if(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds a number, in plain notation and exact.
    pub fn number(mut self, key: &str, value: Decimal) -> Self {
        self.key(key);
        self.0.push_str(&decimal::to_text(&value));
        self
    }

    /// Adds a whole number.
    pub fn integer(self, key: &str, value: i64) -> Self {
        self.raw(key, &value.to_string())
    }

    /// Adds `true` or `false`.
    pub fn bool(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// Adds a value that is JSON already.
    pub fn raw(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        self.0.push_str(value);
        self
    }

    /// The object's text.
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, key);
        self.0.push(':');
    }
}

impl Default for Array {
    fn default() -> Self {
        Self::new()
    }
}

impl Array {
    /// An array without elements.
    pub fn new() -> Self {
        Self("[".into())
    }

    /// Adds a string.
    pub fn text(mut self, value: &str) -> Self {
        self.separate();
        push_string(&mut self.0, value);
        self
    }

    /// Adds a value that is JSON already.
    pub fn raw(mut self, value: &str) -> Self {
        self.separate();
        self.0.push_str(value);
        self
    }

    /// The array's text.
    pub fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }

    fn separate(&mut self) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
    }
}

/// A string as JSON, with its quotes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_string(&mut quoted, text);
    quoted
}

fn push_string(into: &mut String, text: &str) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            control if control < ' ' => {
                into.push_str("\\u00");
                into.extend(
                    [u32::from(control) >> 4, u32::from(control) & 15]
                        .map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
                );
            }
            plain => into.push(plain),
        }
    }
    into.push('"');
}
