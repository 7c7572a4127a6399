//! Amounts and dates: exactly what the source wrote, or an error, and never something near it.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::description::{DateFormat, RecordKind};
use crate::kit::Kit;
use crate::reading::{Read, Reading, Single, like};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{date, render, set};

/// Amounts that a float, a cent column or a careless parser would change.
const AMOUNTS: [&str; 8] = ["0.1", "99.95", "1e2", "1234567890123.45", "0.001", "0", "40.00", "-12.34"];
/// What looks like an amount and is none.
const NO_AMOUNTS: [&str; 3] = ["1,234.50", DECIMAL_COMMA, "twelve"];
/// An amount where the description says so.
const DECIMAL_COMMA: &str = "12,50";

/// A leap day, the last second of a year, the middle of a year: 2016-02-29T12:34:56Z, 2024-12-31T23:59:59Z and
/// 2025-07-01T00:00:00Z.
const INSTANTS: [i64; 3] = [1_456_749_296, 1_735_689_599, 1_751_328_000];
/// 2025-02-28T12:00:00Z, to be made the 30th.
const LATE_FEBRUARY: i64 = 1_740_744_000;

pub(super) async fn money_exact(kit: &Kit) -> Found {
    let (mut evidence, mut without) = (Vec::new(), Vec::new());
    for reading in kit.readings("money-exact")? {
        if reading.operation.shows.money.is_empty() {
            without.push(reading.name());
            continue;
        }
        let single = kit.single(reading.kind)?;
        for (from, to) in &reading.operation.shows.money {
            for text in AMOUNTS {
                let read = reading.read_with(&single, from, like(&single.record, from, text)).await;
                amount(&reading, (from, to), text, &read)?;
            }
            for text in NO_AMOUNTS {
                let read = reading.read_with(&single, from, text.into()).await;
                if reading.kind.decimal_comma && text == DECIMAL_COMMA {
                    amount(&reading, (from, to), &text.replace(',', "."), &read)?;
                    continue;
                }
                no_amount(&reading, (from, to), text, &read)?;
            }
        }
        let fields = reading.operation.shows.money.len();
        evidence.push(format!("{} {fields} fields, each {} amounts", reading.name(), AMOUNTS.len() + NO_AMOUNTS.len()));
    }
    if evidence.is_empty() {
        return skipped(format!("no amounts are described ({})", without.join(", ")));
    }
    Ok(evidence.join("; "))
}

fn amount(reading: &Reading<'_>, (from, to): (&str, &str), text: &str, read: &Read) -> Result<(), Finding> {
    let shown = match read {
        Read::Item(item) => item.pointer(to).cloned().unwrap_or_default(),
        // The contract has discounts that are not negative; what else cannot be is refused.
        refused if text.starts_with('-') && refused.is_protocol_error() => return Ok(()),
        other => return failed(format!("{}: {from} = {text}: {}", reading.name(), other.told())),
    };
    let value = shown.as_str().and_then(decimal);
    let wanted = decimal(text);
    let unsigned = text.strip_prefix('-').filter(|_| to.contains("discount")).and_then(decimal);
    if value.is_some() && (value == wanted || value == unsigned) {
        return Ok(());
    }
    if text.starts_with('-') && shown.is_null() {
        return Ok(());
    }
    failed(format!("{}: {from} = {text} is shown at {to} as {shown}", reading.name()))
}

fn no_amount(reading: &Reading<'_>, (from, to): (&str, &str), text: &str, read: &Read) -> Result<(), Finding> {
    match read {
        Read::Item(item) if item.pointer(to).is_none_or(Value::is_null) => Ok(()),
        Read::Item(item) => {
            let shown = item.pointer(to).cloned().unwrap_or_default();
            failed(format!("{}: {from} = {text:?} is no amount and is shown at {to} as {shown}", reading.name()))
        }
        refused if refused.is_protocol_error() => Ok(()),
        other => failed(format!("{}: {from} = {text:?}: {}", reading.name(), other.told())),
    }
}

/// A number as its digits without zeros at either end, and its exponent: equal where the values are.
fn decimal(text: &str) -> Option<(bool, String, i32)> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let behind = i32::try_from(fraction.len()).ok()?;
    let significant = digits.trim_start_matches('0');
    let trimmed = significant.trim_end_matches('0');
    if trimmed.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i32::try_from(significant.len() - trimmed.len()).ok()?;
    Some((is_negative, trimmed.to_owned(), exponent - behind + zeros))
}

pub(super) async fn dates_exact(kit: &Kit) -> Found {
    let (mut evidence, mut without) = (Vec::new(), Vec::new());
    for reading in kit.readings("dates-exact")? {
        let described = |from: &String| reading.kind.dates.contains_key(from);
        let shows: Vec<(&String, &String)> =
            reading.operation.shows.dates.iter().filter(|(from, _)| described(from)).collect();
        if shows.is_empty() {
            without.push(reading.name());
            continue;
        }
        let single = kit.single(reading.kind)?;
        for instant in INSTANTS {
            let mut changed = single.record.clone();
            // All of them: a platform may write the same moment twice, by its own time and by UTC.
            for (pointer, format) in &reading.kind.dates {
                let text = date(instant, format);
                set(&mut changed, pointer, like(&single.record, pointer, &text));
            }
            let read = reading.read_text(&single, render(&changed)).await;
            for (from, to) in &shows {
                instant_shown(&reading, (from, to), instant, &read)?;
            }
        }
        let plain = reading.plain(&single).await?;
        for (from, to) in &shows {
            no_dates(&reading, &single, (from, to), &plain).await?;
        }
        evidence.push(format!("{} {} fields, {} instants", reading.name(), shows.len(), INSTANTS.len()));
    }
    if evidence.is_empty() {
        return skipped(format!("no dates are described ({})", without.join(", ")));
    }
    Ok(evidence.join("; "))
}

fn instant_shown(reading: &Reading<'_>, (from, to): (&str, &str), instant: i64, read: &Read) -> Result<(), Finding> {
    let Some(format) = reading.kind.dates.get(from) else { return Ok(()) };
    let written = date(instant, format);
    let Read::Item(item) = read else {
        return failed(format!("{}: {from} = {written}: {}", reading.name(), read.told()));
    };
    let shown = item.pointer(to).and_then(Value::as_str).unwrap_or_default();
    let Ok(found) = OffsetDateTime::parse(shown, &Rfc3339) else {
        return failed(format!("{}: {from} = {written} is shown at {to} as {:?}", reading.name(), item.pointer(to)));
    };
    let wanted = expressible(instant, format);
    if found.unix_timestamp() != wanted {
        let off = found.unix_timestamp() - wanted;
        return failed(format!("{}: {from} = {written} is shown at {to} as {shown}, {off:+} s off", reading.name()));
    }
    let minutes = found.offset().whole_minutes();
    if !offsets(reading.kind).any(|offset| offset == minutes) {
        return failed(format!("{}: {from} = {written} is shown at {to} with the offset of {shown}", reading.name()));
    }
    Ok(())
}

/// The offsets that the platform's dates may be shown with.
fn offsets(kind: &RecordKind) -> impl Iterator<Item = i16> + '_ {
    kind.dates.values().map(|format| format.offset_minutes)
}

/// What is left of an instant in a format without seconds, or without a time of day.
fn expressible(instant: i64, format: &DateFormat) -> i64 {
    let offset = i64::from(format.offset_minutes) * 60;
    let step = match () {
        () if format.format.contains("second") || format.format.contains("timestamp") => 1,
        () if format.format.contains("minute") => 60,
        () if format.format.contains("hour") => 3600,
        () => 86_400,
    };
    (instant + offset).div_euclid(step) * step - offset
}

/// What is no date of a record: shown as nothing, as what a second field still says, or refused.
async fn no_dates(
    reading: &Reading<'_>,
    single: &Single,
    (from, to): (&str, &str),
    plain: &Value,
) -> Result<(), Finding> {
    let Some(format) = reading.kind.dates.get(from) else { return Ok(()) };
    let late = date(LATE_FEBRUARY, format);
    let impossible = ["02-28", "28/02", "02/28", "28.02"].into_iter().find(|day| late.contains(day));
    let impossible = impossible.map(|day| late.replace(day, &day.replace("28", "30")));
    let texts = [date(0, format), "0000-00-00 00:00:00".into(), "yesterday".into()];
    for text in texts.into_iter().chain(impossible) {
        let is_number = single.record.pointer(from).is_some_and(Value::is_number) && text.parse::<i64>().is_ok();
        let value = if is_number { crate::source::number(&text) } else { text.clone().into() };
        match reading.read_with(single, from, value).await {
            Read::Item(item) => {
                let shown = item.pointer(to).cloned().unwrap_or_default();
                if !shown.is_null() && Some(&shown) != plain.pointer(to) && !same_instant(&shown, plain.pointer(to)) {
                    let name = reading.name();
                    return failed(format!("{name}: {from} = {text:?} is no date and is shown at {to} as {shown}"));
                }
            }
            refused if refused.is_protocol_error() => {}
            other => return failed(format!("{}: {from} = {text:?}: {}", reading.name(), other.told())),
        }
    }
    Ok(())
}

fn same_instant(one: &Value, other: Option<&Value>) -> bool {
    let instant = |value: &Value| OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok();
    match (instant(one), other.and_then(instant)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, expressible};
    use crate::description::DateFormat;

    #[test]
    fn decimals_are_equal_where_their_values_are() {
        let equal = [
            ("1e2", "100"),
            ("40.00", "40"),
            ("0.10", "0.1"),
            ("0", "-0.00"),
            ("1234567890123.45", "123456789012345e-2"),
        ];
        for (one, other) in equal {
            assert_eq!(decimal(one), decimal(other), "{one} {other}");
        }
        for (one, other) in [("1", "10"), ("0.1", "0.01"), ("-1", "1"), ("99.95", "99.94")] {
            assert_ne!(decimal(one), decimal(other), "{one} {other}");
        }
        assert_eq!(decimal("1,5"), None);
    }

    #[test]
    fn a_format_without_a_time_keeps_the_local_day() {
        let format = DateFormat { format: "[year]-[month]-[day]".into(), offset_minutes: 600 };
        // 2024-12-31T23:59:59Z is the first of January there, which began at 14:00 UTC.
        assert_eq!(expressible(1_735_689_599, &format), 1_735_653_600);
        let whole = DateFormat { format: "[year][hour][minute][second]".into(), offset_minutes: 600 };
        assert_eq!(expressible(1_735_689_599, &whole), 1_735_689_599);
    }
}
