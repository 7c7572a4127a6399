//! A call's own view of its account's storage: what is stored, with the call's writes laid over it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Storage, StorageError, StorageLimits, StorageUsage, StorageWrite, StorageWrites};

/// A storage operation that the guest may not have, in the contract's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidKey,
    ValueTooLarge,
    QuotaExceeded,
    Unavailable(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What the call left under a key.
struct Pending {
    value: Option<Vec<u8>>,
    time_to_live: Option<Duration>,
    /// Bytes the stored value had, none where there was no row: the quota counts what the commit will change.
    replaces: Option<u64>,
}

/// The view of one call.
pub(crate) struct Overlay {
    store: Arc<dyn Storage>,
    account: String,
    limits: StorageLimits,
    pending: BTreeMap<String, Pending>,
    preconditions: BTreeMap<String, Option<Vec<u8>>>,
    /// What the account will have stored after the commit.
    projected: Option<StorageUsage>,
}

impl Overlay {
    pub(crate) fn new(store: Arc<dyn Storage>, account: String, limits: StorageLimits) -> Self {
        Self { store, account, limits, pending: BTreeMap::new(), preconditions: BTreeMap::new(), projected: None }
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        self.check_key(key)?;
        match self.pending.get(key) {
            Some(pending) => Ok(pending.value.clone()),
            None => Ok(self.store.get(&self.account, key).await?),
        }
    }

    pub(crate) async fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        time_to_live: Option<Duration>,
    ) -> Result<(), Refusal> {
        self.check_key(&key)?;
        if value.len() > self.limits.value_bytes {
            return Err(Refusal::ValueTooLarge);
        }
        self.put(key, Some(value), time_to_live).await
    }

    pub(crate) async fn delete(&mut self, key: String) -> Result<(), Refusal> {
        self.check_key(&key)?;
        self.put(key, None, None).await
    }

    /// Merges stored keys with the call's own until a page is full: removed ones drop out, new ones come in.
    pub(crate) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Refusal> {
        if prefix.len() > self.limits.key_bytes {
            return Err(Refusal::InvalidKey);
        }
        let page = self.limits.page_keys;
        let mut keys: Vec<String> = self
            .pending
            .iter()
            .filter(|(key, pending)| {
                pending.value.is_some() && key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let mut from = after.map(str::to_owned);
        let mut stored = 0;
        while stored < page {
            let batch = self.store.list(&self.account, prefix, from.as_deref(), page).await?;
            let complete = batch.len() < page;
            from = batch.last().cloned();
            let kept = batch.into_iter().filter(|key| !self.pending.contains_key(key));
            let before = keys.len();
            keys.extend(kept);
            stored += keys.len() - before;
            if complete {
                break;
            }
        }
        keys.sort_unstable();
        keys.truncate(page);
        Ok(keys)
    }

    pub(crate) async fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> Result<bool, Refusal> {
        if value.as_ref().is_some_and(|value| value.len() > self.limits.value_bytes) {
            return Err(Refusal::ValueTooLarge);
        }
        let present = self.get(&key).await?;
        if present != expected {
            return Ok(false);
        }
        if !self.pending.contains_key(&key) {
            self.preconditions.entry(key.clone()).or_insert(present);
        }
        self.put(key, value, None).await?;
        Ok(true)
    }

    /// The writes, for the commit.
    pub(crate) fn into_writes(self) -> StorageWrites {
        StorageWrites {
            preconditions: self.preconditions.into_iter().collect(),
            writes: self
                .pending
                .into_iter()
                // Removing what was never there is nothing to write.
                .filter(|(_, pending)| pending.value.is_some() || pending.replaces.is_some())
                .map(|(key, pending)| StorageWrite { key, value: pending.value, time_to_live: pending.time_to_live })
                .collect(),
        }
    }

    async fn put(
        &mut self,
        key: String,
        value: Option<Vec<u8>>,
        time_to_live: Option<Duration>,
    ) -> Result<(), Refusal> {
        let row = |value: &Vec<u8>| (key.len() + value.len()) as u64;
        let (present, replaces) = if let Some(pending) = self.pending.get(&key) {
            (pending.value.as_ref().map(row), pending.replaces)
        } else {
            let stored = self.store.get(&self.account, &key).await?.as_ref().map(row);
            (stored, stored)
        };
        let mut usage = match self.projected {
            Some(usage) => usage,
            None => self.store.usage(&self.account).await?,
        };
        if let Some(bytes) = present {
            usage.keys = usage.keys.saturating_sub(1);
            usage.bytes = usage.bytes.saturating_sub(bytes);
        }
        if let Some(value) = &value {
            usage.keys += 1;
            usage.bytes += row(value);
            if usage.keys > self.limits.keys || usage.bytes > self.limits.bytes {
                return Err(Refusal::QuotaExceeded);
            }
        }
        self.projected = Some(usage);
        self.pending.insert(key, Pending { value, time_to_live, replaces });
        Ok(())
    }

    fn check_key(&self, key: &str) -> Result<(), Refusal> {
        let acceptable = !key.is_empty() && key.len() <= self.limits.key_bytes && !key.chars().any(char::is_control);
        if acceptable { Ok(()) } else { Err(Refusal::InvalidKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStorage;
    use super::*;

    fn overlay(store: &Arc<MemoryStorage>, limits: StorageLimits) -> Overlay {
        Overlay::new(store.clone(), "acme/shop".into(), limits)
    }

    async fn stored(store: &Arc<MemoryStorage>, rows: &[(&str, &[u8])]) {
        let mut overlay = overlay(store, StorageLimits::default());
        for (key, value) in rows {
            overlay.set((*key).into(), value.to_vec(), None).await.unwrap();
        }
        store.commit("acme/shop", overlay.into_writes()).await.unwrap();
    }

    #[tokio::test]
    async fn a_call_sees_its_own_writes_and_nobody_else_does_before_the_commit() {
        let store = Arc::new(MemoryStorage::new());
        let mut first = overlay(&store, StorageLimits::default());
        first.set("mark".into(), b"7".to_vec(), None).await.unwrap();
        assert_eq!(first.get("mark").await.unwrap().as_deref(), Some(&b"7"[..]));
        assert_eq!(overlay(&store, StorageLimits::default()).get("mark").await.unwrap(), None);
        drop(first);
        assert_eq!(store.get("acme/shop", "mark").await.unwrap(), None);
    }

    #[tokio::test]
    async fn listing_merges_own_writes_and_removals_with_what_is_stored() {
        let store = Arc::new(MemoryStorage::new());
        stored(&store, &[("a/1", b"x"), ("a/3", b"x"), ("b/1", b"x")]).await;
        let mut overlay = overlay(&store, StorageLimits { page_keys: 2, ..StorageLimits::default() });
        overlay.set("a/2".into(), b"y".to_vec(), None).await.unwrap();
        overlay.delete("a/1".into()).await.unwrap();
        assert_eq!(overlay.list("a/", None).await.unwrap(), ["a/2", "a/3"]);
        assert_eq!(overlay.list("a/", Some("a/2")).await.unwrap(), ["a/3"]);
        assert_eq!(overlay.list("", Some("a/2")).await.unwrap(), ["a/3", "b/1"]);
    }

    #[tokio::test]
    async fn the_quota_counts_what_the_commit_will_leave() {
        let store = Arc::new(MemoryStorage::new());
        stored(&store, &[("a", b"12345"), ("b", b"12345")]).await;
        let mut overlay = overlay(&store, StorageLimits { keys: 2, bytes: 14, ..StorageLimits::default() });
        assert_eq!(overlay.set("c".into(), vec![1], None).await, Err(Refusal::QuotaExceeded));
        overlay.delete("a".into()).await.unwrap();
        overlay.set("c".into(), b"1234567".to_vec(), None).await.unwrap();
        assert_eq!(overlay.set("c".into(), b"12345678".to_vec(), None).await, Err(Refusal::QuotaExceeded));
        overlay.set("b".into(), Vec::new(), None).await.unwrap();
    }

    #[tokio::test]
    async fn compare_and_set_fails_at_commit_when_another_call_was_faster() {
        let store = Arc::new(MemoryStorage::new());
        let (mut first, mut second) =
            (overlay(&store, StorageLimits::default()), overlay(&store, StorageLimits::default()));
        assert!(first.compare_and_set("k".into(), None, Some(b"1".to_vec())).await.unwrap());
        assert!(second.compare_and_set("k".into(), None, Some(b"2".to_vec())).await.unwrap());
        assert!(!second.compare_and_set("k".into(), None, Some(b"3".to_vec())).await.unwrap());
        store.commit("acme/shop", first.into_writes()).await.unwrap();
        let late = store.commit("acme/shop", second.into_writes()).await;
        assert_eq!(late, Err(StorageError::Conflict { key: "k".into() }));
        assert_eq!(store.get("acme/shop", "k").await.unwrap().as_deref(), Some(&b"1"[..]));
    }

    #[tokio::test]
    async fn keys_that_are_empty_long_or_hold_control_characters_are_refused() {
        let store = Arc::new(MemoryStorage::new());
        let mut overlay = overlay(&store, StorageLimits::default());
        for key in [String::new(), "k".repeat(513), "a\0b".into(), "a\nb".into()] {
            assert_eq!(overlay.set(key, vec![], None).await, Err(Refusal::InvalidKey));
        }
        for key in ["../other", "%2e%2e/", "a/b:c", "日本"] {
            overlay.set(key.into(), vec![], None).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_value_with_a_time_to_live_is_gone_afterwards() {
        let store = Arc::new(MemoryStorage::new());
        let mut overlay = overlay(&store, StorageLimits::default());
        overlay.set("k".into(), b"1".to_vec(), Some(Duration::ZERO)).await.unwrap();
        store.commit("acme/shop", overlay.into_writes()).await.unwrap();
        assert_eq!(store.get("acme/shop", "k").await.unwrap(), None);
        assert_eq!(store.usage("acme/shop").await.unwrap(), StorageUsage::default());
    }
}
