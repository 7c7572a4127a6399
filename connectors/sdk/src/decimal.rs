//! Exact decimals: coefficient x 10^-scale, as the contract's record `decimal`. Never a float.
//!
//! The scale is the one the source wrote: `40` and `40.00` are equal in value ([`compare`]) and differ in notation.

use std::cmp::Ordering;

use crate::bindings::contract::values::Decimal;
use crate::json;

/// Most digits behind the decimal point (interface `values`, record `decimal`).
pub const MAX_SCALE: u8 = 18;

/// Why a text is no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// It is not a number in plain notation (`1,234.50`, `12,50`, `abc`, nothing at all).
    NotANumber,
    /// It is a number that 18 decimals and 64 bits cannot hold exactly.
    OutOfRange,
}

impl DecimalError {
    /// What should have stood there, for an error.
    pub fn expected(self) -> &'static str {
        match self {
            Self::NotANumber => "a decimal number such as 99.95",
            Self::OutOfRange => "a decimal number of at most 18 decimals and 64 bits",
        }
    }
}

impl std::fmt::Display for DecimalError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "expected {}", self.expected())
    }
}

impl std::error::Error for DecimalError {}

/// 0.
pub fn zero() -> Decimal {
    from_int(0)
}

/// A whole number.
pub fn from_int(value: i64) -> Decimal {
    Decimal { coefficient: value, scale: 0 }
}

/// Reads plain notation, with an exponent where the value stays exact: `99.95`, `-0.5`, `.5`, `1e2`. Refuses everything that
/// needs a guess: `12,50`, `1,234.50`, white space, currency signs, nothing.
pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
    match scan(text.as_bytes(), 0) {
        Some((value, end)) if end == text.len() => Ok(value),
        _ => parse_uncommon(text),
    }
}

/// The usual amount at a place of a text: up to seven digits before the point and behind it, no exponent. Returns where it
/// ends. None says nothing: [`parse`] decides.
#[allow(clippy::inline_always, reason = "part of the JSON decoder's hot path, see there")]
#[inline(always)]
pub(crate) fn scan(bytes: &[u8], at: usize) -> Option<(Decimal, usize)> {
    const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let negative = bytes.get(at) == Some(&b'-');
    let start = at + usize::from(negative);
    let (whole, value) = json::leading_number(bytes, start)?;
    if whole > 1 && bytes[start] == b'0' {
        return None;
    }
    let mut magnitude = value;
    let mut end = start + whole;
    let mut scale = 0;
    if bytes.get(end) == Some(&b'.') {
        let (digits, fraction) = json::leading_number(bytes, end + 1)?;
        magnitude = magnitude * POWERS[digits & 7] + fraction;
        scale = digits;
        end += 1 + digits;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        return None;
    }
    // At most 14 digits: the cast and the sign cannot overflow.
    let coefficient = magnitude.cast_signed();
    let coefficient = if negative { -coefficient } else { coefficient };
    Some((Decimal { coefficient, scale: u8::try_from(scale).ok()? }, end))
}

#[inline(never)]
fn parse_uncommon(text: &str) -> Result<Decimal, DecimalError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent_of(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(DecimalError::NotANumber),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::NotANumber);
    }
    let mut coefficient: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        coefficient = coefficient
            .checked_mul(10)
            .and_then(|shifted| shifted.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::OutOfRange)?;
    }
    let scale = i64::try_from(fraction.len()).map_err(|_| DecimalError::OutOfRange)? - exponent;
    fit(if negative { -coefficient } else { coefficient }, scale)
}

/// An exponent; one beyond four digits cannot be exact and is not worth computing.
fn exponent_of(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    if digits.len() > 4 {
        return Err(DecimalError::OutOfRange);
    }
    text.parse().map_err(|_| DecimalError::NotANumber)
}

/// The decimal of a wide coefficient and any scale, if there is an exact one. Gives up zeros at the end only where it must.
fn fit(mut coefficient: i128, mut scale: i64) -> Result<Decimal, DecimalError> {
    if coefficient == 0 {
        let scale = u8::try_from(scale.clamp(0, i64::from(MAX_SCALE))).unwrap_or(0);
        return Ok(Decimal { coefficient: 0, scale });
    }
    while scale < 0 {
        coefficient = coefficient.checked_mul(10).ok_or(DecimalError::OutOfRange)?;
        scale += 1;
    }
    loop {
        let fitting = i64::try_from(coefficient).ok().zip(u8::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE));
        if let Some((coefficient, scale)) = fitting {
            return Ok(Decimal { coefficient, scale });
        }
        if scale == 0 || coefficient % 10 != 0 {
            return Err(DecimalError::OutOfRange);
        }
        coefficient /= 10;
        scale -= 1;
    }
}

/// Plain notation with all decimals of its scale: `99.95`, `40.00`, `-0.5`.
pub fn to_text(value: &Decimal) -> String {
    let digits = value.coefficient.unsigned_abs().to_string();
    let scale = usize::from(value.scale);
    let mut text = String::with_capacity(digits.len() + scale + 3);
    if value.coefficient < 0 {
        text.push('-');
    }
    if scale == 0 {
        text.push_str(&digits);
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        text.push_str(whole);
        text.push('.');
        text.push_str(fraction);
    } else {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', scale - digits.len()));
        text.push_str(&digits);
    }
    text
}

/// By value: `40` equals `40.00`.
pub fn compare(left: &Decimal, right: &Decimal) -> Ordering {
    let scale = left.scale.max(right.scale);
    match (widen(left, scale), widen(right, scale)) {
        (Some(left), Some(right)) => left.cmp(&right),
        // Only a scale beyond the contract's can get here; the order by sign still holds.
        _ => left.coefficient.signum().cmp(&right.coefficient.signum()),
    }
}

/// The sum, in the finer of both scales. None where 64 bits cannot hold it.
pub fn add(left: &Decimal, right: &Decimal) -> Option<Decimal> {
    let scale = left.scale.max(right.scale);
    let sum = widen(left, scale)?.checked_add(widen(right, scale)?)?;
    fit(sum, i64::from(scale)).ok()
}

/// The difference, in the finer of both scales. None where 64 bits cannot hold it.
pub fn sub(left: &Decimal, right: &Decimal) -> Option<Decimal> {
    let scale = left.scale.max(right.scale);
    let difference = widen(left, scale)?.checked_sub(widen(right, scale)?)?;
    fit(difference, i64::from(scale)).ok()
}

/// The product, exact. None where 18 decimals and 64 bits cannot hold it.
pub fn mul(left: &Decimal, right: &Decimal) -> Option<Decimal> {
    let product = i128::from(left.coefficient).checked_mul(i128::from(right.coefficient))?;
    fit(product, i64::from(left.scale) + i64::from(right.scale)).ok()
}

/// The same value with another scale. None where digits would be lost or do not fit.
pub fn rescale(value: &Decimal, scale: u8) -> Option<Decimal> {
    if scale > MAX_SCALE {
        return None;
    }
    if scale >= value.scale {
        let coefficient = i64::try_from(widen(value, scale)?).ok()?;
        return Some(Decimal { coefficient, scale });
    }
    let divisor = 10_i64.checked_pow(u32::from(value.scale - scale))?;
    (value.coefficient % divisor == 0).then(|| Decimal { coefficient: value.coefficient / divisor, scale })
}

/// The value as a whole number, where it is one: `3` and `3.00`, not `3.5`.
pub fn to_int(value: &Decimal) -> Option<i64> {
    rescale(value, 0).map(|whole| whole.coefficient)
}

fn widen(value: &Decimal, scale: u8) -> Option<i128> {
    let power = 10_i128.checked_pow(u32::from(scale.checked_sub(value.scale)?))?;
    i128::from(value.coefficient).checked_mul(power)
}
