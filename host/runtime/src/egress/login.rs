//! Carries out a login recipe: one POST through the same door as everything else, a token out of its answer.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::auth::{Lifetime, LoginBody, LoginRecipe};
use super::door::{Authentication, Door};
use super::error::SendError;
use super::exchange::Effect;
use super::origin::Origin;
use super::token::{Clock, NewToken, StoredToken, Token, TokenKeeper, TokenStore, same};
use super::transport::Outgoing;

/// A token that claims to live longer is renewed once a month all the same; clocks and claims are both wrong at times.
const LONGEST_LIFE: Duration = Duration::from_hours(30 * 24);

/// A login recipe with its token.
pub(super) struct Login {
    recipe: LoginRecipe,
    url: Url,
    origin: Origin,
    digest: SecretString,
    store: Arc<dyn TokenStore>,
    pub(super) keeper: Arc<TokenKeeper>,
}

impl Login {
    pub(super) fn new(
        recipe: LoginRecipe,
        url: Url,
        origin: Origin,
        secrets: Vec<SecretString>,
        store: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let digest = digest(&recipe, &url);
        Self { recipe, url, origin, digest, store, keeper: Arc::new(TokenKeeper::new(secrets, clock)) }
    }

    fn margin(&self) -> Duration {
        Duration::from_secs(self.recipe.margin_seconds.into())
    }

    fn request(&self) -> Outgoing {
        let mut request = reqwest::Request::new(http::Method::POST, self.url.clone());
        let (media_type, body) = match self.recipe.body {
            LoginBody::Json => {
                let object: serde_json::Map<String, Value> = self
                    .recipe
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), Value::from(field.value.expose_secret())))
                    .collect();
                ("application/json", Value::Object(object).to_string())
            }
            LoginBody::Form => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for field in &self.recipe.fields {
                    form.append_pair(&field.name, field.value.expose_secret());
                }
                ("application/x-www-form-urlencoded", form.finish())
            }
        };
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        Outgoing { request, effect: Effect::Once }
    }

    /// Reads token and lifetime. The answer is never shown: it holds the token, and error answers echo passwords.
    fn read(&self, status: u16, body: &[u8]) -> Result<(SecretString, Duration), SendError> {
        // Without the path: templates may put a secret there.
        let at = format!("the login at {}", self.origin);
        match status {
            200..=299 => {}
            300..=399 => {
                return Err(SendError::AuthRejected(format!(
                    "{at} answered {status}, a redirect; set the login's final URL"
                )));
            }
            408 | 425 | 429 | 500.. => {
                return Err(SendError::NotSent(format!("{at} is not available now (it answered {status})")));
            }
            _ => {
                return Err(SendError::AuthRejected(format!(
                    "{at} was refused (it answered {status}); check the account's credential"
                )));
            }
        }
        let answer: Value = serde_json::from_slice(body)
            .map_err(|_| SendError::Protocol(format!("{at} answered {status} with something that is not JSON")))?;
        let token = match answer.pointer(&self.recipe.token_pointer) {
            Some(Value::String(token)) if !token.is_empty() => SecretString::from(token.as_str()),
            _ => {
                // Some sources refuse a login with 200 and an error object.
                return Err(SendError::AuthRejected(format!(
                    "{at} answered {status} without a token at {}; check the account's credential",
                    self.recipe.token_pointer
                )));
            }
        };
        let seconds = match &self.recipe.lifetime {
            Lifetime::Seconds(seconds) => u64::from(*seconds),
            Lifetime::Answer(pointer) => match answer.pointer(pointer) {
                Some(Value::Number(number)) => whole_seconds(&number.to_string()),
                Some(Value::String(text)) => whole_seconds(text),
                _ => None,
            }
            .ok_or_else(|| {
                SendError::Protocol(format!("{at} did not say at {pointer} how many seconds the token lives"))
            })?,
        };
        Ok((token, Duration::from_secs(seconds).min(LONGEST_LIFE)))
    }
}

/// Whole seconds of a number as it is written: `300`, `300.0`, `3e2` is refused.
fn whole_seconds(text: &str) -> Option<u64> {
    let whole = text.trim();
    let (whole, fraction) = whole.split_once('.').unwrap_or((whole, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

impl Door {
    /// A token that may be used now. Fails where the credential is not a login.
    pub(super) async fn token(self: &Arc<Self>, login: &Login) -> Result<Arc<Token>, SendError> {
        login
            .keeper
            .usable(|| {
                let door = Arc::clone(self);
                async move {
                    let Authentication::Login(login) = &door.auth else {
                        return Err(SendError::NotSent("this account's credential is not a login".to_owned()));
                    };
                    door.renew(login).await
                }
            })
            .await
    }

    /// From the store if it holds a better one than ours (an earlier run, or another process), else by logging in.
    async fn renew(&self, login: &Login) -> Result<Arc<Token>, SendError> {
        let account = self.policy().account.as_str();
        let clock = login.keeper.clock();
        let stored = login.store.load(account).await.map_err(|error| SendError::NotSent(error.to_string()))?;
        if let Some(stored) = stored
            && same(&stored.login, &login.digest)
            && !login.keeper.known().is_some_and(|known| same(&known, &stored.value))
            && let Ok(remaining) = stored.expires_at.duration_since(clock.wall())
            && remaining > login.margin()
        {
            tracing::debug!(account, "token taken from the store");
            let remaining = remaining.min(LONGEST_LIFE);
            return Ok(login.keeper.install(NewToken { value: stored.value, remaining, margin: login.margin() }));
        }

        let (value, remaining) = self.log_in(login).await?;
        fail::fail_point!("login.answered");
        let stored =
            StoredToken { value: value.clone(), expires_at: clock.wall() + remaining, login: login.digest.clone() };
        login.store.save(account, &stored).await.map_err(|error| SendError::NotSent(error.to_string()))?;
        fail::fail_point!("login.kept");
        tracing::debug!(account, lives_seconds = remaining.as_secs(), "logged in");
        Ok(login.keeper.install(NewToken { value, remaining, margin: login.margin() }))
    }

    async fn log_in(&self, login: &Login) -> Result<(SecretString, Duration), SendError> {
        let budget = Self::login_budget();
        let deadline = Instant::now() + budget.limits.each;
        let send = async {
            self.turn(&login.origin).await;
            let admission = self.admit(&login.origin).await?;
            fail::fail_point!("login.about-to-be-sent");
            self.egress().transmit(&admission, login.request(), &budget, deadline).await
        };
        let answer = self.guarded(&login.origin, send).await.map_err(|error| match error {
            // The connector's request was not sent, whatever became of the login.
            SendError::InDoubt(text) | SendError::NotSent(text) => {
                SendError::NotSent(format!("the login did not complete: {text}"))
            }
            SendError::Protocol(text) => SendError::NotSent(format!("the login's answer cannot be read: {text}")),
            SendError::Budget(budget) => SendError::NotSent(format!("the login's answer cannot be read: {budget}")),
            refused @ (SendError::Denied(_) | SendError::AuthRejected(_)) => refused,
        })?;
        login.read(answer.status, &answer.body).map_err(|error| match error {
            SendError::Protocol(text) => SendError::NotSent(text),
            other => other,
        })
    }
}

/// Identifies a login by everything that is sent for it.
fn digest(recipe: &LoginRecipe, url: &Url) -> SecretString {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    part(url.as_str());
    for field in &recipe.fields {
        part(&field.name);
        part(field.value.expose_secret());
    }
    SecretString::from(format!("{:x}", hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::whole_seconds;

    #[test]
    fn lifetimes_are_read_as_sources_write_them() {
        for (text, expected) in [
            ("300", Some(300)),
            ("3600.0", Some(3600)),
            (" 60 ", Some(60)),
            ("-1", None),
            ("soon", None),
            ("1e3", None),
            ("", None),
        ] {
            assert_eq!(whole_seconds(text), expected, "{text}");
        }
    }
}
