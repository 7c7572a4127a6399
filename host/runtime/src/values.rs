//! Exact values of the contract as host types: decimals, money, timestamps, with the text forms that JSON shows.
//!
//! Hand-written rather than generated because their JSON is text (`"99.95"`, RFC 3339) and not their fields.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use wasmtime::component::{ComponentType, Lift, Lower};

/// The most digits behind the point.
const MAX_SCALE: u8 = 18;

/// The most digits behind the point.
const MOST_SCALE: u8 = 18;

/// An exact decimal number: `coefficient` x 10^-`scale`. As text and JSON: `"99.95"`.
///
/// Equality compares coefficient and scale, as the source wrote them: `40` and `40.00` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Decimal {
    /// All digits, with the sign.
    #[component(name = "coefficient")]
    pub coefficient: i64,
    /// How many of the digits stand behind the decimal point, 0 to 18.
    #[component(name = "scale")]
    pub scale: u8,
}

impl From<i64> for Decimal {
    fn from(coefficient: i64) -> Self {
        Self { coefficient, scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let digits = self.coefficient.unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// Text that is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number: expected digits with an optional sign and point, such as 99.95")]
pub struct NotADecimal(String);

impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotADecimal(text.chars().take(40).collect());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || unsigned.ends_with('.') {
            return Err(refuse());
        }
        let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= MAX_SCALE);
        let sign = if negative { "-" } else { "" };
        let coefficient = format!("{sign}{whole}{fraction}").parse().ok();
        match (coefficient, scale) {
            (Some(coefficient), Some(scale)) => Ok(Self { coefficient, scale }),
            _ => Err(refuse()),
        }
    }
}

/// Fails for what cannot be read again: more than 18 digits behind the point, which no connector that keeps the contract gives.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scale > MOST_SCALE {
            let problem =
                format!("a number with {} digits behind the point; at most {MOST_SCALE} can be kept", self.scale);
            return Err(ser::Error::custom(problem));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An amount with its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Money {
    /// How much.
    #[component(name = "amount")]
    pub amount: Decimal,
    /// ISO 4217 code in upper case.
    #[component(name = "currency")]
    pub currency: String,
}

/// A point in time and the offset at which the source wrote it. As text and JSON: RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[component(name = "epoch-seconds")]
    pub epoch_seconds: i64,
    /// Nanoseconds within the second.
    #[component(name = "nanoseconds")]
    pub nanoseconds: u32,
    /// Minutes east of UTC.
    #[component(name = "offset-minutes")]
    pub offset_minutes: i16,
}

impl Timestamp {
    fn to_date_time(self) -> Option<OffsetDateTime> {
        let offset = UtcOffset::from_whole_seconds(i32::from(self.offset_minutes) * 60).ok()?;
        let instant = OffsetDateTime::from_unix_timestamp(self.epoch_seconds).ok()?;
        let instant = instant.replace_nanosecond(self.nanoseconds).ok()?;
        instant.checked_to_offset(offset)
    }

    /// As RFC 3339 writes it, if it can.
    fn to_text(self) -> Option<String> {
        self.to_date_time()?.format(&Rfc3339).ok()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_text() {
            Some(text) => f.write_str(&text),
            // Outside what RFC 3339 can write (years beyond 9999, from a hostile connector): still shown, never a panic.
            None => write!(f, "@{}", self.epoch_seconds),
        }
    }
}

/// Text that is not a point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: expected RFC 3339, such as 2016-08-18T14:43:22+10:00")]
pub struct NotATimestamp(String);

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotATimestamp(text.chars().take(40).collect());
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| refuse())?;
        Ok(Self {
            epoch_seconds: at.unix_timestamp(),
            nanoseconds: at.nanosecond(),
            offset_minutes: at.offset().whole_minutes(),
        })
    }
}

/// Fails for what RFC 3339 cannot write, and so nobody could read again.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_text() {
            Some(text) => serializer.serialize_str(&text),
            None => Err(ser::Error::custom(format!(
                "a time of {} s since 1970 at an offset of {} minutes, which RFC 3339 cannot write",
                self.epoch_seconds, self.offset_minutes
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_the_source_s_digits() {
        for text in ["0", "99.95", "-0.5", "40.00", "222.975", "9223372036854775807", "0.000000000000000001"] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn text_that_is_no_plain_decimal_is_refused() {
        for text in
            ["", "-", ".", "1.", ".5", "12,50", "1e3", "+1", "9223372036854775808", "0.0000000000000000001", "NaN"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn timestamps_keep_the_source_s_offset() {
        let at: Timestamp = "2016-08-18T14:43:22+10:00".parse().unwrap();
        assert_eq!((at.epoch_seconds, at.offset_minutes), (1_471_495_402, 600));
        assert_eq!(at.to_string(), "2016-08-18T14:43:22+10:00");
    }

    #[test]
    fn a_timestamp_outside_the_calendar_is_shown_and_does_not_panic() {
        let at = Timestamp { epoch_seconds: i64::MAX, nanoseconds: u32::MAX, offset_minutes: i16::MIN };
        assert!(serde_json::to_string(&at).is_err());
        assert_eq!(at.to_string(), format!("@{}", i64::MAX));
    }
}
