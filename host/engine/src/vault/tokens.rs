//! Login tokens in the store, sealed: a token outlives the process that logged in, and the next one does not log in again.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tradepost_runtime::egress::{StoredToken, TokenStore, TokenStoreError};
use zeroize::Zeroizing;

use super::{KeyError, LazyVault, Place, VaultError};
use crate::store::Store;

/// Bytes of the time and of the length that stand in front of a token.
const HEAD: usize = 8 + 4;

/// The runtime's token store over a [`Store`] and its vault.
pub struct SealedTokens {
    store: Arc<dyn Store>,
    vault: Arc<LazyVault>,
}

impl SealedTokens {
    /// Tokens in this store. The key is first needed where a token is found or kept.
    pub fn new(store: Arc<dyn Store>, vault: Arc<LazyVault>) -> Self {
        Self { store, vault }
    }

    async fn find(&self, account: &str) -> Result<Option<StoredToken>, KeyError> {
        let Some(sealed) = self.store.token(account).await? else { return Ok(None) };
        let place = Place::token(account);
        let opened = self.vault.open().await?.open(&place, &sealed)?;
        Ok(Some(from_bytes(opened.expose_secret()).ok_or(VaultError::Damaged(place))?))
    }

    async fn keep(&self, account: &str, token: &StoredToken) -> Result<(), KeyError> {
        let sealed = self.vault.open().await?.seal(&Place::token(account), &to_bytes(token))?;
        Ok(self.store.keep_token(account, sealed).await?)
    }
}

#[async_trait]
impl TokenStore for SealedTokens {
    async fn load(&self, account: &str) -> Result<Option<StoredToken>, TokenStoreError> {
        self.find(account).await.map_err(|error| TokenStoreError(error.to_string()))
    }

    async fn save(&self, account: &str, token: &StoredToken) -> Result<(), TokenStoreError> {
        self.keep(account, token).await.map_err(|error| TokenStoreError(error.to_string()))
    }
}

/// A token as it is sealed: its end in milliseconds since 1970 (8 bytes) and the length of the login's digest (4 bytes), both little-endian,
/// the digest, the token.
fn to_bytes(token: &StoredToken) -> Zeroizing<Vec<u8>> {
    let (login, value) = (token.login.expose_secret().as_bytes(), token.value.expose_secret().as_bytes());
    // Room for all of it: a vector that grew would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + login.len() + value.len()));
    let ends = token.expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    bytes.extend_from_slice(&u64::try_from(ends).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(login.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(login);
    bytes.extend_from_slice(value);
    bytes
}

fn from_bytes(bytes: &[u8]) -> Option<StoredToken> {
    let (ends, rest) = bytes.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (login, value) = rest.split_at_checked(u32::from_le_bytes(*length).try_into().ok()?)?;
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(SecretString::from);
    Some(StoredToken {
        value: text(value)?,
        expires_at: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(u64::from_le_bytes(*ends)))?,
        login: text(login)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_a_part_of_one_is_none() {
        let token = StoredToken {
            value: "ey.long.token".into(),
            expires_at: UNIX_EPOCH + Duration::from_millis(1_471_495_402_999),
            login: "d1ge57".into(),
        };
        let bytes = to_bytes(&token);
        let read = from_bytes(&bytes).unwrap();
        assert_eq!(read.value.expose_secret(), "ey.long.token");
        assert_eq!((read.expires_at, read.login.expose_secret()), (token.expires_at, "d1ge57"));
        for length in 0..HEAD + "d1ge57".len() {
            assert!(from_bytes(&bytes[..length]).is_none(), "{length}");
        }
    }
}
