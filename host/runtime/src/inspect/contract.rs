//! The contract as this host was built with it, parsed from the same text that made its bindings; and the versions before it that
//! components may still be built against, each parsed from the text it was released with.

use std::fmt;
use std::sync::LazyLock;

use wit_parser::{InterfaceId, PackageId, Resolve, SourceMap, WorldId, WorldItem};

/// The version of the contract that this host speaks: the newest.
pub const CONTRACT_VERSION: &str = "0.2.0";
/// The versions that a component may be built against, the oldest first.
pub const SUPPORTED_CONTRACTS: [&str; 2] = ["0.1.0", CONTRACT_VERSION];

/// The files of a version, which lies in a folder of this repository.
macro_rules! sources {
    ($folder:literal: $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../../", $folder, "/", $file)))),+]
    };
    ($folder:literal) => {
        sources![
            $folder: "commerce.wit",
            "connector.wit",
            "errors.wit",
            "fulfilment.wit",
            "gift-cards.wit",
            "http.wit",
            "log.wit",
            "manifest.wit",
            "marketplace.wit",
            "orders.wit",
            "products.wit",
            "secrets.wit",
            "seller.wit",
            "settings.wit",
            "storage.wit",
            "values.wit",
            "webhooks.wit",
            "worlds.wit"
        ]
    };
}

/// Name and text of each file.
type Sources = &'static [(&'static str, &'static str)];

const NEWEST: Sources = sources!["wit"];
const RELEASED_0_1_0: Sources = sources!["wit/released/0.1.0"];

/// The newest contract: the one that this host speaks.
pub(super) static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::parse(NEWEST));
static CONTRACT_0_1_0: LazyLock<Contract> = LazyLock::new(|| Contract::parse(RELEASED_0_1_0));

/// A version of the contract.
pub(super) struct Contract {
    pub(super) resolve: Resolve,
    pub(super) package: PackageId,
    pub(super) world: WorldId,
}

impl Contract {
    /// The contract of a version, where this host loads components of it.
    pub(super) fn of(version: &str) -> Option<&'static Self> {
        match version {
            CONTRACT_VERSION => Some(&CONTRACT),
            "0.1.0" => Some(&CONTRACT_0_1_0),
            _ => None,
        }
    }

    pub(super) fn parse<T: AsRef<str>>(files: &[(&'static str, T)]) -> Self {
        let mut sources = SourceMap::default();
        for (name, text) in files {
            sources.push_str(name, text.as_ref());
        }
        let group = sources
            .parse()
            .map_err(|(_, error)| error)
            .expect("the contract parses: bindings were made from the same files");
        let mut resolve = Resolve::default();
        let package = resolve.push_group(group).expect("the contract resolves");
        let world =
            resolve.select_world(&[package], Some("everything")).expect("the contract has a world `everything`");
        Self { resolve, package, world }
    }

    /// The interface of this name among the world's imports or exports.
    pub(super) fn interface(&self, side: Side, name: &str) -> Option<InterfaceId> {
        let world = &self.resolve.worlds[self.world];
        let items = match side {
            Side::Import => &world.imports,
            Side::Export => &world.exports,
        };
        items.values().find_map(|item| match item {
            WorldItem::Interface { id, .. } if self.resolve.interfaces[*id].name.as_deref() == Some(name) => Some(*id),
            _ => None,
        })
    }

    pub(super) fn names(&self, side: Side) -> Vec<&str> {
        let world = &self.resolve.worlds[self.world];
        let items = if side == Side::Import { &world.imports } else { &world.exports };
        items
            .values()
            .filter_map(|item| match item {
                WorldItem::Interface { id, .. } => self.resolve.interfaces[*id].name.as_deref(),
                _ => None,
            })
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Import,
    Export,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Import => "import",
            Self::Export => "export",
        })
    }
}

#[cfg(test)]
mod tests {
    use wit_parser::Type;

    use super::super::compare::{Decoded, Difference};
    use super::*;

    /// The first place where something of `old` is not the same in `new`: a type, or a function's type. Imported interfaces may have
    /// gained functions, which no component asks for that does not know them; exported ones may not, as the host would look for them.
    fn first_change(old: &Contract, new: &'static Contract) -> Result<(), Difference> {
        let decoded = Decoded { resolve: old.resolve.clone(), world: old.world, contract: new };
        let gone = |place: String| Difference { place, found: "it".into(), supported: "nothing".into() };
        for (name, id) in &old.resolve.packages[old.package].interfaces {
            let interfaces = &new.resolve.packages[new.package].interfaces;
            let is_in_world =
                [Side::Import, Side::Export].map(|side| (old.interface(side, name), new.interface(side, name)));
            if is_in_world.iter().any(|(old, new)| old.is_some() != new.is_some()) {
                return Err(gone(name.clone()));
            }
            let same = *interfaces.get(name).ok_or_else(|| gone(name.clone()))?;
            let (have, want) = (&old.resolve.interfaces[*id], &new.resolve.interfaces[same]);
            for (type_name, ty) in &have.types {
                let place = format!("{name}.{type_name}");
                let same = *want.types.get(type_name).ok_or_else(|| gone(place.clone()))?;
                decoded.same_type(&place, &Type::Id(*ty), &Type::Id(same))?;
            }
            for (function, have) in &have.functions {
                let place = format!("{name}.{function}");
                let want = want.functions.get(function).ok_or_else(|| gone(place.clone()))?;
                decoded
                    .same_function(have, want)
                    .map_err(|found| Difference { place: format!("{place}, {}", found.place), ..found })?;
            }
            let is_exported = old.interface(Side::Export, name).is_some();
            if let Some(added) = want.functions.keys().find(|added| is_exported && !have.functions.contains_key(*added))
            {
                let supported = "a function more".into();
                return Err(Difference { place: format!("{name}.{added}"), found: "nothing".into(), supported });
            }
        }
        Ok(())
    }

    /// The newest contract with one text replaced by another.
    fn altered(from: &str, to: &str) -> &'static Contract {
        let mut is_there = false;
        let files: Vec<(&str, String)> = NEWEST
            .iter()
            .map(|(name, text)| {
                is_there |= text.contains(from);
                (*name, text.replacen(from, to, 1))
            })
            .collect();
        assert!(is_there, "the contract does not have {from:?}");
        Box::leak(Box::new(Contract::parse(&files)))
    }

    #[test]
    fn each_supported_version_has_a_contract_of_that_version() {
        for version in SUPPORTED_CONTRACTS {
            let contract = Contract::of(version).expect("a supported version has its text");
            let found = contract.resolve.packages[contract.package].name.version.as_ref().map(ToString::to_string);
            assert_eq!(found.as_deref(), Some(version));
        }
        for version in ["0.3.0", "0.1.9", "0.1", "1.0.0", ""] {
            assert!(Contract::of(version).is_none(), "{version:?}");
        }
    }

    #[test]
    fn everything_of_a_released_contract_is_the_same_in_the_newest() {
        for version in SUPPORTED_CONTRACTS {
            let released = Contract::of(version).expect("a supported version has its text");
            if let Err(Difference { place, found, supported }) = first_change(released, &CONTRACT) {
                panic!(
                    "{version} has {found} at {place}, where {CONTRACT_VERSION} has {supported}: see wit/CHANGES.md"
                );
            }
        }
    }

    #[test]
    fn a_change_of_what_was_released_is_found_wherever_it_is() {
        let released = Contract::of("0.1.0").expect("it is supported");
        for (what, from, to, place) in [
            ("a field renamed", "dispatch-due-at:", "ship-by:", "commerce.order"),
            (
                "a field added",
                "        raw: string,\n",
                "        raw: string,\n        words: string,\n",
                "commerce.status",
            ),
            (
                "another type",
                "retry-after-ms: option<u64>",
                "retry-after-ms: option<u32>",
                "errors.retry-hint.retry-after-ms",
            ),
            ("a case added", "        on-hold,\n", "        on-hold,\n        disputed,\n", "commerce.order-state"),
            ("a case gone", "        sha256-base64,\n", "", "manifest.hmac-hash"),
            (
                "a parameter added",
                "get: func(order-id: string) -> result<document",
                "get: func(order-id: string, copy: bool) -> result<document",
                "packing-slips.get",
            ),
            ("another result", "describe: func() -> manifest;", "describe: func() -> string;", "connector.describe"),
            (
                "an exported function added",
                "    describe: func() -> manifest;",
                "    describe: func() -> manifest;\n    stop: func();",
                "connector.stop",
            ),
            ("an interface no longer called", "    export carriers;\n", "", "carriers"),
        ] {
            let changed = altered(from, to);
            let Err(found) = first_change(released, changed) else { panic!("{what} is not found") };
            assert!(found.place.starts_with(place), "{what}: found at {}", found.place);
        }
    }

    #[test]
    fn the_host_may_offer_more_than_was_released() {
        let released = Contract::of("0.1.0").expect("it is supported");
        let more = altered("interface settings {", "interface settings {\n    /// Nothing.\n    forget: func();\n");
        assert!(first_change(released, more).is_ok());
    }
}
