//! What the marketplace does not let the seller do: `GET /restricted-capabilities`.
//!
//! An object whose keys differ from site to site, or `[]` where nothing is set. `"yes"` takes a capability away; numbers are
//! limits; an empty value restricts nothing and is left out (protocol notes, section 3.11; recordings 225-227, 430).

use tradepost_sdk::json::{PhpMap, Raw, Text};
use tradepost_sdk::prelude::*;

use crate::{WcfmConnector, answer};

impl<M> SellerRestrictions for WcfmConnector<M> {
    fn list() -> Result<Vec<Restriction>, Error> {
        decode(&http::get("/restricted-capabilities").send()?)
    }
}

/// The restrictions of one answer.
pub fn decode(answer: &Answer) -> Result<Vec<Restriction>, Error> {
    let found: PhpMap<'_, Raw<'_>> = json::decode(answer::json(answer)?)?;
    let restriction = |(name, raw): (std::borrow::Cow<'_, str>, Raw<'_>)| {
        let value = value(raw.0);
        let is_set = !matches!(value.as_str(), "" | "no");
        is_set.then(|| Restriction { name: name.into_owned(), denied: value == "yes", value })
    };
    Ok(found.0.into_iter().filter_map(restriction).collect())
}

/// A value as text; a list's elements with commas between them.
fn value(raw: &str) -> String {
    if let Ok(text) = json::decode::<Text<'_>>(raw) {
        return text.into_string();
    }
    match json::decode::<PhpMap<'_, Text<'_>>>(raw) {
        Ok(list) => list.0.into_iter().map(|(_, element)| element.into_string()).collect::<Vec<_>>().join(","),
        Err(_) => raw.to_owned(),
    }
}
