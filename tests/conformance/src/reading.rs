//! Reading one record through the contract: the same question for lists and for operations that take an id, with an answer that
//! tells apart what may happen (the record, nothing, an error of the contract) from what never may.

use serde_json::Value;
use tradepost_runtime::CallError;
use tradepost_runtime::errors::{Error, ErrorKind};

use crate::checks::kind_name;
use crate::description::{Operation, RecordKind};
use crate::kit::{Bench, Kit, WalkEnd, shown};
use crate::operation::OperationError;
use crate::report::{Finding, failed, skipped};
use crate::source::{number, render, set};

/// An operation that shows records of a kind.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'k> {
    pub(crate) operation: &'k Operation,
    pub(crate) kind: &'k RecordKind,
}

/// What became of a read.
#[derive(Debug)]
pub(crate) enum Read {
    /// The contract's item.
    Item(Value),
    /// A list without the record.
    Absent,
    /// An error of the contract.
    Refused(Error),
    /// A trap, a limit, a result that breaks the contract: never acceptable.
    Broken(String),
}

/// A source with one record, and what is needed to write that record anew.
pub(crate) struct Single {
    pub(crate) bench: Bench,
    pub(crate) id: String,
    /// The record as the sample has it.
    pub(crate) record: Value,
}

impl Kit {
    /// The operations that show records, without those that the description leaves out of this check.
    pub(crate) fn readings(&self, check: &str) -> Result<Vec<Reading<'_>>, Finding> {
        let mut readings = Vec::new();
        let mut reasons = Vec::new();
        for operation in &self.description.operations {
            let kind = operation.record.as_ref().and_then(|kind| self.description.record(kind));
            let shows = operation.shows.id.is_some() || (!operation.is_list() && operation.shows.has_fields());
            let (Some(kind), true, false) = (kind, shows, operation.is_write()) else { continue };
            match operation.skip.get(check) {
                Some(reason) => reasons.push(format!("{}: {reason}", operation.name)),
                None if self.offers(operation) => readings.push(Reading { operation, kind }),
                None => {}
            }
        }
        match (readings.is_empty(), reasons.is_empty()) {
            (true, true) => skipped("no operation of the description shows records"),
            (true, false) => skipped(reasons.join("; ")),
            _ => Ok(readings),
        }
    }

    /// A fresh source with one record of a kind.
    pub(crate) fn single(&self, kind: &RecordKind) -> Result<Single, Finding> {
        let bench = self.bench()?;
        let id = bench.seed(&kind.name, 1).remove(0);
        let record = bench.state().records_mut(&kind.name).get(&id).map(|record| record.value.clone());
        Ok(Single { bench, id, record: record.unwrap_or_default() })
    }
}

impl<'k> Reading<'k> {
    pub(crate) fn name(&self) -> &'k str {
        &self.operation.name
    }

    /// Reads the record `id`.
    pub(crate) async fn read(&self, bench: &Bench, id: &str) -> Read {
        let found = if self.operation.is_list() {
            bench.walk(self.operation, None).await.map(|walked| walked.items)
        } else {
            let outcome = bench.call(self.operation, id).await.map_err(WalkEnd::Error);
            outcome.map(|outcome| match outcome.value {
                Value::Array(items) => items,
                item => vec![item],
            })
        };
        match found {
            Ok(mut items) => {
                let is_it = |item: &Value| shown(item, self.operation.shows.id.as_ref()).as_deref() == Some(id);
                let place = items.iter().position(is_it).unwrap_or(0);
                if items.is_empty() { Read::Absent } else { Read::Item(items.swap_remove(place)) }
            }
            Err(WalkEnd::Error(OperationError::Call(CallError::Connector(error)))) => Read::Refused(error),
            Err(end) => Read::Broken(end.to_string()),
        }
    }

    /// Reads a record whose JSON the check wrote.
    pub(crate) async fn read_text(&self, single: &Single, text: String) -> Read {
        single.bench.state().records_mut(&self.kind.name).write(&single.id, text);
        self.read(&single.bench, &single.id).await
    }

    /// Reads the record with one of its values changed.
    pub(crate) async fn read_with(&self, single: &Single, pointer: &str, new: Value) -> Read {
        let mut changed = single.record.clone();
        set(&mut changed, pointer, new);
        self.read_text(single, render(&changed)).await
    }

    /// The record as it is shown unchanged. Anything but an item is a finding.
    pub(crate) async fn plain(&self, single: &Single) -> Result<Value, Finding> {
        match self.read_text(single, render(&single.record)).await {
            Read::Item(item) => Ok(item),
            other => failed(format!("{}: the sample itself: {}", self.name(), other.told())),
        }
    }
}

impl Read {
    /// Whether it is the contract's error for an answer that cannot be understood.
    pub(crate) fn is_protocol_error(&self) -> bool {
        matches!(self, Self::Refused(Error { kind: ErrorKind::Protocol(_), .. }))
    }

    /// It in words.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Item(item) => cut(&item.to_string()),
            Self::Absent => "the list does not have the record".to_owned(),
            Self::Refused(error) => format!("the error {}: {} ({})", kind_name(error), error.message, error.detail),
            Self::Broken(problem) => problem.clone(),
        }
    }
}

/// A scalar of the sample's type: a number with exactly these digits where the sample has a number, else text.
pub(crate) fn like(record: &Value, pointer: &str, text: &str) -> Value {
    if record.pointer(pointer).is_some_and(Value::is_number) { number(text) } else { text.into() }
}

/// A text that fits into a line of evidence.
pub(crate) fn cut(text: &str) -> String {
    const MOST: usize = 200;
    if text.len() <= MOST { text.to_owned() } else { format!("{}...", &text[..text.floor_char_boundary(MOST)]) }
}
