//! Which header names a connector may set, and which of an answer's headers it sees.
//!
//! An allow-list: deny-lists of headers keep being outgrown by the next trick. The manifest may add names of the
//! platform's own, but none that carry a credential, frame the message, speak to proxies or change the method.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::{Denial, Layer};

/// What every connector may set.
const ALLOWED: &[&str] = &[
    "accept",
    "accept-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
    "range",
];

/// Refused also where a manifest names them.
const RESERVED: &[(&str, &str)] = &[
    ("accept-encoding", "the host decodes answers"),
    ("authorization", "the host places the credential"),
    ("connection", "it belongs to the connection"),
    ("content-encoding", "bodies are sent as they are"),
    ("content-length", "it frames the message"),
    ("cookie", "the host keeps no cookies"),
    ("cookie2", "the host keeps no cookies"),
    ("expect", "it belongs to the connection"),
    ("forwarded", "it claims another sender"),
    ("host", "the URL says it"),
    ("http2-settings", "it belongs to the connection"),
    ("keep-alive", "it belongs to the connection"),
    ("referer", "the host sends none"),
    ("te", "it frames the message"),
    ("trailer", "it frames the message"),
    ("transfer-encoding", "it frames the message"),
    ("upgrade", "it belongs to the connection"),
    ("via", "it claims another sender"),
    // A GET that a server reads as DELETE would pass the journal as a read.
    ("x-http-method", "it changes the method"),
    ("x-http-method-override", "it changes the method"),
    ("x-method-override", "it changes the method"),
    // Front ends route by these instead of by the checked URL.
    ("x-host", "it claims another host"),
    ("x-original-host", "it claims another host"),
    ("x-original-url", "it claims another URL"),
    ("x-rewrite-url", "it claims another URL"),
    ("x-real-ip", "it claims another sender"),
];

const RESERVED_PREFIXES: &[(&str, &str)] = &[
    ("proxy-", "it speaks to proxies"),
    ("sec-", "it belongs to browsers"),
    ("x-forwarded-", "it claims another sender"),
];

const MAX_HEADERS: usize = 64;
const MAX_VALUE: usize = 8 * 1024;
const MAX_TOTAL: usize = 64 * 1024;

fn refuse(reason: impl Into<String>) -> Denial {
    Denial::new(Layer::Header, reason)
}

/// Enough of a text to recognise it by.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

fn reserved(name: &str) -> Option<&'static str> {
    RESERVED
        .iter()
        .find(|(reserved, _)| *reserved == name)
        .or_else(|| RESERVED_PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)))
        .map(|(_, reason)| *reason)
}

/// The names one account's connector may set.
pub(super) struct RequestHeaders {
    extra: Vec<HeaderName>,
    credential: Option<HeaderName>,
}

impl RequestHeaders {
    /// From the manifest's `request-headers` and the header that carries the credential. Names that may not be granted are
    /// left out and returned as denials.
    pub(super) fn new(declared: &[String], credential: Option<HeaderName>) -> (Self, Vec<Denial>) {
        let mut extra = Vec::new();
        let mut problems = Vec::new();
        for name in declared {
            match HeaderName::try_from(name.as_str()) {
                Err(_) => problems.push(refuse(format!("request-headers: {name:?} is not a header name"))),
                Ok(parsed) => match reserved(parsed.as_str()) {
                    Some(reason) => problems
                        .push(refuse(format!("request-headers: {parsed} cannot be given to a connector, {reason}"))),
                    None if credential.as_ref() == Some(&parsed) => {
                        problems.push(refuse(format!(
                            "request-headers: {parsed} carries the account's credential, the host places it"
                        )));
                    }
                    None => extra.push(parsed),
                },
            }
        }
        (Self { extra, credential }, problems)
    }

    /// Checks a connector's headers.
    pub(super) fn check(&self, given: &[(String, String)]) -> Result<HeaderMap, Denial> {
        if given.len() > MAX_HEADERS {
            return Err(refuse(format!("{} headers; at most {MAX_HEADERS} are sent", given.len())));
        }
        let total: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
        if total > MAX_TOTAL {
            return Err(refuse(format!("the headers hold {total} bytes; at most {MAX_TOTAL} are sent")));
        }
        let mut headers = HeaderMap::with_capacity(given.len());
        for (name, value) in given {
            let parsed = HeaderName::try_from(name.as_str())
                .map_err(|_| refuse(format!("{:?} is not a header name", shorten(name))))?;
            self.check_name(&parsed)?;
            if value.len() > MAX_VALUE {
                return Err(refuse(format!(
                    "the header {parsed} holds {} bytes; at most {MAX_VALUE} are sent",
                    value.len()
                )));
            }
            // Stricter than the client library: bytes above ASCII mean different text to different servers.
            if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
                return Err(refuse(format!("the header {parsed} holds a control or non-ASCII character; encode it")));
            }
            let parsed_value = HeaderValue::try_from(value.as_str())
                .map_err(|_| refuse(format!("the header {parsed} has no valid value")))?;
            if headers.insert(parsed.clone(), parsed_value).is_some() {
                return Err(refuse(format!("the header {parsed} is given twice; join the values")));
            }
        }
        Ok(headers)
    }

    fn check_name(&self, name: &HeaderName) -> Result<(), Denial> {
        if self.credential.as_ref() == Some(name) {
            return Err(refuse(format!("the header {name} carries the account's credential, the host places it")));
        }
        if let Some(reason) = reserved(name.as_str()) {
            return Err(refuse(format!("the header {name} is not a connector's to set: {reason}")));
        }
        if ALLOWED.contains(&name.as_str()) || self.extra.contains(name) {
            return Ok(());
        }
        Err(refuse(format!("the header {name} is not on the allow-list; name it in the manifest's request-headers")))
    }
}

/// Removed from answers: cookies, and what describes the connection or the body's wire form, which the host has undone.
const HIDDEN: &[&str] = &[
    "connection",
    "content-encoding",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// An answer's headers as the connector may see them: names in lower case. The length stays for `HEAD`, where it is the
/// information asked for; elsewhere the body has been decoded and the length would be wrong.
pub(super) fn visible(headers: &HeaderMap, head: bool) -> Vec<(String, String)> {
    let of_connection: Vec<String> = headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !HIDDEN.contains(&name)
                && !of_connection.iter().any(|hop| hop == name)
                && (head || name != "content-length")
        })
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(declared: &[&str]) -> RequestHeaders {
        let declared: Vec<String> = declared.iter().map(ToString::to_string).collect();
        RequestHeaders::new(&declared, Some(HeaderName::from_static("x-auth-token"))).0
    }

    fn one(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn the_manifest_adds_names_but_none_of_the_hosts() {
        let declared =
            ["X-Shop-Id", "Authorization", "X-Auth-Token", "X-HTTP-Method-Override", "X-Forwarded-For", "bad name"];
        let declared: Vec<String> = declared.iter().map(ToString::to_string).collect();
        let (headers, problems) = RequestHeaders::new(&declared, Some(HeaderName::from_static("x-auth-token")));
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(headers.check(&one("x-shop-id", "7")).is_ok());
        assert!(headers.check(&one("x-http-method-override", "DELETE")).is_err());
    }

    #[test]
    fn allowed_headers_pass_in_any_case() {
        let given = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("IF-MATCH".to_owned(), "\"a\"".to_owned()),
        ];
        let headers = allow(&[]).check(&given).unwrap();
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["if-match"], "\"a\"");
    }

    #[test]
    fn an_unknown_header_names_the_line_that_would_allow_it() {
        let denial = allow(&[]).check(&one("x-shop-id", "7")).unwrap_err();
        assert_eq!(denial.layer(), Layer::Header);
        assert!(denial.to_string().contains("manifest's request-headers"), "{denial}");
    }

    #[test]
    fn a_header_given_twice_and_floods_are_refused() {
        let allow = allow(&["x-a"]);
        assert!(allow.check(&[one("accept", "a"), one("Accept", "b")].concat()).is_err());
        assert!(allow.check(&vec![("x-a".to_owned(), String::new()); MAX_HEADERS + 1]).is_err());
        assert!(allow.check(&one("accept", &"a".repeat(MAX_VALUE + 1))).is_err());
    }

    #[test]
    fn cookies_and_connection_headers_of_answers_are_hidden() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("set-cookie", "session=1"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-encoding", "gzip"),
            ("content-length", "12"),
            ("link", "<a>; rel=next"),
            ("link", "<b>; rel=last"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let names = |head| visible(&headers, head).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(false), ["content-type", "link", "link"]);
        assert_eq!(names(true), ["content-type", "content-length", "link", "link"]);
    }
}
