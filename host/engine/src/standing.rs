//! How an account stands: at work, or held back until somebody has looked.

use serde::Serialize;

/// Whether work is done for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    /// Its streams are walked and its commands carried out.
    Active,
    /// The platform does not accept its credential. Nothing is sent until somebody has given it a new one: platforms lock accounts that
    /// go on trying.
    NeedsReauth,
    /// Its connector broke off again and again. Nothing is run until somebody has looked, or another version of the connector is there.
    Quarantined,
    /// Its credential belongs to another seller at the platform than it did: orders of a stranger would come in, and commands would go to
    /// him. Set active, it is bound to that one.
    Foreign,
    /// An operator holds it back.
    Paused,
}

impl AccountState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReauth => "needs-reauth",
            Self::Quarantined => "quarantined",
            Self::Foreign => "foreign",
            Self::Paused => "paused",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Active, Self::NeedsReauth, Self::Quarantined, Self::Foreign, Self::Paused];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// How an account stands, and since when. An account that was never held back has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The account.
    pub account: String,
    /// Whether work is done for it.
    pub state: AccountState,
    /// Why.
    pub reason: Option<String>,
    /// Since when, milliseconds since 1970.
    pub since: u64,
    /// The digest of the component that led to it.
    pub digest: Option<String>,
}
