//! Which version answers: said by its code at the beginning of a call and at its end, with a request in between, so that a test sees
//! whether a call that is under way while versions are swapped is one version's from its beginning to its end.

use tradepost_sdk::prelude::*;

use crate::{Findings, found};

/// The version, which stands in this component once, as data: tests make another version of it by changing the text.
pub(crate) fn version() -> &'static str {
    std::hint::black_box("0.1.0")
}

/// Stores the version, asks the server at the setting `url`, and tells what it was before and what it is now.
pub(crate) fn tell() -> Findings {
    let begun = version().to_owned();
    let kept = storage::get("version")?.unwrap_or_default();
    storage::set("version", begun.as_bytes(), None)?;
    let answer = http::get(settings::required("url")?).effect(Effect::Read).send()?;
    Ok(vec![
        found("begun by", begun),
        found("kept", String::from_utf8_lossy(&kept)),
        found("status", answer.status),
        found("ended by", version()),
    ])
}

/// The same, and then it breaks off.
pub(crate) fn tell_and_panic() -> Findings {
    tell()?;
    panic!("version {} breaks off", version())
}
