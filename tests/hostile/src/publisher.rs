//! A publisher of connectors: packages that say the truth of their components, packages that lie, and signatures on either.

use std::ops::Range;

use anyhow::Context as _;
use tradepost_engine::versions::claim_of;
use tradepost_package::{Claim, Package, Parts, PublicKey, SecretKey};
use tradepost_runtime::Runtime;

/// Somebody with a key.
pub struct Publisher {
    key: SecretKey,
}

impl Publisher {
    /// A publisher with a new key.
    ///
    /// # Errors
    /// If the machine gives no randomness.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { key: SecretKey::generate()? })
    }

    /// The key that others may trust.
    pub fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// A package with this publisher's signature added.
    ///
    /// # Errors
    /// If it has as many signatures as it may have.
    pub fn signed(&self, mut package: Package) -> anyhow::Result<Package> {
        package.sign(&self.key)?;
        Ok(package)
    }

    /// A signed package that says the truth of its component.
    ///
    /// # Errors
    /// If the component does not load.
    pub async fn package(&self, runtime: &Runtime, component: Vec<u8>) -> anyhow::Result<Package> {
        self.signed(packed(runtime, component).await?)
    }

    /// The bytes of a package of this publisher's with the signature that another one of theirs has: what is left to somebody who has the
    /// publisher's packages and not the key.
    ///
    /// # Errors
    /// If either has no signature of this publisher's.
    pub fn with_signature_of(&self, package: &Package, other: &Package) -> anyhow::Result<Vec<u8>> {
        let (mut bytes, others) = (package.to_bytes().to_vec(), other.to_bytes());
        let (place, from) = (self.signature(&bytes)?, self.signature(&others)?);
        // Signatures are equally long, so nothing else of the archive changes.
        bytes[place].copy_from_slice(&others[from]);
        Ok(bytes)
    }

    /// Where this publisher's signature stands in a package: behind the key, as JSON has it.
    fn signature(&self, package: &[u8]) -> anyhow::Result<Range<usize>> {
        let name = format!("\"{}\":\"", self.key());
        let at = package.windows(name.len()).position(|window| window == name.as_bytes());
        let begins = at.context("the package is not signed by this publisher")? + name.len();
        let length = package[begins..].iter().position(|byte| *byte == b'"').context("a signature ends")?;
        Ok(begins..begins + length)
    }
}

/// A package that says the truth of its component, and that nobody signed.
///
/// # Errors
/// If the component does not load.
pub async fn packed(runtime: &Runtime, component: Vec<u8>) -> anyhow::Result<Package> {
    let connector = runtime.load(component.clone()).await.context("the component to be packed loads")?;
    claiming(claim_of(&connector)?, component)
}

/// A package that claims this of its component, true or not, and that nobody signed.
///
/// # Errors
/// If the claim is none that a package can have.
pub fn claiming(claim: Claim, component: Vec<u8>) -> anyhow::Result<Package> {
    let page = format!("# {}", claim.id);
    Ok(Package::build(Parts { claim, component: component.into(), manifest: "{}".into(), page, report: None })?)
}
