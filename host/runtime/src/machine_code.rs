//! Machine code made from components: for which engine it is, and where it may come from.
//!
//! wasmtime runs whatever machine code it is given, so this host takes none from outside: a [`MachineCode`] is made by
//! compiling, here or in a process of this program, or read from a file that carries the authentication code of this very
//! installation. No function of the public interface takes one.

use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::inspect::CONTRACT_VERSION;

/// Depth of guest calls.
pub(crate) const WASM_STACK: usize = 512 << 10;

/// The engine's settings as far as they decide which code is made. What else an engine needs to run it (the instance pool
/// above all, which reserves terabytes of addresses) is not the compiler's business.
pub(crate) fn code_config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .max_wasm_stack(WASM_STACK)
        .epoch_interruption(true);
    config
}

/// Which engines can run code: those of the same wasmtime, processor, settings that decide code, and newest contract. As text, 64 hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Compatibility([u8; 32]);

impl Compatibility {
    pub(crate) fn of(engine: &Engine) -> Self {
        let mut hasher = Sha256Hasher::default();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        // What a component of an older contract was raised to before it was compiled.
        CONTRACT_VERSION.hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 as the standard library's `Hasher`. The library's own hasher may change with every release of the compiler, and
/// its 64 bits are few for what decides whether machine code is run.
#[derive(Default)]
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.clone().finalize();
        hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Machine code of one component.
pub(crate) struct MachineCode {
    bytes: Vec<u8>,
    begins: usize,
}

impl MachineCode {
    /// What a compiler of this program made.
    pub(crate) fn compiled(bytes: Vec<u8>) -> Self {
        Self { bytes, begins: 0 }
    }

    /// A file of this installation whose authentication code was checked; the machine code begins at this place of it.
    pub(crate) fn authenticated(file: Vec<u8>, begins: usize) -> Self {
        Self { bytes: file, begins }
    }

    /// Its bytes, to be handed on.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.drain(..self.begins);
        self.bytes
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.begins..).unwrap_or_default()
    }

    /// The component, ready to be linked. Fails where the code is for another engine, or the pool has no room for what it declares.
    pub(crate) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[allow(unsafe_code, reason = "the engine cannot check machine code; where it may come from is checked here")]
        // SAFETY: the bytes must be what `Engine::precompile_component` gave, unchanged. A `MachineCode` is made in two ways. `compiled`
        // takes what that function returned, in this process or in the one that `compile::serve` runs in, which is this program too and
        // hands it over through a pipe that nobody else holds. `authenticated` takes bytes whose HMAC, under a key that only this
        // installation's user can read, was checked over those very bytes in memory: nothing is read again in between. Code of another
        // wasmtime or other settings is refused by wasmtime itself, which stamps what it makes.
        unsafe {
            Component::deserialize(engine, self.bytes())
        }
    }
}
