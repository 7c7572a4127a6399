//! The statement: what is signed. It names everything that an installer decides by, and the digest of every part of the package.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::archive::Entry;
use crate::claim::Claim;
use crate::digest::Digest;
use crate::error::PackageError;
use crate::rights::{EffectClaim, Rights};

/// The one format of packages there is.
const FORMAT: u32 = 1;

/// What a publisher states of a connector, with his signature below it.
///
/// As JSON it is an object of these fields, in this order, without blanks, with every list sorted and nothing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The format of the package: 1.
    pub format: u32,
    /// The connector's id: 1 to 64 lower-case letters, digits and hyphens.
    pub id: String,
    /// The connector's version.
    #[serde(with = "crate::version_text")]
    pub version: Version,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// The version of the contract that the component was built against.
    #[serde(with = "crate::version_text")]
    pub contract: Version,
    /// Origins it connects to, as templates over settings.
    pub hosts: BTreeSet<String>,
    /// Secret settings, by their path in the settings schema.
    pub secrets: BTreeSet<String>,
    /// What it writes.
    pub effects: BTreeSet<EffectClaim>,
    /// SHA-256 of every entry of the package but the statement and its signatures, by name.
    pub parts: BTreeMap<String, Digest>,
}

impl Statement {
    pub(crate) fn new(claim: Claim, digest: Digest, parts: BTreeMap<String, Digest>) -> Self {
        let Claim { id, version, contract, rights: Rights { hosts, secrets, effects } } = claim;
        Self { format: FORMAT, id, version, digest, contract, hosts, secrets, effects, parts }
    }

    /// Reads `statement.json`. Takes no other bytes than those that the same statement is written as: two readers cannot see two
    /// statements in it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, PackageError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let unreadable = |error: serde_json::Error| PackageError::Statement(error.to_string());
        let Head { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format != FORMAT {
            return Err(PackageError::UnknownFormat(format));
        }
        let statement: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if statement.to_json()? != bytes {
            let problem =
                "it is not written the one way it can be: fields in order, lists sorted, nothing twice, no blanks";
            return Err(PackageError::Statement(problem.into()));
        }
        statement.claim().check()?;
        Ok(statement)
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, PackageError> {
        serde_json::to_vec(self).map_err(|error| PackageError::Statement(error.to_string()))
    }

    /// Compares the parts of a package with their digests.
    pub(crate) fn check_parts(&self, parts: &[(Entry, &[u8])]) -> Result<(), PackageError> {
        for (entry, bytes) in parts {
            let found = Digest::of(bytes);
            let stated = self.parts.get(entry.name()).copied();
            if stated != Some(found) {
                return Err(PackageError::OtherPart { part: entry.name(), stated, found });
            }
        }
        let is_there = |name: &String| parts.iter().any(|(entry, _)| entry.name() == name);
        if let Some(absent) = self.parts.keys().find(|name| !is_there(name)) {
            return Err(PackageError::Missing(absent.clone()));
        }
        match self.parts.get(Entry::Component.name()) {
            Some(digest) if *digest == self.digest => Ok(()),
            found => Err(PackageError::Statement(format!(
                "digest is {}, and that of the part {} is {}",
                self.digest,
                Entry::Component.name(),
                found.map(ToString::to_string).unwrap_or_default()
            ))),
        }
    }

    /// What the statement claims of its component.
    pub fn claim(&self) -> Claim {
        Claim {
            id: self.id.clone(),
            version: self.version.clone(),
            contract: self.contract.clone(),
            rights: self.rights(),
        }
    }

    /// What the connector may do.
    pub fn rights(&self) -> Rights {
        Rights { hosts: self.hosts.clone(), secrets: self.secrets.clone(), effects: self.effects.clone() }
    }

    /// Id and version, as messages show it: `hardtofind 0.1.0`.
    pub fn label(&self) -> String {
        format!("{} {}", self.id, self.version)
    }

    /// Where the component says something else than the statement, a sentence for each place. Empty: they agree.
    ///
    /// Both ways count. A component that does more than was signed is over-entitled; a statement that names more than the component does
    /// would have an operator accept rights that a later version then has without asking.
    pub fn contradictions(&self, found: &Claim) -> Vec<String> {
        let mut contradictions = Vec::new();
        let mut differ = |what: &str, stated: &dyn Display, found: &dyn Display| {
            let (stated, found) = (stated.to_string(), found.to_string());
            if stated != found {
                contradictions.push(format!("{what}: the statement says {stated}, the component {found}"));
            }
        };
        differ("id", &self.id, &found.id);
        differ("version", &self.version, &found.version);
        differ("contract", &self.contract, &found.contract);
        let stated = self.rights();
        let more = found.rights.beyond(&stated).lines();
        contradictions
            .extend(more.iter().map(|line| format!("the component {line}, which the statement does not say")));
        let less = stated.beyond(&found.rights).lines();
        contradictions
            .extend(less.iter().map(|line| format!("the statement says that it {line}, the component does not")));
        contradictions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> Claim {
        let ship = EffectClaim { operation: "shipments.ship".into(), effect: "repeatable".into() };
        Claim {
            id: "shop".into(),
            version: Version::new(1, 2, 3),
            contract: Version::new(0, 1, 0),
            rights: Rights {
                hosts: ["https://b.example".into(), "https://a.example".into()].into(),
                secrets: ["password".into()].into(),
                effects: [ship].into(),
            },
        }
    }

    fn statement() -> Statement {
        let digest = Digest::of(b"component");
        Statement::new(claim(), digest, [(Entry::Component.name().to_owned(), digest)].into())
    }

    #[test]
    fn a_statement_is_read_as_it_was_written_and_in_no_other_spelling() {
        let text = String::from_utf8(statement().to_json().unwrap()).unwrap();
        assert_eq!(Statement::parse(text.as_bytes()).unwrap(), statement());
        let digest = Digest::of(b"component");
        let part = format!("\"component.wasm\":\"{digest}\"");
        for (from, to, expected) in [
            ("{\"format\":1", "{ \"format\":1", "one way"),
            ("\"format\":1", "\"format\":2", "format 2"),
            ("\"format\":1,", "", "format"),
            ("\"id\":\"shop\"", "\"id\":\"shop\",\"id\":\"shop\"", "duplicate field"),
            ("\"id\":\"shop\"", "\"id\":\"shop\",\"note\":\"\"", "unknown field `note`"),
            ("\"id\":\"shop\"", "\"id\":\"../shop\"", "lower-case"),
            ("\"id\":\"shop\"", "\"id\":\"\"", "lower-case"),
            ("\"version\":\"1.2.3\"", "\"version\":\"1.2\"", "\"1.2\" is not a semantic version"),
            ("\"https://a.example\",\"https://b.example\"", "\"https://b.example\",\"https://a.example\"", "one way"),
            ("\"password\"", "\"password\",\"password\"", "one way"),
            (&part, &format!("{part},{part}"), "one way"),
            (&part, "\"component.wasm\":\"sha256:00\"", "64"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let error = Statement::parse(changed.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn a_component_that_says_the_same_contradicts_nothing() {
        assert_eq!(statement().contradictions(&claim()), Vec::<String>::new());
    }

    #[test]
    fn whatever_the_component_says_otherwise_is_named() {
        let issue = EffectClaim { operation: "gift-cards.issue".into(), effect: "once".into() };
        let altered = |change: &dyn Fn(&mut Claim)| {
            let mut claim = claim();
            change(&mut claim);
            statement().contradictions(&claim)
        };
        for (change, expected) in [
            (
                &(|claim: &mut Claim| claim.id = "shep".into()) as &dyn Fn(&mut Claim),
                "id: the statement says shop, the component shep",
            ),
            (&|claim| claim.version = Version::new(1, 2, 4), "version: the statement says 1.2.3, the component 1.2.4"),
            (
                &|claim| claim.contract = Version::new(0, 2, 0),
                "contract: the statement says 0.1.0, the component 0.2.0",
            ),
            (
                &|claim| claim.rights.hosts.extend(["https://c.example".into()]),
                "the component connects to https://c.example, which the statement does not say",
            ),
            (
                &|claim| claim.rights.secrets.clear(),
                "the statement says that it uses the secret `password`, the component does not",
            ),
            (
                &|claim| claim.rights.effects.extend([issue.clone()]),
                "the component writes with gift-cards.issue (once), which the statement does not say",
            ),
        ] {
            assert_eq!(altered(change), [expected]);
        }
    }
}
