//! Text that somebody else chose, put into Markdown so that it stays text.
//!
//! A manifest comes from a third party, and its page is shown by sites and editors that render Markdown, and HTML within
//! it. So nothing of it may become markup, end a table's cell or a line, or reorder what is read. Characters that have a
//! meaning are escaped; those that cannot be seen are replaced. A bare address may still be shown as a link: it leads where
//! it says.

use std::fmt::Write as _;

/// Punctuation that a backslash turns into itself in every dialect.
const BACKSLASHED: &str = "*_[]#~${}";
/// Punctuation that is written as a character reference: a backslash is not enough in a table's cell or before HTML.
const REFERENCED: &str = "<>&|`\\";

/// Text within a line: in a sentence, a heading or a table's cell. White space becomes one blank. Not for the start of a
/// line or of a list's item, where a hyphen or a number would begin a list.
pub(super) fn text(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for (index, word) in visible(raw).split_whitespace().enumerate() {
        if index > 0 {
            escaped.push(' ');
        }
        for c in word.chars() {
            if REFERENCED.contains(c) {
                reference(&mut escaped, c);
                continue;
            }
            if BACKSLASHED.contains(c) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

/// A word, template or URL as code. Without anything in it: `(empty)`.
pub(super) fn code(raw: &str) -> String {
    let shown = visible(raw);
    let shown = shown.trim();
    if shown.is_empty() {
        return "(empty)".into();
    }
    if !shown.contains(['`', '|', '\\']) {
        return format!("`{shown}`");
    }
    // No number of backticks holds in every dialect once a cell's bars are escaped; character references do.
    let mut escaped = String::from("<code>");
    for c in shown.chars() {
        if c.is_ascii_punctuation() { reference(&mut escaped, c) } else { escaped.push(c) }
    }
    escaped.push_str("</code>");
    escaped
}

/// Several of them, with commas.
pub(super) fn codes<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    all.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// A link that shows its own address, for plain http and https addresses; anything else stays text.
pub(super) fn link(raw: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(c);
    match url::Url::parse(raw) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && raw.chars().all(is_plain) =>
        {
            format!("<{raw}>")
        }
        _ => text(raw),
    }
}

/// A table. Cells are Markdown already; without rows there is no table.
pub(super) fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = format!("| {} |\n|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
    for row in rows {
        let _ = writeln!(table, "| {} |", row.join(" | "));
    }
    table
}

/// Without characters that cannot be seen or that turn the direction of writing; line ends and tabs become blanks.
fn visible(raw: &str) -> String {
    raw.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn reference(escaped: &mut String, c: char) {
    let _ = write!(escaped, "&#{};", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (raw, escaped) in [
            ("Server, or https://staging.example for trials", "Server, or https://staging.example for trials"),
            ("<script>alert(1)</script>", "&#60;script&#62;alert(1)&#60;/script&#62;"),
            ("a | b", "a &#124; b"),
            (r"a \| b", "a &#92;&#124; b"),
            ("[click](javascript:x)", r"\[click\](javascript:x)"),
            ("![x](http://t.example/p.png)", r"!\[x\](http://t.example/p.png)"),
            ("*bold* _i_ `c` ~s~ $m$", r"\*bold\* \_i\_ &#96;c&#96; \~s\~ \$m\$"),
            ("one\n\n# two\r\n- three", r"one \# two - three"),
            ("# heading", r"\# heading"),
            ("&lt;b&gt;", "&#38;lt;b&#38;gt;"),
            ("a\u{1b}[2J\0b", "a\u{fffd}\\[2J\u{fffd}b"),
            ("x\u{202e}y\u{200b}z", "x\u{fffd}y\u{fffd}z"),
            ("Zoë 小明", "Zoë 小明"),
        ] {
            assert_eq!(text(raw), escaped, "{raw:?}");
        }
    }

    #[test]
    fn code_cannot_be_left() {
        for (raw, escaped) in [
            ("{site-url}/wp-json", "`{site-url}/wp-json`"),
            ("a`b", "<code>a&#96;b</code>"),
            ("a|b", "<code>a&#124;b</code>"),
            ("`` </code><b>", "<code>&#96;&#96; &#60;&#47;code&#62;&#60;b&#62;</code>"),
            ("two\nlines", "`two lines`"),
            ("", "(empty)"),
            (" \n", "(empty)"),
        ] {
            assert_eq!(code(raw), escaped, "{raw:?}");
        }
    }

    #[test]
    fn only_a_plain_web_address_becomes_a_link() {
        assert_eq!(link("https://example.com/a_(b)?c=d#e"), "<https://example.com/a_(b)?c=d#e>");
        for raw in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://a.example/><script>",
            "https://a.example/ x",
            "https://bank.example@evil.example/",
            "not a link",
        ] {
            assert!(!link(raw).starts_with('<'), "{raw}: {}", link(raw));
        }
    }
}
