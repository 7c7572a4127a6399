//! Plain text from WordPress: names and messages come with tags, entities and slashes, and people are shown none of them.
//!
//! The API strips or encodes differently from field to field (protocol notes, sections 3.11 and 3.13), so every text that a
//! person reads passes through here. Descriptions do not: they are HTML by the contract.

use std::borrow::Cow;

use tradepost_sdk::json::Text;

/// Tags that end a word: taking one away leaves a blank.
const BREAKING: [&str; 8] = ["br", "p", "div", "li", "tr", "td", "h1", "h2"];

/// Entities by name, as WordPress' own typography and escaping write them; others come as numbers.
const ENTITIES: [(&str, char); 14] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("times", '×'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
];

/// Longest entity that is looked for, in bytes between `&` and `;`.
const ENTITY_BYTES: usize = 8;

/// Text without tags, with entities decoded. Borrowed where there is nothing to do.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'<' | b'&')) {
        return Cow::Borrowed(text);
    }
    let without_tags = strip_tags(text);
    Cow::Owned(decode_entities(without_tags.trim()))
}

/// [`plain`] of a text on the wire, allocated once.
#[must_use]
pub fn plain_string(source: Text<'_>) -> String {
    let changed = if let Cow::Owned(changed) = plain(&source) { Some(changed) } else { None };
    changed.unwrap_or_else(|| source.into_string())
}

/// A text on the wire, or none where it is empty, for texts that are needed again.
#[must_use]
pub fn some_string(source: &Text<'_>) -> Option<String> {
    (!source.is_empty()).then(|| source.to_string())
}

/// A code where the text is one (`WB`, `IN`), else a name: newer servers replace a region's code by its name, older ones and
/// settings do not.
#[must_use]
pub fn code_or_name(source: Text<'_>, longest_code: usize) -> (Option<String>, Option<String>) {
    let is_code =
        source.len() <= longest_code && source.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let text = source.into_option();
    if is_code { (text, None) } else { (None, text) }
}

/// Like [`plain`], for texts that PHP has put slashes in front of quotes in, sometimes several times over (recording 235).
#[must_use]
pub fn plain_unslashed(text: &str) -> String {
    let mut unslashed = String::with_capacity(text.len());
    let mut slashes = 0;
    for character in text.chars() {
        if character == '\\' {
            slashes += 1;
            continue;
        }
        if !matches!(character, '"' | '\'') {
            unslashed.extend(std::iter::repeat_n('\\', slashes));
        }
        slashes = 0;
        unslashed.push(character);
    }
    unslashed.extend(std::iter::repeat_n('\\', slashes));
    plain(&unslashed).into_owned()
}

/// Takes away what is shaped like a tag: `<` and a letter, `/` or `!`. A lone `<` is text.
fn strip_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        kept.push_str(&rest[..open]);
        let tag = &rest[open..];
        let is_tag = tag[1..].starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!'));
        let close = if is_tag { tag.find('>') } else { None };
        if let Some(close) = close {
            let name = tag[1..close].trim_start_matches('/');
            let name = name.split(|end: char| !end.is_ascii_alphanumeric()).next().unwrap_or_default();
            let breaks = BREAKING.iter().any(|breaking| name.eq_ignore_ascii_case(breaking));
            if breaks && !kept.is_empty() && !kept.ends_with(char::is_whitespace) {
                kept.push(' ');
            }
            rest = &tag[close + 1..];
        } else {
            kept.push('<');
            rest = &tag[1..];
        }
    }
    kept.push_str(rest);
    kept
}

fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        let behind = &rest[start + 1..];
        let entity = behind.bytes().take(ENTITY_BYTES + 1).position(|byte| byte == b';').map(|end| &behind[..end]);
        if let Some((entity, character)) = entity.and_then(|entity| Some((entity, character_of(entity)?))) {
            decoded.push(character);
            rest = &behind[entity.len() + 1..];
        } else {
            decoded.push('&');
            rest = behind;
        }
    }
    decoded.push_str(rest);
    decoded
}

fn character_of(entity: &str) -> Option<char> {
    let Some(number) = entity.strip_prefix('#') else {
        return ENTITIES.iter().find(|(name, _)| *name == entity).map(|(_, character)| *character);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?).filter(|character| !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::{plain, plain_unslashed};

    #[test]
    fn tags_and_entities_become_plain_text() {
        let cases = [
            ("Beanie", "Beanie"),
            ("Music &amp; Books", "Music & Books"),
            ("Hoodie “Größe” <b>XL</b> & 'Co' – 日本", "Hoodie “Größe” XL & 'Co' – 日本"),
            ("<strong>Error:</strong> Unknown username.", "Error: Unknown username."),
            ("<p>One.</p><p>Two<br/>three</p>", "One. Two three"),
            ("You don&#8217;t have permission to do this.", "You don’t have permission to do this."),
            ("&#x20B9;5 &#8377;6 &unknown; &", "₹5 ₹6 &unknown; &"),
            ("size < 5 and > 3", "size < 5 and > 3"),
            ("unclosed <b", "unclosed <b"),
            ("&#0; &#1114112; &;", "&#0; &#1114112; &;"),
            ("&ü&amp;", "&ü&"),
            ("<", "<"),
            ("", ""),
        ];
        for (source, expected) in cases {
            assert_eq!(plain(source), expected, "{source}");
        }
    }

    #[test]
    fn slashes_in_front_of_quotes_go_and_others_stay() {
        assert_eq!(plain_unslashed(r#"Hello all &amp; \\\"vendors\\\" – link"#), "Hello all & \"vendors\" – link");
        assert_eq!(plain_unslashed(r"C:\temp\"), r"C:\temp\");
    }
}
