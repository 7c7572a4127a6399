//! Connectors written by hand as core modules, for attacks that no compiler would emit: wrong pointers, endless
//! reallocation, results that lie about their length.
//!
//! A [`CoreModule`] is WAT text with holes. What an attack does not replace is a connector that works: a manifest lies in
//! memory, `check` writes to storage and succeeds. So each attack is one difference from a healthy connector.
//!
//! They are built against contract 0.1.0, the text that was released: so everything here also happens to a component that the host
//! raises to its own version when it loads it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap};

use crate::manifest_image::ManifestImage;

/// Where the manifest's image begins in memory.
const MANIFEST_AT: u32 = 1024;
/// Where `check`'s result lies: zero bytes, which is success with nothing known about the account.
pub const RESULT_AT: u32 = 512;
/// Where the key and value that `check` stores first lie.
const TRACE_AT: u32 = 256;
/// Scratch memory for an attack, one page.
pub const SCRATCH_AT: u32 = 65_536;
/// What `cabi_realloc` gives out begins here.
const HEAP_AT: u32 = 131_072;

/// The key that every attack writes before it attacks. It must never be found in storage.
pub const TRACE_KEY: &str = "trace";

/// A world of the contract, as WIT text, that every module here is built for unless it says otherwise.
const WORLD: &str = "
    include tradepost:connector/host@0.1.0;
    export tradepost:connector/connector@0.1.0;
";

/// A connector as a core module. Fields are WAT; each has the part of the module that its name says.
#[derive(Clone, Debug)]
pub struct CoreModule {
    /// The world's items, in WIT.
    pub world: String,
    /// Further packages, in WIT, that the world refers to.
    pub packages: Vec<String>,
    /// Imports beyond `storage.set`.
    pub imports: String,
    /// The limits of the memory, in pages of 64 KiB, and whatever else is a memory.
    pub memory: String,
    /// Functions, globals, tables, further exports, a start function.
    pub items: String,
    /// The body of `cabi_realloc (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)`.
    pub realloc: String,
    /// The body of `describe`, which returns the manifest's address.
    pub describe: String,
    /// The body of `check`, which returns the result's address. It runs after the trace was written.
    pub check: String,
    /// What the manifest says.
    pub manifest: ManifestImage,
}

impl Default for CoreModule {
    fn default() -> Self {
        Self {
            world: WORLD.to_owned(),
            packages: Vec::new(),
            imports: String::new(),
            memory: "(memory (export \"memory\") 16)".to_owned(),
            items: String::new(),
            realloc: "(local $at i32)
                (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
                (global.set $heap (i32.add (local.get $at) (local.get $size)))
                (local.get $at)"
                .to_owned(),
            describe: format!("(i32.const {MANIFEST_AT})"),
            check: format!("(i32.const {RESULT_AT})"),
            manifest: ManifestImage::default(),
        }
    }
}

impl CoreModule {
    /// A healthy connector but for `check`.
    pub fn checking(check: impl Into<String>) -> Self {
        Self { check: check.into(), ..Self::default() }
    }

    /// With further exports: interface names of the contract for the world, WAT for the functions.
    #[must_use]
    pub fn exporting(mut self, interface: &str, items: &str) -> Self {
        self.world.push_str(&format!("export tradepost:connector/{interface}@0.1.0;\n"));
        self.items.push_str(items);
        self
    }

    /// The module's text.
    pub fn wat(&self) -> String {
        let Self { imports, memory, items, realloc, describe, check, manifest, .. } = self;
        let image = escaped(&manifest.bytes(MANIFEST_AT));
        let key_length = TRACE_KEY.len();
        format!(
            "(module
  (import \"tradepost:connector/storage@0.1.0\" \"set\"
    (func $storage_set (param i32 i32 i32 i32 i32 i32 i32)))
  {imports}
  {memory}
  (global $heap (mut i32) (i32.const {HEAP_AT}))
  {items}
  (func $realloc (export \"cabi_realloc\")
    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    {realloc})
  (func (export \"tradepost:connector/connector@0.1.0#describe\") (result i32)
    {describe})
  (func $attack (result i32)
    {check})
  (func (export \"tradepost:connector/connector@0.1.0#check\") (result i32)
    (call $storage_set (i32.const {TRACE_AT}) (i32.const {key_length}) (i32.const {TRACE_AT}) (i32.const {key_length})
      (i32.const 0) (i32.const 0) (i32.const {SCRATCH_AT}))
    (call $attack))
  (data (i32.const {TRACE_AT}) \"{TRACE_KEY}\")
  (data (i32.const {MANIFEST_AT}) \"{image}\")
)"
        )
    }

    /// The connector as a component.
    ///
    /// # Panics
    /// If the text does not assemble: that is a defect of the attack.
    pub fn component(&self) -> Vec<u8> {
        component(&self.world, &self.packages, &self.wat())
    }

    /// The same without asking the encoder's own validator, which may know fewer proposals than the module's author, or more.
    ///
    /// # Panics
    /// As [`CoreModule::component`].
    pub fn unvalidated(&self) -> Vec<u8> {
        encode(contract(("", "")), &self.world, &self.packages, &self.wat(), false)
    }
}

/// Wraps a core module into a component of a world, given as the world's items in WIT. `packages` are further WIT texts.
///
/// # Panics
/// If WIT or WAT do not assemble: that is a defect of the attack.
pub fn component(world: &str, packages: &[String], wat: &str) -> Vec<u8> {
    encode(contract(("", "")), world, packages, wat, true)
}

/// The same, against a contract in which one text is replaced by another: what a connector built against somebody's own
/// idea of the contract looks like.
///
/// # Panics
/// If the contract does not have the text, or WIT or WAT do not assemble.
pub fn altered_component(change: (&str, &str), world: &str, wat: &str) -> Vec<u8> {
    encode(contract(change), world, &[], wat, true)
}

/// The same for a component that knows nothing of this host's contract: `packages` bring their own.
///
/// # Panics
/// If WIT or WAT do not assemble: that is a defect of the attack.
pub fn foreign_component(world: &str, packages: &[String], wat: &str) -> Vec<u8> {
    encode(Resolve::default(), world, packages, wat, true)
}

/// The sources of contract 0.1.0 with one text replaced.
fn contract((from, to): (&str, &str)) -> Resolve {
    let mut sources = SourceMap::default();
    let mut replaced = from.is_empty();
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/released/0.1.0");
    for entry in fs::read_dir(released).expect("the contract is there") {
        let path = entry.expect("the contract can be listed").path();
        if path.extension().is_none_or(|extension| extension != "wit") {
            continue;
        }
        let mut text = fs::read_to_string(&path).expect("the contract is text");
        if !from.is_empty() && text.contains(from) {
            text = text.replace(from, to);
            replaced = true;
        }
        sources.push_str(&path.display().to_string(), text);
    }
    assert!(replaced, "the contract does not have {from:?}");
    let group = sources.parse().map_err(|(_, error)| error).expect("the contract parses");
    let mut resolve = Resolve::default();
    resolve.push_group(group).expect("the contract resolves");
    resolve
}

fn encode(mut resolve: Resolve, world: &str, packages: &[String], wat: &str, validate: bool) -> Vec<u8> {
    for package in packages {
        resolve.push_str("package.wit", package).expect("the attack's packages parse");
    }
    let world = format!("package hostile:attack;\nworld attack {{\n{world}\n}}\n");
    let package = resolve.push_str("attack.wit", &world).expect("the attack's world parses");
    let world = resolve.select_world(&[package], Some("attack")).expect("the world is there");
    let mut module = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata can be added");
    let encoder = ComponentEncoder::default().validate(validate).module(&module);
    encoder.and_then(|mut encoder| encoder.encode()).unwrap_or_else(|error| panic!("{error:?}\n{wat}"))
}

/// Bytes as a WAT string literal.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        let _ = write!(text, "\\{byte:02x}");
    }
    text
}
