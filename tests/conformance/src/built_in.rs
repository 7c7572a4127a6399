//! The descriptions of the platforms that this repository has connectors for.

use crate::description::{Description, DescriptionError};

const DESCRIPTIONS: &[(&str, &str)] = &[
    ("hardtofind", include_str!("../descriptions/hardtofind.toml")),
    ("help-ka", include_str!("../descriptions/help-ka.toml")),
    ("hft71", include_str!("../descriptions/hft71.toml")),
    ("omniseller", include_str!("../descriptions/omniseller.toml")),
    ("wcfm", include_str!("../descriptions/wcfm.toml")),
];

/// The description for a connector of this repository; none for another.
pub fn built_in(connector: &str) -> Option<Result<Description, DescriptionError>> {
    text(connector).map(Description::parse)
}

/// The text of a description of this repository.
pub(crate) fn text(connector: &str) -> Option<&'static str> {
    DESCRIPTIONS.iter().find(|(id, _)| *id == connector).map(|(_, text)| *text)
}

/// The connectors that have one.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DESCRIPTIONS.iter().map(|(id, _)| *id)
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
