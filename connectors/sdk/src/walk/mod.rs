//! The page walk: reads a numbered, moving list so that nothing is lost.
//!
//! A source that offers page numbers and sorts by last change, newest first, moves its rows while it is read. Per status
//! the walk does this:
//!
//! 1. It remembers the first row's `updated_at` as the *signpost*: the source's clock, never ours.
//! 2. It walks down and emits rows that changed at or after the last walk's mark, less a look-back.
//! 3. Where the reported total fell between two answers, rows may have moved up across the seam, so it goes back as many
//!    pages as that can have moved them. (The upward shift at a seam is the removals above it less the insertions; the total
//!    changes by all insertions less all removals; so a total that did not fall implies no upward shift.)
//! 4. It stops behind a page whose last row is older than the mark, or at the end of the list.
//! 5. Only then the mark becomes the signpost.
//!
//! Rows that change while the walk is under way move above the signpost and are read by the next walk. Delivery is at
//! least once; the host tells repeats apart by content. Every status the source knows is walked, one after the other,
//! because a row that leaves one status appears in another. Two things stay with the host: reading non-terminal orders
//! again by id now and then (no `updated_at` tells everything), and concluding that a record is gone.
//!
//! A source that reports no total has no step 3: a removal at the wrong moment may hide a row until it changes again or the
//! host reads it by id. A source that sorts by something else ([`Walk::unsorted`]) is read whole each time.

mod cursor;

use crate::bindings::contract::commerce::{Notification, Order, Product};
use crate::bindings::contract::errors::Error;
use crate::bindings::contract::values::Timestamp;
use crate::bindings::sellers::Seller;
use crate::error::{self, ErrorExt};
use cursor::{Cursor, Instant, Place};

/// Look-back in seconds: longer than a source's clock is coarse and its commits are late.
pub const DEFAULT_LOOK_BACK_SECONDS: u32 = 120;
/// How often the same page may come under different numbers before the source is held to ignore the number. Insertions
/// can push exactly a page's worth of rows down, but not again and again.
const REPEATS_ALLOWED: u32 = 10;
/// How often a walk may go back before the list is held to be unreadable.
const RETURNS_ALLOWED: u32 = 1000;
/// Source pages read in one call at most: half of the host's default of 64 requests a call is left for the rest.
const PAGES_PER_CALL: u32 = 32;
/// Rows after which a call ends, where the query has no wish.
const ROWS_PER_CALL: usize = 100;

/// What a walk needs to know of a row.
pub trait Row {
    /// The source's id.
    fn id(&self) -> &str;
    /// When it last changed, by the source's clock. A row without it is always emitted.
    fn updated_at(&self) -> Option<Timestamp>;
}

impl Row for Order {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at
    }
}

impl Row for Product {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at
    }
}

/// Notifications do not change.
impl Row for Notification {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        self.at
    }
}

/// The contract's seller says no time.
impl Row for Seller {
    fn id(&self) -> &str {
        &self.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        None
    }
}

/// One page as the source answered it.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOf<R> {
    /// Its rows, in the source's order.
    pub rows: Vec<R>,
    /// How many rows the whole list has at this moment, where the source says.
    pub total: Option<u64>,
    /// Whether the source says that no page follows. An empty page ends the list too.
    pub last: bool,
}

/// What a connector provides: one page of one list. Closures `|status, page| ...` are sources.
pub trait Source {
    /// A row.
    type Row: Row;
    /// Page `page` (from 1) of the rows with this status; the whole list where `status` is none.
    fn fetch(&mut self, status: Option<&str>, page: u32) -> Result<PageOf<Self::Row>, Error>;
}

impl<R: Row, F: FnMut(Option<&str>, u32) -> Result<PageOf<R>, Error>> Source for F {
    type Row = R;

    fn fetch(&mut self, status: Option<&str>, page: u32) -> Result<PageOf<R>, Error> {
        self(status, page)
    }
}

/// What one call of a walk yields: the parts of the contract's page.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<R> {
    /// Rows, in the source's order; the same row may come again.
    pub items: Vec<R>,
    /// The cursor for the next call; behind the end, the one for the next walk.
    pub next: Option<String>,
    /// Whether the walk is complete.
    pub end: bool,
    /// How many rows the list has, where it is one list and the source says.
    pub total: Option<u64>,
}

/// How to walk.
#[derive(Debug, Clone)]
#[must_use]
pub struct Walk {
    /// The empty word stands for the whole list.
    statuses: Vec<String>,
    look_back_seconds: u32,
    since: Option<Timestamp>,
    rows_per_call: usize,
    sorted: bool,
    short_page_ends: bool,
}

impl Walk {
    /// A walk over one list for each of these statuses.
    pub fn over<S: Into<String>>(statuses: impl IntoIterator<Item = S>) -> Self {
        Self {
            statuses: statuses.into_iter().map(Into::into).collect(),
            look_back_seconds: DEFAULT_LOOK_BACK_SECONDS,
            since: None,
            rows_per_call: ROWS_PER_CALL,
            sorted: true,
            short_page_ends: false,
        }
    }

    /// A walk over one list that knows no statuses.
    pub fn unfiltered() -> Self {
        Self::over([""])
    }

    /// Sets the look-back. Smaller than the source's granularity it loses rows.
    pub fn look_back(mut self, seconds: u32) -> Self {
        self.look_back_seconds = seconds;
        self
    }

    /// On a first walk, leaves out rows that last changed before this.
    pub fn since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// How many rows a call should yield, as a wish: a call ends behind the page that reaches it.
    pub fn rows_per_call(mut self, rows: Option<u32>) -> Self {
        if let Some(rows) = rows.and_then(|rows| usize::try_from(rows).ok()) {
            self.rows_per_call = rows.max(1);
        }
        self
    }

    /// For a source that sorts by something other than the last change: every walk reads and emits everything.
    pub fn unsorted(mut self) -> Self {
        self.sorted = false;
        self
    }

    /// For a source that says neither a total nor which page is the last: a page with fewer rows than the fullest before
    /// it ends the list, as an empty page does. The first page never ends it by its length, because a source may deliver
    /// fewer rows a page than it is asked for.
    pub fn short_page_ends(mut self) -> Self {
        self.short_page_ends = true;
        self
    }

    /// Walks on from a cursor (none: a first walk) until enough rows are there or the walk is complete.
    ///
    /// Fails with `invalid-input` where the cursor is not one of this walk, with `protocol` where the source answers with the
    /// same page for ever, and with whatever [`Source::fetch`] fails with.
    pub fn step<S: Source>(&self, cursor: Option<&str>, source: &mut S) -> Result<Step<S::Row>, Error> {
        let mut cursor = cursor.map_or_else(|| Ok(Cursor::default()), Cursor::parse)?;
        let mut items = Vec::new();
        let mut total = None;
        for _ in 0..PAGES_PER_CALL {
            let Some(index) = self.current(&cursor)? else {
                return Ok(Step { items, next: Some(cursor.to_text()?), end: true, total });
            };
            let status = &self.statuses[index];
            let mut place = cursor.place.take().unwrap_or_else(|| Place::start(status));
            let page = source.fetch((!status.is_empty()).then_some(status), place.page)?;
            if self.statuses.len() == 1 {
                total = page.total;
            }
            let complete = self.read(&cursor, &mut place, page, &mut items)?;
            if complete {
                if let Some(signpost) = place.signpost.filter(|_| self.sorted) {
                    cursor.set_mark(status, signpost);
                }
                cursor.place = self.statuses.get(index + 1).map(|next| Place::start(next));
                if cursor.place.is_none() {
                    return Ok(Step { items, next: Some(cursor.to_text()?), end: true, total });
                }
            } else {
                cursor.place = Some(place);
            }
            if items.len() >= self.rows_per_call {
                break;
            }
        }
        Ok(Step { items, next: Some(cursor.to_text()?), end: false, total })
    }

    /// The status to read now; none where there is nothing to walk.
    fn current(&self, cursor: &Cursor) -> Result<Option<usize>, Error> {
        let Some(place) = &cursor.place else { return Ok((!self.statuses.is_empty()).then_some(0)) };
        let found = self.statuses.iter().position(|status| *status == place.status);
        found.map(Some).ok_or_else(|| {
            cursor::refused(&format!("it stands in the list `{}`, which this query does not read", place.status))
        })
    }

    /// Takes one page in, moves the place on, and says whether this list is complete.
    fn read<R: Row>(
        &self,
        cursor: &Cursor,
        place: &mut Place,
        page: PageOf<R>,
        items: &mut Vec<R>,
    ) -> Result<bool, Error> {
        let rows = u64::try_from(page.rows.len()).unwrap_or(u64::MAX);
        place.page_rows = place.page_rows.max(rows);
        let fallen = place.total.zip(page.total).map_or(0, |(before, now)| before.saturating_sub(now));
        place.total = page.total.or(place.total);
        if fallen > 0 && place.page > 1 {
            return Self::go_back(place, fallen);
        }
        if place.signpost.is_none() {
            place.signpost = page.rows.iter().find_map(Row::updated_at).map(|time| Instant::of(&time));
        }
        if rows == 0 {
            return Ok(true);
        }
        self.refuse_endless_repeats(place, &page)?;

        let bound = self.bound(cursor, &place.status);
        let is_wanted = |row: &R| match (bound, row.updated_at()) {
            (Some(bound), Some(updated)) => Instant::of(&updated) >= bound,
            _ => true,
        };
        let past_the_bound = page.rows.last().is_some_and(|row| !is_wanted(row));
        items.extend(page.rows.into_iter().filter(is_wanted));
        place.page = place.page.saturating_add(1);
        let is_short = self.short_page_ends && rows < place.page_rows;
        Ok(page.last || past_the_bound || is_short)
    }

    /// Rows at or after this are emitted; none emits all.
    fn bound(&self, cursor: &Cursor, status: &str) -> Option<Instant> {
        if !self.sorted {
            return None;
        }
        let marked = cursor.mark(status).map(|mark| mark.earlier(self.look_back_seconds));
        marked.or_else(|| self.since.map(|since| Instant::of(&since)))
    }

    /// `fallen` rows fewer than before: what was at the next seam may now stand this many rows further up.
    fn go_back(place: &mut Place, fallen: u64) -> Result<bool, Error> {
        place.returns += 1;
        if place.returns > RETURNS_ALLOWED {
            return Err(error::transient("The platform's list keeps changing while it is read.", None)
                .with_detail(format!("the total fell {RETURNS_ALLOWED} times in one walk of `{}`", place.status)));
        }
        let pages = fallen.div_ceil(place.page_rows.max(1));
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        place.page = place.page.saturating_sub(pages).max(1);
        Ok(false)
    }

    fn refuse_endless_repeats<R: Row>(&self, place: &mut Place, page: &PageOf<R>) -> Result<(), Error> {
        let fingerprint = self.fingerprint(&page.rows);
        place.repeats = if place.fingerprint == fingerprint { place.repeats + 1 } else { 0 };
        place.fingerprint = fingerprint;
        if place.repeats < REPEATS_ALLOWED {
            return Ok(());
        }
        let first = page.rows.first().map_or("", Row::id);
        let expected = format!("page {} to differ from the pages before it", place.page);
        Err(error::protocol("", expected, format!("again {} rows, beginning with id {first}", page.rows.len())))
    }

    /// A number that stands for a page (FNV-1a): the ids and times of its rows. Of a list in another order it is the first
    /// row with an id: rows that come and go behind it must not hide that the page is the same, and no total would end
    /// the walk.
    fn fingerprint<R: Row>(&self, rows: &[R]) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        if !self.sorted {
            add(rows.iter().map(Row::id).find(|id| !id.is_empty()).unwrap_or_default().as_bytes());
            return hash;
        }
        for row in rows {
            add(row.id().as_bytes());
            add(&row.updated_at().map_or(0, |time| time.epoch_seconds).to_le_bytes());
        }
        hash
    }
}
