//! Raising a component from an older version of the contract to the newest.
//!
//! The host has one set of bindings, made from the newest contract, because a set per version would mean a match arm per version at
//! every call. Each version so far only adds to the one before: every interface and type that was released is the same in the newest,
//! and a test holds that (`everything_of_a_released_contract_is_the_same_in_the_newest`). So an interface `orders@0.1.0` *is*
//! `orders@0.2.0`, and what keeps a component built against the one from being linked with the other is the name alone. Raising
//! changes that name, in the bytes that are compiled and nowhere else: the component's identity stays the digest of what it was
//! shipped as, and what is shown of it stays what its author wrote.
//!
//! What is changed are the names of imports and exports of the outermost component. Nothing else in a component refers to them by
//! name: instances are referred to by index; within an instance's type stand the names of its functions and types, not its own;
//! nested components and modules have names between themselves and whoever instantiates them, and both ends of those stay as they
//! are. Versions are written with equally many digits, so no length in the file changes, and a byte that is not part of such a name
//! is never touched.
//!
//! A version whose interface has to change shape cannot be raised so: `wit/CHANGES.md` says what is done then.

use std::borrow::Cow;
use std::ops::Range;

use wasmparser::{Chunk, Parser, Payload};

use super::CONTRACT_PACKAGE;
use super::contract::{CONTRACT_VERSION, SUPPORTED_CONTRACTS};
use crate::error::LoadError;

// Otherwise lengths in the file would change with the name.
const _: () = {
    let mut index = 0;
    while index < SUPPORTED_CONTRACTS.len() {
        assert!(SUPPORTED_CONTRACTS[index].len() == CONTRACT_VERSION.len());
        index += 1;
    }
};

/// The bytes to compile for a component that was built against this version of the contract: the same ones for the newest. The
/// component must have passed [`inspect`](super::inspect), which makes sure that everything of an older version means the same in
/// the newest.
pub(crate) fn raise<'a>(bytes: &'a [u8], contract: &str) -> Result<Cow<'a, [u8]>, LoadError> {
    if contract == CONTRACT_VERSION {
        return Ok(Cow::Borrowed(bytes));
    }
    let places = version_places(bytes, contract).map_err(|error| LoadError::Malformed(format!("{error:#}")))?;
    let mut raised = bytes.to_vec();
    for place in places {
        raised[place].copy_from_slice(CONTRACT_VERSION.as_bytes());
    }
    Ok(Cow::Owned(raised))
}

/// Where in a component's bytes the version stands in the names of its own imports and exports that are of this contract.
fn version_places(bytes: &[u8], version: &str) -> wasmparser::Result<Vec<Range<usize>>> {
    let mut places = Vec::new();
    let mut note = |name: &str| {
        if is_of_contract(name, version) {
            // The name is borrowed from `bytes`, so its distance from their start is its place among them.
            let end = name.as_ptr() as usize - bytes.as_ptr() as usize + name.len();
            places.push(end - version.len()..end);
        }
    };
    let mut parser = Parser::new(0);
    let mut at = 0;
    loop {
        let (consumed, payload) = match parser.parse(&bytes[at..], true)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            // Not with all bytes given.
            Chunk::NeedMoreData(_) => return Ok(places),
        };
        at += consumed;
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    note(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    note(export?.name.name);
                }
            }
            // What is inside has names of its own.
            Payload::ModuleSection { unchecked_range: inside, .. }
            | Payload::ComponentSection { unchecked_range: inside, .. } => at = inside.end.min(bytes.len()),
            Payload::End(_) => return Ok(places),
            _ => {}
        }
    }
}

/// Whether this is the name of an interface of the contract in this version: `tradepost:connector/orders@0.1.0`.
fn is_of_contract(name: &str, version: &str) -> bool {
    let interface = name.strip_prefix(CONTRACT_PACKAGE).and_then(|rest| rest.strip_prefix('/'));
    let interface = interface.and_then(|rest| rest.strip_suffix(version)).and_then(|rest| rest.strip_suffix('@'));
    interface.is_some_and(|interface| !interface.is_empty() && !interface.contains(['/', '@']))
}

#[cfg(test)]
mod tests {
    use super::super::inspect;
    use super::*;

    /// A connector as it was built when 0.1.0 was the newest contract.
    const BUILT_AGAINST_0_1_0: &[u8] = include_bytes!("../../../../tests/fixtures/contract-0.1.0/hardtofind.wasm");

    /// A section of a component: its id, its length, what it holds.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let length =
            u8::try_from(content.len()).ok().filter(|length| *length < 128).expect("one byte of length is enough");
        [&[id, length], content].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [&[u8::try_from(text.len()).expect("a short name")], text.as_bytes()].concat()
    }

    /// The import of an instance of type 0.
    fn import(name: &str) -> Vec<u8> {
        section(10, &[&[1, 0], &text(name)[..], &[5, 0]].concat())
    }

    /// The export of instance 0.
    fn export(name: &str) -> Vec<u8> {
        section(11, &[&[1, 0], &text(name)[..], &[5, 0, 0]].concat())
    }

    fn component(sections: &[Vec<u8>]) -> Vec<u8> {
        [&b"\0asm\x0d\0\x01\0"[..], &sections.concat()].concat()
    }

    /// A component with the version in all places, those of its own imports and exports and those that look like them.
    fn with_version(version: &str) -> Vec<u8> {
        let orders = format!("tradepost:connector/orders@{version}");
        let old = "tradepost:connector/http@0.1.0";
        let module = section(1, &[&b"\0asm\x01\0\0\0"[..], &section(0, &text(old))].concat());
        component(&[
            import(&format!("tradepost:connector/http@{version}")),
            section(0, &text(old)),
            module,
            section(4, &component(&[import(old), export("tradepost:connector/orders@0.1.0")])),
            import("tradepost:connector-private/http@0.1.0"),
            import("wasi:io/error@0.1.0"),
            import("tradepost:connector/http@10.1.0"),
            import("tradepost:connector/a/b@0.1.0"),
            export("tradepost:connector@0.1.0"),
            export(&orders),
        ])
    }

    #[test]
    fn the_outer_component_s_names_change_and_no_other_byte() {
        let raised = raise(&with_version("0.1.0"), "0.1.0").expect("it parses").into_owned();
        assert_eq!(raised, with_version(CONTRACT_VERSION));
    }

    #[test]
    fn the_newest_contract_is_compiled_as_it_came() {
        let bytes = with_version("0.1.0");
        assert!(matches!(raise(&bytes, CONTRACT_VERSION), Ok(Cow::Borrowed(same)) if same == bytes));
    }

    #[test]
    fn a_real_component_is_one_of_the_newest_contract_afterwards() {
        let before = inspect(BUILT_AGAINST_0_1_0).expect("it is supported");
        assert_eq!(before.contract, "0.1.0");
        let raised = raise(BUILT_AGAINST_0_1_0, &before.contract).expect("it parses");
        let after = inspect(&raised).expect("it fits the newest contract");
        assert_eq!((after.contract.as_str(), after.exports), (CONTRACT_VERSION, before.exports.clone()));
        let of_contract = before.imports.iter().filter(|import| import.starts_with(CONTRACT_PACKAGE)).count();
        let changed = BUILT_AGAINST_0_1_0.iter().zip(&*raised).filter(|(before, after)| before != after).count();
        assert_eq!(changed, of_contract + before.exports.len(), "one digit of each name");
    }

    #[test]
    fn what_does_not_parse_is_an_error() {
        let bytes = with_version("0.1.0");
        let cut = &bytes[..bytes.len() - 3];
        assert!(matches!(raise(cut, "0.1.0"), Err(LoadError::Malformed(_))));
    }
}
