//! Plain text from HTML and back: names and messages come with tags and entities, and people are shown none of them.

use std::borrow::Cow;

/// Tags that end a word: taking one away leaves a blank.
const BREAKING: [&str; 8] = ["br", "p", "div", "li", "tr", "td", "h1", "h2"];

/// Entities by name, as typography and escaping write them; others come as numbers.
const ENTITIES: [(&str, char); 17] = [
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
    ("laquo", '«'),
    ("raquo", '»'),
    ("euro", '€'),
];

/// Longest entity that is looked for, in bytes between `&` and `;`.
const ENTITY_BYTES: usize = 8;

/// Text without tags, with entities decoded. Borrowed where there is nothing to do.
///
/// ```
/// use tradepost_sdk::html;
///
/// assert_eq!(html::plain_text("<p>Music &amp; Books</p>"), "Music & Books");
/// ```
#[must_use]
pub fn plain_text(html: &str) -> Cow<'_, str> {
    if !html.bytes().any(|byte| matches!(byte, b'<' | b'&')) {
        return Cow::Borrowed(html);
    }
    let without_tags = strip_tags(html);
    Cow::Owned(decode_entities(without_tags.trim()))
}

/// Plain text as HTML that shows the same: what [`plain_text`] reads back.
///
/// ```
/// use tradepost_sdk::html;
///
/// assert_eq!(html::escape("1 < 2 & 3"), "1 &lt; 2 &amp; 3");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
    html
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
    use super::{escape, plain_text};

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
            ("&laquo;Да&raquo; &euro;5", "«Да» €5"),
            ("&#0; &#1114112; &;", "&#0; &#1114112; &;"),
            ("&ü&amp;", "&ü&"),
            ("<", "<"),
            ("", ""),
        ];
        for (source, expected) in cases {
            assert_eq!(plain_text(source), expected, "{source}");
        }
    }

    #[test]
    fn escaped_text_reads_back_as_it_was() {
        for text in ["<b>not bold</b>", "a & b", "&amp;", "1 < 2 > 0", "Größe \"XL\""] {
            assert_eq!(plain_text(&escape(text)), text);
        }
    }
}
