//! A connector's manifest, checked once at load, so that opening an account cannot meet a surprise.

use serde_json::Value;

use crate::contract::manifest::{AuthMethod, AuthRecipe, Manifest, Placement};
use crate::error::{LoadError, SettingIssue};
use crate::template;

/// A manifest whose parts fit together.
pub(crate) struct CheckedManifest {
    pub(crate) manifest: Manifest,
    /// Names of the secret fields (`"writeOnly": true`).
    pub(crate) secret_fields: Vec<String>,
    /// Values of settings that an account leaves out (`"default"` in the schema).
    pub(crate) defaults: Vec<(String, Value)>,
    label: String,
    validator: jsonschema::Validator,
}

impl CheckedManifest {
    pub(crate) fn check(manifest: Manifest) -> Result<Self, LoadError> {
        let refuse = |problem: String| LoadError::Manifest { connector: format!("{:?}", manifest.id), problem };
        if !is_id(&manifest.id) {
            return Err(refuse("id must be 1 to 64 lower-case letters, digits and hyphens".into()));
        }
        if semver::Version::parse(&manifest.version).is_err() {
            return Err(refuse(format!("version {:?} is not a semantic version", manifest.version)));
        }
        let schema: Value = serde_json::from_str(&manifest.settings_schema)
            .map_err(|error| refuse(format!("settings-schema is not JSON: {error}")))?;
        let validator = jsonschema::validator_for(&schema)
            .map_err(|error| refuse(format!("settings-schema is not a JSON Schema: {error}")))?;
        let fields = schema
            .get("properties")
            .and_then(Value::as_object)
            .ok_or_else(|| refuse("settings-schema has no `properties`".into()))?;
        let secret_fields: Vec<String> = fields
            .iter()
            .filter(|(_, field)| field.get("writeOnly") == Some(&Value::Bool(true)))
            .map(|(name, _)| name.clone())
            .collect();
        let defaults = fields
            .iter()
            .filter_map(|(name, field)| Some((name.clone(), field.get("default")?.clone())))
            .filter(|(name, _)| !secret_fields.contains(name))
            .collect();

        let known = |place: &str, template: &str, may_be_secret: bool| -> Result<(), LoadError> {
            for name in template::fields(template).map_err(|problem| refuse(format!("{place}: {problem}")))? {
                if !fields.contains_key(name) {
                    return Err(refuse(format!(
                        "{place}: template {template:?} names `{name}`, which settings-schema does not have"
                    )));
                }
                if !may_be_secret && secret_fields.iter().any(|secret| secret == name) {
                    return Err(refuse(format!(
                        "{place}: template {template:?} would put the secret `{name}` into a URL"
                    )));
                }
            }
            Ok(())
        };
        known("root-url", &manifest.root_url, false)?;
        for host in &manifest.hosts {
            known("hosts", host, false)?;
        }
        for recipe in &manifest.auth {
            for (template, may_be_secret) in recipe_templates(recipe).map_err(&refuse)? {
                known(&format!("auth `{}`", recipe.name), template, may_be_secret)?;
            }
            if let Placement::Header(header) = &recipe.placement
                && http::HeaderName::from_bytes(header.name.as_bytes()).is_err()
            {
                return Err(refuse(format!("auth `{}`: {:?} is not a header name", recipe.name, header.name)));
            }
        }
        let label = format!("{} {}", manifest.id, manifest.version);
        Ok(Self { manifest, secret_fields, defaults, label, validator })
    }

    /// Compares an account's settings and secrets, taken together, with the schema.
    pub(crate) fn validate(&self, settings_and_secrets: &Value) -> Vec<SettingIssue> {
        self.validator
            .iter_errors(settings_and_secrets)
            .map(|error| {
                let place = error.instance_path().to_string();
                let pointer = match error.kind() {
                    jsonschema::error::ValidationErrorKind::Required { property } => {
                        format!("{place}/{}", property.as_str().unwrap_or_default())
                    }
                    _ => place,
                };
                let field = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
                let message = if self.is_secret(field) {
                    // The schema's own words quote the value.
                    error.masked_with("(secret)").to_string()
                } else {
                    error.to_string()
                };
                SettingIssue { pointer, message }
            })
            .collect()
    }

    pub(crate) fn is_secret(&self, field: &str) -> bool {
        self.secret_fields.iter().any(|secret| secret == field)
    }

    /// Connector id and version, as errors and logs show it.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The templates of a recipe, each with whether it may name a secret. Fails for recipes that this host does not carry out.
fn recipe_templates(recipe: &AuthRecipe) -> Result<Vec<(&str, bool)>, String> {
    Ok(match &recipe.method {
        AuthMethod::Basic(basic) => vec![(&basic.username, true), (&basic.password, true)],
        AuthMethod::ApiKey(key) => vec![(key, true)],
        AuthMethod::Login(login) => {
            let mut templates = vec![(login.url.as_str(), false)];
            templates.extend(login.fields.iter().map(|(_, value)| (value.as_str(), true)));
            templates
        }
        AuthMethod::Oauth2ClientCredentials(client) => vec![
            (&client.token_url, false),
            (&client.client_id, true),
            (&client.client_secret, true),
            (&client.scope, false),
        ],
        AuthMethod::Oauth2Refresh(_) | AuthMethod::HmacSigned(_) => {
            return Err(format!(
                "auth `{}`: this host carries out basic, api-key, login and oauth2-client-credentials",
                recipe.name
            ));
        }
    })
}
