//! Country codes for the names that the platform writes. A name that is not here keeps its name and has no code: a guessed
//! code would send a parcel to the wrong country.

/// Names as they occur in addresses, with their ISO 3166-1 alpha-2 codes.
const CODES: [(&str, &str); 22] = [
    ("Australia", "AU"),
    ("New Zealand", "NZ"),
    ("United States", "US"),
    ("United States of America", "US"),
    ("United Kingdom", "GB"),
    ("Great Britain", "GB"),
    ("Ireland", "IE"),
    ("Canada", "CA"),
    ("Germany", "DE"),
    ("France", "FR"),
    ("Italy", "IT"),
    ("Spain", "ES"),
    ("Netherlands", "NL"),
    ("Switzerland", "CH"),
    ("Singapore", "SG"),
    ("Hong Kong", "HK"),
    ("Japan", "JP"),
    ("China", "CN"),
    ("India", "IN"),
    ("Malaysia", "MY"),
    ("Fiji", "FJ"),
    ("Papua New Guinea", "PG"),
];

/// The code of a country's name. Two letters are taken as a code already.
pub(crate) fn code(name: &str) -> Option<String> {
    let name = name.trim();
    if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(name.to_ascii_uppercase());
    }
    CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| (*code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn only_known_names_have_codes() {
        for (name, expected) in [
            ("Australia", Some("AU")),
            (" australia ", Some("AU")),
            ("nz", Some("NZ")),
            ("Österreich", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(code(name).as_deref(), expected, "{name}");
        }
    }
}
