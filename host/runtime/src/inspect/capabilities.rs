//! What a connector's exports can do, function by function: the contract's words for each, and the manifest's effect.

use serde::Serialize;
use wit_parser::{Docs, TypeDefKind};

use super::contract::{CONTRACT, Side};
use super::reference::first_sentence;
use crate::by_name::WRITING_OPERATIONS;
use crate::connector::{Capability, Connector};
use crate::contract::http::Effect;
use crate::contract::manifest::Manifest;

/// A function that a connector exports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// The interface, such as `shipments`.
    pub interface: &'static str,
    /// The function, such as `ship`.
    pub function: String,
    /// What it does to the source. None: it writes, and the manifest does not say how.
    pub effect: Option<Effect>,
    /// What it does, the contract's first sentence.
    pub meaning: String,
}

impl Connector {
    /// Everything it can do beside `connector`, in the contract's order.
    pub fn operations(&self) -> Vec<Operation> {
        let capabilities: Vec<Capability> = self.capabilities().collect();
        operations(self.manifest(), &capabilities)
    }
}

pub(super) fn operations(manifest: &Manifest, capabilities: &[Capability]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for interface in capabilities.iter().map(|capability| capability.name()) {
        for (function, docs) in functions(interface) {
            let name = format!("{interface}.{function}");
            let stated = manifest.effects.iter().find(|effect| effect.operation == name).map(|effect| effect.effect);
            let effect =
                if WRITING_OPERATIONS.contains(&name.as_str()) { stated } else { stated.or(Some(Effect::Read)) };
            operations.push(Operation { interface, function, effect, meaning: first_sentence(docs) });
        }
    }
    operations
}

fn functions(interface: &str) -> Vec<(String, &'static Docs)> {
    let id = CONTRACT.interface(Side::Export, interface);
    let functions = id.map(|id| &CONTRACT.resolve.interfaces[id].functions);
    functions.into_iter().flatten().map(|(name, function)| (name.clone(), &function.docs)).collect()
}

/// What an interface is for, the contract's first sentence.
pub(super) fn interface_meaning(interface: &str) -> String {
    CONTRACT
        .interface(Side::Export, interface)
        .map(|id| first_sentence(&CONTRACT.resolve.interfaces[id].docs))
        .unwrap_or_default()
}

/// What a value of an enum means: the contract's words. Empty for what it does not have.
pub(super) fn value_meaning(interface: &str, name: &str, value: &str) -> String {
    let interfaces = &CONTRACT.resolve.packages[CONTRACT.package].interfaces;
    let ty = interfaces.get(interface).and_then(|id| CONTRACT.resolve.interfaces[*id].types.get(name));
    match ty.map(|id| &CONTRACT.resolve.types[*id].kind) {
        Some(TypeDefKind::Enum(values)) => values
            .cases
            .iter()
            .find(|case| case.name == value)
            .and_then(|case| case.docs.contents.as_deref())
            .map(|docs| docs.trim().replace('\n', " "))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_contract_is_known_to_read_or_to_write() {
        let all: Vec<String> = Capability::ALL
            .iter()
            .flat_map(|capability| {
                functions(capability.name())
                    .into_iter()
                    .map(|(function, _)| format!("{}.{function}", capability.name()))
            })
            .collect();
        for writing in WRITING_OPERATIONS {
            assert!(all.iter().any(|name| name == writing), "the contract has no {writing}");
        }
        for name in all.iter().filter(|name| !WRITING_OPERATIONS.contains(&name.as_str())) {
            let function = name.split('.').next_back().unwrap_or_default();
            assert!(["list", "get", "status", "receive"].contains(&function), "does {name} read or write?");
        }
    }

    #[test]
    fn the_contract_s_values_have_their_words() {
        for (interface, name, value) in
            [("http", "effect", "once"), ("http", "effect", "read"), ("manifest", "paging", "newest-first")]
        {
            assert!(value_meaning(interface, name, value).ends_with('.'), "{value}");
        }
        assert_eq!(value_meaning("http", "effect", "twice"), "");
    }
}
