//! JSON strings: their end, and their content.
//!
//! Content without escapes is borrowed. PHP escapes every `/` and every character beyond ASCII, so escapes are common and
//! are copied run by run.

use std::borrow::Cow;

use super::fault::DecodeError;
use super::scan::plain_end;

/// A string's closing quote, and whether there are escapes before it. `at` is the first byte behind the opening quote.
#[inline(always)]
pub(super) fn close(bytes: &[u8], at: usize) -> Result<(usize, bool), DecodeError> {
    let end = plain_end(bytes, at);
    if bytes.get(end) == Some(&b'"') { Ok((end, false)) } else { close_escaped(bytes, end).map(|end| (end, true)) }
}

/// Goes on at the first byte that is not plain.
#[inline(never)]
fn close_escaped(bytes: &[u8], mut at: usize) -> Result<usize, DecodeError> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = escape_end(bytes, at)?,
            Some(_) => return Err(DecodeError::unexpected("a control character in a string to be escaped", at)),
            None => return Err(DecodeError::unexpected("the string to be closed", at)),
        }
        at = plain_end(bytes, at);
    }
}

#[inline(always)]
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, DecodeError> {
    match bytes.get(at + 1) {
        Some(b'/' | b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f') => Ok(at + 2),
        Some(b'u') if hex4(bytes, at + 2).is_some() => Ok(at + 6),
        _ => Err(DecodeError::unexpected("a valid escape", at)),
    }
}

/// The value of four hexadecimal digits.
fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits: &[u8; 4] = bytes.get(at..)?.first_chunk()?;
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some(digit(digits[0])? << 12 | digit(digits[1])? << 8 | digit(digits[2])? << 4 | digit(digits[3])?)
}

/// The content of a string from its text between the quotes, which has been checked by [`close`].
#[inline]
pub(super) fn content(text: &str, escaped: bool) -> Cow<'_, str> {
    if escaped { Cow::Owned(unescape(text)) } else { Cow::Borrowed(text) }
}

/// Resolves escapes. Half of a surrogate pair without its other half becomes U+FFFD: a shop's careless cutting of a text is
/// no reason to lose the order it stands in.
#[inline(never)]
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut content = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = plain_end(bytes, at).min(bytes.len());
        content.push_str(&text[at..end]);
        let Some(escape) = bytes.get(end + 1) else { break };
        at = end + 2;
        match escape {
            b'n' => content.push('\n'),
            b'r' => content.push('\r'),
            b't' => content.push('\t'),
            b'b' => content.push('\u{8}'),
            b'f' => content.push('\u{c}'),
            b'u' => {
                let (character, length) = unicode(bytes, at);
                content.push(character);
                at += length;
            }
            plain => content.push(char::from(*plain)),
        }
    }
    content
}

/// The character of a `\u` escape whose digits begin at `at`, and how many bytes belong to it.
fn unicode(bytes: &[u8], at: usize) -> (char, usize) {
    let first = hex4(bytes, at).unwrap_or(0xfffd);
    if let Some(character) = char::from_u32(first) {
        return (character, 4);
    }
    let is_pair = first < 0xdc00 && bytes.get(at + 4..at + 6) == Some(br"\u");
    if let Some(second @ 0xdc00..=0xdfff) = hex4(bytes, at + 6).filter(|_| is_pair) {
        let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::REPLACEMENT_CHARACTER, 4)
}
