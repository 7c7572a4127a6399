//! The canary: secrets that every account on a stage has, and that must turn up nowhere.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use anyhow::bail;

use crate::forms::{Form, forms};

/// The password of every account. Characters that every encoding changes.
pub const PASSWORD: &str = "c4n4ry/p+w \"9<&>é";
/// A token as servers give them out, and with characters that encodings change.
pub const TOKEN: &str = "t0k3n.c4n4ry/live+of=today~1";

/// Both secrets in all forms.
pub static SECRETS: LazyLock<Vec<Form>> = LazyLock::new(|| [forms(PASSWORD), forms(TOKEN)].concat());

static MATCHER: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(SECRETS.iter().map(|form| &form.bytes)).expect("a handful of short patterns"));

/// Fails where these bytes hold a secret in any form.
pub fn clean(place: &str, bytes: &[u8]) -> anyhow::Result<()> {
    match MATCHER.find(bytes) {
        None => Ok(()),
        Some(found) => bail!("{place} holds a secret ({})", SECRETS[found.pattern().as_usize()].name),
    }
}
