//! Reading a component without running or compiling it: what it imports and exports, compared with the contract.
//!
//! A component is compared with the version of the contract that it was built against. Older versions are then raised to the newest,
//! the only one that the host has bindings for: see `raise`.
//!
//! The comparison is done on WIT types, so that a mismatch is told in the contract's own words (interface, function,
//! place in the record, what was found, what this host supports) before any machine code is made from foreign bytes.

mod capabilities;
mod compare;
mod contract;
mod credentials;
mod markdown;
mod page;
mod raise;
mod reference;
mod settings;

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wit_parser::decoding::{DecodedWasm, decode};

use crate::error::LoadError;
use compare::{Decoded, contract_version};
use contract::Contract;

pub use capabilities::Operation;
pub use contract::{CONTRACT_VERSION, SUPPORTED_CONTRACTS};
pub use page::connector_page;
pub(crate) use raise::raise;
pub use reference::contract_reference;
pub use settings::{SettingField, setting_fields};

/// The package every connector is written against.
pub const CONTRACT_PACKAGE: &str = "tradepost:connector";

/// Largest component accepted, in bytes: interpreters compiled into a component reach 30 MiB.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

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

impl std::str::FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.strip_prefix("sha256:").ok_or(NotADigest)?;
        let mut digest = [0; 32];
        if digits.len() != 64 || digits.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotADigest);
        }
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(digest))
    }
}

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct NotADigest;

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
    /// The version of the contract that it was built against: one of [`SUPPORTED_CONTRACTS`].
    pub contract: String,
    /// Names of the contract's interfaces it exports, without package and version: its capabilities.
    pub exports: Vec<String>,
    /// Everything it imports, with package and version.
    pub imports: Vec<String>,
}

/// Reads a component and compares it with the contract that it was built against.
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
    // A component that names no version is no connector, as its exports will show.
    let version = contract_version(&resolve, world)?.unwrap_or(CONTRACT_VERSION);
    let contract = Contract::of(version).expect("a supported version has its text");
    let component = Decoded { resolve, world, contract };
    let imports = component.check_imports()?;
    let exports = component.check_exports()?;
    let contract = version.to_owned();
    Ok(Inspection { digest: Digest::of(bytes), bytes: bytes.len(), contract, exports, imports })
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
