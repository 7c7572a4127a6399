//! How accounts do: one whose credential is refused or belongs to somebody else, or whose connector breaks off again and again, is held
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tradepost_runtime::errors::ErrorKind;
use tradepost_runtime::{Account, CallError};

use crate::standing::AccountState;
use crate::store::{Store, StoreError};
use crate::tally::Tally;

/// Calls in a row that broke off after which an account is held back.
const MOST_FAULTS: u32 = 5;

/// Counts faults in a row, and holds accounts back.
pub(crate) struct Health {
    store: Arc<dyn Store>,
    faults: Mutex<BTreeMap<String, u32>>,
    /// Accounts that were seen to belong to whom they are bound to.
    proved: Mutex<BTreeSet<String>>,
    tally: Tally,
}

impl Health {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, faults: Mutex::default(), proved: Mutex::default(), tally: Tally::default() }
    }

    /// Whether an account's credential belongs to the seller that it is bound to, asked once in the life of a process. Where the platform does
    /// not say, or cannot be asked now, nothing speaks against it. One that does not is held back.
    pub(crate) async fn is_its_own(&self, account: &Account) -> Result<bool, StoreError> {
        let proved = || self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        if proved().contains(account.id()) {
            return Ok(true);
        }
        let Ok(reply) = account.check().await else { return Ok(true) };
        if let Some(found) = reply.value.id {
            let bound = self.store.bind_identity(account.id(), &found).await?;
            if bound != found {
                let reason =
                    format!("the credential belongs to seller {found} at the platform, and the account to {bound}");
                self.store.set_standing(account.id(), AccountState::Foreign, Some(reason), None).await?;
                return Ok(false);
            }
        }
        proved().insert(account.id().to_owned());
        Ok(true)
    }

    /// What was counted of each component's calls.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The account is on another version of its connector: what the one before did is not held against it.
    pub(crate) fn begins_anew(&self, account: &str) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    /// A call of this account came to its end after so long.
    pub(crate) fn well(&self, account: &Account, took: Duration) {
        self.tally.count(account.connector().digest(), took, None);
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).remove(account.id());
    }

    /// A call of this account failed after so long.
    pub(crate) async fn failed(&self, account: &Account, error: &CallError, took: Duration) -> Result<(), StoreError> {
        self.tally.count(account.connector().digest(), took, Some(error));
        let state = match error {
            _ if is_rejection(error) => {
                // A token that ran out twice in a call looks the same: the credential itself is tried, once.
                match account.check().await {
                    Err(error) if is_rejection(&error) => AccountState::NeedsReauth,
                    _ => return Ok(()),
                }
            }
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

fn is_rejection(error: &CallError) -> bool {
    matches!(error.kind(), Some(ErrorKind::AuthRejected))
}
