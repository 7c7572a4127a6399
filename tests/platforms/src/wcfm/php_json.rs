//! JSON as PHP writes it: slashes escaped and every character beyond ASCII as `\uXXXX`, in pairs where one is not enough. A decoder
//! that has only met tidy JSON fails on it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

struct Php;

impl Formatter for Php {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (place, character) in fragment.char_indices() {
            if character.is_ascii() && character != '/' {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..place])?;
            plain = place + character.len_utf8();
            if character == '/' {
                writer.write_all(b"\\/")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

/// A value as PHP writes it.
pub(super) fn to_vec(value: &Value) -> Vec<u8> {
    let mut text = Vec::with_capacity(4096);
    // Writing a value to memory cannot fail: its keys are strings and its numbers finite.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Php));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_characters_beyond_ascii_are_escaped() {
        let value = serde_json::json!({"a/b": "69T/17 \u{20b9}\u{1f600} \"q\"\n"});
        let text = String::from_utf8(to_vec(&value)).unwrap();
        assert_eq!(text, r#"{"a\/b":"69T\/17 \u20b9\ud83d\ude00 \"q\"\n"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
