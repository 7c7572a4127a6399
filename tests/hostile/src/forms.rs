//! The forms in which a secret may turn up. A scan for the plain text alone would miss most leaks.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What the guest's search patterns are XORed with, so that it can look for a secret without being told it.
const MASK: u8 = 0xa5;

/// What `application/x-www-form-urlencoded` encodes, but for the blank, which becomes `+`.
const FORM_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// A secret in one form.
#[derive(Clone, Debug)]
pub struct Form {
    /// What it is, for messages.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// All forms of a secret that are looked for.
pub fn forms(secret: &str) -> Vec<Form> {
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let json = serde_json::Value::String(secret.to_owned()).to_string();
    let mut forms = vec![
        Form { name: "plain", bytes: secret.into() },
        Form { name: "reversed", bytes: secret.bytes().rev().collect() },
        Form { name: "percent-encoded", bytes: utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().into() },
        Form {
            name: "form-encoded",
            bytes: utf8_percent_encode(secret, FORM_ENCODED).to_string().replace("%20", "+").into(),
        },
        Form { name: "upper-case hexadecimal", bytes: hexadecimal.to_uppercase().into() },
        Form { name: "hexadecimal", bytes: hexadecimal.into() },
        Form { name: "JSON", bytes: json.trim_matches('"').into() },
        Form { name: "Debug", bytes: format!("{secret:?}").trim_matches('"').into() },
    ];
    for before in 0..3 {
        let padded = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        // Characters that hold only bits of the secret: those before and behind it may be anything.
        let (first, behind) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(Form { name: "base64", bytes: text.as_bytes()[first..behind].to_vec() });
        }
    }
    forms
}

/// The forms as the guest is given them: XORed, in hexadecimal, joined by commas.
pub fn masked(forms: &[Form]) -> String {
    let one = |form: &Form| form.bytes.iter().map(|byte| format!("{:02x}", byte ^ MASK)).collect::<String>();
    forms.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The names of the forms that occur in these bytes.
///
/// # Panics
/// Never: a handful of short patterns always fit.
pub fn found_in(forms: &[Form], bytes: &[u8]) -> BTreeSet<&'static str> {
    let matcher = AhoCorasick::new(forms.iter().map(|form| &form.bytes)).expect("a handful of short patterns");
    matcher.find_overlapping_iter(bytes).map(|found| forms[found.pattern().as_usize()].name).collect()
}
