//! Ids of WordPress records: whole numbers from 1 up to what its database holds.

/// The id where it can be one of WordPress'. Zeros in front, signs and numbers beyond 63 bits are none: PHP would read some of
/// them as another record.
pub(crate) fn digits(id: &str) -> Option<&str> {
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0');
    (is_number && id.parse::<i64>().is_ok()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn only_numbers_that_the_database_holds_are_ids() {
        assert_eq!(digits("48"), Some("48"));
        assert_eq!(digits("9223372036854775807"), Some("9223372036854775807"));
        for id in ["", "0", "007", "-1", "+1", "1e3", "abc", "48 ", "99999999999999999999", "٤٨"] {
            assert_eq!(digits(id), None, "{id}");
        }
    }
}
