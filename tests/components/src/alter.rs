//! Other versions of a component, made by changing its bytes: tests of swapping need versions that differ in one thing only, and each
//! compiled from source would take longer than the test.

use wasmparser::{ExternalKind, Operator, Parser, Payload};

/// The component with another version in its manifest. Both must be equally long.
///
/// # Panics
/// If the component does not hold this version, or the lengths differ.
pub fn with_version(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    // The names of the contract's interfaces hold a version too, behind an at sign.
    replaced(component, from, to, |before| before != Some(b'@'))
}

/// The component with another text among its data. Both must be equally long.
///
/// # Panics
/// If the component does not hold this text, or the lengths differ.
pub fn with_text(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    replaced(component, from, to, |_| true)
}

fn replaced(component: &[u8], from: &str, to: &str, fits: impl Fn(Option<u8>) -> bool) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "{from:?} and {to:?} are not equally long");
    let mut altered = component.to_vec();
    let mut found = false;
    for at in 0..=altered.len() - from.len() {
        let before = at.checked_sub(1).map(|before| component[before]);
        if component[at..].starts_with(from.as_bytes()) && fits(before) {
            altered[at..at + to.len()].copy_from_slice(to.as_bytes());
            found = true;
        }
    }
    assert!(found, "the component does not hold {from:?}");
    altered
}

/// The component with a function that breaks off as soon as it is called: `orders.list` of the contract.
///
/// # Panics
/// If the component does not export this function.
pub fn trapping_in(component: &[u8], function: &str) -> Vec<u8> {
    let (interface, name) = function.split_once('.').expect("interface and function");
    let suffix = format!("#{name}");
    let is_it = |export: &str| {
        let of_contract = export.strip_prefix("tradepost:connector/").and_then(|rest| rest.strip_suffix(&suffix));
        of_contract.is_some_and(|middle| middle.split('@').next() == Some(interface))
    };
    let mut wanted: Option<u32> = None;
    let (mut imported, mut defined) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a component") {
            // A core module within the component begins.
            Payload::Version { .. } => (wanted, imported, defined) = (None, 0, 0),
            Payload::ImportSection(section) => {
                let imports = section.into_imports().map(|import| import.expect("an import"));
                let functions = imports.filter(|import| matches!(import.ty, wasmparser::TypeRef::Func(_))).count();
                imported = u32::try_from(functions).expect("few functions");
            }
            Payload::ExportSection(section) => {
                let mut exports = section.into_iter().map(|export| export.expect("an export"));
                wanted = exports
                    .find(|export| export.kind == ExternalKind::Func && is_it(export.name))
                    .map(|export| export.index);
            }
            Payload::CodeSectionEntry(body) => {
                if wanted == Some(imported + defined) {
                    let operators = body.get_operators_reader().expect("a function's body");
                    let (first, end) = (operators.original_position(), body.range().end);
                    let mut altered = component.to_vec();
                    // `unreachable`, and then nothing until the function's own end.
                    altered[first] = 0x00;
                    altered[first + 1..end - 1].fill(0x01);
                    let broken = wasmparser::FunctionBody::new(wasmparser::BinaryReader::new(
                        &altered[body.range()],
                        body.range().start,
                    ));
                    let begins = broken.get_operators_reader().and_then(|mut operators| operators.read());
                    assert!(matches!(begins, Ok(Operator::Unreachable)), "{begins:?}");
                    return altered;
                }
                defined += 1;
            }
            _ => {}
        }
    }
    panic!("the component does not export {function}");
}
