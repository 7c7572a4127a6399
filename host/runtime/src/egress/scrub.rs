//! Removes an account's secrets from what goes into the sandbox.
//!
//! Sources echo what they were sent: in error pages, debug headers, "you sent" fields. A secret is looked for as it is and
//! in the forms that servers write it in. The search is one pass with a vectorised multi-pattern matcher over short
//! prefixes of the forms; an answer without a hit is handed on as it is, without a copy.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What stands in a secret's place.
pub const REDACTED: &str = "[redacted]";

/// Secrets shorter than this are not looked for: three characters occur in any answer by chance, and an answer full of
/// `[redacted]` is a defect too. Nobody should use such a secret.
pub const MIN_SECRET: usize = 4;

/// Bytes of a form that the matcher looks for; the rest is compared. A token may have kilobytes, and an automaton over all
/// of it would take megabytes per account. With eight, what looks like a secret and is none is still rare.
const PREFIX: usize = 8;

/// Shortest piece of base64 that is taken for a part of a secret.
const MIN_BASE64_PIECE: usize = 6;

/// RFC 3986 section 2.3: never needs encoding.
const UNRESERVED_KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Finds and replaces the forms of a set of secrets. Built once per credential generation.
pub(super) struct Scrubber {
    prefixes: Option<AhoCorasick>,
    /// Longest first, so that a form is replaced as a whole.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Scrubber {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            collect_forms(secret.expose_secret(), &mut forms);
        }
        let prefixes: BTreeSet<&[u8]> = forms.iter().map(|form| &form[..form.len().min(PREFIX)]).collect();
        let prefixes = if prefixes.is_empty() {
            None
        } else {
            // Building fails only beyond 2^31 states; without it nothing would be scrubbed, so that is not an option.
            Some(
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostFirst)
                    // A few KiB an account instead of several times that for the default, and the vectorised search in front of it is the same.
                    .kind(Some(AhoCorasickKind::ContiguousNFA))
                    .dense_depth(1)
                    .build(prefixes)
                    .expect("a few hundred short patterns fit an automaton"),
            )
        };
        let mut forms: Vec<_> = forms.into_iter().map(Zeroizing::new).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self { prefixes, forms }
    }

    /// The next secret at or after `from`: its place.
    fn find(&self, haystack: &[u8], mut from: usize) -> Option<(usize, usize)> {
        let prefixes = self.prefixes.as_ref()?;
        while let Some(hit) = prefixes.find(Input::new(haystack).span(from..haystack.len())) {
            let rest = &haystack[hit.start()..];
            if let Some(form) = self.forms.iter().find(|form| rest.starts_with(form)) {
                return Some((hit.start(), hit.start() + form.len()));
            }
            from = hit.start() + 1;
        }
        None
    }

    fn replace(&self, haystack: &[u8]) -> Option<Vec<u8>> {
        let (mut start, mut end) = self.find(haystack, 0)?;
        let mut clean = Vec::with_capacity(haystack.len());
        let mut copied = 0;
        loop {
            clean.extend_from_slice(&haystack[copied..start]);
            clean.extend_from_slice(REDACTED.as_bytes());
            copied = end;
            match self.find(haystack, end) {
                Some((next_start, next_end)) => (start, end) = (next_start, next_end),
                None => break,
            }
        }
        clean.extend_from_slice(&haystack[copied..]);
        Some(clean)
    }

    /// A body without secrets: the same bytes where there are none.
    pub(super) fn body(&self, body: Bytes) -> Bytes {
        self.replace(&body).map_or(body, Bytes::from)
    }

    /// A text without secrets.
    pub(super) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.replace(text.as_bytes()) {
            // A form of a str ends where a character ends, so this never replaces anything; it only proves it.
            Some(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
            None => Cow::Borrowed(text),
        }
    }
}

fn collect_forms(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    if secret.len() < MIN_SECRET {
        return;
    }
    let bytes = secret.as_bytes();
    forms.insert(bytes.to_vec());
    collect_base64(bytes, forms);
    for set in [NON_ALPHANUMERIC, UNRESERVED_KEPT] {
        let upper = utf8_percent_encode(secret, set).to_string();
        // Only the hexadecimal digits have a case of their own.
        forms.insert(lower_escapes(&upper).into_bytes());
        // Form encoding writes a blank as a plus.
        forms.insert(upper.replace("%20", "+").into_bytes());
        forms.insert(upper.into_bytes());
    }
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    forms.insert(hex.to_ascii_uppercase().into_bytes());
    forms.insert(hex.into_bytes());
    collect_json(secret, forms);
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    forms.insert(html.replace('\'', "&#039;").into_bytes());
    forms.insert(html.into_bytes());
}

/// Base64 of the secret alone, and the part that only the secret determines where it stands inside something longer, at
/// each of the three alignments.
fn collect_base64(secret: &[u8], forms: &mut BTreeSet<Vec<u8>>) {
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        let alone = engine.encode(secret);
        let padding = (4 - alone.len() % 4) % 4;
        forms.insert(format!("{alone}{}", "=".repeat(padding)).into_bytes());
        forms.insert(alone.into_bytes());
        for before in 0..3_usize {
            let mut shifted = vec![0; before];
            shifted.extend_from_slice(secret);
            let encoded = engine.encode(&shifted);
            // Characters that hold bits of the bytes before, or of a byte after.
            let (first, last) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            if last.saturating_sub(first) >= MIN_BASE64_PIECE {
                forms.insert(encoded.as_bytes()[first..last].to_vec());
            }
        }
    }
}

/// As a JSON string: the short escapes, PHP's escaped slashes, and non-ASCII characters as `\uXXXX` in both cases.
fn collect_json(secret: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let mut plain = String::with_capacity(secret.len());
    for character in secret.chars() {
        match character {
            '"' => plain.push_str("\\\""),
            '\\' => plain.push_str("\\\\"),
            '\n' => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' => plain.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(plain, "\\u{:04x}", u32::from(control));
            }
            other => plain.push(other),
        }
    }
    let mut ascii_lower = String::with_capacity(plain.len());
    let mut ascii_upper = String::with_capacity(plain.len());
    for character in plain.chars() {
        if character.is_ascii() {
            ascii_lower.push(character);
            ascii_upper.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii_lower, "\\u{unit:04x}");
                let _ = write!(ascii_upper, "\\u{unit:04X}");
            }
        }
    }
    for form in [plain, ascii_lower, ascii_upper] {
        forms.insert(form.replace('/', "\\/").into_bytes());
        forms.insert(form.into_bytes());
    }
}

fn lower_escapes(percent_encoded: &str) -> String {
    let mut lower = String::with_capacity(percent_encoded.len());
    let mut escape_digits = 0;
    for character in percent_encoded.chars() {
        if character == '%' {
            escape_digits = 2;
            lower.push(character);
        } else if escape_digits > 0 {
            escape_digits -= 1;
            lower.push(character.to_ascii_lowercase());
        } else {
            lower.push(character);
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "p/q r\"s~é+K?>";

    fn scrubber(secrets: &[&str]) -> Scrubber {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        Scrubber::new(&secrets)
    }

    #[test]
    fn every_form_of_a_secret_is_replaced() {
        let pair = format!("shop:{SECRET}");
        let basic = STANDARD.encode(&pair);
        for (form, text) in [
            ("raw", SECRET.to_owned()),
            ("base64", STANDARD.encode(SECRET)),
            ("base64 unpadded", STANDARD_NO_PAD.encode(SECRET)),
            ("base64url", URL_SAFE.encode(SECRET)),
            ("base64url unpadded", URL_SAFE_NO_PAD.encode(SECRET)),
            ("user:password pair", pair.clone()),
            ("base64 of the pair", basic),
            ("percent-encoded", "p%2Fq%20r%22s~%C3%A9%2BK%3F%3E".to_owned()),
            ("percent-encoded, lower case", "p%2fq%20r%22s~%c3%a9%2bK%3f%3e".to_owned()),
            ("percent-encoded, everything", "p%2Fq%20r%22s%7E%C3%A9%2BK%3F%3E".to_owned()),
            ("form-encoded", "p%2Fq+r%22s%7E%C3%A9%2BK%3F%3E".to_owned()),
            ("hex", "702f71207222737ec3a92b4b3f3e".to_owned()),
            ("HEX", "702F71207222737EC3A92B4B3F3E".to_owned()),
            ("JSON", "p/q r\\\"s~é+K?>".to_owned()),
            ("JSON by PHP", "p\\/q r\\\"s~\\u00e9+K?>".to_owned()),
            ("JSON in upper case", "p/q r\\\"s~\\u00E9+K?>".to_owned()),
            ("HTML", "p/q r&quot;s~é+K?&gt;".to_owned()),
        ] {
            let scrubber = scrubber(&[SECRET, &pair]);
            let body = format!("{{\"echo\":\"<{text}>\",\"more\":1}}");
            let clean = scrubber.body(Bytes::from(body));
            assert_eq!(clean, "{\"echo\":\"<[redacted]>\",\"more\":1}", "{form}");
        }
    }

    #[test]
    fn a_secret_inside_longer_base64_leaves_at_most_two_characters() {
        for before in 0..3 {
            let inner = format!("{}{SECRET} and after", "x".repeat(before));
            let encoded = STANDARD.encode(&inner);
            let clean = scrubber(&[SECRET]).text(&encoded).into_owned();
            assert!(clean.contains(REDACTED), "{before}: {clean}");
            let left = clean.replace(REDACTED, "");
            let expected = encoded.len() - SECRET.len() * 8 / 6;
            assert!(left.len() <= expected + 2, "{before}: {clean}");
        }
    }

    #[test]
    fn an_answer_without_secrets_is_not_copied() {
        let body = Bytes::from(vec![b'a'; 200_000]);
        let address = body.as_ptr();
        assert_eq!(scrubber(&["super-secret-value"]).body(body).as_ptr(), address);
    }

    #[test]
    fn near_misses_stay_as_they_are() {
        let scrubber = scrubber(&["super-secret-value-one", "abc"]);
        for text in ["super-secret-value-on", "super-secret-value-two", "abc", "", "Super-Secret-Value-One"] {
            assert_eq!(scrubber.text(text), text);
        }
        assert_eq!(scrubber.text("super-secret-super-secret-value-one"), "super-secret-[redacted]");
    }

    #[test]
    fn many_and_overlapping_secrets_are_replaced_longest_first() {
        let scrubber = scrubber(&["token", "token-extended", "extended-further"]);
        assert_eq!(
            scrubber.text("token token-extended token-extended-further"),
            "[redacted] [redacted] [redacted]-further"
        );
    }

    #[test]
    fn no_secrets_is_a_valid_state() {
        assert_eq!(scrubber(&[]).text("anything"), "anything");
    }

    proptest! {
        /// Wherever a secret stands, it is gone afterwards.
        #[test]
        fn no_secret_survives(secret in "[!-~]{8,40}", before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let scrubber = scrubber(&[&secret]);
            let clean = scrubber.body(Bytes::from(format!("{before}{secret}{after}")));
            let clean = String::from_utf8(clean.to_vec()).unwrap();
            prop_assert!(!clean.contains(&secret) || REDACTED.contains(&secret));
        }
    }
}
