//! Publishers' keys, ed25519, and their text. A secret key is wiped from memory when it is dropped, and nothing shows it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

const LENGTH: usize = 32;
const PUBLIC_PREFIX: &str = "ed25519:";
const SECRET_PREFIX: &str = "tradepost-secret-key-1:";

/// A publisher's public key. As text, `ed25519:` and 32 bytes in base64 (URL alphabet, no padding); no other spelling is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; LENGTH]);

/// A publisher's secret key.
///
/// Boxed, so that moving it leaves no copy behind.
pub struct SecretKey(Box<SigningKey>);

/// A text that is no key. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It was to be a public key.
    #[error(
        "it is no public key: that is `{PUBLIC_PREFIX}` and {LENGTH} bytes in base64 (URL alphabet, no padding), as `tradepost keygen` prints it"
    )]
    Public,
    /// The bytes are such that signatures of them prove nothing.
    #[error("it is a weak public key, under which anybody can sign; ask the publisher for another one")]
    Weak,
    /// It was to be a secret key.
    #[error("it is no secret key as `tradepost keygen` writes it: one line that begins with `{SECRET_PREFIX}`")]
    Secret,
}

impl PublicKey {
    /// Whether this key's owner signed the message. Signatures that several keys or several messages would share do not count.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; Signature::BYTE_SIZE]) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = decoded(text, PUBLIC_PREFIX).ok_or(NotAKey::Public)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| NotAKey::Public)?;
        if key.is_weak() { Err(NotAKey::Weak) } else { Ok(Self(key.to_bytes())) }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl SecretKey {
    /// A new key from the system's random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; LENGTH]);
        getrandom::fill(seed.as_mut_slice())?;
        Ok(Self(Box::new(SigningKey::from_bytes(&seed))))
    }

    /// The key that others know the owner by.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// A key from its text, as `tradepost keygen` writes it. Blanks around it do not count.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let seed = Zeroizing::new(decoded(text.trim(), SECRET_PREFIX).ok_or(NotAKey::Secret)?);
        Ok(Self(Box::new(SigningKey::from_bytes(&seed))))
    }

    /// The text that [`SecretKey::parse`] reads.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        // Room for all of it: a string that grew would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(SECRET_PREFIX.len() + 2 * LENGTH));
        text.push_str(SECRET_PREFIX);
        BASE64_URL_SAFE_NO_PAD.encode_string(self.0.as_bytes(), &mut text);
        text
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; Signature::BYTE_SIZE] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

fn decoded(text: &str, prefix: &str) -> Option<[u8; LENGTH]> {
    // Room for what a text of this kind could hold at most; longer texts do not fit and are no keys.
    let mut room = Zeroizing::new([0; LENGTH + 4]);
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(prefix)?, room.as_mut_slice()).ok()?;
    room[..length].try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1.
    const SEED: &str = "tradepost-secret-key-1:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn keys_have_the_texts_that_the_standard_s_vector_gives() {
        let secret = SecretKey::parse(&format!(" {SEED}\n")).unwrap();
        assert_eq!(secret.to_text().as_str(), SEED);
        assert_eq!(secret.public().to_string(), PUBLIC);
        assert_eq!(PUBLIC.parse(), Ok(secret.public()));
        let signature = secret.sign(b"");
        assert_eq!(signature[..8], [0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72]);
        assert!(secret.public().verifies(b"", &signature));
        assert!(!secret.public().verifies(b"x", &signature));
    }

    #[test]
    fn no_other_text_is_a_key() {
        let padded = format!("{PUBLIC}=");
        let other_end = format!("{}p", &PUBLIC[..PUBLIC.len() - 1]);
        for text in ["", "ed25519:", &PUBLIC[8..], &PUBLIC[..40], &padded, &other_end, &format!(" {PUBLIC}"), SEED] {
            assert_eq!(text.parse::<PublicKey>(), Err(NotAKey::Public), "{text}");
        }
        for text in ["", PUBLIC, &SEED[..40], &SEED.replace("key-1", "key-2")] {
            assert_eq!(SecretKey::parse(text).unwrap_err(), NotAKey::Secret, "{text}");
        }
        let neutral = BASE64_URL_SAFE_NO_PAD.encode([[1].as_slice(), &[0; 31]].concat());
        assert_eq!(format!("ed25519:{neutral}").parse::<PublicKey>(), Err(NotAKey::Weak));
    }

    #[test]
    fn nothing_shows_a_secret_key() {
        let secret = SecretKey::parse(SEED).unwrap();
        assert_eq!(format!("{secret:?}"), "SecretKey");
        let mistyped = SecretKey::parse(&SEED.replace("nWGx", "nW!x")).unwrap_err();
        assert!(!mistyped.to_string().contains("nW!x") && !mistyped.to_string().contains("hEr0"));
    }

    #[test]
    fn two_generated_keys_are_two() {
        assert_ne!(SecretKey::generate().unwrap().public(), SecretKey::generate().unwrap().public());
    }
}
