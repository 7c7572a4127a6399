//! Dates of a WordPress site: local time without a zone, mostly with a twin in UTC beside it.
//!
//! `date_created` is the site's time and `date_created_gmt` the same in UTC; the offset between the two is the site's at
//! that moment, daylight saving included (protocol notes, sections 3.7 and 3.14; recordings README, 31). Where a field has no
//! twin, the setting `utc-offset-minutes` stands in; without it such a date is left out, not guessed.

use crate::bindings::contract::values::Timestamp;
use crate::json::{self, DecodeError, Kind, Reader, Text};
use crate::time::{self, Civil};

/// 2000-01-01T00:00:00Z. An earlier date in a marketplace is a mistake: a zero, or milliseconds read as seconds.
const EARLIEST: Civil = Civil(946_684_800);

/// A date as the site writes one: `2026-11-22T05:48:09` or `2026-11-22 05:48:15`. `null`, `false`, `""` and the database's
/// `0000-00-00` are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SiteDate(pub Option<Civil>);

impl<'a> json::Decode<'a> for SiteDate {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match reader.peek_kind()? {
            Kind::String => {}
            Kind::Null => return reader.skip().map(|()| Self(None)),
            Kind::Bool if !reader.bool()? => return Ok(Self(None)),
            _ => return Err(reader.expected("a date, null or false")),
        }
        let text = reader.string()?;
        if text.is_empty() || text.starts_with("0000-") {
            return Ok(Self(None));
        }
        let civil = time::parse_civil(&text)?;
        if civil < EARLIEST {
            return Err(DecodeError::refused("a date since the year 2000", text));
        }
        Ok(Self(Some(civil)))
    }

    fn missing() -> Option<Self> {
        Some(Self(None))
    }
}

json::record! {
    /// A PHP `DateTime` that went into JSON as it is:
    /// `{"date": "2026-11-22 05:48:08.000000", "timezone_type": 3, "timezone": "Asia/Kolkata"}`.
    pub struct DateTimeDump<'a> {
        /// Local time, with a fraction of the second.
        pub date: Text<'a>,
        /// An offset (`+05:30`), `UTC`, or a name such as `Asia/Kolkata`, which is the site's own zone.
        pub timezone: Text<'a>,
    }
}

/// How an account's site tells the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SiteClock {
    /// Minutes east of UTC, where the account's settings say so.
    pub offset_minutes: Option<i16>,
}

impl SiteClock {
    /// The instant of a local date and its twin in UTC.
    #[inline]
    #[must_use]
    pub fn instant(self, local: SiteDate, utc: SiteDate) -> Option<Timestamp> {
        match (local.0, utc.0) {
            // Plugins that write nonsense into one of the two do not make the other wrong: UTC decides the instant.
            (Some(local), Some(utc)) => Some(local.with_utc(utc).unwrap_or_else(|_| utc.at_offset(0))),
            (None, Some(utc)) => Some(utc.at_offset(0)),
            (Some(_), None) => self.local(local),
            (None, None) => None,
        }
    }

    /// The instant of a date that has no twin; none where the site's offset is not known.
    #[must_use]
    pub fn local(self, date: SiteDate) -> Option<Timestamp> {
        Some(date.0?.at_offset(self.offset_minutes?))
    }

    /// The instant of a dumped `DateTime`; none where it is no date, or its zone is a name and the site's offset not known.
    #[must_use]
    pub fn dumped(self, dump: &DateTimeDump<'_>) -> Option<Timestamp> {
        let date = &*dump.date;
        match &*dump.timezone {
            "UTC" | "Z" => time::parse_zoned(&format!("{date}Z")).ok(),
            offset if offset.starts_with(['+', '-']) => time::parse_zoned(&format!("{date}{offset}")).ok(),
            _ => self.local(SiteDate(time::parse_civil(date.get(..19)?).ok())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTimeDump, SiteClock, SiteDate};
    use crate::json;
    use crate::time::to_rfc3339;

    fn date(text: &str) -> SiteDate {
        json::decode(text).unwrap()
    }

    #[test]
    fn a_date_and_its_twin_give_the_offset() {
        let cases = [
            (r#""2026-11-22T05:48:09""#, r#""2026-11-22T00:18:09""#, Some("2026-11-22T05:48:09+05:30")),
            (r#""2018-12-07T09:08:53""#, r#""2018-12-07T09:08:53""#, Some("2018-12-07T09:08:53Z")),
            (r#""2026-03-01T20:00:00""#, r#""2026-03-02T01:00:00""#, Some("2026-03-01T20:00:00-05:00")),
            ("null", r#""2026-03-02T01:00:00""#, Some("2026-03-02T01:00:00Z")),
            (r#""2030-01-01T00:00:00""#, r#""2026-03-02T01:00:00""#, Some("2026-03-02T01:00:00Z")),
            (r#""2026-03-02T01:00:00""#, "null", None),
            ("null", "false", None),
            (r#""0000-00-00 00:00:00""#, r#""""#, None),
        ];
        for (local, utc, expected) in cases {
            let instant = SiteClock::default().instant(date(local), date(utc));
            assert_eq!(instant.as_ref().map(to_rfc3339).as_deref(), expected, "{local} {utc}");
        }
    }

    #[test]
    fn a_date_without_twin_needs_the_setting() {
        let created = date(r#""2026-11-22 05:48:15""#);
        assert_eq!(SiteClock::default().local(created), None);
        let clock = SiteClock { offset_minutes: Some(330) };
        assert_eq!(clock.local(created).as_ref().map(to_rfc3339).as_deref(), Some("2026-11-22T05:48:15+05:30"));
    }

    #[test]
    fn a_date_that_cannot_be_is_an_error_and_never_1970() {
        for text in [r#""1970-01-01T00:00:00""#, r#""22/11/2026""#, r#""2026-13-01T00:00:00""#, "true", "17", "{}"] {
            assert!(json::decode::<SiteDate>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_dumped_date_names_its_zone_or_is_the_sites() {
        let cases = [
            ("2026-11-22 05:48:08.000000", "Asia/Kolkata", Some("2026-11-22T05:48:08+05:30")),
            ("2026-11-22 00:18:08.000000", "+00:00", Some("2026-11-22T00:18:08Z")),
            ("2026-11-22 00:18:08.000000", "UTC", Some("2026-11-22T00:18:08Z")),
            ("2026-11-21 19:18:08.000000", "-05:00", Some("2026-11-21T19:18:08-05:00")),
            ("-0001-11-30 00:00:00.000000", "UTC", None),
            ("-0001-11-30 00:00:00.000000", "Asia/Kolkata", None),
            ("", "", None),
        ];
        for (date, timezone, expected) in cases {
            let text = format!(r#"{{"date":"{date}","timezone_type":3,"timezone":"{timezone}"}}"#);
            let dump: DateTimeDump<'_> = json::decode(&text).unwrap();
            let clock = SiteClock { offset_minutes: Some(330) };
            assert_eq!(clock.dumped(&dump).as_ref().map(to_rfc3339).as_deref(), expected, "{date} {timezone}");
            if timezone.contains('/') {
                assert_eq!(SiteClock::default().dumped(&dump), None, "a name says no offset");
            }
        }
    }
}
