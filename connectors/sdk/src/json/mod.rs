//! A streaming JSON decoder for the sandbox, and a small writer.
//!
//! It walks a text once, decodes only what a record names, borrows strings, and keeps numbers as text, so that amounts and
//! ids never pass through a float. It is built for WebAssembly with interruption checks: few loop heads and calls for a
//! byte. A whole page is best decoded record by record with [`decode_array`] or [`read`].
#![allow(
    clippy::inline_always,
    reason = "in the sandbox a function entry costs an interruption check; measured, not guessed"
)]

mod decode;
mod fault;
mod key;
mod php;
mod reader;
mod record;
mod scan;
mod skip;
mod string;
mod values;
mod writer;

pub use crate::json_record as record;
pub use decode::Decode;
pub use fault::DecodeError;
pub use key::{Key, KeyWords, key_tag, key_words};
pub use php::{Loose, PhpList, PhpMap, find_json};
pub use reader::{DEPTH_LIMIT, Kind, Reader};
pub(crate) use scan::leading_number;
pub use values::{Amount, Id, Number, Raw, Text, WithRaw};
pub use writer::{Array, Object, quote};

use crate::bindings::contract::errors::Error;

/// Decodes a text that is one value. Fails with `protocol`: the pointer to the place, what was expected, what stood there.
pub fn decode<'a, T: Decode<'a>>(text: &'a str) -> Result<T, Error> {
    read(text, T::decode)
}

/// Decodes a text that is one array, element by element; each is given with the text it was read from. Stops at the first
/// error, also one that `each` returns.
pub fn decode_array<'a, T: Decode<'a>>(
    text: &'a str,
    mut each: impl FnMut(T, &'a str) -> Result<(), Error>,
) -> Result<(), Error> {
    read(text, |reader| {
        reader.array(|reader| {
            let (element, raw) = reader.with_raw(T::decode)?;
            each(element, raw).map_err(DecodeError::from)
        })
    })
}

/// Decodes a text that is one array into what `each` makes of its elements, each given with the text it was read from.
pub fn map_array<'a, T: Decode<'a>, U>(text: &'a str, mut each: impl FnMut(T, &'a str) -> U) -> Result<Vec<U>, Error> {
    let mut made = Vec::new();
    decode_array(text, |element, raw| {
        made.push(each(element, raw));
        Ok(())
    })?;
    Ok(made)
}

/// Decodes a list inside an envelope: an object whose member `list` is an array, decoded element by element like
/// [`decode_array`]. The other members are given to `other`, which must read or skip each. Fails where `list` is absent.
pub fn decode_array_in<'a, T: Decode<'a>>(
    text: &'a str,
    list: &'static str,
    mut each: impl FnMut(T, &'a str) -> Result<(), Error>,
    mut other: impl FnMut(&str, &mut Reader<'a>) -> Result<(), DecodeError>,
) -> Result<(), Error> {
    read(text, |reader| {
        let mut found = false;
        reader.object(|key, reader| {
            if key != list {
                return other(key, reader);
            }
            found = true;
            reader.array(|reader| {
                let (element, raw) = reader.with_raw(T::decode)?;
                each(element, raw).map_err(DecodeError::from)
            })
        })?;
        if found { Ok(()) } else { Err(DecodeError::missing(list, reader.position())) }
    })
}

/// Reads a text by hand. White space and a byte order mark around the value are fine, anything else is an error.
pub fn read<'a, T>(text: &'a str, decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>) -> Result<T, Error> {
    let mut reader = Reader::new(text);
    let value = decode(&mut reader).map_err(|fault| fault.into_error(text))?;
    reader.finish().map_err(|fault| fault.into_error(text))?;
    Ok(value)
}
