//! Reading lists: nothing is lost, whatever moves between two pages.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind_name;
use crate::description::{Answer, Operation, RecordKind};
use crate::kit::{Bench, Kit, WalkEnd, shown};
use crate::operation::OperationError;
use crate::report::{Finding, Found, failed, skipped};
use crate::source::{Part, State, Trouble, plain};
use tradepost_runtime::CallError;

/// What changes between two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Insert,
    Update,
    LeaveFilter,
    Delete,
}

/// Walks after a source fell quiet until everything must have been brought: one reads the changes, and where a look-back or a
/// second of several records is involved, one more.
const QUIET_WALKS: usize = 2;
/// Time that passes between two walks.
const BETWEEN_WALKS: i64 = 600;

pub(super) async fn backfill_complete(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let bench = kit.bench()?;
            let rows = rows_of_a_page(kit, kind);
            let count = rows * 2 + rows / 2 + 1;
            fill_with_words(&bench, kind, count);
            let walked = bench.walk(list, None).await?;
            let mut times: BTreeMap<String, usize> = BTreeMap::new();
            for item in &walked.items {
                *times.entry(id_of(list, item)?).or_default() += 1;
            }
            let state = bench.state();
            let held = state.records[&kind.name].all();
            for record in held {
                match times.remove(&record.id) {
                    Some(1) => {}
                    Some(times) => return failed(format!("{}: record {} came {times} times", list.name, record.id)),
                    None => {
                        return failed(format!(
                            "{}: record {} of {count} did not come in a first walk of {} calls",
                            list.name, record.id, walked.calls
                        ));
                    }
                }
            }
            match times.keys().next() {
                Some(id) => failed(format!("{}: record {id} came and is not held", list.name)),
                None => Ok(format!("{} {count} of {count} in {} calls", list.name, walked.calls)),
            }
        })
    })
    .await
}

pub(super) async fn insert_during_paging(kit: &Kit) -> Found {
    busy_walks(kit, Change::Insert).await
}

pub(super) async fn update_during_paging(kit: &Kit) -> Found {
    busy_walks(kit, Change::Update).await
}

pub(super) async fn leave_filter_during_paging(kit: &Kit) -> Found {
    busy_walks(kit, Change::LeaveFilter).await
}

pub(super) async fn delete_during_paging(kit: &Kit) -> Found {
    busy_walks(kit, Change::Delete).await
}

pub(super) async fn clock_skew(kit: &Kit) -> Found {
    let mut walks = 0;
    for skew in [3600, -3600] {
        kit.clock.skew(skew);
        let found = simulate(
            kit,
            &[Change::Insert, Change::Update, Change::LeaveFilter],
            kit.options.seeds.div_ceil(8),
            skew.unsigned_abs(),
        )
        .await;
        kit.clock.skew(0);
        walks += found.map_err(|finding| match finding {
            Finding::Failed(evidence) => Finding::Failed(format!("host clock {skew:+} s: {evidence}")),
            skipped @ Finding::Skipped(_) => skipped,
        })?;
    }
    Ok(format!("{walks} busy walks with the host's clock an hour ahead and an hour behind"))
}

pub(super) async fn same_second_burst(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            if kind.updated.is_empty() {
                return Ok(format!("{} has no dates to share", list.name));
            }
            let bench = kit.bench()?;
            bench.seed(&kind.name, 3);
            let mut follower = Follower::new(list);
            follower.walk(&bench).await?;
            kit.clock.advance(BETWEEN_WALKS);
            let count = rows_of_a_page(kit, kind) * 3;
            {
                let mut state = bench.state();
                for number in 0..count {
                    let id = state.records_mut(&kind.name).insert();
                    give_word(&mut state, kind, &id, number);
                }
            }
            follower.walk(&bench).await?;
            follower.compare(&bench, kind).map_err(Finding::Failed)?;
            Ok(format!("{} {count} records of one second", list.name))
        })
    })
    .await
}

pub(super) async fn resume_after_crash(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let rows = rows_of_a_page(kit, kind);
            let count = rows * 2 + 1;
            let whole = kit.bench()?;
            fill_with_words(&whole, kind, count);
            whole.walk(list, None).await?;
            let requests = whole.requests();
            for broken in 0..requests {
                let bench = kit.bench()?;
                fill_with_words(&bench, kind, count);
                let mut number = 0;
                bench.trouble(move |seen| {
                    if seen.part == Part::Login {
                        return None;
                    }
                    number += 1;
                    (number == broken + 1).then_some(Trouble::Refused)
                });
                let mut follower = Follower::new(list);
                let mut failures = 0;
                while let Err(end) = follower.walk(&bench).await {
                    failures += 1;
                    if failures > 3 {
                        return failed(format!(
                            "{}: the walk does not get on after request {}: {end}",
                            list.name,
                            broken + 1
                        ));
                    }
                }
                follower
                    .compare(&bench, kind)
                    .map_err(|lost| Finding::Failed(format!("broken off at request {}: {lost}", broken + 1)))?;
            }
            Ok(format!("{} broken off at each of {requests} requests", list.name))
        })
    })
    .await
}

pub(super) async fn corrupt_cursor(kit: &Kit) -> Found {
    let foreign =
        ["", "x", "{}", "[]", "null", "1", "v1:", "99", "\u{0}\u{1f600}", "{\"page\":-1}", "page=99999999999999999999"];
    let mut tried = 0;
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let bench = kit.bench()?;
            fill_with_words(&bench, kind, 3);
            let real = bench.page(list, None).await?.value["next"].as_str().map(str::to_owned);
            let cut = real.as_ref().map(|real| real[..real.floor_char_boundary(real.len() / 2)].to_owned());
            let long = "9".repeat(4000);
            let cursors = foreign.into_iter().map(str::to_owned).chain(cut).chain([long]);
            for cursor in cursors {
                match bench.page(list, Some(&cursor)).await {
                    // A cursor that happens to be one, or that a connector without cursors ignores, is no harm.
                    Ok(_) | Err(OperationError::Call(CallError::Connector(_))) => {}
                    Err(error) => return failed(format!("{} with the cursor {cursor:?}: {error}", list.name)),
                }
            }
            Ok(list.name.clone())
        })
    })
    .await
    .inspect(|_| tried += foreign.len())
    .map(|lists| format!("{lists}: each with {} cursors that were never given", foreign.len() + 2))
}

pub(super) async fn future_cursor(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for (list, kind) in lists(kit)? {
        let is_incremental = kit
            .connector
            .manifest()
            .streams
            .iter()
            .any(|stream| stream.interface == list.interface() && stream.incremental);
        if !is_incremental {
            evidence.push(format!("{} reads everything each time", list.name));
            continue;
        }
        let bench = kit.bench()?;
        fill_with_words(&bench, kind, 5);
        kit.clock.advance(30 * 24 * 3600);
        // One of each word, because each word may have a mark of its own.
        let newest = fill_with_words(&bench, kind, kind.words.len().max(1));
        let later = bench.walk(list, None).await?;
        // The source as it was before them: everything in it is older than the cursor's marks.
        for id in newest {
            bench.state().records_mut(&kind.name).remove(&id);
        }
        let again = bench.walk(list, later.cursor).await?;
        if !again.items.is_empty() {
            return failed(format!("{}: a cursor from 30 days later brought {} items", list.name, again.items.len()));
        }
        evidence.push(format!("{} brought nothing", list.name));
    }
    Ok(evidence.join(", "))
}

pub(super) async fn empty_and_single_page(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let rows = rows_of_a_page(kit, kind);
            for count in [0, 1, rows] {
                let bench = kit.bench()?;
                bench.seed(&kind.name, count);
                let walked = bench.walk(list, None).await?;
                if walked.items.len() != count {
                    return failed(format!("{}: {count} records held, {} brought", list.name, walked.items.len()));
                }
            }
            Ok(format!("{} with 0, 1 and {rows}", list.name))
        })
    })
    .await
}

pub(super) async fn endless_pages_end(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let Some(page) = kit.description.routes.iter().find_map(|route| {
                route.list.as_ref().filter(|listed| **listed == kind.name)?;
                route.page.as_ref()
            }) else {
                return Ok(format!("{} has one page", list.name));
            };
            let bench = kit.bench()?;
            bench.seed(&kind.name, page.rows);
            let Some(answer) = first_page(&bench, list).await? else {
                return Ok(format!("{} sends no paged request", list.name));
            };
            let parameter = page.number.clone();
            bench.trouble(move |seen| {
                let is_page = seen.parameter(&parameter).is_some_and(|number| number != "1");
                is_page.then(|| Trouble::Instead(answer.clone()))
            });
            match bench.walk(list, None).await {
                Ok(walked) => Ok(format!("{} ended after {} calls", list.name, walked.calls)),
                Err(WalkEnd::Error(OperationError::Call(CallError::Connector(error)))) => {
                    Ok(format!("{} ended with the error {}", list.name, kind_name(&error)))
                }
                Err(end) => failed(format!("{}: {end}", list.name)),
            }
        })
    })
    .await
}

/// The answer to the last request that a first page needs: a full page, with the totals that it states.
async fn first_page(bench: &Bench, list: &Operation) -> Result<Option<Answer>, Finding> {
    bench.page(list, None).await?;
    let line = bench.state().seen.iter().rev().find(|seen| seen.part == Part::Reading).cloned();
    Ok(line.map(|seen| bench.answer_to(&seen)))
}

pub(super) async fn idempotent_read(kit: &Kit) -> Found {
    each_list(kit, |kit, list, kind| {
        Box::pin(async move {
            let bench = kit.bench()?;
            fill_with_words(&bench, kind, rows_of_a_page(kit, kind) + 3);
            kit.clock.advance(BETWEEN_WALKS);
            let first = bench.walk(list, None).await?;
            let known: BTreeMap<String, Value> = first
                .items
                .iter()
                .map(|item| Ok((id_of(list, item)?, item.clone())))
                .collect::<Result<_, Finding>>()?;
            kit.clock.advance(BETWEEN_WALKS);
            let second = bench.walk(list, first.cursor).await?;
            for item in &second.items {
                let id = id_of(list, item)?;
                if known.get(&id) != Some(item) {
                    return failed(format!("{}: record {id} is told otherwise in a second walk: {item}", list.name));
                }
            }
            Ok(format!("{} second walk: {} items, none of them new", list.name, second.items.len()))
        })
    })
    .await
}

async fn busy_walks(kit: &Kit, change: Change) -> Found {
    let walks = simulate(kit, &[change], kit.options.seeds, change as u64 + 1).await?;
    Ok(format!("{walks} walks, each with changes between its pages, lost nothing"))
}

/// Busy walks of every list, each from a seed of its own. Gives how many there were.
async fn simulate(kit: &Kit, changes: &[Change], seeds: u64, salt: u64) -> Result<u64, Finding> {
    let mut walks = 0;
    let mut unfit = Vec::new();
    for (list, kind) in lists(kit)? {
        let fits = |change: &Change| match change {
            Change::Insert | Change::Delete => true,
            Change::Update => list.shows.version.is_some(),
            Change::LeaveFilter => kind.words.len() > 1,
        };
        let changes: Vec<Change> = changes.iter().copied().filter(fits).collect();
        if changes.is_empty() {
            unfit.push(list.name.clone());
            continue;
        }
        for seed in 0..seeds {
            let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9) ^ (salt << 40));
            one_busy_walk(kit, list, kind, &changes, &mut random)
                .await
                .map_err(|lost| Finding::Failed(format!("{}, seed {seed}: {lost}", list.name)))?;
            walks += 1;
        }
    }
    if walks == 0 {
        return skipped(format!("no list of the description has such changes ({})", unfit.join(", ")));
    }
    Ok(walks)
}

async fn one_busy_walk(
    kit: &Kit,
    list: &Operation,
    kind: &RecordKind,
    changes: &[Change],
    random: &mut Random,
) -> Result<(), String> {
    let bench = kit.bench().map_err(text)?;
    let rows = rows_of_a_page(kit, kind);
    fill_with_words(&bench, kind, random.below(rows * 5 / 2) + 1);
    kit.clock.advance(BETWEEN_WALKS);
    let mut follower = Follower::new(list);
    for _ in 0..2 {
        let (changes, name) = (changes.to_vec(), kind.name.clone());
        let (mut dice, clock) = (Random::new(random.next()), kit.clock.clone());
        bench.between(move |state, _| {
            while dice.below(3) == 0 {
                // Half of the changes share their second with the one before.
                clock.advance(i64::from(dice.below(2) == 0));
                make_change(state, &name, changes[dice.below(changes.len())], &mut dice);
            }
        });
        follower.walk(&bench).await.map_err(|end| end.to_string())?;
        bench.quiet();
        kit.clock.advance(BETWEEN_WALKS);
    }
    for _ in 0..QUIET_WALKS {
        follower.walk(&bench).await.map_err(|end| end.to_string())?;
        kit.clock.advance(BETWEEN_WALKS);
    }
    follower.compare(&bench, kind)
}

fn make_change(state: &mut State, kind: &str, change: Change, random: &mut Random) {
    let records = state.records_mut(kind);
    let count = records.all().len();
    let chosen = |random: &mut Random| records.all().get(random.below(count)).map(|record| record.id.clone());
    match change {
        Change::Insert => {
            let id = records.insert();
            let (kind, number) = (records.kind.clone(), random.below(100));
            give_word(state, &kind, &id, number);
        }
        Change::Update => {
            if let Some(id) = chosen(random) {
                records.touch(&id, |_| {});
            }
        }
        Change::LeaveFilter => {
            let (kind, number) = (records.kind.clone(), random.below(100));
            if let (Some(id), Some(pointer)) = (chosen(random), &kind.status) {
                let word = kind.words[number % kind.words.len()].clone();
                records.touch(&id, |value| set_word(value, pointer, &word));
            }
        }
        Change::Delete => {
            if let Some(id) = chosen(random) {
                records.remove(&id);
            }
        }
    }
}

/// Follows a list as an engine would: walk after walk from the last cursor, keeping the newest of each record.
struct Follower<'a> {
    list: &'a Operation,
    cursor: Option<String>,
    /// By id: the version and the status word last told.
    told: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl<'a> Follower<'a> {
    fn new(list: &'a Operation) -> Self {
        Self { list, cursor: None, told: BTreeMap::new() }
    }

    /// Walks to the end, or to the first call that fails; what came before it is kept, and its cursor.
    async fn walk(&mut self, bench: &Bench) -> Result<(), WalkEnd> {
        for _ in 0..2_000 {
            let page = bench.page(self.list, self.cursor.as_deref()).await.map_err(WalkEnd::Error)?;
            for item in page.value["items"].as_array().into_iter().flatten() {
                let Some(id) = shown(item, self.list.shows.id.as_ref()) else { continue };
                let version = shown(item, self.list.shows.version.as_ref());
                let word = shown(item, self.list.shows.status.as_ref());
                self.told.insert(id, (version, word));
            }
            self.cursor = page.value["next"].as_str().map(str::to_owned);
            if page.value["end"] == true {
                return Ok(());
            }
        }
        Err(WalkEnd::Endless(2_000))
    }

    /// Whether everything that the source holds was told, in its newest version.
    fn compare(&self, bench: &Bench, kind: &RecordKind) -> Result<(), String> {
        let state = bench.state();
        let records = &state.records[&kind.name];
        for record in records.all() {
            let Some((version, word)) = self.told.get(&record.id) else {
                return Err(format!("record {} was never brought", record.id));
            };
            let newest = records.shown_version(record);
            if self.list.shows.version.is_some() && *version != newest {
                return Err(format!("record {} was last brought as {version:?}, and is {newest:?}", record.id));
            }
            let held = kind.status.as_ref().and_then(|pointer| record.value.pointer(pointer)).map(plain);
            if word.is_some() && *word != held {
                return Err(format!("record {} was last brought as {word:?}, and is {held:?}", record.id));
            }
        }
        Ok(())
    }
}

type OfOneList<'a> = std::pin::Pin<Box<dyn Future<Output = Found> + 'a>>;

/// Runs a check on each list and joins the evidence.
async fn each_list<'k>(kit: &'k Kit, check: impl Fn(&'k Kit, &'k Operation, &'k RecordKind) -> OfOneList<'k>) -> Found {
    let mut evidence = Vec::new();
    for (list, kind) in lists(kit)? {
        evidence.push(check(kit, list, kind).await?);
    }
    Ok(evidence.join("; "))
}

fn lists(kit: &Kit) -> Result<Vec<(&Operation, &RecordKind)>, Finding> {
    let lists = kit.lists();
    if lists.is_empty() { skipped("the connector reads no list") } else { Ok(lists) }
}

fn id_of(list: &Operation, item: &Value) -> Result<String, Finding> {
    shown(item, list.shows.id.as_ref())
        .ok_or_else(|| Finding::Failed(format!("{}: an item has nothing at {:?}: {item}", list.name, list.shows.id)))
}

/// How many rows a page of this kind has; 5 where it has no pages.
fn rows_of_a_page(kit: &Kit, kind: &RecordKind) -> usize {
    let routes = kit.description.routes.iter().filter(|route| route.list.as_ref() == Some(&kind.name));
    routes.filter_map(|route| route.page.as_ref()).map(|page| page.rows).next().unwrap_or(5)
}

/// Fills a source, the status words in turn.
fn fill_with_words(bench: &Bench, kind: &RecordKind, count: usize) -> Vec<String> {
    let ids = bench.seed(&kind.name, count);
    for (number, id) in ids.iter().enumerate() {
        give_word(&mut bench.state(), kind, id, number);
    }
    ids
}

fn give_word(state: &mut State, kind: &RecordKind, id: &str, number: usize) {
    if let (Some(pointer), false) = (&kind.status, kind.words.is_empty()) {
        let word = kind.words[number % kind.words.len()].clone();
        state.records_mut(&kind.name).edit(id, |value| set_word(value, pointer, &word));
    }
}

/// A status word, as a number where the sample has one.
fn set_word(value: &mut Value, pointer: &str, word: &str) {
    let is_number = value.pointer(pointer).is_some_and(Value::is_number);
    let word = word.parse::<i64>().ok().filter(|_| is_number).map_or_else(|| word.into(), Value::from);
    crate::source::set(value, pointer, word);
}

fn text(finding: Finding) -> String {
    match finding {
        Finding::Failed(text) | Finding::Skipped(text) => text,
    }
}

/// Numbers that are the same for the same seed: SplitMix64.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % bound.max(1)
    }
}
