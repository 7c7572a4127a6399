//! What PHP makes of JSON: one notation for empty lists and empty maps, `false` and `""` for "nothing", numbers in quotes,
//! and notices in front of the text (protocol notes, section 3.13).

use std::borrow::Cow;

use super::decode::Decode;
use super::fault::DecodeError;
use super::reader::{Kind, Reader};
use super::values::Amount;
use crate::bindings::contract::values::Decimal;

/// A value that may be absent in PHP's ways: `null`, `false`, `""` and `[]` are none.
#[derive(Debug, Clone, PartialEq)]
pub struct Loose<T>(pub Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Loose<T> {
    /// The value, if there is one.
    pub fn into_option(self) -> Option<T> {
        self.0
    }
}

impl Loose<Amount> {
    /// The amount, if there is one.
    pub fn decimal(&self) -> Option<Decimal> {
        self.0.map(Decimal::from)
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Loose<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if is_nothing(reader)? {
            reader.skip()?;
            return Ok(Self(None));
        }
        T::decode(reader).map(|value| Self(Some(value)))
    }

    fn missing() -> Option<Self> {
        Some(Self(None))
    }
}

/// Whether `null`, `false`, `""`, `[]` or `{}` comes next.
#[inline]
fn is_nothing(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    Ok(match reader.peek() {
        b'n' | b'f' => true,
        b'"' => reader.text.as_bytes().get(reader.at + 1) == Some(&b'"'),
        b'[' | b'{' => {
            // The container is entered by a copy, so that the reader itself stays in front of it.
            let mut ahead = reader.clone();
            if ahead.peek() == b'[' { !ahead.enter_array()? } else { !ahead.enter_object()? }
        }
        _ => false,
    })
}

/// A map: an object, or one of PHP's ways to write an empty one (`[]`, `""`, `false`, `null`, or no key at all). Pairs are
/// in the order of the text. A list that is not empty is a map from its indices.
#[derive(Debug, Clone, PartialEq)]
pub struct PhpMap<'a, T>(pub Vec<(Cow<'a, str>, T)>);

impl<T> Default for PhpMap<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> PhpMap<'_, T> {
    /// The value of a key; of a key that occurs twice, the last one.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().rev().find(|(present, _)| present == key).map(|(_, value)| value)
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for PhpMap<'a, T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut pairs = Vec::new();
        each(reader, |key, reader| {
            pairs.push((key, T::decode(reader)?));
            Ok(())
        })?;
        Ok(Self(pairs))
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }
}

/// A list: an array, an object with numeric keys (PHP's list with gaps, in the order of the text), or one of PHP's ways
/// to write an empty one.
#[derive(Debug, Clone, PartialEq)]
pub struct PhpList<T>(pub Vec<T>);

impl<T> Default for PhpList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for PhpList<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if reader.peek() == b'[' {
            return Vec::decode(reader).map(Self);
        }
        let mut elements = Vec::new();
        each(reader, |key, reader| {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(reader.expected("a list, or an object whose keys are its indices"));
            }
            elements.push(T::decode(reader)?);
            Ok(())
        })?;
        Ok(Self(elements))
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }
}

/// Reads each value of an object or array with its key or index; nothing, of PHP's nothings.
fn each<'a>(
    reader: &mut Reader<'a>,
    mut member: impl FnMut(Cow<'a, str>, &mut Reader<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    if is_nothing(reader)? {
        return reader.skip();
    }
    match reader.peek_kind()? {
        Kind::Array => {
            let mut index = 0_usize;
            reader.array(|reader| {
                member(Cow::Owned(index.to_string()), reader)?;
                index += 1;
                Ok(())
            })
        }
        Kind::Object => {
            let mut more = reader.enter_object()?;
            while more {
                let key = reader.key()?;
                let name = reader.key_text(&key);
                member(name, reader).map_err(|fault| fault.in_key(&reader.key_text(&key)))?;
                more = reader.next_member()?;
            }
            Ok(())
        }
        _ => Err(reader.expected("an object or a list")),
    }
}

/// Finds the JSON in an answer that begins with PHP's notices: the first `{` or `[` from which the rest of the text is one
/// value. Returns its byte; 0 where nothing stands in front of it. None where there is no JSON.
pub fn find_json(text: &str) -> Option<usize> {
    /// Brackets in notices are few; a text with more of them is not worth the time.
    const CANDIDATES: usize = 256;
    let parses = |at: usize| {
        let mut reader = Reader::new(&text[at..]);
        reader.skip().is_ok() && reader.finish().is_ok()
    };
    let brackets = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'['));
    brackets.map(|(at, _)| at).take(CANDIDATES).find(|at| parses(*at))
}
