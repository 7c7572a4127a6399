//! The records that a scripted source holds: made from the description's sample, changed by checks, kept with the text that lists show.

use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::Value;
use time::{OffsetDateTime, UtcOffset};

use super::KitClock;
use super::substitution::{render, set};
use crate::description::{DateFormat, RecordKind, RowOrder};

/// A record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its id as text.
    pub(crate) id: String,
    /// Counts its changes.
    pub(crate) version: u64,
    /// When it last changed, seconds since 1970.
    pub(crate) updated: i64,
    /// Counts records in the order they were made.
    made: u64,
    /// It, with marks for numbers that must be written exactly so.
    pub(crate) value: Value,
    /// Its JSON as the source writes it.
    pub(crate) text: String,
}

/// The records of one kind.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) kind: RecordKind,
    /// The kind's sample, parsed when the first record is made.
    sample: OnceCell<Value>,
    clock: Arc<KitClock>,
    next: u64,
    held: Vec<Record>,
}

/// The first id that is given out. Not one: small numbers collide with too much else in a sample.
const FIRST_ID: u64 = 7001;

impl Records {
    pub(crate) fn new(kind: RecordKind, clock: Arc<KitClock>) -> Self {
        Self { kind, sample: OnceCell::new(), clock, next: FIRST_ID, held: Vec::new() }
    }

    /// All, first made first.
    pub(crate) fn all(&self) -> &[Record] {
        &self.held
    }

    /// In the order of a list.
    pub(crate) fn ordered(&self, order: RowOrder) -> Vec<&Record> {
        let mut rows: Vec<&Record> = self.held.iter().collect();
        match order {
            RowOrder::NewestFirst => rows.sort_by_key(|record| (-record.updated, std::cmp::Reverse(record.made))),
            RowOrder::LastMadeFirst => rows.reverse(),
            RowOrder::FirstMadeFirst => {}
        }
        rows
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Record> {
        self.held.iter().find(|record| record.id == id)
    }

    /// Makes a record from the sample, changed now, and gives its id.
    pub(crate) fn insert(&mut self) -> String {
        let id = self.next.to_string();
        self.insert_as(&id)
    }

    /// The same with an id of the check's choice.
    pub(crate) fn insert_as(&mut self, id: &str) -> String {
        let mut value = self.sample.get_or_init(|| self.kind.sample()).clone();
        let is_number = value.pointer(&self.kind.id).is_some_and(Value::is_number);
        set(&mut value, &self.kind.id, if is_number { super::number(id) } else { id.into() });
        let record = Record {
            id: id.to_owned(),
            version: 0,
            updated: self.clock.now(),
            made: self.next,
            value,
            text: String::new(),
        };
        self.next += 1;
        self.held.push(record);
        self.touch(id, |_| {});
        id.to_owned()
    }

    /// Changes a record: a new version, changed now. Whatever else changes is the caller's.
    pub(crate) fn touch(&mut self, id: &str, change: impl FnOnce(&mut Value)) {
        let (now, kind) = (self.clock.now(), &self.kind);
        let Some(record) = self.held.iter_mut().find(|record| record.id == id) else { return };
        record.version += 1;
        record.updated = now;
        if let Some(pointer) = &kind.version {
            let version = version_value(&record.value, pointer, record.version);
            set(&mut record.value, pointer, version);
        }
        for pointer in &kind.updated {
            if let Some(format) = kind.dates.get(pointer) {
                set(&mut record.value, pointer, date(now, format).into());
            }
        }
        change(&mut record.value);
        record.text = render(&record.value);
    }

    /// Changes a record and leaves its version and its dates alone.
    pub(crate) fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value)) {
        let Some(record) = self.held.iter_mut().find(|record| record.id == id) else { return };
        change(&mut record.value);
        record.text = render(&record.value);
    }

    /// Writes a record's text as it stands, whatever it is.
    pub(crate) fn write(&mut self, id: &str, text: String) {
        if let Some(record) = self.held.iter_mut().find(|record| record.id == id) {
            record.text = text;
        }
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.held.retain(|record| record.id != id);
    }

    /// What the contract's item should show as the version of a record: the text or number that `touch` wrote.
    pub(crate) fn shown_version(&self, record: &Record) -> Option<String> {
        let value = record.value.pointer(self.kind.version.as_ref()?)?;
        Some(plain(value))
    }
}

fn version_value(record: &Value, pointer: &str, version: u64) -> Value {
    match record.pointer(pointer) {
        Some(Value::Number(_)) => version.into(),
        // Whole numbers as text stay such: a connector reads them as numbers.
        Some(Value::String(text)) if text.parse::<u64>().is_ok() => version.to_string().into(),
        _ => format!("version {version}").into(),
    }
}

/// A scalar as text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An instant as a platform writes it.
pub(crate) fn date(seconds: i64, format: &DateFormat) -> String {
    let offset = UtcOffset::from_whole_seconds(i32::from(format.offset_minutes) * 60).unwrap_or(UtcOffset::UTC);
    let instant = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(offset);
    time::format_description::parse_owned::<2>(&format.format)
        .ok()
        .and_then(|description| instant.format(&description).ok())
        .unwrap_or_else(|| format!("(the format {:?} is none)", format.format))
}
