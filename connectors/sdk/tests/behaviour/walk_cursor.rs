//! The walk's cursor and its limits.

use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{PageOf, Row, Walk};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) updated: i64,
}

impl Row for Record {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        Some(Timestamp { epoch_seconds: self.updated, nanoseconds: 0, offset_minutes: 0 })
    }
}

fn record(id: u32, updated: i64) -> Record {
    Record { id: id.to_string(), updated }
}

/// Pages of two out of a list that does not move.
fn still(rows: &[Record]) -> impl FnMut(Option<&str>, u32) -> Result<PageOf<Record>, Error> + '_ {
    move |_, page| {
        let start = (page as usize - 1) * 2;
        let rows_of_page: Vec<Record> = rows.iter().skip(start).take(2).cloned().collect();
        Ok(PageOf { rows: rows_of_page, total: Some(rows.len() as u64), last: start + 2 >= rows.len() })
    }
}

#[test]
fn a_walk_goes_over_calls_and_the_next_one_reads_only_what_is_new() {
    let rows: Vec<Record> = (0..7).map(|id| record(id, 10_000 - i64::from(id) * 1000)).collect();
    let walk = Walk::unfiltered().rows_per_call(Some(2));
    let (mut ids, mut cursor, mut calls) = (Vec::new(), None, 0);
    loop {
        let step = walk.step(cursor.as_deref(), &mut still(&rows)).unwrap();
        ids.extend(step.items.into_iter().map(|row| row.id));
        assert_eq!(step.total, Some(7));
        cursor = step.next;
        calls += 1;
        if step.end {
            break;
        }
    }
    assert_eq!((ids.join(","), calls), ("0,1,2,3,4,5,6".to_owned(), 4));
    let again = walk.step(cursor.as_deref(), &mut still(&rows)).unwrap();
    assert_eq!((again.items.len(), again.end), (1, true), "only the row at the mark");
    let changed = [&[record(9, 10_500)], &rows[..]].concat();
    let again = walk.step(cursor.as_deref(), &mut still(&changed)).unwrap();
    assert_eq!(again.items.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["9", "0"]);
}

#[test]
fn the_mark_moves_only_when_a_walk_is_complete() {
    let rows: Vec<Record> = (0..6).map(|id| record(id, 10_000 - i64::from(id))).collect();
    let walk = Walk::unfiltered().rows_per_call(Some(1));
    let first = walk.step(None, &mut still(&rows)).unwrap();
    // Something changes; the walk that is under way keeps the mark it began with.
    let changed = [&[record(9, 20_000)], &rows[..]].concat();
    let (mut cursor, mut end) = (first.next, false);
    while !end {
        let step = walk.step(cursor.as_deref(), &mut still(&changed)).unwrap();
        (cursor, end) = (step.next, step.end);
    }
    let next = walk.step(cursor.as_deref(), &mut still(&changed)).unwrap();
    assert_eq!(next.items[0].id, "9");
}

#[test]
fn statuses_are_walked_one_after_the_other_with_marks_of_their_own() {
    let mut asked = Vec::new();
    let mut source = |status: Option<&str>, page: u32| {
        asked.push(format!("{}/{page}", status.unwrap_or("-")));
        let rows = if status == Some("OPEN") { vec![record(1, 5000)] } else { vec![] };
        Ok(PageOf { rows, total: None, last: true })
    };
    let walk = Walk::over(["OPEN", "DONE"]);
    let step = walk.step(None, &mut source).unwrap();
    assert!(step.end && step.items.len() == 1 && step.total.is_none());
    // A status that the connector learns later is read from its beginning.
    let wider = Walk::over(["OPEN", "DONE", "LATE"]);
    assert!(wider.step(step.next.as_deref(), &mut source).unwrap().end);
    assert_eq!(asked, ["OPEN/1", "DONE/1", "OPEN/1", "DONE/1", "LATE/1"]);
}

#[test]
fn a_first_walk_can_begin_at_a_date() {
    let rows: Vec<Record> = (0..6).map(|id| record(id, 10_000 - i64::from(id) * 1000)).collect();
    let since = Timestamp { epoch_seconds: 7500, nanoseconds: 0, offset_minutes: 0 };
    let step = Walk::unfiltered().since(Some(since)).step(None, &mut still(&rows)).unwrap();
    assert_eq!((step.items.len(), step.end), (3, true));
}

#[test]
fn a_list_in_another_order_is_read_whole_each_time() {
    let rows: Vec<Record> = (0..6).map(|id| record(id, 1000 + i64::from(id) * 1000)).collect();
    let walk = Walk::unfiltered().unsorted();
    let first = walk.step(None, &mut still(&rows)).unwrap();
    let second = walk.step(first.next.as_deref(), &mut still(&rows)).unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.end), (6, 6, true));
}

#[test]
fn a_cursor_that_is_not_ours_is_refused_in_words() {
    let walk = Walk::over(["OPEN"]);
    let good = Walk::over(["OPEN"])
        .rows_per_call(Some(1))
        .step(None, &mut still(&[record(1, 5), record(2, 4), record(3, 3)]))
        .unwrap();
    let good = good.next.unwrap();
    let foreign_status = good.replace("OPEN", "GONE");
    let other_version = good.replace("signpost-1", "signpost-9");
    for (cursor, words) in [
        ("", "damaged"),
        ("{}", "damaged"),
        ("42", "damaged"),
        (&good[..good.len() - 1], "damaged"),
        (other_version.as_str(), "its version is `signpost-9`"),
        (foreign_status.as_str(), "`GONE`"),
    ] {
        let error = walk.step(Some(cursor), &mut still(&[])).unwrap_err();
        assert!(error.message.contains(words), "{cursor}: {}", error.message);
        assert!(matches!(error.kind, ErrorKind::InvalidInput(issues) if issues[0].code == "invalid-cursor"));
    }
}

#[test]
fn a_cursor_stays_within_the_contracts_limit_or_says_why_not() {
    let names = |count: usize| (0..count).map(|index| format!("a-rather-long-status-word-{index}")).collect::<Vec<_>>();
    let mut one = |_: Option<&str>, _: u32| Ok(PageOf { rows: vec![record(1, 5000)], total: Some(1), last: true });
    let step = Walk::over(names(30)).step(None, &mut one).unwrap();
    assert!(step.next.unwrap().len() <= 4096);
    let wide = Walk::over(names(500));
    let first = wide.step(None, &mut one).unwrap();
    let error = wide.step(first.next.as_deref(), &mut one).unwrap_err();
    assert!(error.detail.contains("more than 4096"), "{}", error.detail);
}

#[test]
fn a_source_that_repeats_one_page_for_ever_is_reported() {
    let mut asked = 0;
    let mut stuck = |_: Option<&str>, _: u32| {
        asked += 1;
        Ok(PageOf { rows: vec![record(1, 5), record(2, 4)], total: None, last: false })
    };
    let error = Walk::unfiltered().rows_per_call(Some(1000)).step(None, &mut stuck).unwrap_err();
    assert!(error.detail.contains("to differ from the pages before it"), "{}", error.detail);
    assert!(asked < 20, "{asked} requests");
}

#[test]
fn a_source_that_ignores_the_page_is_reported_over_calls_though_its_rows_change() {
    let mut asked = 0;
    let mut stuck = |_: Option<&str>, _: u32| {
        asked += 1;
        // Behind the first row something is new each time.
        Ok(PageOf { rows: vec![record(0, 5), record(asked, 4)], total: None, last: false })
    };
    let walk = Walk::unfiltered().unsorted().rows_per_call(Some(1));
    let mut cursor = None;
    let error = (0..20).find_map(|_| match walk.step(cursor.as_deref(), &mut stuck) {
        Ok(step) => {
            cursor = step.next;
            None
        }
        Err(error) => Some(error),
    });
    assert!(matches!(error.expect("the walk ends").kind, ErrorKind::Protocol(_)));
    assert!(asked < 20, "{asked} requests");
}

#[test]
fn a_short_page_ends_a_list_only_where_a_page_before_it_was_fuller() {
    let read = |pages: &[u32], walk: Walk| {
        let mut asked = 0;
        let mut source = |_: Option<&str>, page: u32| {
            asked = page;
            let rows = pages.get(page as usize - 1).copied().unwrap_or(0);
            Ok(PageOf { rows: (0..rows).map(|row| record(page * 100 + row, 5)).collect(), total: None, last: false })
        };
        let (mut items, mut cursor, mut end) = (0, None, false);
        while !end {
            let step = walk.step(cursor.as_deref(), &mut source).unwrap();
            (items, cursor, end) = (items + step.items.len(), step.next, step.end);
        }
        (items, asked)
    };
    // One page a call: what the fullest page had is known from the cursor.
    let walk = Walk::unfiltered().unsorted().rows_per_call(Some(1));
    for (pages, plain, ended) in [
        (&[][..], (0, 1), (0, 1)),
        (&[3], (3, 2), (3, 2)),
        (&[3, 1], (4, 3), (4, 2)),
        (&[3, 3], (6, 3), (6, 3)),
        (&[3, 3, 2], (8, 4), (8, 3)),
    ] {
        assert_eq!(read(pages, walk.clone()), plain, "{pages:?}");
        assert_eq!(read(pages, walk.clone().short_page_ends()), ended, "{pages:?}");
    }
}

#[test]
fn a_page_that_comes_again_a_few_times_is_no_mistake() {
    // Each answer, somebody has put two rows in front: page 2 is what page 1 was.
    let mut newest = 100;
    let mut pushed = |_: Option<&str>, page: u32| {
        let rows = vec![record(7, 50), record(6, 49)];
        if page >= 4 {
            return Ok(PageOf { rows: vec![record(1, 1)], total: Some(newest), last: true });
        }
        newest += 2;
        Ok(PageOf { rows, total: Some(newest), last: false })
    };
    assert!(Walk::unfiltered().step(None, &mut pushed).unwrap().end);
}

#[test]
fn failures_of_the_source_are_passed_on() {
    let mut failing =
        |_: Option<&str>, _: u32| -> Result<PageOf<Record>, Error> { Err(error::transient("down", Some(5))) };
    assert!(matches!(Walk::unfiltered().step(None, &mut failing).unwrap_err().kind, ErrorKind::Transient(_)));
}

#[test]
fn a_walk_over_nothing_is_complete() {
    let none: [&str; 0] = [];
    let step = Walk::over(none).step(None, &mut still(&[])).unwrap();
    assert!(step.end && step.items.is_empty());
}
