//! Components that are made to be expensive to compile: very many functions, or very large ones.
//!
//! They are put together as bytes. The text of a million functions would cost this program what it is to cost the compiler.

use crate::core_module::CoreModule;

/// Magic number and version.
const PREAMBLE_BYTES: usize = 8;
/// The section of a component that is a core module.
const CORE_MODULE: u8 = 1;
/// Sections of a core module.
const FUNCTIONS: u8 = 3;
const CODE: u8 = 10;

/// A connector with so many functions more than it needs.
///
/// # Panics
/// If there are more than a component can have.
pub fn many_functions(count: u32) -> Vec<u8> {
    // Each another constant, so that none is another one's copy.
    let function = |number: u32| {
        let mut body = vec![0, 0x41];
        signed(&mut body, number);
        body.extend([0x41, 3, 0x6c, 0x0b]);
        body
    };
    with_functions(count, function)
}

/// A connector with one function more, of about so many bytes, in which every step needs the one before it.
///
/// # Panics
/// If it is larger than a component can be.
pub fn huge_function(bytes: usize) -> Vec<u8> {
    // local 0 = (local 0 + load(local 0)) rotated by three.
    const STEP: [u8; 13] = [0x20, 0, 0x20, 0, 0x28, 2, 0, 0x6a, 0x41, 3, 0x77, 0x21, 0];
    let steps = STEP.repeat(bytes / STEP.len());
    with_functions(1, |_| [&[1, 1, 0x7f][..], &steps, &[0x20, 0, 0x0b]].concat())
}

/// A healthy connector with functions added to its code: of the type of its last one, `check`, which takes nothing and gives an `i32`.
///
/// Added after it was encoded: an encoder would look at each of them, and refuse those that are too large.
fn with_functions(count: u32, body: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let component = CoreModule::default().component();
    let mut is_added = false;
    with_sections(&component, |section, module| {
        // The first one is the connector; behind it stand those that the encoder adds.
        if section != CORE_MODULE || std::mem::replace(&mut is_added, true) {
            return None;
        }
        Some(with_sections(module, |section, content| match section {
            FUNCTIONS => {
                let last = *content.last().expect("a connector has functions");
                Some(with_items(content, count, &vec![last; count as usize]))
            }
            CODE => {
                let mut bodies = Vec::new();
                for number in 0..count {
                    let body = body(number);
                    unsigned(&mut bodies, u32::try_from(body.len()).expect("a function is smaller than 4 GiB"));
                    bodies.extend(body);
                }
                Some(with_items(content, count, &bodies))
            }
            _ => None,
        }))
    })
}

/// A module or component with other contents in those sections for which `change` gives some.
fn with_sections(binary: &[u8], mut change: impl FnMut(u8, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let (preamble, mut rest) = binary.split_at(PREAMBLE_BYTES);
    let mut altered = preamble.to_vec();
    while let [section, behind @ ..] = rest {
        let (length, begins) = read_unsigned(behind, 0);
        let (content, next) = behind[begins..].split_at(length as usize);
        match change(*section, content) {
            Some(content) => write_section(&mut altered, *section, &content),
            None => write_section(&mut altered, *section, content),
        }
        rest = next;
    }
    altered
}

/// A section that is a list, with so many items more.
fn with_items(content: &[u8], count: u32, items: &[u8]) -> Vec<u8> {
    let (present, first) = read_unsigned(content, 0);
    let mut more = Vec::new();
    unsigned(&mut more, present + count);
    [&more, &content[first..], items].concat()
}

fn write_section(module: &mut Vec<u8>, section: u8, content: &[u8]) {
    module.push(section);
    unsigned(module, u32::try_from(content.len()).expect("a module is smaller than 4 GiB"));
    module.extend_from_slice(content);
}

/// Writes a number as WebAssembly does (LEB128).
fn unsigned(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
}

/// The same for a constant, whose highest bit is its sign.
fn signed(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x3f {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("six bits"));
}

/// Reads a number at a place. Gives it and the place behind it.
fn read_unsigned(bytes: &[u8], mut at: usize) -> (u32, usize) {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes[at];
        number |= u32::from(byte & 0x7f) << shift;
        (at, shift) = (at + 1, shift + 7);
        if byte < 0x80 {
            return (number, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use tradepost_runtime::Runtime;

    use super::*;

    /// A component that is refused because it is none would prove nothing about compiling.
    #[tokio::test]
    async fn small_ones_are_connectors() {
        let runtime = Runtime::builder().concurrent_calls(1).build().unwrap();
        let healthy = CoreModule::default().component().len();
        for component in [many_functions(300), huge_function(2_000)] {
            assert!(component.len() > healthy + 1_900, "{} bytes", component.len());
            let connector = runtime.load(component).await.unwrap();
            assert_eq!(connector.label(), "hand-written 0.1.0");
        }
    }
}
