//! From the text a connector gives to the one parsed URL that is checked, dialled and sent.
//!
//! Parsers disagree about addresses: `http://2130706433/` is a name to one and 127.0.0.1 to another, and
//! `https://ok.com\@127.0.0.1` has two different hosts. So the text is parsed once, what is ambiguous is refused before
//! that, and everything later uses the parsed object.

use url::Url;

use super::error::{Denial, Layer};

/// Longest URL, in bytes after parsing. Servers refuse longer ones.
const MAX_URL: usize = 8 * 1024;

fn refuse(reason: impl Into<String>) -> Denial {
    Denial::new(Layer::Url, reason)
}

/// Reads a request's URL: absolute, or a path or query appended to the root's path.
pub(super) fn target(root: &Url, given: &str) -> Result<Url, Denial> {
    if given.len() > MAX_URL {
        return Err(refuse(format!("the URL is {} bytes long; at most {MAX_URL} are sent", given.len())));
    }
    // The parser would trim blanks, drop tabs and line ends, and read a backslash as a slash.
    if let Some(bad) = given.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '\\') {
        return Err(refuse(format!("the URL holds {bad:?}; percent-encode it")));
    }
    let url = if given.starts_with('/') || given.starts_with('?') { below(root, given)? } else { absolute(given)? };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("the URL holds a user name or password; the host places the account's credential"));
    }
    if url.fragment().is_some() {
        return Err(refuse(
            "the URL has a fragment (#...), which is never sent; remove it or percent-encode the # as %23",
        ));
    }
    if url.port() == Some(0) {
        return Err(refuse("port 0 is not a port"));
    }
    if url.as_str().len() > MAX_URL {
        return Err(refuse(format!(
            "the URL is {} bytes long once encoded; at most {MAX_URL} are sent",
            url.as_str().len()
        )));
    }
    Ok(url)
}

fn below(root: &Url, given: &str) -> Result<Url, Denial> {
    if given.starts_with("//") {
        return Err(refuse("a path starts with one slash; write another host as an absolute URL"));
    }
    let mut base = root.clone();
    base.set_query(None);
    base.set_fragment(None);
    let base_path = base.path().trim_end_matches('/').to_owned();
    base.set_path(&base_path);
    // A root without path is shown with one slash; the given path brings its own.
    let text = format!("{}{given}", base.as_str().trim_end_matches('/'));
    let url = Url::parse(&text).map_err(|error| refuse(format!("not a URL below the root: {error}")))?;
    let inside =
        url.path().strip_prefix(base_path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !inside || url.origin() != root.origin() {
        return Err(refuse("the path leaves the account's root URL (..); write an absolute URL if that is meant"));
    }
    Ok(url)
}

fn absolute(given: &str) -> Result<Url, Denial> {
    let (scheme, rest) = given
        .split_once("://")
        .ok_or_else(|| refuse("the URL is neither absolute (https://...) nor a path that starts with a slash"))?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err(refuse(format!(
            "the scheme {:?} is not http or https",
            scheme.chars().take(20).collect::<String>()
        )));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(refuse("the URL holds a user name or password; the host places the account's credential"));
    }
    if authority.contains('%') {
        return Err(refuse("the URL's host is percent-encoded; write it plainly"));
    }
    Url::parse(given).map_err(|error| refuse(format!("not a URL: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root() -> Url {
        Url::parse("https://shop.example/market/wp-json").unwrap()
    }

    #[test]
    fn paths_are_appended_to_the_roots_path() {
        for (root, given, expected) in [
            ("https://x.example/market/wp-json", "/orders?page=2", "https://x.example/market/wp-json/orders?page=2"),
            ("https://x.example/market/wp-json/", "/orders", "https://x.example/market/wp-json/orders"),
            ("https://x.example", "/orders", "https://x.example/orders"),
            ("https://x.example/", "/", "https://x.example/"),
            ("https://x.example/api", "?route=/orders", "https://x.example/api?route=/orders"),
            ("https://x.example/api?a=1#f", "/orders", "https://x.example/api/orders"),
            ("http://127.0.0.1:8080/v1", "/a/b", "http://127.0.0.1:8080/v1/a/b"),
            ("https://x.example/api", "/a/../b", "https://x.example/api/b"),
            ("https://x.example/api", "/it%C3%A9m/é", "https://x.example/api/it%C3%A9m/%C3%A9"),
            ("https://x.example/api", "https://y.example/z", "https://y.example/z"),
            ("https://x.example/api", "HTTPS://Y.example:443/z", "https://y.example/z"),
        ] {
            let url = target(&Url::parse(root).unwrap(), given).unwrap();
            assert_eq!(url.as_str(), expected, "{root} + {given}");
        }
    }

    #[test]
    fn ambiguous_urls_are_refused_before_parsing() {
        for (given, reason) in [
            ("orders", "neither absolute"),
            ("", "neither absolute"),
            ("//evil.example/x", "one slash"),
            ("/../../admin", "leaves the account's root"),
            ("/%2e%2e/admin", "leaves the account's root"),
            ("/../wp-json-other/x", "leaves the account's root"),
            ("https:127.0.0.1", "neither absolute"),
            ("https://ok.example\\@127.0.0.1", "holds '\\\\'"),
            ("https://1.1.1.1 &@2.2.2.2# @3.3.3.3", "holds ' '"),
            ("https://user@ok.example/", "user name"),
            ("https://@ok.example/", "user name"),
            ("https://127.0.0.1%2f@ok.example", "user name"),
            ("https://127.0.0.1%2f.example", "percent-encoded"),
            ("https://ok.example/#x", "fragment"),
            ("https://ok.example:0/", "port 0"),
            ("https://ok.example/\r\nHost: evil", "holds '\\r'"),
            ("https://ok.example/\u{0}", "holds '\\0'"),
            ("\thttps://ok.example/", "holds '\\t'"),
            ("file:///etc/passwd", "not http or https"),
            ("https://xn--shop-.example/", "not a URL"),
            ("https://[fe80::1%25eth0]/", "percent-encoded"),
        ] {
            let denial = target(&root(), given).unwrap_err();
            assert_eq!(denial.layer(), Layer::Url, "{given}");
            assert!(denial.to_string().contains(reason), "{given}: {denial}");
        }
        assert!(target(&root(), &format!("/{}", "a".repeat(MAX_URL))).is_err());
        assert!(target(&root(), &format!("/{}", "é".repeat(MAX_URL / 3))).is_err(), "the encoded length counts");
    }

    proptest! {
        /// A path never leaves the root's origin and path, whatever it holds.
        #[test]
        fn no_path_leaves_the_root(path in "/[ -~]{0,40}") {
            if let Ok(url) = target(&root(), &path) {
                prop_assert_eq!(url.origin(), root().origin());
                prop_assert!(url.path() == "/market/wp-json" || url.path().starts_with("/market/wp-json/"));
            }
        }

        /// Any text is either refused or becomes an http(s) URL without user name; nothing panics.
        #[test]
        fn any_text_is_refused_or_plain(text in "\\PC{0,60}") {
            if let Ok(url) = target(&root(), &text) {
                prop_assert!(url.scheme() == "http" || url.scheme() == "https");
                prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            }
        }
    }
}
