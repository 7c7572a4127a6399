//! Categories: function 5, all of them in one answer (seed 004, "Kategoriedownload").

use tradepost_sdk::json::{DecodeError, Id, Kind, PhpList, Reader, Text};
use tradepost_sdk::prelude::*;

use crate::OmniSeller;
use crate::endpoint::{self, NO_DATA, Reply, SERVICE, function};

json::record! {
    struct CategoryJson<'a> {
        "ID" => id: Id,
        "ParentID" => parent_id: Text<'a>,
        "Aktiv" => active: Flag,
        "Name" => name: Text<'a>,
    }
}

impl Categories for OmniSeller {
    fn list(_cursor: Option<String>) -> Result<CategoryPage, Error> {
        Ok(CategoryPage { items: fetch()?, next: None, end: true })
    }
}

/// The shop's categories.
pub(crate) fn fetch() -> Result<Vec<Category>, Error> {
    let answer = endpoint::reading(SERVICE, function::CATEGORIES, NO_DATA).send()?;
    decode(&endpoint::read(&answer, function::CATEGORIES)?)
}

/// The categories of one answer.
pub(crate) fn decode(reply: &Reply<'_>) -> Result<Vec<Category>, Error> {
    let rows: PhpList<CategoryJson<'_>> = reply.data(json::Decode::decode)?;
    let category = |row: CategoryJson<'_>| Category {
        id: row.id.into(),
        parent_id: parent(row.parent_id),
        name: row.name.into_string(),
        active: row.active.0,
    };
    Ok(rows.0.into_iter().map(category).collect())
}

/// The parent, or none at the root: OXID writes `oxrootID` (seed 004), other shops one of the usual nothings.
fn parent(id: Text<'_>) -> Option<String> {
    id.into_option().filter(|id| id != "oxrootID" && id != "0")
}

/// `Aktiv`: a number up to revision 1820 of the documentation, a boolean since 1825, and text where PHP read it from a
/// database (protocol notes, section 5.3). None where the shop does not say.
#[derive(Debug, Clone, PartialEq)]
struct Flag(Option<bool>);

impl<'a> json::Decode<'a> for Flag {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let text = match reader.peek_kind()? {
            Kind::String => reader.string()?,
            _ => reader.raw_value()?.into(),
        };
        match &*text {
            "1" | "true" => Ok(Self(Some(true))),
            "0" | "false" => Ok(Self(Some(false))),
            "" | "null" => Ok(Self(None)),
            _ => Err(DecodeError::refused("1, 0, true or false", text)),
        }
    }

    fn missing() -> Option<Self> {
        Some(Self(None))
    }
}
