//! What the site says of itself without a login: `GET /site-details`, the version probe (protocol notes, section 3.12).
//!
//! Routes came over the years, so where one is missing an operator is told what the site runs and what it takes.

use tradepost_sdk::json::Text;
use tradepost_sdk::prelude::*;

use crate::answer;

json::record! {
    /// The answer; old servers give none.
    pub(crate) struct SiteJson<'a> {
        pub(crate) site_title: Text<'a>,
        pub(crate) site_url: Text<'a>,
        pub(crate) wcfm_rest_api_version: Text<'a>,
        pub(crate) is_wcfm_ultimate: Option<bool>,
    }
}

/// The question.
pub(crate) fn request() -> http::Request {
    http::get("/site-details").anonymous()
}

/// What an answer says, if it is one.
pub(crate) fn decode(answer: &Result<Answer, Error>) -> Option<SiteJson<'_>> {
    json::decode(answer::json(answer.as_ref().ok()?).ok()?).ok()
}

/// Whether the paid add-on WCFM Ultimate is installed, where the site says.
pub(crate) fn has_ultimate() -> Option<bool> {
    decode(&request().send())?.is_wcfm_ultimate
}

/// The answer of an operation that came with this version of WCFM REST API. Where the site has no such route, the error says
/// what the site runs.
pub(crate) fn since(needed: &str, answer: &Answer) -> Result<(), Error> {
    let fault = match answer::read(answer) {
        Err(fault) if fault.kind == ErrorKind::Unsupported => fault,
        read => return read.map(drop),
    };
    let runs = decode(&request().send()).and_then(|site| site.wcfm_rest_api_version.into_option());
    let runs = runs.map_or_else(|| "an unknown version".to_owned(), |version| format!("version {version}"));
    let message =
        format!("This site's WCFM REST API is too old for that: it takes version {needed}, the site runs {runs}.");
    Err(fault.with_message(message))
}
