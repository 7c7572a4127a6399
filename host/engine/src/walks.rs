//! Walks that lead in a circle: a cursor that came before in the same walk leads where it led then, for ever.
//!
//! One cursor of each walk is remembered, and another in its place when the walk is twice as long; a circle of any length comes to one of
//! them again (Brent's way). They are remembered in memory alone: after a restart they are counted from there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::stream::{StreamClaim, StreamKey};

/// The walks that are under way.
#[derive(Default)]
pub(crate) struct Walks(Mutex<BTreeMap<StreamKey, Mark>>);

/// A page that was passed.
struct Mark {
    walk: u64,
    page: u64,
    cursor: Option<String>,
}

impl Walks {
    /// Passes a page that is not the last of its walk. Gives the page that led where this one leads, if it is known.
    pub(crate) fn pass(&self, claim: &StreamClaim) -> Option<u64> {
        let StreamClaim { key, walk, walk_pages: page, cursor, .. } = claim;
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Another process may have begun another walk meanwhile.
        let mark = walks.get(key).filter(|mark| mark.walk == *walk && mark.page < *page);
        if let Some(mark) = mark.filter(|mark| mark.cursor == *cursor) {
            return Some(mark.page);
        }
        if mark.is_none_or(|mark| mark.page * 2 <= *page) {
            walks.insert(key.clone(), Mark { walk: *walk, page: *page, cursor: cursor.clone() });
        }
        None
    }

    /// A walk has come to its end.
    pub(crate) fn end(&self, stream: &StreamKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(walk: u64, page: u64, cursor: u64) -> StreamClaim {
        StreamClaim {
            key: StreamKey::new("a", "orders"),
            epoch: 1,
            cursor: Some(cursor.to_string()),
            walk,
            pages: page,
            walk_pages: page,
            walk_is_whole: false,
            whole_at: None,
        }
    }

    /// The page at which a walk is found to lead in a circle that begins behind `start` pages and is `length` long.
    fn found(first: u64, start: u64, length: u64) -> u64 {
        let walks = Walks::default();
        let cursor = |page: u64| if page <= start { page } else { start + (page - start) % length };
        (first..100_000).find(|page| walks.pass(&claim(1, *page, cursor(*page))).is_some()).unwrap()
    }

    #[test]
    fn every_circle_is_found_before_it_is_gone_round_three_times() {
        for start in [0, 1, 7, 100] {
            for length in [1, 2, 3, 64, 1_000] {
                for first in [1, 57] {
                    let page = found(first, start, length);
                    let most = first + 2 * (start.max(length) + first) + length;
                    assert!(
                        page <= most,
                        "start {start}, length {length}, first {first}: {page} pages, at most {most}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_walk_that_gets_on_is_no_circle_and_the_next_walk_is_another() {
        let walks = Walks::default();
        assert!((1..=10_000).all(|page| walks.pass(&claim(1, page, page)).is_none()));
        assert_eq!(walks.pass(&claim(2, 10_001, 8_192)), None, "this cursor was remembered of the walk before");
        walks.end(&StreamKey::new("a", "orders"));
        assert!(walks.0.lock().unwrap().is_empty());
    }
}
