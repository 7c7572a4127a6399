//! What a component says of itself once it is loaded, in the statement's terms: what a statement is made from, and what it is held against.

use semver::Version;
use serde::Serialize;

use crate::error::PackageError;
use crate::rights::Rights;

/// Identity and rights of a connector, as its own manifest and exports have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The connector's id: 1 to 64 lower-case letters, digits and hyphens.
    pub id: String,
    /// Its version.
    #[serde(serialize_with = "crate::version_text::serialize")]
    pub version: Version,
    /// The version of the contract it was built against.
    #[serde(serialize_with = "crate::version_text::serialize")]
    pub contract: Version,
    /// What it may do.
    pub rights: Rights,
}

impl Claim {
    /// Id and version, as messages show it: `hardtofind 0.1.0`.
    pub fn label(&self) -> String {
        format!("{} {}", self.id, self.version)
    }

    /// An id becomes part of file names: it is held to its form wherever a claim comes from.
    pub(crate) fn check(&self) -> Result<(), PackageError> {
        let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=64).contains(&self.id.len()) && self.id.bytes().all(is_ours) {
            return Ok(());
        }
        Err(PackageError::Statement(format!("id {:?} is not 1 to 64 lower-case letters, digits and hyphens", self.id)))
    }
}
