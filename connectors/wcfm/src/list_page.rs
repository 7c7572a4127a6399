//! One page of a numbered list, also from a site that crashes over some of its rows.
//!
//! On sites with WooCommerce's order tables, one order deleted for good makes every page that holds it crash for ever; pages
//! without it still work (recordings README, 19; recordings 449 and 470-473). So a page that crashed is read again in parts,
//! and only the rows that crash by themselves are left out, with a line in the log.
//!
//! Every walk over these pages reads the whole list ([`Walk::unsorted`](tradepost_sdk::walk::Walk::unsorted)), because the
//! API cannot tell what changed: orders are sorted by when they were placed, there is no filter by modification, and a
//! seller's own status and refunds do not touch `date_modified` (protocol notes, section 3.6; recordings 130-158 and
//! 457-460). No watermark is kept, so what a removal pushes across a page seam is read by the next walk at the latest, and
//! unchanged rows cost the host a comparison.

use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::PageOf;
use tradepost_sdk::wordpress;

/// Rows of a page: the most that the API gives (`rest_invalid_param` beyond it).
pub const ROWS: u32 = 100;

/// Rows of a part of a page that crashed.
const PART: u32 = 10;

/// Most parts of a page that are read row by row. With more, the site is down rather than damaged; and a page then takes
/// 1 + 10 + 5 x 10 requests, within the 64 that a host allows for a call.
const DAMAGED_PARTS: usize = 5;

/// Rows of an answer, and the list's total where it names one.
pub type Rows<R> = (Vec<R>, Option<u64>);

/// Page `page` (from 1) of the list that `request` asks for. Fails as `decode` does, and with the site's own error where it
/// crashes over too much.
pub fn read<R>(
    list: &Request,
    page: u32,
    mut decode: impl FnMut(&Answer) -> Result<Rows<R>, Error>,
) -> Result<PageOf<R>, Error> {
    let whole = numbered(list, ROWS, page).send()?;
    if wordpress::is_crash(&whole) {
        return read_damaged(list, page, &whole.error(), decode);
    }
    let (rows, total) = decode(&whole)?;
    let behind = u64::from(page) * u64::from(ROWS);
    let is_last = rows.len() < ROWS as usize || total.is_some_and(|total| behind >= total);
    Ok(PageOf { rows, total, last: is_last })
}

pub(crate) fn numbered(list: &Request, rows: u32, page: u32) -> Request {
    list.clone().query("per_page", rows).query("page", page)
}

/// The pages of `rows` rows that make up page `number` of `whole` rows.
fn parts(list: &Request, whole: u32, number: u32, rows: u32) -> Vec<Request> {
    let count = whole / rows;
    (1..=count).map(|place| numbered(list, rows, (number - 1) * count + place)).collect()
}

fn read_damaged<R>(
    list: &Request,
    page: u32,
    crash: &Error,
    mut decode: impl FnMut(&Answer) -> Result<Rows<R>, Error>,
) -> Result<PageOf<R>, Error> {
    let mut answers: Vec<Option<Answer>> = Vec::new();
    for answer in http::send_all(parts(list, ROWS, page, PART)) {
        answers.push(Some(answer?).filter(|answer| !wordpress::is_crash(answer)));
    }
    if answers.iter().filter(|answer| answer.is_none()).count() > DAMAGED_PARTS {
        return Err(crash.clone());
    }
    let first_part = (page - 1) * (ROWS / PART) + 1;
    let (mut rows, mut total, mut unreadable) = (Vec::new(), None, 0_usize);
    let mut take = |answer: &Answer| -> Result<(), Error> {
        let (mut found, of) = decode(answer)?;
        rows.append(&mut found);
        total = of.or(total);
        Ok(())
    };
    for (number, answer) in (first_part..).zip(answers) {
        if let Some(answer) = answer {
            take(&answer)?;
            continue;
        }
        for answer in http::send_all(parts(list, PART, number, 1)) {
            let answer = answer?;
            if wordpress::is_crash(&answer) {
                unreadable += 1;
            } else {
                take(&answer)?;
            }
        }
    }
    log::warn(
        "the site crashes over rows of a list, as it does over orders deleted for good; they are left out",
        &[("list", list.path()), ("page of 100", &page.to_string()), ("rows", &unreadable.to_string())],
    );
    let is_short = rows.len() + unreadable < ROWS as usize;
    Ok(PageOf { rows, total, last: is_short })
}
