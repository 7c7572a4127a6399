//! Object keys packed into machine words, so that a key is recognised by a few integer comparisons.

use super::scan::{first_marked, string_specials, word_at};

/// Longest key that is packed whole, in bytes.
const PACKED_BYTES: usize = 24;

/// A key's bytes as words, zeros behind its end. Equal words mean equal keys up to 24 bytes: a zero byte cannot stand in a
/// key but by an escape, and escaped keys are never packed. The words of a longer key hold its first bytes only.
pub type KeyWords = [u64; 3];

/// A key as it stands in the text.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub(super) words: KeyWords,
    /// The first byte behind the opening quote.
    pub(super) start: usize,
    /// The closing quote.
    pub(super) end: usize,
    pub(super) escaped: bool,
}

impl Key {
    /// A number that tells most keys apart; equal keys have equal tags.
    #[inline(always)]
    pub fn tag(&self) -> u64 {
        mix(&self.words)
    }
}

/// The words of a key known when compiling.
pub const fn key_words(key: &str) -> KeyWords {
    let bytes = key.as_bytes();
    let mut words = [0; 3];
    let mut index = 0;
    while index < bytes.len() && index < PACKED_BYTES {
        words[index / 8] |= (bytes[index] as u64) << (8 * (index % 8));
        index += 1;
    }
    words
}

/// The [`Key::tag`] of a key known when compiling.
pub const fn key_tag(key: &str) -> u64 {
    mix(&key_words(key))
}

/// Whether a key is too long for its words to say all.
pub(super) const fn is_long(key: &str) -> bool {
    key.len() > PACKED_BYTES
}

const fn mix(words: &KeyWords) -> u64 {
    words[0] ^ words[1].rotate_left(23) ^ words[2].rotate_left(46)
}

/// Packs the key whose first byte is at `start` and finds its end. None where it is not plain: escaped, unclosed, or long.
#[inline(always)]
pub(super) fn pack(bytes: &[u8], start: usize) -> Option<Key> {
    let first = word_at(bytes, start);
    let marks = string_specials(first);
    if marks != 0 {
        return closed(bytes, start, first_marked(marks), [keep(first, marks), 0, 0]);
    }
    let second = word_at(bytes, start + 8);
    let marks = string_specials(second);
    if marks != 0 {
        return closed(bytes, start, 8 + first_marked(marks), [first, keep(second, marks), 0]);
    }
    let third = word_at(bytes, start + 16);
    let marks = string_specials(third);
    if marks != 0 {
        return closed(bytes, start, 16 + first_marked(marks), [first, second, keep(third, marks)]);
    }
    None
}

/// The bytes below the lowest mark.
#[inline(always)]
fn keep(word: u64, marks: u64) -> u64 {
    let lowest = marks & marks.wrapping_neg();
    // The mark is the high bit of its byte; that byte and all above it go.
    word & ((lowest >> 7) - 1)
}

#[inline(always)]
fn closed(bytes: &[u8], start: usize, length: usize, words: KeyWords) -> Option<Key> {
    let end = start + length;
    (bytes.get(end) == Some(&b'"')).then_some(Key { words, start, end, escaped: false })
}
