//! Origins: the unit in which network access is asked for and granted.
//!
//! An origin is scheme, host and port, compared exactly. There are no wildcards and no suffix rules: `*.example.com` in a
//! grant is a way to send data out through DNS, and nobody can review what it covers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The two schemes that connectors may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Plain text. Granted only where the origin says `http`.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port, such as `https://api.example.com` or `http://127.0.0.1:8080`.
///
/// Hosts are kept in the `url` crate's canonical form (lower case, punycode, dotted IPv4), so that comparing is exact.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    scheme: Scheme,
    host: Host<String>,
    port: u16,
}

/// Why a text is not an origin.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{text}\" is not an origin: {reason}; write it like \"https://api.example.com\" or \"http://192.168.1.5:8080\""
)]
pub struct OriginError {
    text: String,
    reason: String,
}

impl OriginError {
    fn new(text: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { text: text.into(), reason: reason.into() }
    }
}

impl Origin {
    /// The origin of an already parsed URL. Path, query and fragment are ignored.
    ///
    /// # Errors
    /// For schemes other than `http` and `https`, for user names in the URL, wildcards, port 0 and hosts that end in a dot.
    pub fn of(url: &Url) -> Result<Self, OriginError> {
        // The reason is built from parts: a URL may carry a password, and this text may be shown.
        let shown = || format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(OriginError::new(shown(), format!("the scheme {other} is not http or https"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::new(shown(), "it holds a user name or password"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if name.contains('*') => {
                return Err(OriginError::new(shown(), "wildcards are not allowed, name each host"));
            }
            Some(Host::Domain(name)) if name.ends_with('.') => {
                return Err(OriginError::new(shown(), "the host ends in a dot"));
            }
            Some(host) => host.to_owned(),
            None => return Err(OriginError::new(shown(), "it has no host")),
        };
        match url.port_or_known_default() {
            Some(port) if port != 0 => Ok(Self { scheme, host, port }),
            _ => Err(OriginError::new(shown(), "port 0 is not a port")),
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, canonical.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port, also where it is the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(OriginError::new(
                text.escape_debug().to_string(),
                "it holds a blank, control character or backslash",
            ));
        }
        let authority = text
            .split_once("://")
            .map(|(_, rest)| rest)
            .ok_or_else(|| OriginError::new(text, "the scheme is missing"))?;
        if authority.contains('@') {
            return Err(OriginError::new("(hidden)", "it holds a user name or password"));
        }
        let url = Url::parse(text).map_err(|error| OriginError::new(text, error.to_string()))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::new(text, "it has a path, query or fragment"));
        }
        Self::of(&url)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// What the operator allows one account to reach. In settings: two lists of origins as strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Origins that resolve to public addresses.
    pub hosts: Vec<Origin>,
    /// Origins that may also be at loopback, RFC 1918 or unique-local addresses. Everything else that is special (metadata
    /// services, link-local, multicast, ...) stays refused.
    pub private_hosts: Vec<Origin>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_canonical_and_round_trip() {
        for (text, shown) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://API.Example.COM/", "https://api.example.com"),
            ("https://api.example.com:443", "https://api.example.com"),
            ("https://api.example.com:8443", "https://api.example.com:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.to_string(), shown, "{text}");
            assert_eq!(shown.parse::<Origin>().unwrap(), origin);
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused_with_a_reason() {
        for (text, reason) in [
            ("api.example.com", "scheme is missing"),
            ("https://*.example.com", "wildcards"),
            ("https://api.example.com.", "ends in a dot"),
            ("https://api.example.com/v2", "path"),
            ("https://api.example.com?x=1", "query"),
            ("ftp://api.example.com", "not http or https"),
            ("https://user:pw@api.example.com", "user name"),
            ("https://api.example.com:0", "port 0"),
            ("https://api.example.com\\@127.0.0.1", "backslash"),
            ("https:// api.example.com", "blank"),
        ] {
            let error = text.parse::<Origin>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn grants_are_lists_of_strings() {
        let grants: Grants =
            serde_json::from_str(r#"{"hosts":["https://a.example"],"private_hosts":["http://127.0.0.1:9000"]}"#)
                .unwrap();
        assert_eq!(grants.hosts[0].to_string(), "https://a.example");
        assert_eq!(
            serde_json::to_string(&grants).unwrap(),
            r#"{"hosts":["https://a.example"],"private_hosts":["http://127.0.0.1:9000"]}"#
        );
        assert!(
            serde_json::from_str::<Grants>(r#"{"host":["https://a.example"]}"#).is_err(),
            "a misspelt key is not ignored"
        );
    }
}
