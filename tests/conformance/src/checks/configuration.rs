//! Settings: a schema that any form can show, secrets that are marked, and accounts that fail at the door or work.

#![allow(clippy::unused_async, reason = "a check is a future, also where it needs to wait for nothing")]

use serde_json::Value;
use tradepost_runtime::AccountError;
use tradepost_runtime::contract::manifest::{AuthMethod, AuthRecipe};

use crate::kit::Kit;
use crate::report::{Finding, Found, failed, skipped};

/// Keywords whose meaning a form cannot show.
const BEYOND_FORMS: [&str; 13] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "patternProperties",
    "prefixItems",
    "unevaluatedProperties",
];
/// Parts of names that only secrets have.
const SECRET_WORDS: [&str; 7] = ["password", "passphrase", "secret", "token", "apikey", "credential", "credentials"];
/// Parts of names that make a word beside them harmless: `token-url` is no token.
const HARMLESS_WORDS: [&str; 7] = ["url", "uri", "name", "id", "seconds", "lifetime", "header"];

pub(super) async fn config_schema_form_safe(kit: &Kit) -> Found {
    let schema = kit.schema();
    if schema["type"] != "object" {
        return failed(format!("the schema's type is {}, and must be object", schema["type"]));
    }
    form_object(&schema, "")?;
    let fields = schema["properties"].as_object().map_or(0, serde_json::Map::len);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if field["title"].as_str().is_none_or(|title| title.trim().is_empty()) {
            return failed(format!("/{name} has no title to stand beside its field"));
        }
        if field["writeOnly"] == true && field["type"] != "string" {
            return failed(format!("/{name} is a secret of the type {}: secrets are strings", field["type"]));
        }
    }
    let required = schema["required"].as_array().map_or(0, Vec::len);
    Ok(format!("{fields} fields, {required} of them required"))
}

/// What holds of the schema itself and of each object within it.
fn form_object(schema: &Value, at: &str) -> Result<(), Finding> {
    let fields = schema["properties"].as_object();
    for (name, field) in fields.into_iter().flatten() {
        let path = format!("{at}/{name}");
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) || name.is_empty() {
            return failed(format!("{path}: a field's name is letters, digits, hyphens and underscores"));
        }
        form_field(field, &path)?;
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let field = fields.zip(name.as_str()).and_then(|(fields, name)| fields.get(name));
        match field {
            None => return failed(format!("{at}: {name} is required and there is no such field")),
            Some(field) if field.get("default").is_some() => {
                return failed(format!("{at}: {name} is required and has a default: a form cannot tell which holds"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn form_field(field: &Value, path: &str) -> Result<(), Finding> {
    // Values that a field may not have are no other form of the field: `"not": {"enum": ["5"]}`.
    let is_list_of_values = field["not"].as_object().is_some_and(|not| not.len() == 1 && not.contains_key("enum"));
    let mut beyond = BEYOND_FORMS.iter().filter(|keyword| !(is_list_of_values && **keyword == "not"));
    if let Some(keyword) = beyond.find(|keyword| field.get(**keyword).is_some()) {
        return failed(format!("{path} uses {keyword}, which a form cannot show"));
    }
    // The host keeps secrets by the name of a top-level field.
    if path.matches('/').count() > 1 && field["writeOnly"] == true {
        return failed(format!(
            "{path} is a secret within another field: the host keeps secrets of the top level only"
        ));
    }
    let choices = field["enum"].as_array();
    if choices.is_some_and(|choices| choices.is_empty() || !choices.iter().all(Value::is_string)) {
        return failed(format!("{path}: choices are texts, and at least one"));
    }
    let kind = match (field["type"].as_str(), choices) {
        (Some(kind), _) => kind,
        (None, Some(_)) => "string",
        (None, None) => return failed(format!("{path} has the type {}: a form needs exactly one", field["type"])),
    };
    match kind {
        "string" | "number" | "integer" | "boolean" => {}
        "array" if field["items"].is_object() => form_field(&field["items"], &format!("{path}/*"))?,
        "array" => return failed(format!("{path}: an array says of what, in `items`")),
        "object" => {
            form_object(field, path)?;
            match &field["additionalProperties"] {
                any @ Value::Object(_) => form_field(any, &format!("{path}/*"))?,
                _ if field["properties"].is_object() => {}
                _ => return failed(format!("{path}: an object names its fields, or what all of them are")),
            }
        }
        other => return failed(format!("{path} has the type {other}, which no form shows")),
    }
    match field.get("default") {
        Some(default) if !is_of(default, kind) => failed(format!("{path}: the default {default} is no {kind}")),
        Some(default) if choices.is_some_and(|choices| !choices.contains(default)) => {
            failed(format!("{path}: the default {default} is none of its choices"))
        }
        _ => Ok(()),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

pub(super) async fn secrets_marked(kit: &Kit) -> Found {
    let schema = kit.schema();
    let is_secret = |name: &str| schema["properties"][name]["writeOnly"] == true;
    let mut secrets = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if !is_secret(name) {
            if sounds_secret(name) {
                return failed(format!("/{name} sounds like a secret and is not marked with writeOnly"));
            }
            continue;
        }
        if let Some(keyword) = ["default", "const", "enum", "examples"].iter().find(|key| field.get(**key).is_some()) {
            return failed(format!("/{name} is a secret, and its {keyword} stands in the schema for everybody"));
        }
        secrets.push(name.clone());
    }
    let recipes = &kit.connector.manifest().auth;
    for recipe in recipes {
        for (place, template) in hidden_parts(recipe) {
            let mut fields = fields_of(template);
            if !fields.any(is_secret) {
                return failed(format!(
                    "auth {}: {place} is {template:?}, and no field in it is a secret",
                    recipe.name
                ));
            }
        }
    }
    if secrets.is_empty() {
        return skipped("the connector has no secrets");
    }
    let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
    Ok(format!("{} (auth: {})", secrets.join(", "), names.join(", ")))
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(['-', '_']);
    if words.clone().any(|word| HARMLESS_WORDS.contains(&word)) {
        return false;
    }
    words.any(|word| SECRET_WORDS.contains(&word))
        || ["api-key", "api_key", "private-key"].iter().any(|key| name.contains(key))
}

/// The templates of a recipe that must hold a secret.
fn hidden_parts(recipe: &AuthRecipe) -> Vec<(&'static str, &str)> {
    match &recipe.method {
        AuthMethod::Basic(basic) => vec![("the password", &basic.password)],
        AuthMethod::ApiKey(key) => vec![("the key", key)],
        AuthMethod::Login(login) => {
            let sounds = |(name, _): &&(String, String)| sounds_secret(name);
            let field = login.fields.iter().find(sounds).or(login.fields.last());
            field.map(|(_, template)| ("the login's secret field", template.as_str())).into_iter().collect()
        }
        AuthMethod::Oauth2ClientCredentials(client) => vec![("the client's secret", &client.client_secret)],
        AuthMethod::Oauth2Refresh(refresh) => vec![("the refresh token", &refresh.refresh_token)],
        AuthMethod::HmacSigned(hmac) => vec![("the key", &hmac.key)],
    }
}

/// The names in the braces of a template.
fn fields_of(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name)
}

pub(super) async fn required_missing_fails_early(kit: &Kit) -> Found {
    let schema = kit.schema();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for name in &required {
        let mut ingredients = kit.ingredients();
        ingredients.settings.remove(*name);
        ingredients.secrets.remove(*name);
        match kit.open(&ingredients) {
            Ok(_) => return failed(format!("an account without {name} opens")),
            Err(AccountError::Settings { issues, .. }) => {
                let names = |issue: &tradepost_runtime::SettingIssue| issue.pointer == format!("/{name}");
                if !issues.iter().any(names) {
                    let found: Vec<&str> = issues.iter().map(|issue| issue.pointer.as_str()).collect();
                    return failed(format!("an account without {name} does not open because of {}", found.join(", ")));
                }
            }
            Err(error) => {
                return failed(format!("an account without {name} does not open, for another reason: {error}"));
            }
        }
    }
    if required.is_empty() {
        skipped("no setting is required")
    } else {
        Ok(format!("{} each named", required.join(", ")))
    }
}

pub(super) async fn optional_absent_works(kit: &Kit) -> Found {
    let schema = kit.schema();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let bench = kit.bench_with(|ingredients| {
        ingredients.settings.retain(|name, _| required.contains(&name.as_str()));
        ingredients.secrets.retain(|name, _| required.contains(&name.as_str()));
    })?;
    // Without any record: what an account is, is not read from them.
    let check = bench.call_with("connector.check", &Value::Null).await;
    check.map_err(|error| Finding::Failed(format!("only with {}: the check fails: {error}", required.join(", "))))?;
    let fields = schema["properties"].as_object().map_or(0, serde_json::Map::len);
    Ok(format!("the check passes with {} of {fields} fields ({})", required.len(), required.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{fields_of, form_field, form_object, sounds_secret};
    use serde_json::json;

    #[test]
    fn names_of_secrets_are_told_from_names_around_them() {
        for name in ["password", "webhook-secret", "api-key", "access_token", "client_secret"] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["username", "token-url", "secret-name", "keyboard", "root-url", "token_lifetime"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }

    #[test]
    fn what_no_form_can_show_is_refused() {
        let refused = [
            json!({"oneOf": [{"type": "string"}]}),
            json!({"type": "string", "not": {"required": ["a"]}}),
            json!({"type": ["string", "null"]}),
            json!({}),
            json!({"type": "array"}),
            json!({"type": "object"}),
            json!({"type": "string", "enum": [1]}),
            json!({"type": "integer", "default": "3"}),
            json!({"enum": ["a"], "default": "b"}),
            json!({"type": "object", "properties": {"key": {"type": "string", "writeOnly": true}}}),
            json!({"type": "null"}),
        ];
        for field in refused {
            assert!(form_field(&field, "/field").is_err(), "{field}");
        }
        let shown = [
            json!({"type": "string"}),
            json!({"type": "string", "not": {"enum": ["5"]}}),
            json!({"enum": ["a", "b"], "default": "a"}),
            json!({"type": "array", "items": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}}),
        ];
        for field in shown {
            assert_eq!(form_field(&field, "/field"), Ok(()), "{field}");
        }
        assert!(form_object(&json!({"required": ["a"], "properties": {}}), "").is_err());
        assert!(
            form_object(&json!({"required": ["a"], "properties": {"a": {"type": "string", "default": ""}}}), "")
                .is_err()
        );
    }

    #[test]
    fn fields_of_a_template() {
        assert_eq!(fields_of("{a}:{b-c}").collect::<Vec<_>>(), ["a", "b-c"]);
        assert_eq!(fields_of("plain").count(), 0);
    }
}
