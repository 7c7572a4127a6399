//! A component's interfaces against those of the contract it was built against, type by type.

use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDefKind, WorldId, WorldItem, WorldKey};

use super::CONTRACT_PACKAGE;
use super::contract::{Contract, SUPPORTED_CONTRACTS, Side};
use crate::error::{LoadError, TypeMismatch};

/// WASI packages that language runtimes need to start. They are linked with nothing behind them: no environment, files,
/// sockets or processes. `wasi:http` is not among them: HTTP leaves through the contract.
const STARTUP_PACKAGES: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// A component, read, and the contract that it is compared with.
pub(super) struct Decoded {
    pub(super) resolve: Resolve,
    pub(super) world: WorldId,
    pub(super) contract: &'static Contract,
}

/// The version of the contract that a component's imports and exports name; none where they name nothing of it. Fails where they name
/// several, or one that this host does not load.
pub(super) fn contract_version(resolve: &Resolve, world: WorldId) -> Result<Option<&'static str>, LoadError> {
    let world = &resolve.worlds[world];
    let mut known: Option<(&'static str, String)> = None;
    for key in world.imports.keys().chain(world.exports.keys()) {
        let name = resolve.name_world_key(key);
        let (package, _, version) = split_name(&name);
        if package != CONTRACT_PACKAGE {
            continue;
        }
        let Some(version) = SUPPORTED_CONTRACTS.into_iter().find(|supported| *supported == version) else {
            return Err(LoadError::OtherContract { name, supported: &SUPPORTED_CONTRACTS });
        };
        match &known {
            Some((first, of)) if *first != version => {
                return Err(LoadError::MixedContracts { first: of.clone(), other: name });
            }
            Some(_) => {}
            None => known = Some((version, name)),
        }
    }
    Ok(known.map(|(version, _)| version))
}

impl Decoded {
    pub(super) fn check_imports(&self) -> Result<Vec<String>, LoadError> {
        let world = &self.resolve.worlds[self.world];
        let mut names = Vec::new();
        for (key, item) in &world.imports {
            let name = self.resolve.name_world_key(key);
            names.push(name.clone());
            let WorldItem::Interface { id, .. } = item else {
                return Err(LoadError::ForeignImport { name });
            };
            let (package, interface, _) = split_name(&name);
            if package == CONTRACT_PACKAGE {
                self.check_interface(Side::Import, *id, &name, interface)?;
            } else if !STARTUP_PACKAGES.contains(&package) {
                return Err(LoadError::ForeignImport { name });
            }
        }
        Ok(names)
    }

    pub(super) fn check_exports(&self) -> Result<Vec<String>, LoadError> {
        let world = &self.resolve.worlds[self.world];
        let mut names = Vec::new();
        for (key, item) in &world.exports {
            // Toolchains export things of their own at the root; only the contract's package is a promise.
            let (WorldKey::Interface(_), WorldItem::Interface { id, .. }) = (key, item) else {
                continue;
            };
            let name = self.resolve.name_world_key(key);
            let (package, interface, _) = split_name(&name);
            if package == CONTRACT_PACKAGE {
                self.check_interface(Side::Export, *id, &name, interface)?;
                names.push(interface.to_owned());
            }
        }
        if !names.iter().any(|name| name == "connector") {
            return Err(LoadError::NoConnector {
                found: world.exports.keys().map(|key| self.resolve.name_world_key(key)).collect(),
            });
        }
        Ok(names)
    }

    fn check_interface(&self, side: Side, found: InterfaceId, full_name: &str, name: &str) -> Result<(), LoadError> {
        let contract = self.contract;
        let Some(wanted) = contract.interface(side, name) else {
            return Err(LoadError::UnknownInterface {
                side: side.to_string(),
                name: full_name.to_owned(),
                supported: contract.names(side).join(", "),
            });
        };
        let (found, wanted) = (&self.resolve.interfaces[found], &contract.resolve.interfaces[wanted]);
        let mismatch = |function: &str, place: String, found: String, supported: String| {
            LoadError::WrongType(Box::new(TypeMismatch {
                side: side.to_string(),
                interface: full_name.to_owned(),
                function: function.to_owned(),
                place,
                found,
                supported,
            }))
        };
        // A guest may import less than the host offers, and must export everything that the host may call.
        let required = if side == Side::Import { &found.functions } else { &wanted.functions };
        for function in required.keys() {
            match (found.functions.get(function), wanted.functions.get(function)) {
                (Some(have), Some(want)) => self.same_function(have, want).map_err(|difference| {
                    mismatch(function, difference.place, difference.found, difference.supported)
                })?,
                (None, Some(want)) => {
                    return Err(mismatch(
                        function,
                        String::new(),
                        "nothing".into(),
                        signature(&contract.resolve, want),
                    ));
                }
                (Some(have), None) => {
                    return Err(mismatch(
                        function,
                        String::new(),
                        signature(&self.resolve, have),
                        "no such function".into(),
                    ));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    pub(super) fn same_function(&self, have: &Function, want: &Function) -> Result<(), Difference> {
        if have.kind != want.kind || have.params.len() != want.params.len() {
            return Err(Difference {
                place: "signature".into(),
                found: signature(&self.resolve, have),
                supported: signature(&self.contract.resolve, want),
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
                supported: want.as_ref().map_or_else(|| "nothing".into(), |ty| type_name(&self.contract.resolve, ty)),
            }),
        }
    }

    pub(super) fn same_type(&self, place: &str, have: &Type, want: &Type) -> Result<(), Difference> {
        let differ = || Difference {
            place: place.to_owned(),
            found: type_name(&self.resolve, have),
            supported: type_name(&self.contract.resolve, want),
        };
        let (have_kind, want_kind) = match (peel(&self.resolve, have), peel(&self.contract.resolve, want)) {
            (Type::Id(have), Type::Id(want)) => {
                (&self.resolve.types[have].kind, &self.contract.resolve.types[want].kind)
            }
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
                                supported: name(&self.contract.resolve, want),
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

/// Where two types differ, and in what.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) found: String,
    pub(super) supported: String,
}

/// `tradepost:connector/orders@0.1.0` -> (`tradepost:connector`, `orders`, `0.1.0`).
fn split_name(name: &str) -> (&str, &str, &str) {
    let (path, version) = name.split_once('@').unwrap_or((name, ""));
    let (package, interface) = path.split_once('/').unwrap_or((path, ""));
    (package, interface, version)
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

pub(super) fn type_name(resolve: &Resolve, ty: &Type) -> String {
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

pub(super) fn signature(resolve: &Resolve, function: &Function) -> String {
    let params: Vec<_> =
        function.params.iter().map(|param| format!("{}: {}", param.name, type_name(resolve, &param.ty))).collect();
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", type_name(resolve, ty)));
    format!("func({}){result}", params.join(", "))
}
