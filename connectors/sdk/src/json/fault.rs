//! A decoding failure: small on the way up, a full contract error at the top.
//!
//! Decoding is hot and failing is rare, so the pointer to the place is put together only while an error unwinds.

use std::borrow::Cow;
use std::fmt;

use crate::bindings::contract::errors::{Error, ErrorKind};
use crate::error;

/// Where a value stood in its container.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq)]
enum Cause {
    /// The text does not hold what was expected at this byte.
    Unexpected { expected: Cow<'static, str>, at: usize },
    /// A value was read and then refused, with these words of its own.
    Refused { expected: Cow<'static, str>, found: String },
    /// Code that ran while decoding failed with an error of the contract.
    Carried(Error),
}

#[derive(Debug, Clone, PartialEq)]
struct Fault {
    cause: Cause,
    /// Innermost first.
    path: Vec<Step>,
}

/// Why a value could not be decoded, and where it stood. Becomes a contract error with [`DecodeError::into_error`].
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeError(Box<Fault>);

impl DecodeError {
    /// The text does not hold what was expected at this byte.
    #[cold]
    #[inline(never)]
    pub fn unexpected(expected: impl Into<Cow<'static, str>>, at: usize) -> Self {
        Self::because(Cause::Unexpected { expected: expected.into(), at })
    }

    /// A value was read and then refused: what was expected (`a date such as 2016-08-18`) and what stood there.
    #[cold]
    pub fn refused(expected: impl Into<Cow<'static, str>>, found: impl Into<String>) -> Self {
        Self::because(Cause::Refused { expected: expected.into(), found: found.into() })
    }

    /// A record lacks a key. The byte is where the record ends.
    #[cold]
    #[inline(never)]
    pub fn missing(key: &'static str, at: usize) -> Self {
        Self::unexpected("this key to be present", at).in_key(key)
    }

    fn because(cause: Cause) -> Self {
        Self(Box::new(Fault { cause, path: Vec::new() }))
    }

    /// Says that the failing value stood under this key.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_key(mut self, key: &str) -> Self {
        self.0.path.push(Step::Key(key.to_owned()));
        self
    }

    /// Says that the failing value was this element, counted from 0.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_element(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// RFC 6901 pointer to the place.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.0.path.iter().rev() {
            pointer.push('/');
            match step {
                Step::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    /// What was expected there.
    pub fn expected(&self) -> &str {
        match &self.0.cause {
            Cause::Unexpected { expected, .. } | Cause::Refused { expected, .. } => expected,
            Cause::Carried(error) => &error.message,
        }
    }

    /// The contract's `protocol` error, with an excerpt of the text that was decoded. An error that was carried through is
    /// returned as it is, its pointer completed by the place it came from.
    #[cold]
    pub fn into_error(self, text: &str) -> Error {
        let pointer = self.pointer();
        match self.0.cause {
            Cause::Unexpected { expected, at } => error::protocol(pointer, expected, around(text, at)),
            Cause::Refused { expected, found } => error::protocol(pointer, expected, found),
            Cause::Carried(mut error) => {
                if let ErrorKind::Protocol(unexpected) = &mut error.kind {
                    unexpected.pointer.insert_str(0, &pointer);
                }
                error
            }
        }
    }
}

impl From<Error> for DecodeError {
    fn from(error: Error) -> Self {
        Self::because(Cause::Carried(error))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected {} at `{}`", self.expected(), self.pointer())
    }
}

impl std::error::Error for DecodeError {}

/// What stands at a byte, with a little before it, for an excerpt.
fn around(text: &str, at: usize) -> &[u8] {
    const BEFORE: usize = 24;
    const LENGTH: usize = 160;
    let bytes = text.as_bytes();
    let mut start = at.min(bytes.len()).saturating_sub(BEFORE);
    while start > 0 && !text.is_char_boundary(start) {
        start -= 1;
    }
    &bytes[start..bytes.len().min(start + LENGTH)]
}
