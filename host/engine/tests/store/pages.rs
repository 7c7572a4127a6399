//! A law of every implementation of the store: whatever pages are committed in whatever order, by whoever holds a claim or does not any
//! more, the events, records and counts are those of a plain model in memory.
//!
//! The sequences are made from a seed, so a failure comes again; it is shown without the steps that it does not need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::each_store::on_each;
use serde_json::{Value, json};
use tradepost_engine::event::{Change, EventFilter};
use tradepost_engine::record::RecordQuery;
use tradepost_engine::store::{Store, StoreError};
use tradepost_engine::stream::{Committed, Item, PageCommit, StreamClaim, StreamKey};
use tradepost_runtime::storage::{StorageWrite, StorageWrites};

const SEQUENCES: u64 = 48;
const MOST_STEPS: u64 = 32;
const STREAMS: [(&str, &str); 3] = [("a", "orders"), ("a", "stock"), ("b", "orders")];
/// Each claim is over at once, so that any step may take a stream over.
const LEASE: Duration = Duration::ZERO;

/// A page that somebody wants to commit.
#[derive(Clone, Debug)]
struct Step {
    stream: usize,
    /// Ids and contents, few of each, so that they meet often.
    items: Vec<(u8, u8)>,
    end: bool,
    whole: bool,
    holder: Holder,
}

#[derive(Clone, Copy, Debug)]
enum Holder {
    /// Goes on with the claim that the last page gave.
    Same,
    /// Takes the stream over first.
    New,
    /// Has lost the stream to somebody else: must be refused.
    Late,
    /// Based a value on one that has changed: must be refused.
    Conflicting,
}

/// SplitMix64: a seed gives the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(bound.into())).expect("less than a bound that is one")
    }

    fn step(&mut self) -> Step {
        Step {
            stream: usize::from(self.small(3)),
            items: (0..self.below(4)).map(|_| (self.small(4), self.small(3))).collect(),
            end: self.below(2) == 0,
            whole: self.below(4) != 0,
            holder: match self.below(8) {
                0 => Holder::Late,
                1 => Holder::Conflicting,
                2 => Holder::New,
                _ => Holder::Same,
            },
        }
    }
}

/// What a stream must be like, kept without any of the store's means: no walk numbers, but for each record the whole walks that missed it since it was seen.
#[derive(Default)]
struct ModelStream {
    records: BTreeMap<String, ModelRecord>,
    seen: BTreeSet<String>,
    cursor: Option<String>,
    walks: u64,
    pages: u64,
}

struct ModelRecord {
    content: Option<Value>,
    version: u64,
    position: u64,
    missed: u32,
}

#[derive(Debug, PartialEq)]
struct ModelEvent {
    position: u64,
    stream: StreamKey,
    id: String,
    change: Change,
    version: u64,
    record: Option<Value>,
}

#[derive(Default)]
struct Model {
    streams: BTreeMap<StreamKey, ModelStream>,
    events: Vec<ModelEvent>,
    values: BTreeMap<String, Vec<u8>>,
}

impl Model {
    fn commit(&mut self, key: &StreamKey, page: &PageCommit) -> Committed {
        let stream = self.streams.entry(key.clone()).or_default();
        let mut committed = Committed::default();
        let mut tell = |id: &str, change, version, record: Option<&Value>| {
            let position = self.events.len() as u64 + 1;
            let (stream, id, record) = (key.clone(), id.to_owned(), record.cloned());
            self.events.push(ModelEvent { position, stream, id, change, version, record });
            position
        };
        for Item { id, record } in &page.items {
            let record = &serde_json::from_str::<Value>(record).expect("a record is JSON");
            stream.seen.insert(id.clone());
            let known = stream.records.entry(id.clone()).or_insert(ModelRecord {
                content: None,
                version: 0,
                position: 0,
                missed: 0,
            });
            known.missed = 0;
            let change = match &known.content {
                Some(content) if content == record => {
                    committed.unchanged += 1;
                    continue;
                }
                Some(_) => Change::Updated,
                None => Change::Created,
            };
            match change {
                Change::Updated => committed.updated += 1,
                _ => committed.created += 1,
            }
            known.version += 1;
            known.content = Some(record.clone());
            known.position = tell(id, change, known.version, Some(record));
        }
        if page.end {
            for (id, record) in &mut stream.records {
                if page.whole && !stream.seen.contains(id) {
                    record.missed += 1;
                }
                if page.whole && record.missed >= 2 && record.content.take().is_some() {
                    committed.deleted += 1;
                    record.version += 1;
                    record.position = tell(id, Change::Deleted, record.version, None);
                }
            }
            stream.seen.clear();
            stream.walks += 1;
        }
        stream.pages += 1;
        stream.cursor.clone_from(&page.cursor);
        for write in &page.writes.writes {
            self.values.insert(key.account.clone(), write.value.clone().expect("each page sets its value"));
        }
        committed
    }
}

#[allow(clippy::needless_pass_by_value, reason = "most of what is compared is made for it")]
fn same<T: Debug + PartialEq>(what: &str, store: T, model: T) -> Result<(), String> {
    if store == model { Ok(()) } else { Err(format!("{what}: the store has {store:?}, the model {model:?}")) }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn failed(error: StoreError) -> String {
    format!("unexpected: {error}")
}

/// Carries the steps out on an empty store and on the model; the first difference is the error.
async fn compare(store: &Arc<dyn Store>, steps: &[Step]) -> Result<(), String> {
    let mut model = Model::default();
    let mut claims: BTreeMap<StreamKey, StreamClaim> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let (account, kind) = STREAMS[step.stream];
        let key = StreamKey::new(account, kind);
        if !claims.contains_key(&key) || matches!(step.holder, Holder::New | Holder::Late) {
            let taken = store.claim_stream(&key, LEASE).await.map_err(failed)?.ok_or("a lease of no length is held")?;
            let stream = model.streams.entry(key.clone()).or_default();
            let stands = (stream.cursor.clone(), stream.walks + 1, stream.pages);
            same("what a claim begins with", (taken.cursor.clone(), taken.walk, taken.pages), stands)?;
            claims.insert(key.clone(), taken);
        }
        let held = claims[&key].clone();
        let item =
            |(id, content): &(u8, u8)| Item { id: format!("r{id}"), record: json!({"content": content}).to_string() };
        let mut page = PageCommit {
            items: step.items.iter().map(item).collect(),
            cursor: Some(format!("behind {number}")),
            end: step.end,
            whole: step.whole,
            writes: StorageWrites {
                preconditions: vec![("last".into(), model.values.get(account).cloned())],
                writes: vec![StorageWrite {
                    key: "last".into(),
                    value: Some(number.to_string().into_bytes()),
                    time_to_live: None,
                }],
            },
        };
        let refusal = match step.holder {
            Holder::Same | Holder::New => {
                let expected = model.commit(&key, &page);
                let (committed, next) = store.commit_page(&held, page, LEASE).await.map_err(failed)?;
                same("what a commit brought about", committed, expected)?;
                claims.insert(key, next);
                continue;
            }
            Holder::Late => {
                let taken = store.claim_stream(&key, LEASE).await.map_err(failed)?;
                claims.insert(key.clone(), taken.ok_or("a lease of no length is held")?);
                StoreError::Fenced(key.to_string())
            }
            Holder::Conflicting => {
                page.writes.preconditions = vec![("last".into(), Some(b"never".to_vec()))];
                StoreError::Conflict { key: "last".into() }
            }
        };
        let refused = store.commit_page(&held, page, LEASE).await;
        same("a commit that must be refused", refused.map(|_| ()), Err(refusal))?;
    }
    compare_views(store, &model).await
}

async fn compare_views(store: &Arc<dyn Store>, model: &Model) -> Result<(), String> {
    let events = store.events(0, usize::MAX, &EventFilter::default()).await.map_err(failed)?;
    let events = events.into_iter().map(|event| ModelEvent {
        position: event.position,
        stream: StreamKey::new(event.account, event.kind),
        id: event.id,
        change: event.change,
        version: event.version,
        record: event.record,
    });
    for (event, expected) in events.clone().zip(&model.events) {
        same("an event", &event, expected)?;
    }
    same("how many events there are", events.count(), model.events.len())?;

    let records = store.records(&RecordQuery { limit: usize::MAX, ..RecordQuery::default() }).await.map_err(failed)?;
    let records: Vec<_> = records
        .into_iter()
        .map(|record| {
            (record.position, StreamKey::new(record.account, record.kind), record.id, record.version, record.record)
        })
        .collect();
    let mut expected = Vec::new();
    for (key, stream) in &model.streams {
        for (id, record) in &stream.records {
            if let Some(content) = &record.content {
                expected.push((record.position, key.clone(), id.clone(), record.version, content.clone()));
            }
        }
    }
    expected.sort_by_key(|(position, ..)| std::cmp::Reverse(*position));
    same("the records", records, expected)?;

    let streams = store.streams().await.map_err(failed)?;
    let streams: Vec<_> =
        streams.into_iter().map(|stream| (stream.key, stream.walks, stream.pages, stream.records)).collect();
    let live = |stream: &ModelStream| stream.records.values().filter(|record| record.content.is_some()).count() as u64;
    let expected =
        model.streams.iter().map(|(key, stream)| (key.clone(), stream.walks, stream.pages, live(stream))).collect();
    same("the streams", streams, expected)?;
    for account in ["a", "b"] {
        let value = store.get(account, "last").await.map_err(|error| error.to_string())?;
        same("a connector's value", value.as_ref(), model.values.get(account))?;
    }
    Ok(())
}

/// The difference between store and model after these steps, and the steps that are needed for it.
async fn shortened(mut steps: Vec<Step>, compare: impl AsyncFn(Vec<Step>) -> Result<(), String>) -> Option<String> {
    let mut difference = compare(steps.clone()).await.err()?;
    let mut place = 0;
    while place < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(place);
        match compare(fewer.clone()).await {
            Err(still) => (steps, difference) = (fewer, still),
            Ok(()) => place += 1,
        }
    }
    Some(format!("{difference}\nafter {steps:#?}"))
}

/// Compares on a new store of each implementation.
async fn on_all(steps: Vec<Step>) -> Result<(), String> {
    let differences = std::sync::Mutex::new(Vec::new());
    on_each(|store| {
        let (steps, differences) = (&steps, &differences);
        async move {
            let compared = compare(&store, steps).await;
            differences.lock().unwrap().extend(compared.err());
        }
    })
    .await;
    differences.into_inner().unwrap().pop().map_or(Ok(()), Err)
}

#[tokio::test]
async fn any_sequence_of_pages_leaves_what_a_plain_model_says() {
    for seed in 0..SEQUENCES {
        let mut numbers = Numbers(seed);
        let steps: Vec<Step> = (0..=numbers.below(MOST_STEPS)).map(|_| numbers.step()).collect();
        if let Some(difference) = shortened(steps, on_all).await {
            panic!("seed {seed}: {difference}");
        }
    }
}

#[test]
fn the_sequences_reach_every_kind_of_step_and_change() {
    let (mut late, mut conflicting, mut deleted, mut back) = (0, 0, 0, 0);
    for seed in 0..SEQUENCES {
        let mut numbers = Numbers(seed);
        let mut model = Model::default();
        for _step in 0..=numbers.below(MOST_STEPS) {
            let step = numbers.step();
            match step.holder {
                Holder::Late => late += 1,
                Holder::Conflicting => conflicting += 1,
                Holder::Same | Holder::New => {
                    let (account, kind) = STREAMS[step.stream];
                    let item =
                        |(id, content): &(u8, u8)| Item { id: format!("r{id}"), record: json!(content).to_string() };
                    let items = step.items.iter().map(item).collect();
                    let page = PageCommit { items, end: step.end, whole: step.whole, ..PageCommit::default() };
                    deleted += model.commit(&StreamKey::new(account, kind), &page).deleted;
                }
            }
        }
        back += model.events.iter().filter(|event| event.change == Change::Created && event.version > 1).count();
    }
    assert!(late > 20 && conflicting > 20 && deleted > 20 && back > 5, "{late} {conflicting} {deleted} {back}");
}
