//! Amounts are exact: what a source wrote is what comes out.

use std::cmp::Ordering;

use proptest::prelude::*;
use tradepost_sdk::decimal::{self, DecimalError};
use tradepost_sdk::prelude::Decimal;

fn decimal(coefficient: i64, scale: u8) -> Decimal {
    Decimal { coefficient, scale }
}

#[test]
fn amounts_of_real_sources_are_read_exactly() {
    for (text, coefficient, scale) in [
        ("99.95", 9995, 2),
        ("0", 0, 0),
        ("0.00", 0, 2),
        ("40.00", 4000, 2),
        ("-0.5", -5, 1),
        (".5", 5, 1),
        ("654.00", 65400, 2),
        ("30.474938", 30_474_938, 6),
        ("19.439999999999998", 19_439_999_999_999_998, 15),
        ("0.3700000000000001", 3_700_000_000_000_001, 16),
        ("1234567890123.45", 123_456_789_012_345, 2),
        ("12345678", 12_345_678, 0),
        ("1.12345678", 112_345_678, 8),
        ("1e2", 100, 0),
        ("1.5E-3", 15, 4),
        ("9223372036854775807", i64::MAX, 0),
        ("-9223372036854775808", i64::MIN, 0),
        ("1.0000000000000000000000", 1_000_000_000_000_000_000, 18),
        ("007.50", 750, 2),
        ("0e999", 0, 0),
    ] {
        assert_eq!(decimal::parse(text), Ok(decimal(coefficient, scale)), "{text}");
    }
}

#[test]
fn text_that_needs_a_guess_is_refused() {
    for text in [
        "", "-", ".", "5.", "12,50", "1,234.50", "1 234", " 5", "5 ", "+5", "$5", "1e", "e5", "1e2.5", "0x10", "NaN",
        "--1", "1.2.3", "٣",
    ] {
        assert_eq!(decimal::parse(text), Err(DecimalError::NotANumber), "{text:?}");
    }
    for text in [
        "9223372036854775808",
        "1e19",
        "0.1234567890123456789",
        "1e-19",
        "1e99999",
        "123456789012345678901234567890123456789012345",
    ] {
        assert_eq!(decimal::parse(text), Err(DecimalError::OutOfRange), "{text}");
    }
}

#[test]
fn arithmetic_is_exact_and_says_when_it_cannot_be() {
    let (price, quantity) = (decimal(9995, 2), decimal(3, 0));
    assert_eq!(decimal::mul(&price, &quantity), Some(decimal(29985, 2)));
    assert_eq!(decimal::add(&price, &decimal(5, 3)), Some(decimal(99955, 3)));
    assert_eq!(decimal::sub(&decimal(1, 0), &decimal(1, 1)), Some(decimal(9, 1)));
    assert_eq!(decimal::add(&decimal(i64::MAX, 0), &decimal(1, 0)), None);
    assert_eq!(decimal::mul(&decimal(i64::MAX, 0), &decimal(i64::MAX, 0)), None);
    assert_eq!(decimal::rescale(&decimal(4000, 2), 0), Some(decimal(40, 0)));
    assert_eq!(decimal::rescale(&decimal(4050, 2), 0), None);
    assert_eq!(decimal::rescale(&decimal(1, 0), 19), None);
    assert_eq!(decimal::to_int(&decimal(300, 2)), Some(3));
    assert_eq!(decimal::to_int(&decimal(350, 2)), None);
}

#[test]
fn a_malformed_scale_does_not_panic() {
    let odd = decimal(5, 255);
    assert!(decimal::to_text(&odd).starts_with("0.000"));
    assert_eq!(decimal::compare(&odd, &decimal(-1, 0)), Ordering::Greater);
    assert_eq!(decimal::add(&odd, &decimal(1, 0)), None);
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let coefficient = prop_oneof![any::<i64>(), -1_000_000..1_000_000_i64];
    (coefficient, 0..=18_u8).prop_map(|(coefficient, scale)| decimal(coefficient, scale))
}

proptest! {
    #[test]
    fn text_round_trips(value in any_decimal()) {
        prop_assert_eq!(decimal::parse(&decimal::to_text(&value)), Ok(value));
    }

    #[test]
    fn parsing_any_text_never_panics(text in ".{0,40}") {
        if let Ok(value) = decimal::parse(&text) {
            prop_assert!(value.scale <= decimal::MAX_SCALE);
        }
    }

    #[test]
    fn order_is_total_and_by_value(a in any_decimal(), b in any_decimal(), c in any_decimal()) {
        prop_assert_eq!(decimal::compare(&a, &b), decimal::compare(&b, &a).reverse());
        prop_assert_eq!(decimal::compare(&a, &a), Ordering::Equal);
        if decimal::compare(&a, &b) != Ordering::Greater && decimal::compare(&b, &c) != Ordering::Greater {
            prop_assert_ne!(decimal::compare(&a, &c), Ordering::Greater);
        }
        if let Some(rescaled) = decimal::rescale(&a, 18) {
            prop_assert_eq!(decimal::compare(&a, &rescaled), Ordering::Equal);
        }
    }

    #[test]
    fn sums_can_be_taken_apart_again(a in any_decimal(), b in any_decimal()) {
        let difference = decimal::add(&a, &b).and_then(|sum| decimal::sub(&sum, &b));
        if let Some(difference) = difference {
            prop_assert_eq!(decimal::compare(&difference, &a), Ordering::Equal);
        }
    }
}
