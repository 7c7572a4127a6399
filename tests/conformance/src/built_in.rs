//! The descriptions of the platforms that this repository has connectors for.

use crate::description::{Description, DescriptionError};

const DESCRIPTIONS: &[(&str, &str)] = &[
    ("hardtofind", include_str!("../descriptions/hardtofind.toml")),
    ("hft71", include_str!("../descriptions/hft71.toml")),
    ("omniseller", include_str!("../descriptions/omniseller.toml")),
];

/// The description for a connector of this repository; none for another.
pub fn built_in(connector: &str) -> Option<Result<Description, DescriptionError>> {
    let (_, text) = DESCRIPTIONS.iter().find(|(id, _)| *id == connector)?;
    Some(Description::parse(text))
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTIONS, built_in};

    #[test]
    fn every_description_reads_and_is_for_its_connector() {
        for (id, _) in DESCRIPTIONS {
            assert_eq!(built_in(id).unwrap().map(|description| description.connector).unwrap(), *id);
        }
    }
}
