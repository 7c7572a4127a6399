//! The contract as this host was built with it, parsed from the same text that made its bindings.

use std::fmt;
use std::sync::LazyLock;

use wit_parser::{InterfaceId, PackageId, Resolve, SourceMap, WorldId, WorldItem};

macro_rules! contract_files {
    ($($file:literal),+) => {
        [$(($file, include_str!(concat!("../../../../wit/", $file)))),+]
    };
}

pub(super) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::parse);

/// The contract as this host was built with it.
pub(super) struct Contract {
    pub(super) resolve: Resolve,
    pub(super) package: PackageId,
    world: WorldId,
}

impl Contract {
    fn parse() -> Self {
        let files = contract_files![
            "commerce.wit",
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
        ];
        let mut sources = SourceMap::default();
        for (name, text) in files {
            sources.push_str(name, text);
        }
        let group = sources
            .parse()
            .map_err(|(_, error)| error)
            .expect("the contract parses: the same files made this host's bindings");
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
