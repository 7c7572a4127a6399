//! The pull reader: walks a text once, front to back, and hands out what is asked for.

use std::borrow::Cow;

use super::fault::DecodeError;
use super::key::{self, Key, KeyWords};
use super::scan::{number_end, space_end};
use super::{skip, string};

/// Deepest nesting of objects and arrays that is read.
pub const DEPTH_LIMIT: u32 = 128;

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{...}`.
    Object,
    /// `[...]`.
    Array,
    /// `"..."`.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

/// Reads one JSON text (RFC 8259). Positions are bytes from the text's beginning.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) depth: u32,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning of a text; a byte order mark is passed over.
    pub fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, depth: 0 }
    }

    /// The next byte to be read, for excerpts.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The kind of the next value, by its first character; the value itself may still be malformed.
    #[inline]
    pub fn peek_kind(&mut self) -> Result<Kind, DecodeError> {
        Ok(match self.peek() {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b'-' | b'0'..=b'9' => Kind::Number,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => return Err(self.expected("a value")),
        })
    }

    /// The first byte of what comes next, white space passed over; 0 at the end.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        self.at = space_end(bytes, self.at);
        bytes.get(self.at).copied().unwrap_or(0)
    }

    /// An error about what comes next.
    #[cold]
    #[inline(never)]
    pub fn expected(&self, what: &'static str) -> DecodeError {
        DecodeError::unexpected(what, self.at)
    }

    /// A string's content, borrowed where it has no escapes.
    #[inline]
    pub fn string(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let (text, escaped) = self.string_parts()?;
        Ok(string::content(text, escaped))
    }

    /// What stands between a string's quotes, and whether it has escapes.
    #[inline(always)]
    pub(super) fn string_parts(&mut self) -> Result<(&'a str, bool), DecodeError> {
        if self.peek() != b'"' {
            return Err(self.expected("a string"));
        }
        let start = self.at + 1;
        let (end, escaped) = string::close(self.text.as_bytes(), start)?;
        self.at = end + 1;
        Ok((&self.text[start..end], escaped))
    }

    /// A number as it is written.
    #[inline]
    pub fn number_text(&mut self) -> Result<&'a str, DecodeError> {
        self.peek();
        let start = self.at;
        let end = number_end(self.text.as_bytes(), start).ok_or_else(|| self.expected("a number"))?;
        self.at = end;
        Ok(&self.text[start..end])
    }

    /// `true` or `false`.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.peek() {
            b't' => self.literal("true").map(|()| true),
            b'f' => self.literal("false").map(|()| false),
            _ => Err(self.expected("true or false")),
        }
    }

    /// `null`, where it comes next; says whether it did.
    #[inline]
    pub fn null(&mut self) -> Result<bool, DecodeError> {
        if self.peek() == b'n' {
            self.literal("null")?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), DecodeError> {
        self.at = skip::literal(self.text.as_bytes(), self.at, word)?;
        Ok(())
    }

    /// Passes over a value of any kind, without decoding it. Its grammar is checked all the same.
    #[inline]
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        self.at = skip::value(self.text.as_bytes(), self.at, DEPTH_LIMIT - self.depth)?;
        Ok(())
    }

    /// Passes over a value and returns it as it is written, white space around it left out.
    #[inline]
    pub fn raw_value(&mut self) -> Result<&'a str, DecodeError> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Decodes what `decode` reads, and returns it with the text it was read from.
    #[inline]
    pub fn with_raw<T>(
        &mut self,
        decode: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<(T, &'a str), DecodeError> {
        self.peek();
        let start = self.at;
        let value = decode(self)?;
        Ok((value, &self.text[start..self.at]))
    }

    /// Reads an object, calling `member` at each value; it must read or [`skip`](Self::skip) the value. Errors are given
    /// the key.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let mut more = self.enter_object()?;
        while more {
            let key = self.key()?;
            let name = self.key_text(&key);
            member(&name, self).map_err(|fault| fault.in_key(&name))?;
            more = self.next_member()?;
        }
        Ok(())
    }

    /// Reads an array, calling `element` at each value, which it must read. Errors are given the index.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), DecodeError>) -> Result<(), DecodeError> {
        let mut more = self.enter_array()?;
        let mut index = 0;
        while more {
            element(self).map_err(|fault| fault.in_element(index))?;
            index += 1;
            more = self.next_element()?;
        }
        Ok(())
    }

    /// Steps into an object; says whether it has members. If so, [`key`](Self::key), a value and
    /// [`next_member`](Self::next_member) follow in turn.
    #[inline(always)]
    pub fn enter_object(&mut self) -> Result<bool, DecodeError> {
        self.enter(b'{', b'}', "an object")
    }

    /// Steps into an array; says whether it has elements. If so, a value and [`next_element`](Self::next_element) follow
    /// in turn.
    #[inline(always)]
    pub fn enter_array(&mut self) -> Result<bool, DecodeError> {
        self.enter(b'[', b']', "an array")
    }

    #[inline(always)]
    fn enter(&mut self, open: u8, close: u8, what: &'static str) -> Result<bool, DecodeError> {
        if self.peek() != open {
            return Err(self.expected(what));
        }
        if self.depth >= DEPTH_LIMIT {
            return Err(self.expected("values nested at most 128 deep"));
        }
        self.at += 1;
        if self.peek() == close {
            self.at += 1;
            return Ok(false);
        }
        self.depth += 1;
        Ok(true)
    }

    /// Behind a member: whether another follows. Steps out of the object where none does.
    #[inline(always)]
    pub fn next_member(&mut self) -> Result<bool, DecodeError> {
        self.next(b'}', "`,` or `}`")
    }

    /// Behind an element: whether another follows. Steps out of the array where none does.
    #[inline(always)]
    pub fn next_element(&mut self) -> Result<bool, DecodeError> {
        self.next(b']', "`,` or `]`")
    }

    #[inline(always)]
    fn next(&mut self, close: u8, what: &'static str) -> Result<bool, DecodeError> {
        let found = self.peek();
        if found != b',' && found != close {
            return Err(self.expected(what));
        }
        self.at += 1;
        if found == close {
            self.depth -= 1;
        }
        Ok(found == b',')
    }

    /// The next member's key; the colon behind it is passed over.
    #[inline(always)]
    pub fn key(&mut self) -> Result<Key, DecodeError> {
        if self.peek() != b'"' {
            return Err(self.expected("a key"));
        }
        let bytes = self.text.as_bytes();
        let key = match key::pack(bytes, self.at + 1) {
            Some(key) => key,
            None => self.uncommon_key()?,
        };
        self.at = key.end + 1;
        if self.peek() != b':' {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(key)
    }

    /// A key that is long or escaped.
    #[cold]
    #[inline(never)]
    fn uncommon_key(&self) -> Result<Key, DecodeError> {
        let start = self.at + 1;
        let (end, escaped) = string::close(self.text.as_bytes(), start)?;
        let mut key = Key { words: [0; 3], start, end, escaped };
        key.words = key::key_words(&self.key_text(&key));
        Ok(key)
    }

    /// A key's content.
    pub fn key_text(&self, key: &Key) -> Cow<'a, str> {
        string::content(&self.text[key.start..key.end], key.escaped)
    }

    /// Whether a key is `name`, whose words are `words`.
    #[inline(always)]
    pub fn key_is(&self, key: &Key, words: KeyWords, name: &'static str) -> bool {
        key.words == words
            && (!(key::is_long(name) || key.escaped || key.end - key.start > 24) || self.key_text(key) == name)
    }

    /// Checks that nothing follows but white space.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        self.peek();
        if self.at < self.text.len() { Err(self.expected("nothing behind the value")) } else { Ok(()) }
    }
}
