//! `Decode`: what can be read from JSON, and how the plain types are.

use std::borrow::Cow;

use super::fault::DecodeError;
use super::reader::Reader;
use super::string;
use crate::bindings::contract::values::Decimal;

/// A type that can be read from JSON. [`record!`](crate::json::record) implements it for records; implement it by hand for odd shapes.
pub trait Decode<'a>: Sized {
    /// Reads one value.
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;

    /// What stands for a value whose key is absent; none makes the absence an error.
    fn missing() -> Option<Self> {
        None
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    #[inline(always)]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if reader.null()? { Ok(None) } else { T::decode(reader).map(Some) }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut elements = Self::new();
        let mut more = reader.enter_array()?;
        while more {
            match T::decode(reader) {
                Ok(element) => elements.push(element),
                Err(fault) => return Err(fault.in_element(elements.len())),
            }
            more = reader.next_element()?;
        }
        Ok(elements)
    }

    fn missing() -> Option<Self> {
        Some(Self::new())
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Box<T> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        T::decode(reader).map(Self::new)
    }
}

impl<'a> Decode<'a> for Cow<'a, str> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.string()
    }
}

impl<'a> Decode<'a> for String {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (text, escaped) = reader.string_parts()?;
        Ok(if escaped { string::unescape(text) } else { text.to_owned() })
    }
}

impl<'a> Decode<'a> for bool {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.bool()
    }
}

impl<'a> Decode<'a> for Decimal {
    /// From a number or a string, like [`Amount`](super::Amount).
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        super::Amount::decode(reader).map(|amount| amount.0)
    }
}

macro_rules! decode_integer {
    ($($integer:ty => $what:literal),*) => {$(
        impl<'a> Decode<'a> for $integer {
            fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                let text = reader.number_text()?;
                text.parse().map_err(|_| DecodeError::refused($what, text))
            }
        }
    )*};
}

decode_integer!(
    u8 => "a whole number of 0 to 255", u16 => "a whole number of 0 to 65535", u32 => "a whole number below 2^32",
    u64 => "a whole number below 2^64", i32 => "a whole number that fits into 32 bits",
    i64 => "a whole number that fits into 64 bits"
);
