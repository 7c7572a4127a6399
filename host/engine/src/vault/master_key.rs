//! The master key: 32 bytes as text in base64 or hexadecimal, wiped from memory when it is dropped, and a name by which it is told apart
//! from others without being shown.

use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const LENGTH: usize = 32;
/// Begins what is hashed for a key's name.
const NAME_DOMAIN: &[u8] = b"tradepost name of a key";

/// The key that everything in a data directory is sealed with.
pub struct MasterKey(SecretBox<[u8; LENGTH]>);

/// A text that is no key. Never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not {LENGTH} bytes in base64 or hexadecimal; `openssl rand -base64 {LENGTH}` makes such a key")]
pub struct NotAKey;

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

impl MasterKey {
    /// A new key from the system's random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = SecretBox::<[u8; LENGTH]>::default();
        getrandom::fill(key.expose_secret_mut())?;
        Ok(Self(key))
    }

    /// A key from text: 64 hexadecimal digits, or base64 of either alphabet, with or without padding. Blanks around it do not count.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let mut key = SecretBox::<[u8; LENGTH]>::default();
        if text.len() == 2 * LENGTH {
            for (byte, digits) in key.expose_secret_mut().iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                *byte = 16 * hexadecimal(digits[0])? + hexadecimal(digits[1])?;
            }
            return Ok(Self(key));
        }
        let any_padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let decoded = [STANDARD, URL_SAFE].into_iter().find_map(|alphabet| {
            // Room for what a text of this kind could hold at most; longer texts do not fit and are no keys.
            let mut room = Zeroizing::new([0; LENGTH + 4]);
            let length = GeneralPurpose::new(&alphabet, any_padding).decode_slice(text, room.as_mut_slice()).ok()?;
            (length == LENGTH).then_some(room)
        });
        key.expose_secret_mut().copy_from_slice(&decoded.ok_or(NotAKey)?[..LENGTH]);
        Ok(Self(key))
    }

    /// As it is written into a file: base64.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        // Room for all of it: a string that grew would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * LENGTH));
        BASE64_STANDARD.encode_string(self.expose(), &mut text);
        text
    }

    /// What tells it apart from other keys, and says nothing about it otherwise.
    pub fn name(&self) -> KeyName {
        let digest = Sha256::new().chain_update(NAME_DOMAIN).chain_update(self.expose()).finalize();
        let mut name = [0; KeyName::LENGTH];
        name.copy_from_slice(&digest[..KeyName::LENGTH]);
        KeyName(name)
    }

    pub(super) fn expose(&self) -> &[u8; LENGTH] {
        self.0.expose_secret()
    }
}

fn hexadecimal(digit: u8) -> Result<u8, NotAKey> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(NotAKey),
    }
}

/// The name of a key: the first bytes of a hash of it. No secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyName([u8; Self::LENGTH]);

impl KeyName {
    pub(super) const LENGTH: usize = 8;

    pub(super) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_base64_and_hexadecimal_and_nothing_else() {
        let hexadecimal = "fb".repeat(32);
        let standard = BASE64_STANDARD.encode([0xfb; 32]);
        let url_safe = standard.replace('+', "-").replace('/', "_");
        assert_ne!(standard, url_safe);
        let key = MasterKey::parse(&hexadecimal).unwrap();
        assert_eq!(key.expose(), &[0xfb; 32]);
        let texts = [
            hexadecimal.to_uppercase(),
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            url_safe,
            format!("  {standard}\n"),
        ];
        for text in texts {
            assert_eq!(MasterKey::parse(&text).unwrap().name(), key.name(), "{text}");
        }
        for text in ["", "hunter2", &hexadecimal[2..], &format!("{hexadecimal}00"), &"zz".repeat(32), &standard[4..]] {
            let refused = MasterKey::parse(text).map(|key| key.name()).unwrap_err();
            assert!(text.is_empty() || !refused.to_string().contains(text), "{refused}");
        }
    }

    #[test]
    fn a_new_key_is_like_no_other_and_survives_being_written() {
        let (one, other) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
        assert_ne!(one.name(), other.name());
        assert_ne!(one.expose(), &[0; 32]);
        assert_eq!(MasterKey::parse(&one.to_text()).unwrap().expose(), one.expose());
    }
}
