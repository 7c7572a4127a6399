//! Walking a numbered list to its end, page by page across calls, without losing rows.
//!
//! Every walk reads the whole list, because the API cannot tell what changed: orders are sorted by when they were placed,
//! there is no filter by modification, a seller's own status and refunds do not touch `date_modified`, and stock changes may
//! not touch it either (protocol notes, section 3.6; recordings 130-158, 457-460). No watermark is kept, so a row that a
//! removal above pushes across a page seam is read by the next walk at the latest; unchanged rows cost the host a hash.
//!
//! Two faults of real sites are walked around. Where a total is given and falls, rows may have moved up: the walk steps back
//! by as much. And on sites with WooCommerce's order tables, one order deleted for good makes every page that holds it
//! crash for ever (recordings 449 and 470-473): the walk narrows the page until only that row is left out.

use tradepost_sdk::prelude::*;

/// Page sizes. The largest is what the API allows; each place in a list is a whole number of pages of at least one of them.
const SIZES: [u64; 7] = [100, 50, 20, 10, 5, 2, 1];

/// How many rows in a row may be unreadable before the site counts as down. Orders deleted in bulk stand side by side.
const UNREADABLE_ROWS: u64 = 20;

/// Marks the notation of cursors; a later one gets another number.
const NOTATION: &str = "wcfm1";

/// A page as the source gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is to be handed on; may be fewer than the source's rows.
    pub items: Vec<T>,
    /// How many rows the source sent.
    pub rows: u64,
    /// The first row's id.
    pub first: Option<String>,
    /// How many rows there are in all, where the source says.
    pub total: Option<u64>,
}

/// What became of asking for a page.
#[derive(Debug)]
pub enum Attempt<T> {
    /// The page.
    Read(Page<T>),
    /// The site crashed over it; the error is for when it does so everywhere.
    Crashed(Error),
}

/// What one call hands to the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor for the next call; none at the end, where the next walk begins anew.
    pub next: Option<String>,
    /// Whether the walk is complete.
    pub end: bool,
    /// How many rows there are, where the source says.
    pub total: Option<u64>,
}

/// A place in a walk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// Rows in front of it.
    offset: u64,
    /// The wished page size.
    size: u64,
    /// The total that the last page named.
    total: Option<u64>,
    /// The last page's first row.
    first: Option<String>,
}

/// Reads the page at `cursor` of the list `stream`. `wish` is the wished page size; `fetch` is given a page number from 1
/// and a page size of at most 100.
///
/// Fails with `invalid-input` for a cursor of another list or notation, with `protocol` where the source sends the same page
/// again, with the site's own error where it crashes over every row.
pub fn step<T>(
    stream: &str,
    wish: Option<u32>,
    cursor: Option<&str>,
    mut fetch: impl FnMut(u64, u64) -> Result<Attempt<T>, Error>,
) -> Result<Step<T>, Error> {
    let mut place = match cursor {
        Some(cursor) => Place::parse(stream, cursor).ok_or_else(|| foreign_cursor(stream))?,
        None => Place { size: wish.map_or(SIZES[0], |wish| size_at(0, u64::from(wish))), ..Place::default() },
    };
    let mut size = size_at(place.offset, place.size);
    let mut unreadable = 0;
    let page = loop {
        match fetch(place.offset / size + 1, size)? {
            Attempt::Read(page) => break page,
            Attempt::Crashed(_) if size > 1 => size = size_at(place.offset, size - 1),
            Attempt::Crashed(error) if unreadable >= UNREADABLE_ROWS => return Err(error),
            Attempt::Crashed(_) => {
                unreadable += 1;
                place.offset += 1;
            }
        }
    };
    if unreadable > 0 {
        let position = place.offset.to_string();
        log::warn(
            "the site crashes over rows of a list; they were left out",
            &[("list", stream), ("rows", &unreadable.to_string()), ("in front of row", &position)],
        );
    }
    if page.rows == size && page.first.is_some() && page.first == place.first {
        return Err(error::protocol("/0/id", "another page than the one before", page.first.unwrap_or_default()));
    }

    let behind = place.offset + page.rows.min(size);
    let fallen = place.total.unwrap_or(0).saturating_sub(page.total.unwrap_or(u64::MAX));
    place.first = page.first;
    place.total = page.total;
    let complete = page.rows < size || page.total.is_some_and(|total| behind >= total);
    let end = complete && fallen == 0;
    if fallen > 0 {
        // Rows that moved up stand at most as many places further up as the total fell by.
        place.offset = place.offset.saturating_sub(fallen) / place.size * place.size;
        place.first = None;
    } else {
        place.offset = behind;
    }
    Ok(Step { items: page.items, next: (!end).then(|| place.text(stream)), end, total: page.total })
}

/// The largest page size up to `wish` that has a page beginning at `offset`.
fn size_at(offset: u64, wish: u64) -> u64 {
    SIZES.into_iter().find(|size| *size <= wish && offset.is_multiple_of(*size)).unwrap_or(1)
}

impl Place {
    fn text(&self, stream: &str) -> String {
        let total = self.total.map(|total| total.to_string()).unwrap_or_default();
        let first = self.first.as_deref().unwrap_or_default();
        format!("{NOTATION};{stream};{};{};{total};{first}", self.offset, self.size)
    }

    fn parse(stream: &str, cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(6, ';');
        if parts.next()? != NOTATION || parts.next()? != stream {
            return None;
        }
        let offset = parts.next()?.parse().ok().filter(|offset| *offset < u64::from(u32::MAX))?;
        let size = parts.next()?.parse().ok().filter(|size| SIZES.contains(size))?;
        let total = match parts.next()? {
            "" => None,
            total => Some(total.parse().ok()?),
        };
        let first = parts.next().map(str::to_owned).filter(|first| !first.is_empty());
        Some(Self { offset, size, total, first })
    }
}

fn foreign_cursor(stream: &str) -> Error {
    let message = format!("This is no cursor of the list of {stream}. Begin the walk anew, without a cursor.");
    error::invalid_input(vec![error::issue("/cursor", "foreign-cursor", message)])
}
