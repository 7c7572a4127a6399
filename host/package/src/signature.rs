//! The signatures below a statement: who signed, and that each of them really did.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::error::PackageError;
use crate::key::{PublicKey, SecretKey};

/// Stands before the statement in what is signed, so that a signature for another purpose never counts as one of a package.
const DOMAIN: &[u8] = b"tradepost package statement v1\n";
/// Most signatures of one package: each costs a verification.
pub const MAX_SIGNATURES: usize = 16;
/// Bytes of a signature.
const LENGTH: usize = 64;

/// Signatures that were verified, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signatures(BTreeMap<PublicKey, [u8; LENGTH]>);

impl Signatures {
    /// Reads `signatures.json` and verifies every one of them: one that does not fit is never passed over.
    pub(crate) fn parse(bytes: &[u8], statement: &[u8]) -> Result<Self, PackageError> {
        let texts: BTreeMap<PublicKey, String> =
            serde_json::from_slice(bytes).map_err(|error| PackageError::Signatures(error.to_string()))?;
        check_count(texts.len())?;
        let message = message(statement);
        let mut signatures = BTreeMap::new();
        for (key, text) in texts {
            let signature = decoded(&text).filter(|signature| key.verifies(&message, signature));
            signatures.insert(key, signature.ok_or(PackageError::BadSignature(key))?);
        }
        let signatures = Self(signatures);
        if signatures.to_json()? != bytes {
            let problem = "it is not written the one way it can be: keys in order, none twice, no blanks";
            return Err(PackageError::Signatures(problem.into()));
        }
        Ok(signatures)
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, PackageError> {
        let texts: BTreeMap<&PublicKey, String> =
            self.0.iter().map(|(key, signature)| (key, BASE64_URL_SAFE_NO_PAD.encode(signature))).collect();
        serde_json::to_vec(&texts).map_err(|error| PackageError::Signatures(error.to_string()))
    }

    /// The same, with the signature of one more key.
    pub(crate) fn with(&self, key: &SecretKey, statement: &[u8]) -> Result<Self, PackageError> {
        let mut signatures = self.0.clone();
        signatures.insert(key.public(), key.sign(&message(statement)));
        check_count(signatures.len())?;
        Ok(Self(signatures))
    }

    pub(crate) fn signers(&self) -> BTreeSet<PublicKey> {
        self.0.keys().copied().collect()
    }
}

fn check_count(count: usize) -> Result<(), PackageError> {
    if count > MAX_SIGNATURES {
        return Err(PackageError::Signatures(format!("{count} signatures, and at most {MAX_SIGNATURES} are read")));
    }
    Ok(())
}

fn message(statement: &[u8]) -> Vec<u8> {
    [DOMAIN, statement].concat()
}

fn decoded(text: &str) -> Option<[u8; LENGTH]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_for_its_statement_and_key_only() {
        let (anna, ben) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let signatures = Signatures::default().with(&anna, b"statement").unwrap();
        let json = signatures.to_json().unwrap();
        assert_eq!(Signatures::parse(&json, b"statement").unwrap().signers(), [anna.public()].into());
        assert_eq!(Signatures::parse(&json, b"Statement"), Err(PackageError::BadSignature(anna.public())));
        let text = String::from_utf8(json).unwrap();
        let moved = text.replace(&anna.public().to_string(), &ben.public().to_string());
        assert_eq!(Signatures::parse(moved.as_bytes(), b"statement"), Err(PackageError::BadSignature(ben.public())));
        let bare = BASE64_URL_SAFE_NO_PAD.encode(anna.sign(b"statement"));
        let bare = format!("{{\"{}\":\"{bare}\"}}", anna.public());
        let refused = Signatures::parse(bare.as_bytes(), b"statement");
        assert_eq!(refused, Err(PackageError::BadSignature(anna.public())), "without the prefix");
    }

    #[test]
    fn one_bad_signature_among_good_ones_is_not_passed_over() {
        let keys: Vec<SecretKey> = (0..3).map(|_| SecretKey::generate().unwrap()).collect();
        let mut signatures = Signatures::default();
        for key in &keys {
            signatures = signatures.with(key, b"statement").unwrap();
        }
        signatures.0.get_mut(&keys[1].public()).unwrap()[0] ^= 1;
        let refused = Signatures::parse(&signatures.to_json().unwrap(), b"statement");
        assert_eq!(refused, Err(PackageError::BadSignature(keys[1].public())));
    }

    #[test]
    fn the_list_has_one_spelling_and_an_end() {
        let anna = SecretKey::generate().unwrap();
        let json = Signatures::default().with(&anna, b"statement").unwrap().to_json().unwrap();
        let text = String::from_utf8(json).unwrap();
        let inner = text.trim_matches(['{', '}']);
        let twice = format!("{{{inner},{inner}}}");
        for (bytes, expected) in [
            (&b"{ }"[..], "one way"),
            (twice.as_bytes(), "one way"),
            (b"[]", "invalid type"),
            (b"{\"rsa:AAAA\":\"\"}", "no public key"),
            (b"", "EOF"),
        ] {
            let error = Signatures::parse(bytes, b"statement").unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut signatures = Signatures::default();
        for _ in 0..MAX_SIGNATURES {
            signatures = signatures.with(&SecretKey::generate().unwrap(), b"statement").unwrap();
        }
        assert!(matches!(signatures.with(&anna, b"statement"), Err(PackageError::Signatures(_))));
    }
}
