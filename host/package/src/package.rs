//! A package as a whole. One that exists is sound: its parts have the stated digests and every signature was verified.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::archive::{self, Entry};
use crate::claim::Claim;
use crate::digest::Digest;
use crate::error::PackageError;
use crate::key::{PublicKey, SecretKey};
use crate::signature::Signatures;
use crate::statement::Statement;

/// What a package is made from.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What the component says of itself.
    pub claim: Claim,
    /// The component.
    pub component: Bytes,
    /// Its manifest, a JSON object.
    pub manifest: String,
    /// Its page in Markdown.
    pub page: String,
    /// What the conformance kit found about it, a JSON object.
    pub report: Option<String>,
}

/// A connector package, read and checked.
///
/// What it does not say: whether its signers are trusted, and whether its component is what the statement says
/// ([`Statement::contradictions`]).
#[derive(Clone, Debug)]
pub struct Package {
    /// The file.
    bytes: Bytes,
    contents: Vec<(Entry, Bytes)>,
    statement: Statement,
    signatures: Signatures,
    manifest: Value,
    page: String,
    report: Option<Value>,
}

impl Package {
    /// Reads a package and checks everything that can be checked without running its component.
    pub fn read(bytes: impl Into<Bytes>) -> Result<Self, PackageError> {
        let bytes = bytes.into();
        let contents = archive::read(&bytes)?;
        let content = |wanted: Entry| contents.iter().find(|(entry, _)| *entry == wanted).map(|(_, content)| content);
        let required = |wanted: Entry| content(wanted).ok_or_else(|| PackageError::Missing(wanted.name().to_owned()));
        let statement = Statement::parse(required(Entry::Statement)?)?;
        let signatures = Signatures::parse(required(Entry::Signatures)?, required(Entry::Statement)?)?;
        let is_part = |entry: Entry| !matches!(entry, Entry::Statement | Entry::Signatures);
        let parts: Vec<(Entry, &[u8])> = contents
            .iter()
            .filter(|(entry, _)| is_part(*entry))
            .map(|(entry, content)| (*entry, content.as_ref()))
            .collect();
        statement.check_parts(&parts)?;
        let manifest = object(Entry::Manifest, required(Entry::Manifest)?)?;
        let page = std::str::from_utf8(required(Entry::Page)?)
            .map_err(|error| PackageError::Part { part: Entry::Page.name(), problem: error.to_string() })?
            .to_owned();
        let report = content(Entry::Conformance).map(|report| object(Entry::Conformance, report)).transpose()?;
        if let Some(report) = &report {
            check_report(report, statement.digest)?;
        }
        Ok(Self {
            bytes,
            statement,
            signatures,
            manifest: manifest.into(),
            page,
            report: report.map(Value::from),
            contents,
        })
    }

    /// Makes a package, unsigned. The same parts always make the same bytes.
    pub fn build(parts: Parts) -> Result<Self, PackageError> {
        let Parts { claim, component, manifest, page, report } = parts;
        let digest = Digest::of(&component);
        let mut contents =
            vec![(Entry::Component, component), (Entry::Manifest, manifest.into()), (Entry::Page, page.into())];
        contents.extend(report.map(|report| (Entry::Conformance, report.into())));
        let digests: BTreeMap<String, Digest> =
            contents.iter().map(|(entry, content)| (entry.name().to_owned(), Digest::of(content))).collect();
        let statement = Statement::new(claim, digest, digests).to_json()?;
        let signatures = Signatures::default().to_json()?;
        contents.splice(0..0, [(Entry::Statement, statement.into()), (Entry::Signatures, signatures.into())]);
        // What is written is read again: nothing leaves this crate that it would not take.
        Self::read(archive::write(&contents)?)
    }

    /// Whether the bytes begin like a package, and not like a bare component or something else.
    pub fn is_one(bytes: &[u8]) -> bool {
        archive::begins_like_one(bytes)
    }

    /// Adds a signature, or replaces that of the same key. On an error the package is what it was.
    pub fn sign(&mut self, key: &SecretKey) -> Result<(), PackageError> {
        // The stored bytes: a statement that was written otherwise was not read.
        let statement = self.statement.to_json()?;
        let signatures = self.signatures.with(key, &statement)?;
        let json = Bytes::from(signatures.to_json()?);
        let mut contents = self.contents.clone();
        for (_, content) in contents.iter_mut().filter(|(entry, _)| *entry == Entry::Signatures) {
            *content = json.clone();
        }
        let bytes = archive::write(&contents)?;
        (self.bytes, self.contents, self.signatures) = (bytes, contents, signatures);
        Ok(())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// SHA-256 of the whole file. It changes with each signature; what the component is, [`Statement::digest`] says. Hashes anew with
    /// each call.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// What the package says of its component.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The keys that signed the statement. Each signature was verified; whether a key is trusted is the caller's question.
    pub fn signers(&self) -> BTreeSet<PublicKey> {
        self.signatures.signers()
    }

    /// Whether nobody signed it.
    pub fn is_unsigned(&self) -> bool {
        self.signers().is_empty()
    }

    /// The component's bytes. Cheap: they are not copied.
    pub fn component(&self) -> Bytes {
        let component = self.contents.iter().find(|(entry, _)| *entry == Entry::Component);
        component.map(|(_, content)| content.clone()).unwrap_or_default()
    }

    /// The manifest as JSON, for catalogues. The host goes by the component's own.
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }

    /// The connector's page in Markdown.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The report of the conformance kit, where there is one.
    pub fn report(&self) -> Option<&Value> {
        self.report.as_ref()
    }
}

fn object(entry: Entry, bytes: &[u8]) -> Result<Map<String, Value>, PackageError> {
    serde_json::from_slice(bytes)
        .map_err(|error| PackageError::Part { part: entry.name(), problem: format!("it is no JSON object: {error}") })
}

/// A report that names a component names this one.
fn check_report(report: &Map<String, Value>, component: Digest) -> Result<(), PackageError> {
    match report.get("digest") {
        None => Ok(()),
        Some(Value::String(about)) if *about == component.to_string() => Ok(()),
        Some(Value::String(about)) => Err(PackageError::OtherReport { about: about.clone(), component }),
        Some(other) => Err(PackageError::OtherReport { about: other.to_string(), component }),
    }
}
