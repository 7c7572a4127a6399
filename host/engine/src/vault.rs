//! The vault: secrets and tokens are sealed here before a store sees them, and opened here after it gave them back.
//!
//! A sealed value is XChaCha20-Poly1305 under the one key of the data directory ([`MasterKey`], found by [`KeySource`]):
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | version of this layout: 1 |
//! | 8 | name of the key ([`KeyName`]), which tells a wrong key from a damaged value |
//! | 24 | nonce, drawn at random for each value |
//! | the rest | the value, encrypted, and a tag of 16 bytes |
//!
//! The head and the [`Place`] are authenticated with it: a value that is moved to another account, name or purpose does not open there.

mod key_source;
mod master_key;
mod tokens;

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

pub use key_source::{KEY_FILE, KEY_VARIABLE, KeyChange, KeyError, KeySource, LazyVault};
pub use master_key::{KeyName, MasterKey, NotAKey};
pub use tokens::SealedTokens;

const VERSION: u8 = 1;
const NAME_AT: usize = 1;
const NONCE_AT: usize = NAME_AT + KeyName::LENGTH;
const NONCE_LENGTH: usize = 24;
const VALUE_AT: usize = NONCE_AT + NONCE_LENGTH;
/// Begins what is authenticated, so that the same key in another use never vouches for a value of ours.
const DOMAIN: &[u8] = b"tradepost sealed value";

/// What a sealed value is and whose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A secret of an account.
    Secret {
        /// The account.
        account: String,
        /// The secret's name in the connector's schema.
        name: String,
    },
    /// The token that an account's login yielded.
    Token {
        /// The account.
        account: String,
    },
}

impl Place {
    /// The secret of this name.
    pub fn secret(account: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Secret { account: account.into(), name: name.into() }
    }

    /// The token of this account.
    pub fn token(account: impl Into<String>) -> Self {
        Self::Token { account: account.into() }
    }

    /// The head and the place as bytes in which no two places are the same: each part goes behind its length.
    fn authenticated(&self, head: &[u8]) -> Vec<u8> {
        let (purpose, account, name) = match self {
            Self::Secret { account, name } => ("secret", account.as_str(), name.as_str()),
            Self::Token { account } => ("token", account.as_str(), ""),
        };
        let mut bytes = Vec::new();
        for part in [DOMAIN, head, purpose.as_bytes(), account.as_bytes(), name.as_bytes()] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { account, name } => write!(f, "secret `{name}` of account {account}"),
            Self::Token { account } => write!(f, "the login token of account {account}"),
        }
    }
}

/// A value that was sealed: safe to keep, and of no use without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// A sealed value as a store gives it back. Whether it is one shows when it is opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key it says it was sealed with; none where it is no sealed value of this layout.
    pub fn key_name(&self) -> Option<KeyName> {
        let name = self.0.get(NAME_AT..NONCE_AT)?.try_into().ok()?;
        (self.0[0] == VERSION).then(|| KeyName::from_bytes(name))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A sealed value that is to be replaced, in a change of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reseal {
    /// Which.
    pub place: Place,
    /// How it is kept.
    pub from: Sealed,
    /// How it is to be kept; none = not at all.
    pub to: Option<Sealed>,
}

/// Why a value was not sealed or not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key is not the one that it was sealed with.
    #[error("{0} was sealed with another key; give the key that it was sealed with")]
    OtherKey(Place),
    /// It says that this key sealed it, and does not open: it was altered, cut short, or belongs to another place.
    #[error("{0} is damaged or was put there from somewhere else; give its value again")]
    Damaged(Place),
    /// A layout that this program does not know.
    #[error("{0} was sealed by a newer Tradepost; use that one")]
    Newer(Place),
    /// The system gave no random bytes, or the cipher refused.
    #[error("{place} cannot be sealed: {reason}")]
    NotSealed {
        /// What was to be sealed.
        place: Place,
        /// What the system said.
        reason: String,
    },
}

/// Seals and opens values under one key.
pub struct Vault {
    key: MasterKey,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault under this key.
    pub fn new(key: MasterKey) -> Self {
        Self { key }
    }

    /// The name of its key.
    pub fn key_name(&self) -> KeyName {
        self.key.name()
    }

    /// Seals a value for a place. The same value sealed twice gives two values that have nothing in common.
    pub fn seal(&self, place: &Place, value: &[u8]) -> Result<Sealed, VaultError> {
        let not_sealed = |reason: String| VaultError::NotSealed { place: place.clone(), reason };
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|error| not_sealed(error.to_string()))?;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.key.name().as_bytes());
        let authenticated = place.authenticated(&bytes);
        let payload = Payload { msg: value, aad: &authenticated };
        let encrypted =
            self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|error| not_sealed(error.to_string()))?;
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&encrypted);
        Ok(Sealed(bytes))
    }

    /// Opens a value that was sealed for this place.
    pub fn open(&self, place: &Place, sealed: &Sealed) -> Result<SecretSlice<u8>, VaultError> {
        let damaged = || VaultError::Damaged(place.clone());
        match sealed.0.first() {
            None | Some(0) => return Err(damaged()),
            Some(&VERSION) => {}
            Some(_) => return Err(VaultError::Newer(place.clone())),
        }
        if sealed.key_name().ok_or_else(damaged)? != self.key.name() {
            return Err(VaultError::OtherKey(place.clone()));
        }
        let (head, value) = (&sealed.0[..NONCE_AT], sealed.0.get(VALUE_AT..).ok_or_else(damaged)?);
        let nonce = XNonce::try_from(&sealed.0[NONCE_AT..VALUE_AT]).map_err(|_| damaged())?;
        let authenticated = place.authenticated(head);
        let opened = self.cipher().decrypt(&nonce, Payload { msg: value, aad: &authenticated });
        opened.map(SecretSlice::from).map_err(|_| damaged())
    }

    /// Opens a value that was sealed from text.
    pub fn open_text(&self, place: &Place, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let opened = self.open(place, sealed)?;
        let text = std::str::from_utf8(opened.expose_secret()).map_err(|_| VaultError::Damaged(place.clone()))?;
        Ok(text.into())
    }

    /// Made for each use and wiped after it, so that the key stands in one place of memory.
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(<&Key>::from(self.key.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = b"hunter2hunter2";

    fn vault(byte: u8) -> Vault {
        Vault::new(MasterKey::parse(&format!("{byte:02x}").repeat(32)).unwrap())
    }

    fn password() -> Place {
        Place::secret("acme/shop", "password")
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_shows_nothing_before() {
        for value in [VALUE, b"", &[0xff; 4096]] {
            let sealed = vault(1).seal(&password(), value).unwrap();
            assert_eq!(vault(1).open(&password(), &sealed).unwrap().expose_secret(), value);
            assert!(value.is_empty() || !sealed.as_bytes().windows(value.len()).any(|window| window == value));
        }
        let (one, other) = (vault(1).seal(&password(), VALUE).unwrap(), vault(1).seal(&password(), VALUE).unwrap());
        assert_eq!(vault(1).open_text(&password(), &one).unwrap().expose_secret().as_bytes(), VALUE);
        assert_ne!(one.as_bytes()[NONCE_AT..], other.as_bytes()[NONCE_AT..], "each has a nonce of its own");
    }

    #[test]
    fn a_wrong_key_is_told_as_such_also_where_the_name_was_altered_to_fit() {
        let sealed = vault(1).seal(&password(), VALUE).unwrap();
        let refused = vault(2).open(&password(), &sealed).unwrap_err();
        assert_eq!(refused, VaultError::OtherKey(password()));
        assert!(refused.to_string().starts_with("secret `password` of account acme/shop "), "{refused}");
        let mut forged = sealed.as_bytes().to_vec();
        forged[NAME_AT..NONCE_AT].copy_from_slice(vault(2).key_name().as_bytes());
        let refused = vault(2).open(&password(), &Sealed::from_bytes(forged)).unwrap_err();
        assert_eq!(refused, VaultError::Damaged(password()));
    }

    #[test]
    fn a_value_opens_nowhere_but_in_its_place() {
        let sealed = vault(1).seal(&password(), VALUE).unwrap();
        for place in [
            Place::secret("acme/shop", "api-key"),
            Place::secret("acme/other", "password"),
            // The same letters cut elsewhere.
            Place::secret("acme/shopp", "assword"),
            Place::secret("acme/shoppassword", ""),
            Place::token("acme/shop"),
            Place::token("acme/shoppassword"),
        ] {
            assert_eq!(vault(1).open(&place, &sealed).unwrap_err(), VaultError::Damaged(place));
        }
    }

    #[test]
    fn a_value_that_was_cut_or_altered_anywhere_does_not_open() {
        let sealed = vault(1).seal(&password(), VALUE).unwrap();
        for length in 0..sealed.as_bytes().len() {
            let cut = Sealed::from_bytes(sealed.as_bytes()[..length].to_vec());
            assert_eq!(vault(1).open(&password(), &cut).unwrap_err(), VaultError::Damaged(password()), "{length}");
        }
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(vault(1).open(&password(), &Sealed::from_bytes(bytes)).is_err(), "byte {at}");
        }
        let mut newer = sealed.as_bytes().to_vec();
        newer[0] = VERSION + 1;
        let refused = vault(1).open(&password(), &Sealed::from_bytes(newer)).unwrap_err();
        assert_eq!(refused, VaultError::Newer(password()));
    }

    #[test]
    fn nothing_is_shown_of_key_and_value() {
        let vault = vault(0xab);
        let sealed = vault.seal(&password(), VALUE).unwrap();
        let opened = vault.open(&password(), &sealed).unwrap();
        let shown = format!("{vault:?} {sealed:?} {opened:?} {:?}", vault.key).to_lowercase();
        for part in ["hunter2", "abab", "171", "q6ur"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}
