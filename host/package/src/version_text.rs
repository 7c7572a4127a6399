//! Versions as text in JSON. Written here and not by a feature of the `semver` crate, because half of the sandbox is built on that crate and
//! would be built anew for it.

use semver::Version;
use serde::{Deserialize, Deserializer, Serializer, de};

pub(crate) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(version)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| de::Error::custom(format_args!("{text:?} is not a semantic version: {error}")))
}
