//! The marketplaces' clock and the ways in which they write dates.
//!
//! The clock does not follow the machine's: it stands at a fixed instant and moves one second per accepted write. So the same
//! sequence of requests gives the same data, and a later write always has a later date.

use std::sync::atomic::{AtomicI64, Ordering};

use time::format_description::BorrowedFormatItem;
use time::macros::{datetime, format_description};
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// When a marketplace opens, in seconds since 1970: just after the recordings of the WCFM shop were made.
pub(crate) const OPENING: i64 = datetime!(2026-11-22 00:30:00 UTC).unix_timestamp();

/// Eastern Australia without summer time, hardtofind's zone.
pub(crate) const SYDNEY: UtcOffset = match UtcOffset::from_hms(10, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// India, the zone of the recorded WCFM shop.
pub(crate) const KOLKATA: UtcOffset = match UtcOffset::from_hms(5, 30, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// Germany without summer time, the zone of the OmniSeller shop.
pub(crate) const BERLIN: UtcOffset = match UtcOffset::from_hms(1, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

const OFFSET_WITHOUT_COLON: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]");
const WITHOUT_OFFSET: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const UTC: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const DATABASE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// A clock that moves one second per write.
#[derive(Debug)]
pub(crate) struct Clock(AtomicI64);

impl Clock {
    /// A clock that stands at [`OPENING`].
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(OPENING))
    }

    /// The present second since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves on by one second and tells the new one.
    pub(crate) fn tick(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

fn at(seconds: i64, offset: UtcOffset) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(offset)
}

/// `2016-08-18T14:43:22+1000`: hardtofind's dates have no colon in the offset, which strict RFC 3339 parsers reject.
pub(crate) fn offset_without_colon(seconds: i64, offset: UtcOffset) -> String {
    at(seconds, offset).format(OFFSET_WITHOUT_COLON).unwrap_or_default()
}

/// The second that a date such as `2016-08-18T14:43:22+1000` names.
pub(crate) fn parse_offset_without_colon(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, OFFSET_WITHOUT_COLON).ok().map(OffsetDateTime::unix_timestamp)
}

/// `2026-11-12T08:12:00`: WordPress writes local time without saying which.
pub(crate) fn without_offset(seconds: i64, offset: UtcOffset) -> String {
    at(seconds, offset).format(WITHOUT_OFFSET).unwrap_or_default()
}

/// The second that a date such as `2026-11-12T08:12:00` names in `offset`.
pub(crate) fn parse_without_offset(text: &str, offset: UtcOffset) -> Option<i64> {
    PrimitiveDateTime::parse(text, WITHOUT_OFFSET).ok().map(|date| date.assume_offset(offset).unix_timestamp())
}

/// `2026-11-12 08:12:00`: a database column, local time with a blank.
pub(crate) fn database(seconds: i64, offset: UtcOffset) -> String {
    at(seconds, offset).format(DATABASE).unwrap_or_default()
}

/// `2026-03-02T12:00:00Z`: HFT71 writes UTC.
pub(crate) fn utc(seconds: i64) -> String {
    at(seconds, UtcOffset::UTC).format(UTC).unwrap_or_default()
}

/// Whether a text is a day such as `2026-03-02` and nothing more.
pub(crate) fn is_day(text: &str) -> bool {
    Date::parse(text, DAY).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_the_marketplaces_write_them() {
        assert_eq!(offset_without_colon(OPENING, SYDNEY), "2026-11-22T10:30:00+1000");
        assert_eq!(parse_offset_without_colon("2026-11-22T10:30:00+1000"), Some(OPENING));
        assert_eq!(parse_offset_without_colon("2026-11-22T10:30:00+10:00"), None);
        assert_eq!(without_offset(OPENING, KOLKATA), "2026-11-22T06:00:00");
        assert_eq!(parse_without_offset("2026-11-22T06:00:00", KOLKATA), Some(OPENING));
        assert_eq!(database(OPENING, KOLKATA), "2026-11-22 06:00:00");
        assert_eq!(utc(OPENING), "2026-11-22T00:30:00Z");
        for (text, day) in [("2026-03-02", true), ("2026-02-30", false), ("2026-03-02T00:00:00Z", false), ("", false)] {
            assert_eq!(is_day(text), day, "{text}");
        }
    }
}
