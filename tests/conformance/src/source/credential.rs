//! What a scripted source asks for: the credential that the connector's manifest promises, login included. It is made from the
//! manifest, because an auth recipe is data; a description adds only what else stands in a login's answer.

use std::collections::BTreeMap;

use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;
use tradepost_runtime::contract::manifest::{AuthMethod, AuthRecipe, LoginExchange, Placement, TokenLifetime};

use super::Seen;
use super::substitution::set;
use crate::description::{Answer, Description, json};

/// How long tokens live where the answer tells.
pub(crate) const TOKEN_SECONDS: i64 = 300;

/// What the source asks for.
pub(crate) struct Credential {
    recipe: Option<AuthRecipe>,
    /// The values of settings and secrets, for the recipe's templates.
    values: BTreeMap<String, String>,
    /// Path of the login, from the server's root.
    login_path: Option<String>,
    /// Tokens that are good, and until when.
    tokens: Vec<(String, i64)>,
    given: u64,
    /// Whether logins are refused.
    pub(crate) refuses_logins: bool,
    /// Whether every request is refused as if its credential were wrong.
    pub(crate) refuses_requests: bool,
}

impl Credential {
    /// For an account with these settings and secrets; `login_path` is filled and absolute.
    pub(crate) fn new(recipe: Option<AuthRecipe>, values: BTreeMap<String, String>, root_path: &str) -> Self {
        let login_path = recipe.as_ref().and_then(AuthRecipe::login).map(|login| {
            let url = fill(&login.url, &values);
            match url::Url::parse(&url) {
                Ok(url) => url.path().to_owned(),
                Err(_) => format!("{root_path}{url}"),
            }
        });
        Self {
            recipe,
            values,
            login_path,
            tokens: Vec::new(),
            given: 0,
            refuses_logins: false,
            refuses_requests: false,
        }
    }

    /// Whether requests carry a token that a login gives.
    pub(crate) fn has_login(&self) -> bool {
        self.login_path.is_some()
    }

    /// Makes every token that was given useless.
    pub(crate) fn revoke(&mut self) {
        self.tokens.clear();
    }

    pub(crate) fn is_login(&self, seen: &Seen, path: &str) -> bool {
        seen.method == "POST" && self.login_path.as_deref() == Some(path)
    }

    /// The answer to a login.
    pub(crate) fn login(&mut self, description: &Description, seen: &Seen, now: i64) -> Answer {
        let Some(login) = self.recipe.as_ref().and_then(AuthRecipe::login).cloned() else {
            return Answer::json(404, "{}");
        };
        // Forms are not read back field by field: their values are on the line of the body only.
        let is_right = seen.body.is_null()
            || login.fields.iter().all(|(name, template)| {
                seen.body.get(name).and_then(Value::as_str) == Some(fill(template, &self.values).as_str())
            });
        if self.refuses_logins || !is_right {
            return description.refusals.bad_login.clone().unwrap_or_else(|| Answer::json(401, "{}"));
        }
        self.given += 1;
        let token = format!("kit-token-{}-{}", self.given, "x".repeat(16));
        let lifetime = match &login.lifetime {
            TokenLifetime::Seconds(seconds) => i64::from(*seconds),
            TokenLifetime::Answer(_) => TOKEN_SECONDS,
        };
        let mut answer = json(description.login.answer.as_deref().unwrap_or("{}")).unwrap_or_default();
        set(&mut answer, &login.token, token.clone().into());
        if let TokenLifetime::Answer(pointer) = &login.lifetime {
            set(&mut answer, pointer, lifetime.into());
        }
        self.tokens.push((token, now + lifetime));
        Answer::json(200, answer.to_string())
    }

    /// The refusal of a request whose credential is missing or no good.
    pub(crate) fn refuse(
        &self,
        description: &Description,
        request: &http::Request<Bytes>,
        seen: &Seen,
        now: i64,
    ) -> Option<Answer> {
        let bad = || Some(description.refusals.bad_login.clone().unwrap_or_else(|| Answer::json(401, "{}")));
        if self.refuses_requests {
            return bad();
        }
        let recipe = self.recipe.as_ref()?;
        let placed = placed(&recipe.placement, request, seen);
        match &recipe.method {
            AuthMethod::Login(_) => {
                let is_good = placed
                    .is_some_and(|placed| self.tokens.iter().any(|(token, until)| *until > now && *token == placed));
                let expired = || description.refusals.expired_token.clone().unwrap_or_else(|| Answer::json(401, "{}"));
                (!is_good).then(expired)
            }
            AuthMethod::Basic(basic) => {
                let pair = format!("{}:{}", fill(&basic.username, &self.values), fill(&basic.password, &self.values));
                let wanted = base64::engine::general_purpose::STANDARD.encode(pair);
                // Some routes of a platform are open to everybody: a request without any credential is let through.
                placed.filter(|placed| *placed != wanted).and_then(|_| bad())
            }
            AuthMethod::ApiKey(key) => {
                let wanted = fill(key, &self.values);
                placed.filter(|placed| *placed != wanted).and_then(|_| bad())
            }
            _ => None,
        }
    }
}

/// What stands where the recipe places its credential, without the prefix.
fn placed(placement: &Placement, request: &http::Request<Bytes>, seen: &Seen) -> Option<String> {
    match placement {
        Placement::Header(header) => {
            let value = request.headers().get(&header.name)?.to_str().ok()?;
            value.strip_prefix(&header.prefix).map(str::to_owned)
        }
        Placement::Query(name) => seen.parameter(name),
        Placement::JsonBody(field) => seen.body.get(field).and_then(Value::as_str).map(str::to_owned),
    }
}

/// A template with its fields filled in.
pub(crate) fn fill(template: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// The login of a recipe that has one.
trait HasLogin {
    fn login(&self) -> Option<&LoginExchange>;
}

impl HasLogin for AuthRecipe {
    fn login(&self) -> Option<&LoginExchange> {
        match &self.method {
            AuthMethod::Login(login) => Some(login),
            _ => None,
        }
    }
}
