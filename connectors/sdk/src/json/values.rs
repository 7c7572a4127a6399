//! Values as sources write them: numbers kept as text, exact amounts, opaque ids, forgiving text.

use std::borrow::Cow;
use std::ops::Deref;

use super::decode::Decode;
use super::fault::DecodeError;
use super::reader::{Kind, Reader};
use crate::bindings::contract::values::Decimal;
use crate::{decimal, html};

/// A JSON number as it is written: never a float on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a>(pub &'a str);

impl<'a> Number<'a> {
    /// The number as it is written.
    pub fn text(&self) -> &'a str {
        self.0
    }

    /// Its exact value. Fails where it does not fit a [`Decimal`] (18 decimals, 64 bits).
    pub fn decimal(&self) -> Result<Decimal, DecodeError> {
        decimal::parse(self.0).map_err(|refusal| DecodeError::refused(refusal.expected(), self.0))
    }

    /// Its value as a whole number. Fails where it is none, or does not fit.
    pub fn integer(&self) -> Result<i64, DecodeError> {
        self.0.parse().map_err(|_| DecodeError::refused("a whole number that fits into 64 bits", self.0))
    }
}

impl<'a> Decode<'a> for Number<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.number_text().map(Number)
    }
}

/// An exact decimal from a JSON number or a string that holds one. `1e2` is accepted, `12,50` and `""` are not
/// (see [`Loose`](super::Loose) for sources that write `""` for none).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount(pub Decimal);

impl Deref for Amount {
    type Target = Decimal;

    fn deref(&self) -> &Decimal {
        &self.0
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl<'a> Decode<'a> for Amount {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let quoted = reader.peek() == b'"';
        let start = reader.at + usize::from(quoted);
        // In place, where the digits are: a quoted amount needs no search for its closing quote first.
        if let Some((value, end)) = decimal::scan(reader.text.as_bytes(), start) {
            let closed = !quoted || reader.text.as_bytes().get(end) == Some(&b'"');
            if closed {
                reader.at = end + usize::from(quoted);
                return Ok(Self(value));
            }
        }
        Self::uncommon(reader, quoted)
    }
}

impl Amount {
    /// What is not plain digits: an exponent, an escape, or a mistake.
    #[cold]
    #[inline(never)]
    fn uncommon(reader: &mut Reader<'_>, quoted: bool) -> Result<Self, DecodeError> {
        let text = if quoted { reader.string()? } else { Cow::Borrowed(reader.number_text()?) };
        decimal::parse(&text).map(Self).map_err(|refusal| DecodeError::refused(refusal.expected(), text))
    }
}

/// An id: a JSON string, or an integer of any length, as text. Ids beyond 2^53 and leading zeros stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub String);

impl Id {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, or none where it is `0` or empty: how WordPress writes a reference to nothing.
    pub fn nonzero(self) -> Option<String> {
        if self.0.is_empty() || self.0 == "0" { None } else { Some(self.0) }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl<'a> Decode<'a> for Id {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if reader.peek() == b'"' {
            return String::decode(reader).map(Self);
        }
        let text = reader.number_text().map_err(|_| reader.expected("an id: a string or a whole number"))?;
        if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return Err(DecodeError::refused("an id: a string or a whole number", text));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Text that is never missing: `null`, `false` and an absent key are `""`, a number is its own text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text as a string of its own.
    pub fn into_string(self) -> String {
        match self.0 {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }

    /// The text as a string of its own, or none where it is empty.
    pub fn into_option(self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.into_string()) }
    }

    /// The same for a text that is needed again.
    pub fn to_option(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.to_string())
    }

    /// The text as plain text: without HTML's tags, its entities decoded.
    pub fn into_plain(self) -> String {
        let changed = if let Cow::Owned(changed) = html::plain_text(&self) { Some(changed) } else { None };
        changed.unwrap_or_else(|| self.into_string())
    }

    /// The same for a text that is needed again.
    pub fn to_plain(&self) -> String {
        html::plain_text(&self.0).into_owned()
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Decode<'a> for Text<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if reader.peek() == b'"' { reader.string().map(Self) } else { Self::uncommon(reader) }
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }
}

impl<'a> Text<'a> {
    #[inline(never)]
    fn uncommon(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match reader.peek_kind()? {
            Kind::Null => reader.literal("null").map(|()| Self::default()),
            Kind::Number => reader.number_text().map(|text| Self(Cow::Borrowed(text))),
            Kind::Bool if !reader.bool()? => Ok(Self::default()),
            _ => Err(reader.expected("text, null or false")),
        }
    }
}

/// A value as it is written, checked and not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a str);

impl<'a> Decode<'a> for Raw<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.raw_value().map(Raw)
    }
}

/// A value with the text it was read from, for a record's `raw`.
#[derive(Debug, Clone, PartialEq)]
pub struct WithRaw<'a, T> {
    /// The decoded value.
    pub value: T,
    /// The same as it is written.
    pub raw: &'a str,
}

impl<'a, T: Decode<'a>> Decode<'a> for WithRaw<'a, T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.with_raw(T::decode).map(|(value, raw)| Self { value, raw })
    }
}
