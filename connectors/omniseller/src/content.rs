//! An order's content: JSON of no documented shape, read by the pointers that the account's settings give (RFC 6901).
//!
//! A value that is absent, `null`, `false` or empty is none. One that cannot be what the setting says is a `protocol` error
//! with its place: a wrong amount is worse than a late order.

use tradepost_sdk::json::{Decode, DecodeError, Kind, Loose, PhpList, Raw, Reader, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::time::TimeError;

/// A piece of an answer, and where in the answer it stands.
#[derive(Debug, Clone)]
pub(crate) struct Content<'a> {
    pub(crate) text: &'a str,
    pub(crate) place: String,
}

impl<'a> Content<'a> {
    /// The text or number at a pointer, white space around it left out.
    pub(crate) fn text(&self, pointer: Option<&str>) -> Result<Option<String>, Error> {
        let Some((value, place)) = self.find(pointer)? else { return Ok(None) };
        let text = read(value, &place, Loose::<Text<'_>>::decode)?.into_option();
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// The amount at a pointer. A comma is a decimal comma, the vendor's habit (`"10,0000"`; protocol notes, section 5.7); a
    /// separator of thousands is refused.
    pub(crate) fn amount(&self, pointer: Option<&str>) -> Result<Option<Decimal>, Error> {
        self.parsed(pointer, |text| {
            // Two marks, of whatever kind, make no number.
            decimal::parse(&text.replace(',', ".")).map_err(|_| {
                error::protocol("", "an amount such as 99.95 or 99,95, without thousands separators", text)
            })
        })
    }

    /// The time at a pointer: with its offset, or local to the shop. Local time is none where the offset is not known, and so
    /// is the `0000-00-00` of databases.
    pub(crate) fn time(&self, pointer: Option<&str>, offset: Option<i16>) -> Result<Option<Timestamp>, Error> {
        let refused = |fault: TimeError| fault.at("");
        let time = self.parsed(pointer, |text| {
            if text.starts_with("0000-") {
                return Ok(None);
            }
            let instant = match time::parse_civil(text) {
                Ok(civil) => offset.map(|offset| civil.at_offset(offset)),
                Err(_) => Some(time::parse_zoned(text).map_err(refused)?),
            };
            instant.map(|instant| time::plausible(instant).map_err(refused)).transpose()
        })?;
        Ok(time.flatten())
    }

    /// An ISO 4217 code at a pointer.
    pub(crate) fn currency(&self, pointer: Option<&str>) -> Result<Option<String>, Error> {
        self.parsed(pointer, |text| {
            let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
            let refused = || error::protocol("", "an ISO 4217 code such as EUR", text);
            if is_code { Ok(text.to_ascii_uppercase()) } else { Err(refused()) }
        })
    }

    /// The elements of the list at a pointer.
    pub(crate) fn list(&self, pointer: Option<&str>) -> Result<Vec<Self>, Error> {
        let Some((value, place)) = self.find(pointer)? else { return Ok(Vec::new()) };
        let elements = read(value, &place, PhpList::<Raw<'_>>::decode)?;
        let element = |(index, raw): (usize, Raw<'a>)| Self { text: raw.0, place: format!("{place}/{index}") };
        Ok(elements.0.into_iter().enumerate().map(element).collect())
    }

    /// What the pointer's text is taken for. Errors of `parse` are given the place.
    fn parsed<T>(
        &self,
        pointer: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(pointer)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|fault| at(fault, &format!("{}{}", self.place, pointer.unwrap_or_default())))
    }

    /// The value at a pointer, as it is written, with its place; none where nothing is there.
    fn find(&self, pointer: Option<&str>) -> Result<Option<(&'a str, String)>, Error> {
        let Some(pointer) = pointer else { return Ok(None) };
        let mut value = self.text;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            match read(value, &self.place, |reader| member(reader, &step))? {
                Some(found) => value = found,
                None => return Ok(None),
            }
        }
        Ok(Some((value, format!("{}{pointer}", self.place))))
    }
}

/// The value of a key, of a key that occurs twice the last one; or of an index.
fn member<'a>(reader: &mut Reader<'a>, step: &str) -> Result<Option<&'a str>, DecodeError> {
    let mut found = None;
    match reader.peek_kind()? {
        Kind::Object => reader.object(|key, reader| {
            let value = reader.raw_value()?;
            if key == step {
                found = Some(value);
            }
            Ok(())
        })?,
        Kind::Array => {
            let mut index = 0_usize;
            reader.array(|reader| {
                let value = reader.raw_value()?;
                if index.to_string() == step {
                    found = Some(value);
                }
                index += 1;
                Ok(())
            })?;
        }
        _ => reader.skip()?,
    }
    Ok(found)
}

/// Reads a piece of an answer. Errors are given the place it stands at.
fn read<'a, T>(
    text: &'a str,
    place: &str,
    decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<T, Error> {
    json::read(text, decode).map_err(|fault| at(fault, place))
}

/// An error whose pointer begins at `place`.
fn at(mut fault: Error, place: &str) -> Error {
    if let ErrorKind::Protocol(unexpected) = &mut fault.kind {
        unexpected.pointer.insert_str(0, place);
    }
    fault
}
