//! Connector packages: one file with a component, what is said of it, and the signatures of those who vouch for it.
//!
//! A package, `NAME.tradepost`, is an uncompressed tar archive of these entries, in this order, and of nothing else:
//!
//! | entry | content | largest |
//! |---|---|---|
//! | `statement.json` | the [`Statement`]: id, version, contract, rights, and the digest of every other part | 256 KiB |
//! | `signatures.json` | an object of public key to signature over the statement; empty when nobody signed | 16 KiB |
//! | `component.wasm` | the component | 64 MiB |
//! | `manifest.json` | what the component says of itself, so that a catalogue need not run it | 4 MiB |
//! | `page.md` | the connector's page in Markdown | 4 MiB |
//! | `conformance.json` | the report of the conformance kit; may be left out | 8 MiB |
//!
//! There is one way to write a package with given parts and signatures, and [`Package::read`] takes no other: whatever byte is changed,
//! added or left out, the file is refused. `tar xf` unpacks it all the same.
//!
//! The signatures are over the bytes of `statement.json` as they stand there, behind a prefix of their own, so that neither another JSON
//! writer nor another use of the same key can make a signature say something else.
//!
//! Why not an OCI image layout: it is a directory of blobs, or an archive of one, made for registries. Our packages travel as files and
//! Tradepost speaks to no registry; an index, an image manifest and a config would be three more documents to check for one component, and
//! signatures would still be a convention on top of it. A package can be pushed to a registry as one blob.
//!
//! Nothing here runs or compiles a component. Whether a component is what its statement says is asked with
//! [`Statement::contradictions`], by who has loaded it.
//!
//! ```
//! use tradepost_package::{Claim, Package, Parts, Rights, SecretKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut package = Package::build(Parts {
//!     claim: Claim {
//!         id: "corner-shop".into(),
//!         version: "0.1.0".parse()?,
//!         contract: "0.1.0".parse()?,
//!         rights: Rights { hosts: ["https://api.shop.example".into()].into(), ..Rights::default() },
//!     },
//!     component: b"\0asm...".to_vec().into(),
//!     manifest: r#"{"id": "corner-shop"}"#.into(),
//!     page: "# Corner shop".into(),
//!     report: None,
//! })?;
//! let key = SecretKey::generate()?;
//! package.sign(&key)?;
//!
//! let received = Package::read(package.to_bytes())?;
//! assert!(received.signers().contains(&key.public()));
//! assert_eq!(received.statement().id, "corner-shop");
//! # Ok(())
//! # }
//! ```

mod archive;
mod claim;
mod digest;
mod error;
mod key;
mod key_file;
mod package;
mod rights;
mod signature;
mod statement;
mod version_text;

pub use archive::{MAX_COMPONENT_BYTES, MAX_PACKAGE_BYTES};
pub use claim::Claim;
pub use digest::{Digest, NotADigest};
pub use error::PackageError;
pub use key::{NotAKey, PublicKey, SecretKey};
pub use key_file::KeyFileError;
pub use package::{Package, Parts};
pub use rights::{EffectClaim, Rights};
pub use signature::MAX_SIGNATURES;
pub use statement::Statement;
