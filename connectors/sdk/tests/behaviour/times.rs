//! Every form that the five platforms write, and none that needs a guess.

use proptest::prelude::*;
use tradepost_sdk::prelude::Timestamp;
use tradepost_sdk::time::{self, Civil, parse_civil, parse_zoned};

fn instant(epoch_seconds: i64, offset_minutes: i16) -> Timestamp {
    Timestamp { epoch_seconds, nanoseconds: 0, offset_minutes }
}

#[test]
fn zoned_forms_are_read_with_their_offset() {
    for (text, seconds, offset) in [
        ("2016-08-18T14:43:22+1000", 1_471_495_402, 600),
        ("2016-08-18T14:43:22+10:00", 1_471_495_402, 600),
        ("2016-08-18T14:43:22+10", 1_471_495_402, 600),
        ("2016-08-18 04:43:22Z", 1_471_495_402, 0),
        ("2016-08-18t04:43:22z", 1_471_495_402, 0),
        ("2019-01-24T00:34:20+0000", 1_548_290_060, 0),
        ("2016-08-17T19:13:22-09:30", 1_471_495_402, -570),
        ("2016-02-29T00:00:00Z", 1_456_704_000, 0),
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
    ] {
        assert_eq!(parse_zoned(text), Ok(instant(seconds, offset)), "{text}");
    }
    assert_eq!(parse_zoned("2016-08-18T04:43:22.0625Z").unwrap().nanoseconds, 62_500_000);
    assert_eq!(parse_zoned("2016-08-18T04:43:22.1234567891+00:00").unwrap().nanoseconds, 123_456_789);
}

#[test]
fn local_forms_need_an_offset_or_a_twin_in_utc() {
    assert_eq!(time::parse_local("2018-11-24T14:02:38", 330), Ok(instant(1_543_048_358, 330)));
    assert_eq!(time::parse_local("2018-11-24 14:02:38", 330), Ok(instant(1_543_048_358, 330)));
    assert_eq!(time::parse_local("2018-11-24", 0), Ok(instant(1_543_017_600, 0)));
    let (local, utc) = (parse_civil("2018-11-24T14:02:38").unwrap(), parse_civil("2018-11-24T08:32:38").unwrap());
    assert_eq!(time::derive_offset(local, utc), Ok(330));
    assert_eq!(local.with_utc(utc), Ok(instant(1_543_048_358, 330)));
    assert!(time::derive_offset(local, Civil(0)).unwrap_err().to_string().contains("15 hours"));
}

#[test]
fn malformed_times_are_refused_with_what_was_expected() {
    for text in [
        "",
        "now",
        "2016-08-18",
        "2016-08-18T14:43:22",
        "2016-13-18T14:43:22Z",
        "2016-02-30T14:43:22Z",
        "2015-02-29T00:00:00Z",
        "2016-08-18T24:00:00Z",
        "2016-08-18T14:60:22Z",
        "2016-08-18T14:43:61Z",
        "2016-08-18T14:43:22+24:00",
        "2016-08-18T14:43:22+1",
        "2016-08-18T14:43:22.Z",
        "2016-08-18X14:43:22Z",
        "2016/08/18T14:43:22Z",
        "16-08-18T14:43:22Z",
        "1471495402",
        "2016-08-18T14:43:22+10:00 ",
        "٢٠١٦-08-18T14:43:22Z",
    ] {
        let refusal = parse_zoned(text).unwrap_err().to_string();
        assert!(refusal.contains("2016-08-18T14:43:22+10:00") && refusal.contains(text), "{refusal}");
    }
    for text in ["", "0000-00-00 00:00:00", "2018-11-24T14:02", "2018-11-24T14:02:38Z", "24.11.2018"] {
        assert!(parse_civil(text).is_err(), "{text}");
    }
}

#[test]
fn dates_that_only_a_mistake_can_produce_are_refused() {
    let now = instant(1_767_225_600, 0);
    assert!(time::plausible_at(instant(1_471_495_402, 600), &now).is_ok());
    assert!(time::plausible_at(instant(1_767_225_600 + 86_400, 0), &now).is_ok());
    // Seconds read as milliseconds land in January 1970.
    let error = time::plausible_at(instant(1_471_495, 0), &now).unwrap_err().at("/dates/created_at");
    assert!(error.detail.contains("a date after 1999 at /dates/created_at"), "{}", error.detail);
    assert!(time::plausible_at(instant(1_767_225_600 + 86_401, 0), &now).is_err());
}

#[test]
fn times_are_written_in_the_sources_offset() {
    let time = instant(1_471_495_402, 600);
    assert_eq!(time::to_rfc3339(&time), "2016-08-18T14:43:22+10:00");
    assert_eq!(time::to_compact_offset(&time), "2016-08-18T14:43:22+1000");
    assert_eq!(time::to_rfc3339(&instant(1_471_495_402, -570)), "2016-08-17T19:13:22-09:30");
    assert_eq!(time::to_rfc3339(&Timestamp { nanoseconds: 62_500_000, ..instant(0, 0) }), "1970-01-01T00:00:00.0625Z");
    assert_eq!(time::to_compact_offset(&Timestamp { nanoseconds: 5, ..instant(0, 0) }), "1970-01-01T00:00:00+0000");
}

#[test]
fn http_dates_are_read_in_their_preferred_form() {
    assert_eq!(time::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(instant(784_111_777, 0)));
    for text in
        ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT", "", "x, y"]
    {
        assert_eq!(time::parse_http_date(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn rfc3339_round_trips(seconds in -62_135_596_800..253_402_214_400_i64, nanoseconds in 0..1_000_000_000_u32, offset in -1439..=1439_i16) {
        let time = Timestamp { epoch_seconds: seconds, nanoseconds, offset_minutes: offset };
        let local = seconds + i64::from(offset) * 60;
        prop_assume!((-62_135_596_800..253_402_300_800).contains(&local));
        prop_assert_eq!(parse_zoned(&time::to_rfc3339(&time)), Ok(time));
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "[0-9TZ:+. -]{0,30}|.{0,30}") {
        let _ = (parse_zoned(&text), parse_civil(&text), time::parse_http_date(&text));
    }
}
