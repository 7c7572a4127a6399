//! What a loaded connector says of itself, in the terms of a package's statement.

use std::collections::BTreeSet;

use tradepost_package::{Claim, EffectClaim, Rights};
use tradepost_runtime::contract::http::Effect;
use tradepost_runtime::{Connector, setting_fields};

use super::VersionError;

/// What a loaded connector says of itself: its manifest, and what it exports.
pub fn claim_of(connector: &Connector) -> Result<Claim, VersionError> {
    let manifest = connector.manifest();
    let semantic =
        |text: &str| text.parse().map_err(|error| VersionError::Contradicts(vec![format!("{text}: {error}")]));
    let secrets: BTreeSet<String> =
        setting_fields(manifest).into_iter().filter(|field| field.secret).map(|field| field.path).collect();
    let effects = connector
        .operations()
        .into_iter()
        .filter(|operation| operation.effect != Some(Effect::Read))
        .map(|operation| EffectClaim {
            operation: format!("{}.{}", operation.interface, operation.function),
            effect: word(operation.effect).to_owned(),
        })
        .collect();
    Ok(Claim {
        id: manifest.id.clone(),
        version: semantic(&manifest.version)?,
        contract: semantic(tradepost_runtime::CONTRACT_VERSION)?,
        rights: Rights { hosts: manifest.hosts.iter().cloned().collect(), secrets, effects },
    })
}

fn word(effect: Option<Effect>) -> &'static str {
    match effect {
        Some(Effect::Read) => "read",
        Some(Effect::Repeatable) => "repeatable",
        Some(Effect::Once) => "once",
        None => EffectClaim::NOT_STATED,
    }
}
