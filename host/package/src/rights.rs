//! What a connector may do once it is installed, as sets that can be compared: an update that has more of it needs an explicit yes.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A writing operation and what it does to the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectClaim {
    /// Interface and function: `shipments.ship`.
    pub operation: String,
    /// The contract's word: `read`, `repeatable` or `once`; `not-stated` where the manifest is silent.
    pub effect: String,
}

impl EffectClaim {
    /// The word for an operation that writes, and whose manifest does not say how.
    pub const NOT_STATED: &str = "not-stated";
}

impl fmt::Display for EffectClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.operation, self.effect)
    }
}

/// What a connector may do: which origins it connects to, which secrets it is given the use of, what it writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// Origins it connects to, templates over settings as the manifest has them: `https://{shop}.example.com`.
    pub hosts: BTreeSet<String>,
    /// Secret settings, by their path in the settings schema.
    pub secrets: BTreeSet<String>,
    /// What it writes.
    pub effects: BTreeSet<EffectClaim>,
}

impl Rights {
    /// What these rights have and the others do not.
    ///
    /// An operation whose effect has changed is among it, whichever way it changed: the host sends a `repeatable` request again where it
    /// would leave a `once` alone, so neither is the lesser right.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self {
            hosts: self.hosts.difference(&other.hosts).cloned().collect(),
            secrets: self.secrets.difference(&other.secrets).cloned().collect(),
            effects: self.effects.difference(&other.effects).cloned().collect(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.secrets.is_empty() && self.effects.is_empty()
    }

    /// A line for each right, for people.
    pub fn lines(&self) -> Vec<String> {
        let hosts = self.hosts.iter().map(|host| format!("connects to {host}"));
        let secrets = self.secrets.iter().map(|secret| format!("uses the secret `{secret}`"));
        let effects = self.effects.iter().map(|effect| format!("writes with {effect}"));
        hosts.chain(secrets).chain(effects).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(hosts: &[&str], secrets: &[&str], effects: &[(&str, &str)]) -> Rights {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let effect = |(operation, effect): &(&str, &str)| EffectClaim {
            operation: (*operation).into(),
            effect: (*effect).into(),
        };
        Rights { hosts: texts(hosts), secrets: texts(secrets), effects: effects.iter().map(effect).collect() }
    }

    #[test]
    fn what_is_more_than_before_is_told_and_what_is_less_is_not() {
        let ship = ("shipments.ship", "repeatable");
        let old = rights(&["https://a.example"], &["password"], &[ship]);
        for (new, expected) in [
            (old.clone(), &[][..]),
            (Rights::default(), &[]),
            (
                rights(&["https://a.example", "https://b.example"], &["password"], &[ship]),
                &["connects to https://b.example"],
            ),
            (rights(&["https://A.example"], &[], &[]), &["connects to https://A.example"]),
            (rights(&[], &["password", "pin"], &[]), &["uses the secret `pin`"]),
            (rights(&[], &[], &[ship, ("gift-cards.issue", "once")]), &["writes with gift-cards.issue (once)"]),
            (rights(&[], &[], &[("shipments.ship", "once")]), &["writes with shipments.ship (once)"]),
            (rights(&[], &[], &[("shipments.ship", "read")]), &["writes with shipments.ship (read)"]),
        ] {
            let beyond = new.beyond(&old);
            assert_eq!(beyond.lines(), expected, "{new:?}");
            assert_eq!(beyond.is_empty(), expected.is_empty());
        }
        assert_eq!(old.beyond(&Rights::default()), old);
    }
}
