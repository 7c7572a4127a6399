//! Credentials: recipes with their blanks filled in, and how a value is placed in a request.
//!
//! The host carries recipes out; neither credential nor token ever enters guest memory.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::IgnoredAny;
use url::Url;
use zeroize::Zeroizing;

use super::error::{Denial, Layer, SendError};

/// Where a credential goes in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A header, with text in front of the value (`Bearer ` with the blank, or nothing).
    Header {
        /// Such as `Authorization`.
        name: String,
        /// What stands in front of the value.
        prefix: String,
    },
    /// A query parameter of this name, appended to the URL's query.
    Query(String),
    /// A top-level field of the JSON object in the body. A request without body gets an object with only this field.
    JsonBody(String),
}

/// An account's credential: a recipe of the manifest, filled in from the account's secrets. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The platform asks for none.
    None,
    /// RFC 7617: base64 of `username:password`.
    Basic {
        /// The user name; may not hold a colon.
        username: String,
        /// The password.
        password: SecretString,
        /// Where it goes; by convention `Authorization` with the prefix `Basic `.
        placement: Placement,
    },
    /// A value that stays the same: an API key.
    Fixed {
        /// The value.
        value: SecretString,
        /// Where it goes.
        placement: Placement,
    },
    /// A login that yields a token.
    Login(LoginRecipe),
}

/// A `POST` of fields, answered by JSON that holds a token.
#[derive(Clone, Debug)]
pub struct LoginRecipe {
    /// Absolute, or relative to the account's root URL. Its origin passes the same checks as the connector's requests.
    pub url: String,
    /// How the fields are sent.
    pub body: LoginBody,
    /// The fields in order.
    pub fields: Vec<LoginField>,
    /// RFC 6901 pointer to the token in the answer, such as `/access_token`.
    pub token_pointer: String,
    /// How long a token lives.
    pub lifetime: Lifetime,
    /// Renewed so many seconds before it ends; at most half of the lifetime counts.
    pub margin_seconds: u32,
    /// Where the token goes.
    pub placement: Placement,
}

/// How login fields are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginBody {
    /// A JSON object of strings.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// A field of a login.
#[derive(Clone, Debug)]
pub struct LoginField {
    /// Its name.
    pub name: String,
    /// Its value; never shown.
    pub value: SecretString,
    /// Whether the value is removed from answers. User names and fixed words (`grant_type`) are not secret: an answer that
    /// holds the account's e-mail address must reach the connector whole.
    pub secret: bool,
}

impl LoginField {
    /// A field whose value is a secret.
    pub fn secret(name: impl Into<String>, value: SecretString) -> Self {
        Self { name: name.into(), value, secret: true }
    }

    /// A field whose value may be seen.
    pub fn plain(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: SecretString::from(value.into()), secret: false }
    }
}

/// How long a token lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Always so many seconds.
    Seconds(u32),
    /// RFC 6901 pointer to a number of seconds in the answer, such as `/expires_in`.
    Answer(String),
}

impl LoginRecipe {
    /// RFC 6749 section 4.4 as a login: a form with `grant_type=client_credentials`, answered by `access_token` and
    /// `expires_in`, placed as a bearer token. Renewed a minute early.
    pub fn oauth2_client_credentials(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretString,
        scope: &str,
    ) -> Self {
        let mut fields = vec![
            LoginField::plain("grant_type", "client_credentials"),
            LoginField::plain("client_id", client_id),
            LoginField::secret("client_secret", client_secret),
        ];
        if !scope.is_empty() {
            fields.push(LoginField::plain("scope", scope));
        }
        Self {
            url: token_url.into(),
            body: LoginBody::Form,
            fields,
            token_pointer: "/access_token".to_owned(),
            lifetime: Lifetime::Answer("/expires_in".to_owned()),
            margin_seconds: 60,
            placement: Placement::Header { name: "Authorization".to_owned(), prefix: "Bearer ".to_owned() },
        }
    }
}

impl Credential {
    pub(super) fn placement(&self) -> Option<&Placement> {
        match self {
            Self::None => None,
            Self::Basic { placement, .. } | Self::Fixed { placement, .. } => Some(placement),
            Self::Login(recipe) => Some(&recipe.placement),
        }
    }

    /// The value of a credential that needs no login.
    pub(super) fn fixed_value(&self) -> Option<SecretString> {
        match self {
            Self::None | Self::Login(_) => None,
            Self::Basic { .. } => Some(SecretString::from(STANDARD.encode(self.pair()?.expose_secret()))),
            Self::Fixed { value, .. } => Some(value.clone()),
        }
    }

    fn pair(&self) -> Option<SecretString> {
        match self {
            Self::Basic { username, password, .. } => {
                Some(SecretString::from(format!("{username}:{}", password.expose_secret())))
            }
            _ => None,
        }
    }

    /// What must not reach the guest, apart from tokens.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::None => Vec::new(),
            Self::Basic { password, .. } => std::iter::once(password.clone()).chain(self.pair()).collect(),
            Self::Fixed { value, .. } => vec![value.clone()],
            Self::Login(recipe) => {
                recipe.fields.iter().filter(|field| field.secret).map(|field| field.value.clone()).collect()
            }
        }
    }

    /// What is wrong with the recipe, in words for whoever filled it in.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(Placement::Header { name, prefix }) = self.placement() {
            HeaderName::try_from(name.as_str())
                .map_err(|_| format!("the credential's header {name:?} is not a header name"))?;
            HeaderValue::try_from(prefix.as_str())
                .map_err(|_| format!("the prefix {prefix:?} cannot stand in a header"))?;
        }
        if let Some(Placement::Query(name) | Placement::JsonBody(name)) = self.placement()
            && name.is_empty()
        {
            return Err("the credential's parameter or field has no name".to_owned());
        }
        match self {
            Self::Basic { username, .. } if username.contains(':') => {
                Err("the user name holds a colon, which Basic authentication cannot carry".to_owned())
            }
            Self::Login(recipe) => {
                let lifetime = match &recipe.lifetime {
                    Lifetime::Answer(pointer) => Some(pointer),
                    Lifetime::Seconds(_) => None,
                };
                std::iter::once(&recipe.token_pointer)
                    .chain(lifetime)
                    .find(|pointer| !pointer.starts_with('/'))
                    .map_or(Ok(()), |pointer| {
                        Err(format!("{pointer:?} is not a JSON pointer; write it like \"/access_token\""))
                    })
            }
            _ => Ok(()),
        }
    }
}

impl Placement {
    pub(super) fn header(&self) -> Option<HeaderName> {
        match self {
            Self::Header { name, .. } => HeaderName::try_from(name.as_str()).ok(),
            Self::Query(_) | Self::JsonBody(_) => None,
        }
    }

    /// Refuses a request that brings the credential's parameter or field itself: the server would see two, and which one
    /// counts is the server's secret.
    pub(super) fn check_free(&self, url: &Url, body: Option<&Bytes>) -> Result<(), Denial> {
        match self {
            Self::Query(name) if url.query_pairs().any(|(key, _)| key.eq_ignore_ascii_case(name)) => Err(Denial::new(
                Layer::Url,
                format!("the query parameter {name} carries the account's credential, the host places it"),
            )),
            Self::JsonBody(name)
                if body
                    .and_then(|body| object_fields(body))
                    .is_some_and(|fields| fields.contains_key(name.as_str())) =>
            {
                Err(Denial::new(
                    Layer::Body,
                    format!("the field {name} carries the account's credential, the host places it"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Puts the credential in.
    pub(super) fn place(
        &self,
        value: &SecretString,
        url: &mut Url,
        headers: &mut HeaderMap,
        body: &mut Option<Bytes>,
    ) -> Result<(), SendError> {
        match self {
            Self::Header { name, prefix } => {
                let unfit = || {
                    SendError::AuthRejected(format!(
                        "the credential holds characters that the header {name} cannot carry"
                    ))
                };
                let header = HeaderName::try_from(name.as_str()).map_err(|_| unfit())?;
                let text = Zeroizing::new(format!("{prefix}{}", value.expose_secret()));
                let mut value = HeaderValue::try_from(text.as_str()).map_err(|_| unfit())?;
                value.set_sensitive(true);
                headers.insert(header, value);
            }
            Self::Query(name) => {
                url.query_pairs_mut().append_pair(name, value.expose_secret());
            }
            Self::JsonBody(name) => {
                let given = body.take().unwrap_or_else(|| Bytes::from_static(b"{}"));
                *body = Some(with_field(&given, name, value)?);
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            }
        }
        Ok(())
    }
}

/// The top-level names of a JSON object, or none if it is not one.
#[expect(clippy::zero_sized_map_values, reason = "serde reads an object as a map, and only its names matter")]
fn object_fields(body: &[u8]) -> Option<HashMap<Cow<'_, str>, IgnoredAny>> {
    serde_json::from_slice(body).ok()
}

/// The same JSON text with a field in front. Spliced, not re-serialised: amounts must go out with the digits they came with.
fn with_field(body: &[u8], name: &str, value: &SecretString) -> Result<Bytes, SendError> {
    let not_object = || {
        SendError::Denied(Denial::new(
            Layer::Body,
            format!("the account's token goes into the field {name} of a JSON object, and the body is not one"),
        ))
    };
    let fields = object_fields(body).ok_or_else(not_object)?;
    let brace = body.iter().position(|byte| *byte == b'{').ok_or_else(not_object)?;
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = Vec::with_capacity(body.len() + name.len() + value.expose_secret().len() + 8);
    out.push(b'{');
    out.extend_from_slice(quote(name).as_bytes());
    out.push(b':');
    out.extend_from_slice(Zeroizing::new(quote(value.expose_secret())).as_bytes());
    if !fields.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(&body[brace + 1..]);
    Ok(Bytes::from(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(placement: &Placement, url: &str, body: Option<&str>) -> (Url, HeaderMap, Option<Bytes>) {
        let mut url = Url::parse(url).unwrap();
        let mut headers = HeaderMap::new();
        let mut body = body.map(|body| Bytes::from(body.to_owned()));
        placement.place(&SecretString::from("t\"k&1"), &mut url, &mut headers, &mut body).unwrap();
        (url, headers, body)
    }

    #[test]
    fn a_header_is_placed_with_its_prefix_and_marked_sensitive() {
        let placement = Placement::Header { name: "X-Auth-Token".to_owned(), prefix: "Token ".to_owned() };
        let (_, headers, _) = placed(&placement, "https://a.example/", None);
        assert_eq!(headers["x-auth-token"], "Token t\"k&1");
        assert!(headers["x-auth-token"].is_sensitive());
        assert!(!format!("{headers:?}").contains("t\"k&1") && !format!("{headers:?}").contains("t\\\"k&1"));
    }

    #[test]
    fn a_query_parameter_is_appended_and_encoded() {
        let placement = Placement::Query("key".to_owned());
        assert_eq!(placed(&placement, "https://a.example/x", None).0.as_str(), "https://a.example/x?key=t%22k%261");
        assert_eq!(
            placed(&placement, "https://a.example/x?b=%20c", None).0.as_str(),
            "https://a.example/x?b=%20c&key=t%22k%261"
        );
    }

    #[test]
    fn a_json_field_is_spliced_in_and_the_rest_keeps_its_text() {
        let placement = Placement::JsonBody("token".to_owned());
        for (given, expected) in [
            (
                Some(r#"{"price":12.10,"id":123456789012345678901}"#),
                r#"{"token":"t\"k&1","price":12.10,"id":123456789012345678901}"#,
            ),
            (Some(" { } "), r#"{"token":"t\"k&1" } "#),
            (None, r#"{"token":"t\"k&1"}"#),
        ] {
            let (_, headers, body) = placed(&placement, "https://a.example/", given);
            assert_eq!(body.unwrap(), expected);
            assert_eq!(headers[CONTENT_TYPE], "application/json");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let placement = Placement::JsonBody("token".to_owned());
        for body in ["[]", "\"x\"", "{", "a=1", "", &"{\"a\":".repeat(10_000)] {
            let mut url = Url::parse("https://a.example/").unwrap();
            let mut given = Some(Bytes::from(body.to_owned()));
            let error =
                placement.place(&SecretString::from("t"), &mut url, &mut HeaderMap::new(), &mut given).unwrap_err();
            assert!(matches!(error, SendError::Denied(ref denial) if denial.layer() == Layer::Body), "{body}: {error}");
        }
    }

    #[test]
    fn a_guest_may_not_bring_the_credentials_parameter_or_field() {
        let url = |text: &str| Url::parse(text).unwrap();
        let query = Placement::Query("consumer_secret".to_owned());
        assert!(query.check_free(&url("https://a.example/?Consumer%5FSecret=x"), None).is_err());
        assert!(query.check_free(&url("https://a.example/?other=x"), None).is_ok());
        let field = Placement::JsonBody("token".to_owned());
        let body = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert!(field.check_free(&url("https://a.example/"), Some(&body(r#"{"a":1,"t\u006fken":"x"}"#))).is_err());
        assert!(field.check_free(&url("https://a.example/"), Some(&body(r#"{"a":{"token":"x"}}"#))).is_ok());
    }

    #[test]
    fn basic_is_rfc_7617() {
        let placement = Placement::Header { name: "Authorization".to_owned(), prefix: "Basic ".to_owned() };
        let credential = Credential::Basic {
            username: "Aladdin".to_owned(),
            password: SecretString::from("open sesame"),
            placement,
        };
        assert_eq!(credential.fixed_value().unwrap().expose_secret(), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(credential.check().is_ok());
    }

    #[test]
    fn a_recipe_that_cannot_work_is_refused_in_words() {
        let key = |placement| Credential::Fixed { value: SecretString::from("k"), placement };
        let header = |name: &str, prefix: &str| Placement::Header { name: name.to_owned(), prefix: prefix.to_owned() };
        for (credential, reason) in [
            (key(header("X Key", "")), "not a header name"),
            (key(header("X-Key", "a\nb")), "cannot stand in a header"),
            (key(Placement::Query(String::new())), "no name"),
            (
                Credential::Basic {
                    username: "a:b".to_owned(),
                    password: SecretString::from("p"),
                    placement: header("a", ""),
                },
                "colon",
            ),
        ] {
            assert!(credential.check().unwrap_err().contains(reason), "{reason}");
        }
    }
}
