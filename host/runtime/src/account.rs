//! An account: one seller at one platform, on one loaded connector, with settings, secrets, grants and storage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::connector::Connector;
use crate::contract::manifest::{self, AuthMethod, AuthRecipe, TokenLifetime};
use crate::contract::secrets::SecretError;
use crate::draining::Calls;
use crate::egress::{
    Credential, Door, Grants, Lifetime, LoginBody, LoginField, LoginRecipe, Origin, Placement, Policy, TokenStore,
};
use crate::error::{AccountError, SettingIssue};
use crate::journal::{Journal, Journaled};
use crate::manifest::CheckedManifest;
use crate::runtime::Runtime;
use crate::storage::Storage;
use crate::template;

/// What an account is made of. Secrets are kept apart from settings: the connector sees the one and never the other.
#[derive(Clone, Debug, Default)]
pub struct AccountConfig {
    /// The embedder's own id, such as `acme/hardtofind`. Part of every storage row and message.
    pub id: String,
    /// The settings, as the connector's schema asks.
    pub settings: Map<String, Value>,
    /// Values of the schema's secret fields.
    pub secrets: BTreeMap<String, SecretString>,
    /// Which of the connector's ways to authenticate; none = its first.
    pub auth: Option<String>,
    /// Where the connector may connect to. What is not granted is denied, whatever the manifest says.
    pub grants: Grants,
}

/// An account that is open on a connector: calls go here. Cheap to clone.
#[derive(Clone)]
pub struct Account {
    pub(crate) inner: Arc<AccountInner>,
    pub(crate) journaled: Option<Journaled>,
}

pub(crate) struct AccountInner {
    pub(crate) id: String,
    pub(crate) runtime: Runtime,
    pub(crate) connector: Connector,
    pub(crate) settings_json: String,
    pub(crate) door: Arc<Door>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) calls: Calls,
    tokens: Arc<dyn TokenStore>,
    secrets: BTreeMap<String, SecretString>,
    auth: Option<String>,
    /// Settings that the account left to the connector.
    defaulted: Vec<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.inner.id)
            .field("connector", &self.inner.connector)
            .finish_non_exhaustive()
    }
}

impl Account {
    pub(crate) fn open(
        runtime: Runtime,
        connector: Connector,
        mut config: AccountConfig,
        storage: Arc<dyn Storage>,
        tokens: Arc<dyn TokenStore>,
    ) -> Result<Self, AccountError> {
        let checked = connector.checked_manifest();
        let mut defaulted = Vec::new();
        for (name, value) in &checked.defaults {
            if !config.settings.contains_key(name) {
                config.settings.insert(name.clone(), value.clone());
                defaulted.push(name.clone());
            }
        }
        check_settings(checked, &config)?;
        let label = checked.label().to_owned();
        let template_error = |problem: String| AccountError::Template { account: config.id.clone(), problem };

        let root_url = fill(&checked.manifest.root_url, &config).map_err(&template_error)?;
        let root_url = Url::parse(&root_url)
            .map_err(|error| template_error(format!("root-url {root_url:?} is not a URL: {error}")))?;
        let hosts = checked
            .manifest
            .hosts
            .iter()
            .map(|host| {
                let text = fill(host, &config)?;
                let url = Url::parse(&text).map_err(|error| format!("host {text:?} is not a URL: {error}"))?;
                Origin::of(&url).map_err(|error| format!("host {text:?}: {error}"))
            })
            .collect::<Result<Vec<_>, String>>()
            .map_err(&template_error)?;
        let credential = match choose_recipe(checked, &config)? {
            Some(recipe) => credential(recipe, checked, &config).map_err(&template_error)?,
            None => Credential::None,
        };
        let policy = Policy {
            connector: label,
            account: config.id.clone(),
            root_url,
            hosts,
            grants: config.grants,
            request_headers: checked.manifest.request_headers.clone(),
            pace: checked.manifest.pace.map(|pace| (pace.requests, Duration::from_millis(u64::from(pace.per_ms)))),
        };
        let secrets: Vec<SecretString> = config.secrets.values().cloned().collect();
        let door = runtime.egress().door(policy, credential, secrets, Arc::clone(&tokens))?;
        if let Some(denial) = door.policy_problems().first() {
            return Err(denial.clone().into());
        }
        let settings_json = Value::Object(config.settings).to_string();
        Ok(Self {
            inner: Arc::new(AccountInner {
                id: config.id,
                runtime,
                connector,
                settings_json,
                door,
                storage,
                calls: Calls::default(),
                tokens,
                secrets: config.secrets,
                auth: config.auth,
                defaulted,
            }),
            journaled: None,
        })
    }

    /// The same account, open on another connector, such as another version of its own: with the same settings, secrets, grants, storage and
    /// tokens. This one stays as it is; calls under way here end here.
    pub fn on(&self, connector: &Connector) -> Result<Self, AccountError> {
        let inner = &*self.inner;
        let mut settings: Map<String, Value> = serde_json::from_str(&inner.settings_json).unwrap_or_default();
        settings.retain(|name, _| !inner.defaulted.contains(name));
        let config = AccountConfig {
            id: inner.id.clone(),
            settings,
            secrets: inner.secrets.clone(),
            auth: inner.auth.clone(),
            grants: inner.door.grants().clone(),
        };
        let (storage, tokens) = (Arc::clone(&inner.storage), Arc::clone(&inner.tokens));
        Self::open(inner.runtime.clone(), connector.clone(), config, storage, tokens)
    }

    /// The same account, for one call that can be run again: its requests go through `journal`, and its clock stands at `now`. Run
    /// again with the same journal and the same time, the call sends nothing that was answered before.
    #[must_use]
    pub fn journaled(&self, journal: Arc<dyn Journal>, now: SystemTime) -> Self {
        Self { inner: Arc::clone(&self.inner), journaled: Some(Journaled { journal, now }) }
    }

    /// The embedder's id of the account.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The connector it is open on.
    pub fn connector(&self) -> &Connector {
        &self.inner.connector
    }

    /// Where its connector's values are kept.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.inner.storage
    }

    /// How many of its calls are under way: of this value, its clones and its journaled clones together. Another
    /// opening of the same account counts its own.
    ///
    /// A call counts from its beginning, also while it waits for its turn, until it returns. What is done with its result
    /// afterwards, the commit above all, is the embedder's to wait for; so is the last request of a journaled call that was
    /// cut off, which the journal sees through to its end.
    pub fn calls_under_way(&self) -> usize {
        self.inner.calls.under_way()
    }

    /// Resolves when none of its calls is under way, as [`Account::calls_under_way`] counts them: at once where there is
    /// none. It keeps nobody from calling; an account is drained after new calls have somewhere else to go.
    pub async fn drained(&self) {
        self.inner.calls.drained().await;
    }

    /// Takes it out of service for good, with its clones. Calls under way end with [`CallError::Retired`], at the next tick
    /// (10 ms) where the guest computes: the guest is dropped and nothing it wrote is kept, as at the wall-clock limit. Later
    /// calls end so at once.
    ///
    /// A request that a call waits for is given up, and may have been carried out; that of a journaled call goes on without
    /// the call, and the journal gets its answer.
    ///
    /// [`CallError::Retired`]: crate::CallError::Retired
    pub fn retire(&self) {
        self.inner.calls.retire();
    }
}

impl AccountInner {
    pub(crate) fn secret(&self, name: &str) -> Result<&SecretString, SecretError> {
        if !self.connector.checked_manifest().is_secret(name) {
            return Err(SecretError::Undeclared);
        }
        self.secrets.get(name).ok_or(SecretError::Missing)
    }
}

fn check_settings(checked: &CheckedManifest, config: &AccountConfig) -> Result<(), AccountError> {
    let mut issues = Vec::new();
    let mut whole = config.settings.clone();
    for name in config.settings.keys().filter(|name| checked.is_secret(name)) {
        let message = format!("`{name}` is a secret: give it among the account's secrets, not its settings");
        issues.push(SettingIssue { pointer: format!("/{name}"), message });
    }
    for (name, value) in &config.secrets {
        if checked.is_secret(name) {
            whole.insert(name.clone(), Value::String(value.expose_secret().to_owned()));
        } else {
            let message =
                format!("the connector has no secret of this name (its secrets: {})", checked.secret_fields.join(", "));
            issues.push(SettingIssue { pointer: format!("/{name}"), message });
        }
    }
    issues.extend(checked.validate(&Value::Object(whole)));
    if issues.is_empty() {
        return Ok(());
    }
    Err(AccountError::Settings { account: config.id.clone(), connector: checked.label().to_owned(), issues })
}

fn choose_recipe<'m>(
    checked: &'m CheckedManifest,
    config: &AccountConfig,
) -> Result<Option<&'m AuthRecipe>, AccountError> {
    let offered = &checked.manifest.auth;
    let Some(asked) = &config.auth else {
        return Ok(offered.first());
    };
    offered.iter().find(|recipe| recipe.name == *asked).map(Some).ok_or_else(|| AccountError::UnknownAuth {
        account: config.id.clone(),
        connector: checked.label().to_owned(),
        asked: asked.clone(),
        offered: if offered.is_empty() {
            "none".into()
        } else {
            offered.iter().map(|recipe| recipe.name.as_str()).collect::<Vec<_>>().join(", ")
        },
    })
}

/// Fills a template from settings and secrets. Numbers and booleans of the settings are written as JSON writes them.
fn fill(text: &str, config: &AccountConfig) -> Result<String, String> {
    template::fill(text, |name| match (config.settings.get(name), config.secrets.get(name)) {
        (Some(Value::String(text)), _) => Some(text.clone()),
        (Some(Value::Null) | None, Some(secret)) => Some(secret.expose_secret().to_owned()),
        (Some(Value::Null) | None, None) => None,
        (Some(other), _) => Some(other.to_string()),
    })
}

fn credential(recipe: &AuthRecipe, checked: &CheckedManifest, config: &AccountConfig) -> Result<Credential, String> {
    let text = |template: &str| fill(template, config);
    let secret = |template: &str| text(template).map(SecretString::from);
    let placement = match &recipe.placement {
        manifest::Placement::Header(header) => {
            Placement::Header { name: header.name.clone(), prefix: header.prefix.clone() }
        }
        manifest::Placement::Query(name) => Placement::Query(name.clone()),
        manifest::Placement::JsonBody(field) => Placement::JsonBody(field.clone()),
    };
    Ok(match &recipe.method {
        AuthMethod::Basic(basic) => {
            Credential::Basic { username: text(&basic.username)?, password: secret(&basic.password)?, placement }
        }
        AuthMethod::ApiKey(key) => Credential::Fixed { value: secret(key)?, placement },
        AuthMethod::Login(login) => Credential::Login(LoginRecipe {
            url: text(&login.url)?,
            body: match login.body {
                manifest::LoginBody::Json => LoginBody::Json,
                manifest::LoginBody::Form => LoginBody::Form,
            },
            fields: login
                .fields
                .iter()
                .map(|(name, value)| {
                    // What an answer may show is decided by the schema: user names reach the connector, passwords do not.
                    let hidden = template::fields(value)?.into_iter().any(|field| checked.is_secret(field));
                    Ok(if hidden {
                        LoginField::secret(name, secret(value)?)
                    } else {
                        LoginField::plain(name, text(value)?)
                    })
                })
                .collect::<Result<_, String>>()?,
            token_pointer: login.token.clone(),
            lifetime: match &login.lifetime {
                TokenLifetime::Seconds(seconds) => Lifetime::Seconds(*seconds),
                TokenLifetime::Answer(pointer) => Lifetime::Answer(pointer.clone()),
            },
            margin_seconds: login.margin_seconds,
            placement,
        }),
        AuthMethod::Oauth2ClientCredentials(client) => {
            let login = LoginRecipe::oauth2_client_credentials(
                text(&client.token_url)?,
                text(&client.client_id)?,
                secret(&client.client_secret)?,
                &text(&client.scope)?,
            );
            Credential::Login(LoginRecipe { placement, ..login })
        }
        AuthMethod::Oauth2Refresh(_) | AuthMethod::HmacSigned(_) => {
            return Err(format!("auth `{}` is not carried out by this host", recipe.name));
        }
    })
}
