//! The ledger: every write that a marketplace accepted, in order, and how much it was asked.
//!
//! It only grows. A test that asks whether an order was shipped twice looks here and not into the connector's answers.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::exchange::Request;

/// One accepted write.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its place in the ledger, from 1.
    pub sequence: u64,
    /// What it did, such as `order.ship`, `variant.update` or `product.create`.
    pub effect: &'static str,
    /// The request's method.
    pub method: String,
    /// The request's path with its query.
    pub path: String,
    /// What it was done to: the id of an order or a product, an SKU, the reference of an order that was handed over, or the transaction
    /// of a gift card.
    pub key: String,
    /// What the client sent for it.
    pub json: Value,
}

#[derive(Debug, Default)]
struct Book {
    entries: Mutex<Vec<Entry>>,
    file: Option<Mutex<File>>,
    requests: AtomicU64,
    logins: AtomicU64,
}

/// What a marketplace accepted. Copies share the same book.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Book>);

impl Ledger {
    /// An empty ledger that also appends to a file, one line of JSON per entry.
    pub(crate) fn with_file(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Arc::new(Book { file: Some(Mutex::new(file)), ..Book::default() })))
    }

    fn book(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters an accepted write.
    ///
    /// # Panics
    ///
    /// When the ledger's file cannot be written: a ledger with holes would make tests pass that should fail.
    pub(crate) fn enter(&self, request: &Request, effect: &'static str, key: impl Into<String>, json: Value) {
        let mut entries = self.book();
        let entry = Entry {
            sequence: entries.len() as u64 + 1,
            effect,
            method: request.method.to_string(),
            path: request.path_and_query(),
            key: key.into(),
            json,
        };
        if let Some(file) = &self.0.file {
            let mut line = serde_json::to_vec(&entry).unwrap_or_default();
            line.push(b'\n');
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&line).and_then(|()| file.flush()).expect("the ledger's file can be written");
        }
        entries.push(entry);
    }

    /// Counts a request that was served.
    pub(crate) fn count_request(&self) -> u64 {
        self.0.requests.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Counts a login that succeeded.
    pub(crate) fn count_login(&self) {
        self.0.logins.fetch_add(1, Ordering::SeqCst);
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.book().clone()
    }

    /// The entries with one effect, oldest first.
    pub fn of(&self, effect: &str) -> Vec<Entry> {
        self.book().iter().filter(|entry| entry.effect == effect).cloned().collect()
    }

    /// The entries about one order, product, SKU or code, oldest first.
    pub fn about(&self, key: &str) -> Vec<Entry> {
        self.book().iter().filter(|entry| entry.key == key).cloned().collect()
    }

    /// How many entries there are of each effect.
    pub fn effects(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for entry in self.book().iter() {
            *counts.entry(entry.effect.to_owned()).or_default() += 1;
        }
        counts
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.book().len()
    }

    /// Whether nothing was accepted yet.
    pub fn is_empty(&self) -> bool {
        self.book().is_empty()
    }

    /// How many requests came in, refused and faulted ones included; those of people below `/_sandbox` are not counted.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::SeqCst)
    }

    /// How many logins succeeded. Where each request carries the credentials, each request that carries the right ones is one.
    pub fn logins(&self) -> u64 {
        self.0.logins.load(Ordering::SeqCst)
    }
}
