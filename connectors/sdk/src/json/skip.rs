//! Passing over values that nobody asked for: most of a shop's answer.
//!
//! One flat loop without recursion; the kinds of the open containers are bits of one integer.

use super::fault::DecodeError;
use super::scan::{number_end, space_end};
use super::string;

/// The end of the value at `at`, which may nest `levels` deep (at most 128).
#[inline]
pub(super) fn value(bytes: &[u8], at: usize, levels: u32) -> Result<usize, DecodeError> {
    let at = space_end(bytes, at);
    match bytes.get(at) {
        Some(b'"') => string::close(bytes, at + 1).map(|(end, _)| end + 1),
        Some(b'{' | b'[') => container(bytes, at, levels),
        _ => plain(bytes, at),
    }
}

/// The end of a number or a literal.
#[inline]
fn plain(bytes: &[u8], at: usize) -> Result<usize, DecodeError> {
    match bytes.get(at) {
        Some(b'n') => literal(bytes, at, "null"),
        Some(b't') => literal(bytes, at, "true"),
        Some(b'f') => literal(bytes, at, "false"),
        _ => number_end(bytes, at).ok_or_else(|| DecodeError::unexpected("a value", at)),
    }
}

/// The end of `word` at `at`.
#[inline]
pub(super) fn literal(bytes: &[u8], at: usize, word: &'static str) -> Result<usize, DecodeError> {
    let end = at + word.len();
    if bytes.get(at..end) == Some(word.as_bytes()) { Ok(end) } else { Err(DecodeError::unexpected(word, at)) }
}

/// The first byte of a member's value: behind its key and colon.
#[inline(always)]
fn behind_key(bytes: &[u8], at: usize) -> Result<usize, DecodeError> {
    let at = space_end(bytes, at);
    if bytes.get(at) != Some(&b'"') {
        return Err(DecodeError::unexpected("a key", at));
    }
    let (end, _) = string::close(bytes, at + 1)?;
    let colon = space_end(bytes, end + 1);
    if bytes.get(colon) != Some(&b':') {
        return Err(DecodeError::unexpected("`:`", colon));
    }
    Ok(space_end(bytes, colon + 1))
}

/// The end of the object or array at `at`.
#[inline(never)]
fn container(bytes: &[u8], mut at: usize, levels: u32) -> Result<usize, DecodeError> {
    // The lowest bit is the innermost container: 1 for an object.
    let mut objects: u128 = 0;
    let mut depth = 0;
    loop {
        // A value begins here.
        match bytes.get(at) {
            Some(b'"') => at = string::close(bytes, at + 1)?.0 + 1,
            Some(open @ (b'{' | b'[')) => {
                if depth == levels {
                    return Err(DecodeError::unexpected("values nested at most 128 deep", at));
                }
                let object = *open == b'{';
                let first = space_end(bytes, at + 1);
                if bytes.get(first) == Some(if object { &b'}' } else { &b']' }) {
                    at = first + 1;
                } else {
                    objects = objects << 1 | u128::from(object);
                    depth += 1;
                    at = if object { behind_key(bytes, first)? } else { first };
                    continue;
                }
            }
            _ => at = plain(bytes, at)?,
        }
        // A value has ended: close what ends with it.
        loop {
            if depth == 0 {
                return Ok(at);
            }
            at = space_end(bytes, at);
            let in_object = objects & 1 == 1;
            match bytes.get(at) {
                Some(b',') => {
                    at = if in_object { behind_key(bytes, at + 1)? } else { space_end(bytes, at + 1) };
                    break;
                }
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                _ => return Err(DecodeError::unexpected(if in_object { "`,` or `}`" } else { "`,` or `]`" }, at)),
            }
            objects >>= 1;
            depth -= 1;
            at += 1;
        }
    }
}
