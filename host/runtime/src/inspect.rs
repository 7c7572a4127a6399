//! Reading a component without running or compiling it: what it imports and exports, compared with the contract.
//!
//! The comparison is done on WIT types, so that a mismatch is told in the contract's own words (interface, function,
//! place in the record, what was found, what this host supports) before any machine code is made from foreign bytes.

use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{
    Function, InterfaceId, Resolve, SourceMap, Type, TypeDefKind, WorldId, WorldItem, WorldKey,
};

use crate::error::LoadError;

/// The package every connector is written against.
pub const CONTRACT_PACKAGE: &str = "tradepost:connector";
/// The version of the contract that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// Largest component accepted, in bytes: interpreters compiled into a component reach 30 MiB.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// WASI packages that language runtimes need to start. They are linked with nothing behind them: no environment, files,
/// sockets or processes. `wasi:http` is not among them: HTTP leaves through the contract.
const STARTUP_PACKAGES: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

macro_rules! contract_files {
    ($($file:literal),+) => {
        [$(($file, include_str!(concat!("../../../wit/", $file)))),+]
    };
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::parse);

/// The contract as this host was built with it.
struct Contract {
    resolve: Resolve,
    world: WorldId,
}

impl Contract {
    fn parse() -> Self {
        let files = contract_files![
            "commerce.wit", "connector.wit", "errors.wit", "fulfilment.wit", "http.wit", "log.wit",
            "manifest.wit", "orders.wit", "products.wit", "secrets.wit", "seller.wit", "settings.wit",
            "storage.wit", "values.wit", "webhooks.wit", "worlds.wit"
        ];
        let mut sources = SourceMap::default();
        for (name, text) in files {
            sources.push_str(name, text);
        }
        let group = sources.parse().map_err(|(_, error)| error).expect("the contract parses: the same files made this host's bindings");
        let mut resolve = Resolve::default();
        let package = resolve.push_group(group).expect("the contract resolves");
        let world = resolve.select_world(&[package], Some("everything")).expect("the contract has a world `everything`");
        Self { resolve, world }
    }

    /// The interface of this name among the world's imports or exports.
    fn interface(&self, side: Side, name: &str) -> Option<InterfaceId> {
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

    fn names(&self, side: Side) -> Vec<&str> {
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
enum Side {
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

/// SHA-256 of a component's bytes: its identity everywhere. As text, `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a component is made of, read without running it.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Its identity.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: usize,
    /// Names of the contract's interfaces it exports, without package and version: its capabilities.
    pub exports: Vec<String>,
    /// Everything it imports, with package and version.
    pub imports: Vec<String>,
}

/// Reads a component and compares it with the contract.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit: MAX_COMPONENT_BYTES });
    }
    check_magic(bytes)?;
    let (resolve, world) = match decode(bytes) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => {
            return Err(LoadError::NotAComponent("it is a WIT package in binary form, not a component".into()));
        }
        Err(error) => return Err(LoadError::Malformed(format!("{error:#}"))),
    };
    let component = Decoded { resolve, world };
    let imports = component.check_imports()?;
    let exports = component.check_exports()?;
    Ok(Inspection { digest: Digest::of(bytes), bytes: bytes.len(), exports, imports })
}

/// The first eight bytes tell a component from everything that is often offered in its place.
fn check_magic(bytes: &[u8]) -> Result<(), LoadError> {
    let refuse = |what: &str| Err(LoadError::NotAComponent(what.into()));
    match bytes {
        [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => refuse(
            "it is a core WebAssembly module; build it for wasm32-wasip2 or wrap it with `wasm-tools component new`",
        ),
        [b'\0', b'a', b's', b'm', ..] => refuse("it is WebAssembly of an unknown version"),
        [0x7f, b'E', b'L', b'F', ..] => refuse("it is native code (ELF); native and precompiled code is never loaded"),
        [] => refuse("it is empty"),
        _ => refuse("it does not begin with `\\0asm`"),
    }
}

struct Decoded {
    resolve: Resolve,
    world: WorldId,
}

impl Decoded {
    fn check_imports(&self) -> Result<Vec<String>, LoadError> {
        let world = &self.resolve.worlds[self.world];
        let mut names = Vec::new();
        for (key, item) in &world.imports {
            let name = self.resolve.name_world_key(key);
            names.push(name.clone());
            let WorldItem::Interface { id, .. } = item else {
                return Err(LoadError::ForeignImport { name });
            };
            let (package, interface, version) = split_name(&name);
            if package == CONTRACT_PACKAGE {
                self.check_interface(Side::Import, *id, &name, interface, version)?;
            } else if !STARTUP_PACKAGES.contains(&package) {
                return Err(LoadError::ForeignImport { name });
            }
        }
        Ok(names)
    }

    fn check_exports(&self) -> Result<Vec<String>, LoadError> {
        let world = &self.resolve.worlds[self.world];
        let mut names = Vec::new();
        for (key, item) in &world.exports {
            // Toolchains export things of their own at the root; only the contract's package is a promise.
            let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
                continue;
            };
            let name = self.resolve.name_world_key(key);
            let (package, interface, version) = split_name(&name);
            if package == CONTRACT_PACKAGE {
                self.check_interface(Side::Export, *id, &name, interface, version)?;
                names.push(interface.to_owned());
            }
        }
        if !names.iter().any(|name| name == "connector") {
            return Err(LoadError::NoConnector { found: world.exports.keys().map(|key| self.resolve.name_world_key(key)).collect() });
        }
        Ok(names)
    }

    fn check_interface(&self, side: Side, found: InterfaceId, full_name: &str, name: &str, version: &str) -> Result<(), LoadError> {
        if !same_line(version) {
            return Err(LoadError::OtherContract { name: full_name.to_owned(), supported: CONTRACT_VERSION });
        }
        let Some(wanted) = CONTRACT.interface(side, name) else {
            return Err(LoadError::UnknownInterface {
                side: side.to_string(),
                name: full_name.to_owned(),
                supported: CONTRACT.names(side).join(", "),
            });
        };
        let (found, wanted) = (&self.resolve.interfaces[found], &CONTRACT.resolve.interfaces[wanted]);
        let mismatch = |function: &str, place: String, found: String, supported: String| LoadError::WrongType {
            side: side.to_string(),
            interface: full_name.to_owned(),
            function: function.to_owned(),
            place,
            found,
            supported,
        };
        // A guest may import less than the host offers, and must export everything that the host may call.
        let required = if side == Side::Import { &found.functions } else { &wanted.functions };
        for function in required.keys() {
            match (found.functions.get(function), wanted.functions.get(function)) {
                (Some(have), Some(want)) => self
                    .same_function(have, want)
                    .map_err(|difference| mismatch(function, difference.place, difference.found, difference.supported))?,
                (None, Some(want)) => {
                    return Err(mismatch(function, String::new(), "nothing".into(), signature(&CONTRACT.resolve, want)));
                }
                (Some(have), None) => {
                    return Err(mismatch(function, String::new(), signature(&self.resolve, have), "no such function".into()));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn same_function(&self, have: &Function, want: &Function) -> Result<(), Difference> {
        if have.kind != want.kind || have.params.len() != want.params.len() {
            return Err(Difference {
                place: "signature".into(),
                found: signature(&self.resolve, have),
                supported: signature(&CONTRACT.resolve, want),
            });
        }
        for (have, want) in have.params.iter().zip(&want.params) {
            self.same_type(&format!("parameter `{}`", want.name), &have.ty, &want.ty)?;
        }
        match (&have.result, &want.result) {
            (None, None) => Ok(()),
            (Some(have), Some(want)) => self.same_type("result", have, want),
            (have, want) => Err(Difference {
                place: "result".into(),
                found: have.as_ref().map_or_else(|| "nothing".into(), |ty| type_name(&self.resolve, ty)),
                supported: want.as_ref().map_or_else(|| "nothing".into(), |ty| type_name(&CONTRACT.resolve, ty)),
            }),
        }
    }

    fn same_type(&self, place: &str, have: &Type, want: &Type) -> Result<(), Difference> {
        let differ = || Difference {
            place: place.to_owned(),
            found: type_name(&self.resolve, have),
            supported: type_name(&CONTRACT.resolve, want),
        };
        let (have_kind, want_kind) = match (peel(&self.resolve, have), peel(&CONTRACT.resolve, want)) {
            (Type::Id(have), Type::Id(want)) => (&self.resolve.types[have].kind, &CONTRACT.resolve.types[want].kind),
            (have, want) if have == want => return Ok(()),
            _ => return Err(differ()),
        };
        match (have_kind, want_kind) {
            (TypeDefKind::Record(have), TypeDefKind::Record(want)) => {
                let (have, want): (Vec<_>, Vec<_>) = (
                    have.fields.iter().map(|field| (&field.name, Some(field.ty))).collect(),
                    want.fields.iter().map(|field| (&field.name, Some(field.ty))).collect(),
                );
                self.same_members(place, "field", &have, &want)
            }
            (TypeDefKind::Variant(have), TypeDefKind::Variant(want)) => {
                let (have, want): (Vec<_>, Vec<_>) = (
                    have.cases.iter().map(|case| (&case.name, case.ty)).collect(),
                    want.cases.iter().map(|case| (&case.name, case.ty)).collect(),
                );
                self.same_members(place, "case", &have, &want)
            }
            (TypeDefKind::Enum(have), TypeDefKind::Enum(want)) => {
                let (have, want): (Vec<_>, Vec<_>) = (
                    have.cases.iter().map(|case| (&case.name, None)).collect(),
                    want.cases.iter().map(|case| (&case.name, None)).collect(),
                );
                self.same_members(place, "case", &have, &want)
            }
            (TypeDefKind::Tuple(have), TypeDefKind::Tuple(want)) if have.types.len() == want.types.len() => have
                .types
                .iter()
                .zip(&want.types)
                .enumerate()
                .try_for_each(|(index, (have, want))| self.same_type(&format!("{place}.{index}"), have, want)),
            (TypeDefKind::List(have), TypeDefKind::List(want)) => self.same_type(&format!("{place}[]"), have, want),
            (TypeDefKind::Option(have), TypeDefKind::Option(want)) => self.same_type(place, have, want),
            (TypeDefKind::Result(have), TypeDefKind::Result(want)) => {
                for (side, have, want) in [("ok", &have.ok, &want.ok), ("error", &have.err, &want.err)] {
                    match (have, want) {
                        (None, None) => {}
                        (Some(have), Some(want)) => self.same_type(&format!("{place}.{side}"), have, want)?,
                        _ => return Err(differ()),
                    }
                }
                Ok(())
            }
            _ => Err(differ()),
        }
    }

    fn same_members(
        &self,
        place: &str,
        what: &str,
        have: &[(&String, Option<Type>)],
        want: &[(&String, Option<Type>)],
    ) -> Result<(), Difference> {
        let listed = |members: &[(&String, Option<Type>)], index: usize| {
            members.get(index).map_or_else(|| format!("no further {what}"), |(name, _)| format!("{what} `{name}`"))
        };
        for index in 0..have.len().max(want.len()) {
            match (have.get(index), want.get(index)) {
                (Some((have_name, have)), Some((want_name, want))) if have_name == want_name => {
                    let place = format!("{place}.{want_name}");
                    match (have, want) {
                        (Some(have), Some(want)) => self.same_type(&place, have, want)?,
                        (None, None) => {}
                        (have, want) => {
                            let name = |resolve, ty: &Option<Type>| {
                                ty.as_ref().map_or_else(|| "no payload".into(), |ty| type_name(resolve, ty))
                            };
                            return Err(Difference {
                                place,
                                found: name(&self.resolve, have),
                                supported: name(&CONTRACT.resolve, want),
                            });
                        }
                    }
                }
                _ => {
                    return Err(Difference {
                        place: place.to_owned(),
                        found: listed(have, index),
                        supported: listed(want, index),
                    });
                }
            }
        }
        Ok(())
    }
}

struct Difference {
    place: String,
    found: String,
    supported: String,
}

/// `tradepost:connector/orders@0.1.0` -> (`tradepost:connector`, `orders`, `0.1.0`).
fn split_name(name: &str) -> (&str, &str, &str) {
    let (path, version) = name.split_once('@').unwrap_or((name, ""));
    let (package, interface) = path.split_once('/').unwrap_or((path, ""));
    (package, interface, version)
}

/// Whether a version is of the line this host speaks: before 1.0 the minor number is the line.
fn same_line(version: &str) -> bool {
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    line(version).is_some() && line(version) == line(CONTRACT_VERSION)
}

/// Follows aliases (`use` and `type`) to the type itself.
fn peel(resolve: &Resolve, ty: &Type) -> Type {
    let mut ty = *ty;
    while let Type::Id(id) = ty {
        match resolve.types[id].kind {
            TypeDefKind::Type(next) => ty = next,
            _ => break,
        }
    }
    ty
}

fn type_name(resolve: &Resolve, ty: &Type) -> String {
    let id = match peel(resolve, ty) {
        Type::Id(id) => id,
        Type::Bool => return "bool".into(),
        Type::Char => return "char".into(),
        Type::String => return "string".into(),
        Type::ErrorContext => return "error-context".into(),
        number => return format!("{number:?}").to_lowercase(),
    };
    let def = &resolve.types[id];
    match &def.kind {
        TypeDefKind::List(item) => format!("list<{}>", type_name(resolve, item)),
        TypeDefKind::Option(item) => format!("option<{}>", type_name(resolve, item)),
        TypeDefKind::Result(result) => {
            let side = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".into(), |ty| type_name(resolve, ty));
            format!("result<{}, {}>", side(&result.ok), side(&result.err))
        }
        TypeDefKind::Tuple(tuple) => {
            let items: Vec<_> = tuple.types.iter().map(|ty| type_name(resolve, ty)).collect();
            format!("tuple<{}>", items.join(", "))
        }
        kind => match &def.name {
            Some(name) => format!("{} {name}", kind.as_str()),
            None => kind.as_str().into(),
        },
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let params: Vec<_> =
        function.params.iter().map(|param| format!("{}: {}", param.name, type_name(resolve, &param.ty))).collect();
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", type_name(resolve, ty)));
    format!("func({}){result}", params.join(", "))
}
