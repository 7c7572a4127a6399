//! A busy source that changes between page requests loses nothing to the walk, in a thousand seeded runs, and the check
//! that says so is not blind: without the source's totals it finds losses.

use std::collections::BTreeMap;

use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{PageOf, Walk};

use super::walk_cursor::Record;

const STATUSES: [&str; 3] = ["READY", "PROCESSED", "SHIPPED"];
const PAGE: usize = 5;
const RUNS: u64 = 1500;

/// A small seeded generator (SplitMix64): a failing run is named by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Orders at the source: id to status and time of the last change. Removed ones are gone.
struct Source {
    dice: Dice,
    orders: BTreeMap<u32, (usize, i64)>,
    next_id: u32,
    clock: i64,
    busy: bool,
    tells_totals: bool,
}

impl Source {
    fn new(seed: u64, tells_totals: bool) -> Self {
        let mut source =
            Self { dice: Dice(seed), orders: BTreeMap::new(), next_id: 1, clock: 1_000_000, busy: true, tells_totals };
        for _ in 0..20 + source.dice.roll(30) {
            source.insert();
        }
        source
    }

    fn insert(&mut self) {
        self.tick();
        let status = usize::try_from(self.dice.roll(2)).unwrap();
        self.orders.insert(self.next_id, (status, self.clock));
        self.next_id += 1;
    }

    /// Some changes share a second.
    fn tick(&mut self) {
        if self.dice.roll(3) > 0 {
            self.clock += 1 + i64::try_from(self.dice.roll(40)).unwrap();
        }
    }

    /// What happens between two page requests.
    fn live(&mut self) {
        for _ in 0..self.dice.roll(4) {
            let ids: Vec<u32> = self.orders.keys().copied().collect();
            let pick = |dice: &mut Dice| ids[usize::try_from(dice.roll(ids.len() as u64)).unwrap()];
            match self.dice.roll(10) {
                0..=2 => self.insert(),
                // Moves on to another status, or is only touched.
                3..=8 if !ids.is_empty() => {
                    self.tick();
                    let id = pick(&mut self.dice);
                    let moved = usize::try_from(self.dice.roll(3)).unwrap();
                    self.orders.insert(id, (moved, self.clock));
                }
                _ if ids.len() > 5 => {
                    let id = pick(&mut self.dice);
                    self.orders.remove(&id);
                }
                _ => {}
            }
        }
    }

    fn page(&mut self, status: Option<&str>, page: u32) -> PageOf<Record> {
        if self.busy {
            self.live();
        }
        let status = STATUSES.iter().position(|word| Some(*word) == status).expect("a known status");
        let mut rows: Vec<Record> = self
            .orders
            .iter()
            .filter(|(_, (present, _))| *present == status)
            .map(|(id, (_, updated))| Record { id: id.to_string(), updated: *updated })
            .collect();
        // Newest first; rows of one second in a stable order.
        rows.sort_by(|left, right| right.updated.cmp(&left.updated).then_with(|| right.id.cmp(&left.id)));
        let total = rows.len();
        let start = (page as usize - 1) * PAGE;
        let rows: Vec<Record> = rows.into_iter().skip(start).take(PAGE).collect();
        PageOf { rows, total: self.tells_totals.then_some(total as u64), last: start + PAGE >= total }
    }
}

/// Walks a busy source, then a quiet one, and counts the orders whose newest version never arrived.
fn lost_in_run(seed: u64, tells_totals: bool) -> usize {
    let mut source = Source::new(seed, tells_totals);
    let mut delivered: BTreeMap<u32, i64> = BTreeMap::new();
    let mut cursor: Option<String> = None;
    let rows_per_call = u32::try_from(1 + source.dice.roll(20)).unwrap();
    let walk = Walk::over(STATUSES).look_back(0).rows_per_call(Some(rows_per_call));
    for round in 0..5 {
        source.busy = round < 3;
        loop {
            let mut fetch =
                |status: Option<&str>, page: u32| -> Result<PageOf<Record>, Error> { Ok(source.page(status, page)) };
            let step = walk.step(cursor.as_deref(), &mut fetch).unwrap();
            for row in step.items {
                let newest = delivered.entry(row.id.parse().unwrap()).or_default();
                *newest = row.updated.max(*newest);
            }
            let next = step.next.expect("a walk always says where to go on");
            assert!(next.len() <= 4096);
            // A crash between two calls: the page was not committed, so the old cursor is used again.
            if source.dice.roll(12) > 0 {
                cursor = Some(next);
                if step.end {
                    break;
                }
            }
        }
    }
    source.orders.iter().filter(|(id, (_, updated))| delivered.get(id) != Some(updated)).count()
}

#[test]
fn nothing_is_lost_in_a_busy_list() {
    let losing: Vec<u64> = (0..RUNS).filter(|seed| lost_in_run(*seed, true) > 0).collect();
    assert!(losing.is_empty(), "{} of {RUNS} runs lost an order; seeds {losing:?}", losing.len());
}

#[test]
fn the_check_sees_what_is_lost_without_totals() {
    let losing = (0..RUNS).filter(|seed| lost_in_run(*seed, false) > 0).count();
    assert!(
        losing > 10,
        "only {losing} of {RUNS} runs lost an order: the simulation is not busy enough to prove anything"
    );
}
