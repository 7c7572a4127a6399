//! What a loaded connector says of itself, in the terms of a package's statement.

use semver::Version;
use tradepost_package::{Claim, EffectClaim, Rights};
use tradepost_runtime::contract::http::Effect;
use tradepost_runtime::{Connector, Operation, WRITING_OPERATIONS, setting_fields};

use super::error::VersionError;

/// The claim of a connector: the id, version and hosts of its manifest, the contract that it was built against, its secret settings, and each
/// function of its exports that writes.
pub fn claim_of(connector: &Connector) -> Result<Claim, VersionError> {
    let manifest = connector.manifest();
    let version = |text: &str| {
        text.parse::<Version>()
            .map_err(|error| VersionError::Contradicts(vec![format!("{text:?} is no version: {error}")]))
    };
    let fields = setting_fields(manifest);
    Ok(Claim {
        id: manifest.id.clone(),
        version: version(&manifest.version)?,
        contract: version(&connector.inspection().contract)?,
        rights: Rights {
            hosts: manifest.hosts.iter().cloned().collect(),
            secrets: fields.into_iter().filter(|field| field.secret).map(|field| field.path).collect(),
            effects: connector.operations().iter().filter_map(effect).collect(),
        },
    })
}

/// What an exported function does to the source; none where it only reads. A function that writes by the contract counts whatever the
/// manifest says of it, also when it says nothing.
fn effect(operation: &Operation) -> Option<EffectClaim> {
    let name = format!("{}.{}", operation.interface, operation.function);
    let word = match operation.effect {
        Some(Effect::Read) => "read",
        Some(Effect::Repeatable) => "repeatable",
        Some(Effect::Once) => "once",
        None => EffectClaim::NOT_STATED,
    };
    let writes = WRITING_OPERATIONS.contains(&name.as_str()) || word != "read";
    writes.then(|| EffectClaim { operation: name, effect: word.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writing_function_counts_and_no_other() {
        for (interface, function, stated, expected) in [
            ("orders", "list", Some(Effect::Read), None),
            ("orders", "list", Some(Effect::Once), Some("orders.list (once)")),
            ("shipments", "ship", Some(Effect::Repeatable), Some("shipments.ship (repeatable)")),
            ("shipments", "ship", Some(Effect::Read), Some("shipments.ship (read)")),
            ("gift-cards", "issue", None, Some("gift-cards.issue (not-stated)")),
        ] {
            let operation =
                Operation { interface, function: function.to_owned(), effect: stated, meaning: String::new() };
            assert_eq!(effect(&operation).map(|claim| claim.to_string()).as_deref(), expected);
        }
    }
}
