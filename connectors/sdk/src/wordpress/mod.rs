//! What sites on WordPress and WooCommerce have in common, whatever plugin serves their API: local dates with a twin in UTC,
//! flags in many spellings, slashed text, and six ways to say no (protocol notes, sections 3.3, 3.7 and 3.13).

mod date;
mod refusal;

pub use date::{DateTimeDump, SiteClock, SiteDate};
pub use refusal::{Refusal, WITHOUT_CODE, is_crash, past_notices};

use crate::json::{Decode, DecodeError, Reader, Text};

/// The id where it can be one of WordPress' records: a whole number from 1 up to what its database holds. Zeros in front,
/// signs and numbers beyond 63 bits are none: PHP would read some of them as another record.
#[must_use]
pub fn record_id(id: &str) -> Option<&str> {
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0');
    (is_number && id.parse::<i64>().is_ok()).then_some(id)
}

/// Yes or no in WordPress' ways: `true`, `"yes"`, `"parent"` (the stock is counted with the parent), 1; everything else is no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flag(pub bool);

impl<'a> Decode<'a> for Flag {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self(matches!(reader.raw_value()?, "true" | "1" | "\"yes\"" | "\"parent\"" | "\"1\"")))
    }

    fn missing() -> Option<Self> {
        Some(Self(false))
    }
}

/// A code where the text is one (`WB`, `IN`), else a name: newer servers replace a region's code by its name, older ones and
/// settings do not.
#[must_use]
pub fn code_or_name(source: Text<'_>, longest_code: usize) -> (Option<String>, Option<String>) {
    let is_code =
        source.len() <= longest_code && source.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let text = source.into_option();
    if is_code { (text, None) } else { (None, text) }
}

/// Text without the slashes that PHP has put in front of quotes, sometimes several times over.
#[must_use]
pub fn unslashed(text: &str) -> String {
    let mut unslashed = String::with_capacity(text.len());
    let mut slashes = 0;
    for character in text.chars() {
        if character == '\\' {
            slashes += 1;
            continue;
        }
        if !matches!(character, '"' | '\'') {
            unslashed.extend(std::iter::repeat_n('\\', slashes));
        }
        slashes = 0;
        unslashed.push(character);
    }
    unslashed.extend(std::iter::repeat_n('\\', slashes));
    unslashed
}

#[cfg(test)]
mod tests {
    use super::{Flag, record_id, unslashed};
    use crate::json;

    #[test]
    fn only_numbers_that_the_database_holds_are_ids() {
        assert_eq!(record_id("48"), Some("48"));
        assert_eq!(record_id("9223372036854775807"), Some("9223372036854775807"));
        for id in ["", "0", "007", "-1", "+1", "1e3", "abc", "48 ", "99999999999999999999", "٤٨"] {
            assert_eq!(record_id(id), None, "{id}");
        }
    }

    #[test]
    fn flags_are_yes_in_many_ways_and_no_in_all_others() {
        for yes in ["true", "1", "\"yes\"", "\"parent\"", "\"1\""] {
            assert_eq!(json::decode::<Flag>(yes).unwrap(), Flag(true), "{yes}");
        }
        for no in ["false", "0", "null", "\"no\"", "\"\"", "[]", "{}", "2"] {
            assert_eq!(json::decode::<Flag>(no).unwrap(), Flag(false), "{no}");
        }
    }

    #[test]
    fn slashes_in_front_of_quotes_go_and_others_stay() {
        assert_eq!(unslashed(r#"Hello \\\"vendors\\\" – it\'s"#), "Hello \"vendors\" – it's");
        assert_eq!(unslashed(r"C:\temp\"), r"C:\temp\");
    }
}
