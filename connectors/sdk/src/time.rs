//! Points in time as sources write them.
//!
//! | form | read by |
//! |---|---|
//! | `2016-08-18T14:43:22+10:00`, `...Z` (RFC 3339) | [`parse_zoned`], [`Zoned`] |
//! | `2016-08-18T14:43:22+1000` (hardtofind) | the same |
//! | `2018-11-24T14:02:38` (WooCommerce), `2018-11-24 14:02:38` (database rows), `2018-11-24` | [`parse_civil`], [`Civil`], with an offset or a twin in UTC |
//! | `Sun, 06 Nov 1994 08:49:37 GMT` (HTTP) | [`parse_http_date`] |
//!
//! A form that was not agreed on is refused, never guessed. [`plausible`] refuses years that only a mistake can produce.

use std::fmt::Write as _;

use crate::bindings::contract::errors::Error;
use crate::bindings::contract::values::Timestamp;
use crate::error;
use crate::host;
use crate::json::{Decode, DecodeError, Reader};

/// 2000-01-01T00:00:00Z: a marketplace's date before it is seconds read as milliseconds, or a zero.
const EARLIEST_PLAUSIBLE: i64 = 946_684_800;
const DAY: i64 = 24 * 60 * 60;

/// Why a text is no point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeError {
    expected: &'static str,
    found: String,
}

impl TimeError {
    #[cold]
    fn new(expected: &'static str, found: impl Into<String>) -> Self {
        Self { expected, found: found.into() }
    }

    /// The contract's `protocol` error, for a value at this pointer of the source's answer.
    pub fn at(self, pointer: impl Into<String>) -> Error {
        error::protocol(pointer, self.expected, self.found)
    }
}

impl std::fmt::Display for TimeError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "expected {}, found `{}`", self.expected, self.found)
    }
}

impl std::error::Error for TimeError {}

impl From<TimeError> for DecodeError {
    fn from(refusal: TimeError) -> Self {
        Self::refused(refusal.expected, refusal.found)
    }
}

/// The host's clock, frozen for the length of a command.
pub fn now() -> Timestamp {
    host::now()
}

/// What a clock on a wall shows, without a zone: seconds since 1970-01-01T00:00:00 of that clock.
///
/// It becomes an instant with the zone's offset ([`Civil::at_offset`]) or with its twin in UTC ([`Civil::with_utc`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil(pub i64);

impl Civil {
    /// The instant at which a clock so many minutes east of UTC shows this.
    pub fn at_offset(self, offset_minutes: i16) -> Timestamp {
        let epoch_seconds = self.0 - i64::from(offset_minutes) * 60;
        Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes }
    }

    /// The instant whose notation in UTC is `utc`, with the offset between the two. Fails like [`derive_offset`].
    pub fn with_utc(self, utc: Self) -> Result<Timestamp, TimeError> {
        let offset_minutes = derive_offset(self, utc)?;
        Ok(Timestamp { epoch_seconds: utc.0, nanoseconds: 0, offset_minutes })
    }
}

/// Minutes east of UTC of a clock that shows `local` when UTC is `utc`. Rounded to whole minutes; fails beyond 15 hours.
pub fn derive_offset(local: Civil, utc: Civil) -> Result<i16, TimeError> {
    const WIDEST: i64 = 15 * 60;
    let minutes = (local.0 - utc.0 + 30).div_euclid(60);
    match i16::try_from(minutes) {
        Ok(offset) if (-WIDEST..=WIDEST).contains(&minutes) => Ok(offset),
        _ => Err(TimeError::new("a local time within 15 hours of its twin in UTC", format!("{minutes} minutes apart"))),
    }
}

/// Reads `YYYY-MM-DDTHH:MM:SS`, the same with a blank for the `T`, or a date alone (its midnight).
#[inline]
pub fn parse_civil(text: &str) -> Result<Civil, TimeError> {
    const EXPECTED: &str = "a local time such as 2018-11-24T14:02:38";
    let bytes = text.as_bytes();
    let seconds = match bytes.len() {
        19 => seconds_of(bytes),
        10 => bytes.first_chunk().and_then(day_of).map(|day| day * DAY),
        _ => None,
    };
    seconds.map(Civil).ok_or_else(|| TimeError::new(EXPECTED, text))
}

/// Reads local time in a zone so many minutes east of UTC: [`parse_civil`] with [`Civil::at_offset`].
pub fn parse_local(text: &str, offset_minutes: i16) -> Result<Timestamp, TimeError> {
    parse_civil(text).map(|civil| civil.at_offset(offset_minutes))
}

/// Reads RFC 3339, also with a blank for the `T`, and with an offset without its colon (`+1000`) or minutes (`+10`).
#[inline]
pub fn parse_zoned(text: &str) -> Result<Timestamp, TimeError> {
    zoned(text.as_bytes())
        .ok_or_else(|| TimeError::new("a time with its offset, such as 2016-08-18T14:43:22+10:00", text))
}

fn zoned(bytes: &[u8]) -> Option<Timestamp> {
    let seconds = seconds_of(bytes)?;
    let mut rest = &bytes[19..];
    let mut nanoseconds = 0;
    if let [b'.' | b',', digits @ ..] = rest {
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        // Digits beyond the ninth are finer than the contract's clock.
        for digit in digits[..length].iter().chain(std::iter::repeat(&b'0')).take(9) {
            nanoseconds = nanoseconds * 10 + u32::from(digit - b'0');
        }
        rest = &digits[length..];
    }
    let offset = offset_of(rest)?;
    let civil = Civil(seconds).at_offset(offset);
    Some(Timestamp { nanoseconds, ..civil })
}

/// Minutes of `Z`, `+10:00`, `+1000` or `+10`.
fn offset_of(text: &[u8]) -> Option<i16> {
    let (sign, digits) = match text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [a, b, b':', c, d] | [a, b, c, d] => (two(*a, *b)?, two(*c, *d)?),
        [a, b] => (two(*a, *b)?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    i16::try_from(sign * (hours * 60 + minutes)).ok()
}

/// The seconds of the 19 characters that a text begins with.
#[inline]
fn seconds_of(bytes: &[u8]) -> Option<i64> {
    let text: &[u8; 19] = bytes.first_chunk()?;
    let day = day_of(text.first_chunk()?)?;
    if !matches!(text[10], b'T' | b't' | b' ') || text[13] != b':' || text[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(text[11], text[12])?, two(text[14], text[15])?, two(text[17], text[18])?);
    // A leap second, written as :60, is the next minute's first.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(day * DAY + hour * 3600 + minute * 60 + second)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
#[inline]
fn day_of(text: &[u8; 10]) -> Option<i64> {
    let year = two(text[0], text[1])? * 100 + two(text[2], text[3])?;
    let (month, day) = (two(text[5], text[6])?, two(text[8], text[9])?);
    if text[4] != b'-' || text[7] != b'-' || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

#[inline]
fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that a leap day is the last.
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of days since 1970-01-01: the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Reads an HTTP date in its preferred form (RFC 9110 section 5.6.7).
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
    let bytes: &[u8; 24] = date.as_bytes().try_into().ok()?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| name.as_bytes() == &bytes[3..6])?.1;
    let (day, year) = (two(bytes[0], bytes[1])?, two(bytes[7], bytes[8])? * 100 + two(bytes[9], bytes[10])?);
    let (hour, minute, second) = (two(bytes[12], bytes[13])?, two(bytes[15], bytes[16])?, two(bytes[18], bytes[19])?);
    let separators = [bytes[2], bytes[6], bytes[11], bytes[14], bytes[17]] == *b"   ::" && &bytes[20..] == b" GMT";
    if !separators || !(1..=days_in(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    Some(Civil(seconds).at_offset(0))
}

/// RFC 3339 in the offset the source wrote: `2016-08-18T14:43:22+10:00`; `Z` for UTC.
pub fn to_rfc3339(time: &Timestamp) -> String {
    let mut text = local_text(time);
    if time.offset_minutes == 0 {
        text.push('Z');
    } else {
        push_offset(&mut text, time.offset_minutes, ":");
    }
    text
}

/// The same with an offset without its colon, and whole seconds: `2016-09-15T14:41:25+1000` (seed 001, "Ship transition").
pub fn to_compact_offset(time: &Timestamp) -> String {
    let mut text = local_text(&Timestamp { nanoseconds: 0, ..*time });
    push_offset(&mut text, time.offset_minutes, "");
    text
}

fn local_text(time: &Timestamp) -> String {
    let local = time.epoch_seconds.saturating_add(i64::from(time.offset_minutes) * 60);
    let (year, month, day) = civil_from_days(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY);
    let mut text =
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if time.nanoseconds > 0 {
        let fraction = format!(".{:09}", time.nanoseconds);
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

fn push_offset(text: &mut String, offset_minutes: i16, separator: &str) {
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let minutes = offset_minutes.unsigned_abs();
    // Writing to a string cannot fail.
    let _ = write!(text, "{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60);
}

/// Refuses a time before 2000 or more than 24 hours ahead of the host's clock: 1970 is a mistake, not a date.
pub fn plausible(time: Timestamp) -> Result<Timestamp, TimeError> {
    plausible_at(time, &now())
}

/// [`plausible`] with the clock given, for a page of records that need it read once.
pub fn plausible_at(time: Timestamp, now: &Timestamp) -> Result<Timestamp, TimeError> {
    if time.epoch_seconds < EARLIEST_PLAUSIBLE {
        return Err(TimeError::new("a date after 1999", to_rfc3339(&time)));
    }
    if time.epoch_seconds > now.epoch_seconds.saturating_add(DAY) {
        return Err(TimeError::new("a date at most 24 hours ahead of the clock", to_rfc3339(&time)));
    }
    Ok(time)
}

/// Whether `left` is the earlier instant; offsets do not count.
pub fn is_before(left: &Timestamp, right: &Timestamp) -> bool {
    (left.epoch_seconds, left.nanoseconds) < (right.epoch_seconds, right.nanoseconds)
}

impl<'a> Decode<'a> for Civil {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(parse_civil(&reader.string()?)?)
    }
}

/// A JSON string that holds a time with its offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zoned(pub Timestamp);

impl From<Zoned> for Timestamp {
    fn from(zoned: Zoned) -> Self {
        zoned.0
    }
}

impl<'a> Decode<'a> for Zoned {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self(parse_zoned(&reader.string()?)?))
    }
}
