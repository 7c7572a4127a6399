//! The walk's cursor: where it stands, and the marks of the walks that are complete. One line of JSON with a version.

use crate::bindings::contract::errors::Error;
use crate::bindings::contract::values::Timestamp;
use crate::error::{self, ErrorExt};
use crate::json;

/// Marks this text as a cursor of this module, and says how to read it.
const VERSION: &str = "signpost-1";
/// The contract's limit (interface `commerce`, record `order-page`).
const LONGEST: usize = 4096;

/// A point in time without notation, to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    pub(super) fn of(time: &Timestamp) -> Self {
        Self { seconds: time.epoch_seconds, nanoseconds: time.nanoseconds }
    }

    pub(super) fn earlier(self, seconds: u32) -> Self {
        Self { seconds: self.seconds.saturating_sub(i64::from(seconds)), ..self }
    }
}

/// Where a walk stands in one list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) status: String,
    /// The page to read next, from 1.
    pub(super) page: u32,
    /// The first row's time when this list's walk began.
    pub(super) signpost: Option<Instant>,
    /// The total of the last answer.
    pub(super) total: Option<u64>,
    /// Most rows seen on a page.
    pub(super) page_rows: u64,
    /// What stands for the last page's rows, and how often it has come again.
    pub(super) fingerprint: u64,
    pub(super) repeats: u32,
    /// How often the walk went back.
    pub(super) returns: u32,
}

impl Place {
    pub(super) fn start(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            page: 1,
            signpost: None,
            total: None,
            page_rows: 0,
            fingerprint: 0,
            repeats: 0,
            returns: 0,
        }
    }
}

/// The whole cursor.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cursor {
    marks: Vec<(String, Instant)>,
    pub(super) place: Option<Place>,
}

json::record! {
    struct CursorJson {
        version: String,
        marks: Vec<MarkJson>,
        place: Option<PlaceJson>,
    }

    struct MarkJson {
        status: String,
        at: InstantJson,
    }

    struct InstantJson {
        seconds: i64,
        nanoseconds: u32,
    }

    struct PlaceJson {
        status: String,
        page: u32,
        signpost: Option<InstantJson>,
        total: Option<u64>,
        rows: u64,
        fingerprint: u64,
        repeats: u32,
        returns: u32,
    }
}

impl From<InstantJson> for Instant {
    fn from(instant: InstantJson) -> Self {
        Self { seconds: instant.seconds, nanoseconds: instant.nanoseconds }
    }
}

impl Cursor {
    pub(super) fn mark(&self, status: &str) -> Option<Instant> {
        self.marks.iter().find(|(marked, _)| marked == status).map(|(_, mark)| *mark)
    }

    pub(super) fn set_mark(&mut self, status: &str, mark: Instant) {
        match self.marks.iter_mut().find(|(marked, _)| marked == status) {
            Some((_, present)) => *present = mark,
            None => self.marks.push((status.to_owned(), mark)),
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let cursor: CursorJson =
            json::decode(text).map_err(|_| refused("it is damaged, or was made by something else"))?;
        if cursor.version != VERSION {
            return Err(refused(&format!("its version is `{}`, this connector reads `{VERSION}`", cursor.version)));
        }
        let place = cursor.place.map(|place| Place {
            status: place.status,
            page: place.page.max(1),
            signpost: place.signpost.map(Instant::from),
            total: place.total,
            page_rows: place.rows,
            fingerprint: place.fingerprint,
            repeats: place.repeats,
            returns: place.returns,
        });
        let marks = cursor.marks.into_iter().map(|mark| (mark.status, mark.at.into())).collect();
        Ok(Self { marks, place })
    }

    pub(super) fn to_text(&self) -> Result<String, Error> {
        let mut marks = json::Array::new();
        for (status, mark) in &self.marks {
            let mark = json::Object::new().text("status", status).raw("at", &instant(*mark));
            marks = marks.raw(&mark.finish());
        }
        let mut cursor = json::Object::new().text("version", VERSION).raw("marks", &marks.finish());
        if let Some(place) = &self.place {
            let mut object = json::Object::new().text("status", &place.status).raw("page", &place.page.to_string());
            if let Some(signpost) = place.signpost {
                object = object.raw("signpost", &instant(signpost));
            }
            if let Some(total) = place.total {
                object = object.raw("total", &total.to_string());
            }
            object = object.raw("rows", &place.page_rows.to_string());
            object = object.raw("fingerprint", &place.fingerprint.to_string());
            object = object.raw("repeats", &place.repeats.to_string()).raw("returns", &place.returns.to_string());
            cursor = cursor.raw("place", &object.finish());
        }
        let text = cursor.finish();
        if text.len() > LONGEST {
            return Err(error::unsupported("There are too many statuses to keep track of at once.").with_detail(
                format!("the cursor of {} statuses has {} bytes, more than {LONGEST}", self.marks.len(), text.len()),
            ));
        }
        Ok(text)
    }
}

fn instant(instant: Instant) -> String {
    json::Object::new()
        .integer("seconds", instant.seconds)
        .integer("nanoseconds", i64::from(instant.nanoseconds))
        .finish()
}

/// A cursor that cannot be used, and why.
pub(super) fn refused(why: &str) -> Error {
    error::invalid_input(vec![error::issue("/cursor", "invalid-cursor", format!("The cursor cannot be used: {why}."))])
        .with_detail("start a new walk without a cursor")
}
