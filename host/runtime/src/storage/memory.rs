//! Storage in memory: for trying things out, for tests, and for embedders whose connectors keep nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use super::{Storage, StorageError, StorageUsage, StorageWrites};

/// Keeps values until the process ends.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    accounts: Mutex<HashMap<String, BTreeMap<String, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    expires: Option<Instant>,
}

impl Entry {
    fn is_live(&self) -> bool {
        self.expires.is_none_or(|at| Instant::now() < at)
    }
}

impl MemoryStorage {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, Entry>>> {
        // A panic elsewhere cannot leave a half-done write: each commit checks first and then only inserts.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let accounts = self.accounts();
        let entry = accounts.get(account).and_then(|entries| entries.get(key));
        Ok(entry.filter(|entry| entry.is_live()).map(|entry| entry.value.clone()))
    }

    async fn list(
        &self,
        account: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        let accounts = self.accounts();
        let Some(entries) = accounts.get(account) else {
            return Ok(Vec::new());
        };
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        Ok(entries
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, entry)| entry.is_live())
            .map(|(key, _)| key.clone())
            .take(limit)
            .collect())
    }

    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError> {
        let accounts = self.accounts();
        let mut usage = StorageUsage::default();
        for (key, entry) in accounts.get(account).into_iter().flatten().filter(|(_, entry)| entry.is_live()) {
            usage.keys += 1;
            usage.bytes += (key.len() + entry.value.len()) as u64;
        }
        Ok(usage)
    }

    async fn commit(&self, account: &str, writes: StorageWrites) -> Result<(), StorageError> {
        let mut accounts = self.accounts();
        let entries = accounts.entry(account.to_owned()).or_default();
        for (key, expected) in &writes.preconditions {
            let present = entries.get(key).filter(|entry| entry.is_live()).map(|entry| &entry.value);
            if present != expected.as_ref() {
                return Err(StorageError::Conflict { key: key.clone() });
            }
        }
        for write in writes.writes {
            match write.value {
                Some(value) => {
                    let expires = write.time_to_live.and_then(|ttl| Instant::now().checked_add(ttl));
                    entries.insert(write.key, Entry { value, expires });
                }
                None => {
                    entries.remove(&write.key);
                }
            }
        }
        Ok(())
    }
}
