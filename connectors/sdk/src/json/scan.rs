//! Finding things in text eight bytes at a time.
//!
//! In the sandbox every loop head and function entry also asks whether the call's time is up, so what counts is how few of
//! them a byte costs. A word of eight bytes is examined with a dozen arithmetic operations and no branch.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`, the first one lowest; zeros stand for what lies behind the end.
#[inline(always)]
pub(crate) fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => last_word(bytes, at),
    }
}

#[cold]
#[inline(never)]
fn last_word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    let rest = bytes.get(at..).unwrap_or_default();
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}

/// The high bit of each byte that ends a run of plain string content: `"`, `\` or a control character (also the zeros
/// behind the end). Only the lowest set bit is exact: a borrow may reach bytes above it.
#[inline(always)]
pub(crate) fn string_specials(word: u64) -> u64 {
    // Flipping bit 1 turns `"` (0x22) into 0x20 and keeps control characters below it, so one comparison finds both.
    let quotes_and_controls = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslashes = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (quotes_and_controls | backslashes) & !word & HIGHS
}

/// The index of the first marked byte of a word; 8 where none is.
#[inline(always)]
pub(crate) fn first_marked(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The first byte at or behind `at` that ends plain string content, or the text's length.
#[inline(always)]
pub(crate) fn plain_end(bytes: &[u8], at: usize) -> usize {
    // Most strings are short: two words without a loop, then four at a time.
    let marks = string_specials(word_at(bytes, at));
    if marks != 0 {
        return at + first_marked(marks);
    }
    let marks = string_specials(word_at(bytes, at + 8));
    if marks != 0 {
        return at + 8 + first_marked(marks);
    }
    plain_end_far(bytes, at + 16)
}

#[inline(never)]
fn plain_end_far(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<32>) {
        let word = |index: usize| string_specials(word_at(block, index * 8));
        let (first, second, third, fourth) = (word(0), word(1), word(2), word(3));
        if (first | second | third | fourth) != 0 {
            if first != 0 {
                return at + first_marked(first);
            }
            if second != 0 {
                return at + 8 + first_marked(second);
            }
            if third != 0 {
                return at + 16 + first_marked(third);
            }
            return at + 24 + first_marked(fourth);
        }
        at += 32;
    }
    while at < bytes.len() {
        let marks = string_specials(word_at(bytes, at));
        if marks != 0 {
            return (at + first_marked(marks)).min(bytes.len());
        }
        at += 8;
    }
    bytes.len()
}

/// The high bit of each byte that is not an ASCII digit; exact.
#[inline(always)]
fn non_digits(word: u64) -> u64 {
    let low = word & !HIGHS;
    // Above '9' carries into the high bit; below '0' does not reach it.
    let above = low + ONES * (0x80 - 0x3a);
    let at_least_zero = low + ONES * (0x80 - 0x30);
    (above | !at_least_zero | word) & HIGHS
}

/// How many ASCII digits a word begins with, 0 to 8.
#[inline(always)]
pub(crate) fn leading_digits(word: u64) -> usize {
    first_marked(non_digits(word))
}

/// The value of the first `count` digits of a word, 1 to 8 of them.
#[inline(always)]
pub(crate) fn digits_value(word: u64, count: usize) -> u64 {
    // Shift the digits to the end of the word; what comes in stands for leading zeros.
    let digits = (word ^ (ONES * 0x30)) << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let quads = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    quads.wrapping_mul(10_000).wrapping_add(quads >> 32) & 0xffff_ffff
}

/// The run of one to seven digits at `at`: how many, and their value. None where there is none, or a longer one.
#[inline(always)]
pub(crate) fn leading_number(bytes: &[u8], at: usize) -> Option<(usize, u64)> {
    let word = word_at(bytes, at);
    let count = leading_digits(word);
    if count == 0 || count == 8 {
        return None;
    }
    Some((count, digits_value(word, count)))
}

/// The end of the run of digits at `at`.
#[inline(always)]
pub(crate) fn digits_end(bytes: &[u8], at: usize) -> usize {
    let count = leading_digits(word_at(bytes, at));
    if count < 8 { at + count } else { digits_end_far(bytes, at + 8) }
}

#[cold]
#[inline(never)]
fn digits_end_far(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let count = leading_digits(word_at(bytes, at));
        at += count;
        if count < 8 {
            return at;
        }
    }
}

/// The end of the JSON number at `at` (RFC 8259 section 6), or none where there is none.
#[inline(always)]
pub(crate) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let start = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let mut end = digits_end(bytes, start);
    if end == start || (bytes[start] == b'0' && end > start + 1) {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits_end(bytes, fraction);
        if end == fraction {
            return None;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        return exponent_end(bytes, end + 1);
    }
    Some(end)
}

#[cold]
#[inline(never)]
fn exponent_end(bytes: &[u8], at: usize) -> Option<usize> {
    let start = if matches!(bytes.get(at), Some(b'+' | b'-')) { at + 1 } else { at };
    let end = digits_end(bytes, start);
    (end > start).then_some(end)
}

/// The first byte at or behind `at` that is not JSON white space.
#[inline(always)]
pub(crate) fn space_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(&byte) if byte <= b' ' => space_end_far(bytes, at),
        _ => at,
    }
}

#[inline(never)]
fn space_end_far(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let word = word_at(bytes, at);
        // A byte equals a character where their difference is zero; adding 0x7f to its low bits tells exactly.
        let differs = |character: u64| {
            let difference = word ^ (ONES * character);
            ((difference & !HIGHS) + ONES * 0x7f) | difference
        };
        let others = differs(0x20) & differs(0x0a) & differs(0x0d) & differs(0x09) & HIGHS;
        let count = first_marked(others);
        at += count;
        if count < 8 {
            return at.min(bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `string_specials` is meant to find, byte by byte.
    fn is_special(byte: u8) -> bool {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    }

    #[test]
    fn first_special_of_a_word_is_found_for_every_byte_at_every_place() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut bytes = *b"abcdefgh";
                bytes[place] = byte;
                let expected = if is_special(byte) { place } else { 8 };
                assert_eq!(first_marked(string_specials(u64::from_le_bytes(bytes))), expected, "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn plain_end_agrees_with_a_byte_by_byte_search() {
        for length in 0..100 {
            for special in 0..=length {
                let mut text = vec![0xc3; length];
                if special < length {
                    text[special] = b'"';
                }
                assert_eq!(plain_end(&text, 0).min(length), special, "length {length}");
            }
        }
    }

    #[test]
    fn digits_are_counted_and_valued_for_every_byte_at_every_place() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut bytes = *b"12345678";
                bytes[place] = byte;
                let expected = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let word = u64::from_le_bytes(bytes);
                assert_eq!(leading_digits(word), expected, "{byte:#x} at {place}");
                if expected > 0 {
                    let value: u64 = std::str::from_utf8(&bytes[..expected]).unwrap().parse().unwrap();
                    assert_eq!(digits_value(word, expected), value);
                }
            }
        }
    }

    #[test]
    fn white_space_is_the_four_characters_of_json_and_no_other() {
        for byte in 0..=255_u8 {
            let text = [b' ', byte, b'x'];
            let expected = if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') { 2 } else { 1 };
            assert_eq!(space_end(&text, 0), expected, "{byte:#x}");
        }
        assert_eq!(space_end(b"   ", 0), 3);
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for (text, end) in [
            ("0", Some(1)),
            ("-0.5,", Some(4)),
            ("123456789012345678901234567890]", Some(30)),
            ("1e2", Some(3)),
            ("1.5E-10 ", Some(7)),
            ("01", None),
            ("-", None),
            (".5", None),
            ("1.", None),
            ("1e", None),
            ("+1", None),
            ("", None),
        ] {
            assert_eq!(number_end(text.as_bytes(), 0), end, "{text}");
        }
    }
}
