//! A reading: one record that is to be read by its id. Orders at a producer are kept that way, because producers list none.
//!
//! What a source lists is read by walks only: the same record reads differently in a list and by its id at some sources (WCFM's commission of
//! an order line is one), and would seem to change each time.

use serde_json::{Value, json};
use tradepost_runtime::{Account, Capability};

/// A record to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The account.
    pub account: String,
    /// The kind of record: [`FULFILMENT`].
    pub kind: String,
    /// Its id at the source.
    pub id: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// Counts how often it was asked for: a reading that was asked for again while it was under way is done again.
    pub round: u64,
}

/// The kind of the records that say how an order stands at a producer.
pub const FULFILMENT: &str = "fulfilment";

/// Kinds of records that can be read by their id, and the operations that do it.
const OPERATIONS: [(Capability, &str); 3] = [
    (Capability::Orders, "orders.get"),
    (Capability::Products, "products.get"),
    (Capability::Fulfilment, "fulfilment.status"),
];

/// The operation that reads a record of this kind at this account, and its arguments; none where the connector has none.
pub(crate) fn operation(account: &Account, kind: &str, id: &str) -> Option<(&'static str, Value)> {
    let found = OPERATIONS.iter().find(|(capability, _)| capability.name() == kind);
    let (_, operation) = found.filter(|(capability, _)| account.connector().has(*capability))?;
    Some((operation, json!({ "id": id })))
}

/// Whether a producer's order will not change any more, so that nobody has to ask for it again.
pub(crate) fn is_final(kind: &str, record: &Value) -> bool {
    let state = |axis: &str| record["status"][axis].as_str().unwrap_or_default();
    kind != FULFILMENT
        || matches!(state("order"), "completed" | "closed" | "cancelled")
        || matches!(state("fulfilment"), "delivered" | "returned" | "cancelled")
}
