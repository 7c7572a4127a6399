//! An account as a store keeps it: what it is in plain, its secrets sealed. A store never sees a secret's value, and an account that is read
//! from it still needs the [vault](crate::vault) to be opened.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tradepost_runtime::Grants;

use crate::vault::Sealed;

/// An account that is kept in a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredAccount {
    /// The embedder's id, such as `acme/hardtofind`.
    pub id: String,
    /// The component's file, or the id of an installed connector.
    pub connector: String,
    /// Which of the connector's ways to authenticate; none = its first.
    pub auth: Option<String>,
    /// The settings, as the connector's schema asks.
    pub settings: Map<String, Value>,
    /// Where the connector may connect to.
    pub grants: Grants,
    /// The secrets by name, each sealed for [its place](crate::vault::Place::Secret).
    pub secrets: BTreeMap<String, Sealed>,
}
