//! The categories, in the order in which function 5 sends them: all at once, for the interface has no pages.

use serde_json::Value;

use super::generate;

/// The categories, each as the interface sends it.
pub(super) struct Categories(Vec<Value>);

impl Categories {
    /// `count` categories, the sample first.
    pub(super) fn open(count: u64) -> Self {
        Self((0..count).map(generate::category).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// All of them.
    pub(super) fn json(&self) -> Value {
        self.0.clone().into()
    }

    /// Puts a row in last, exactly as given.
    pub(super) fn insert(&mut self, row: Value) {
        self.0.push(row);
    }

    /// Takes a category out. Tells whether there was one.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|row| row["ID"] != id);
        self.0.len() < before
    }
}
