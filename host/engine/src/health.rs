//! How accounts do: one whose credential is refused, or whose connector breaks off again and again, is held back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, CallError};

use crate::standing::AccountState;
use crate::store::{Store, StoreError};

/// Calls in a row that broke off after which an account is held back.
const MOST_FAULTS: u32 = 5;

/// Counts faults in a row, and holds accounts back.
pub(crate) struct Health {
    store: Arc<dyn Store>,
    faults: Mutex<BTreeMap<String, u32>>,
}

impl Health {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, faults: Mutex::default() }
    }

    /// A call of this account came to its end.
    pub(crate) fn well(&self, account: &Account) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).remove(account.id());
    }

    /// A call of this account failed.
    pub(crate) async fn failed(&self, account: &Account, error: &CallError) -> Result<(), StoreError> {
        let state = match error {
            _ if matches!(error.kind(), Some(ErrorKind::AuthRejected)) => AccountState::NeedsReauth,
            CallError::Trap { .. } | CallError::Limit { .. } | CallError::InvalidResult { .. } => {
                let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
                let count = faults.entry(account.id().to_owned()).or_default();
                *count += 1;
                if *count < MOST_FAULTS {
                    return Ok(());
                }
                *count = 0;
                AccountState::Quarantined
            }
            _ => return Ok(()),
        };
        let digest = account.connector().digest().to_string();
        self.store.set_standing(account.id(), state, Some(error.to_string()), Some(digest)).await.map(drop)
    }
}
