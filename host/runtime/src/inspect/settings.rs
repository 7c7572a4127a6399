//! A connector's settings as rows for people, read from its JSON Schema. Objects within objects are rows of their own,
//! named by their path, because a form and a manual both need them one by one.

use serde_json::{Map, Value};

use crate::contract::manifest::Manifest;

/// One field of an account's settings or secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingField {
    /// Its name; within an object the path to it: `status-table.*.order` (`*`: any name), `senders[].city` (`[]`: each item).
    pub path: String,
    /// The JSON type, with the format or the items' type where the schema says: `string (uri)`, `array of integer`.
    pub kind: String,
    /// Whether it must be given (within an object: when the object is).
    pub required: bool,
    /// What holds where it is left out. Never shown of a secret.
    pub default: Option<Value>,
    /// Whether it is a secret: given under the account's `secrets`, never shown to the connector.
    pub secret: bool,
    /// Title, description, and the values allowed, as the schema has them. Text of a third party.
    pub meaning: String,
}

/// All settings of a connector, required ones first, in the order of their names otherwise.
pub fn setting_fields(manifest: &Manifest) -> Vec<SettingField> {
    let mut rows = Vec::new();
    // The runtime loads no connector whose schema is not JSON.
    let schema: Value = serde_json::from_str(&manifest.settings_schema).unwrap_or_default();
    object(&schema, "", false, &mut rows);
    rows
}

/// The rows of an object's fields. `secret` is whether the object is a secret as a whole.
fn object(schema: &Value, path: &str, secret: bool, rows: &mut Vec<SettingField>) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let is_required = |name: &str| required.contains(&name);
    let (first, then): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| is_required(name));
    for (name, field) in first.into_iter().chain(then) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let secret = secret || is_secret(field);
        rows.push(SettingField {
            kind: kind(field),
            required: is_required(name),
            default: field.get("default").filter(|_| !secret && !holds_secret(field)).cloned(),
            secret,
            meaning: meaning(field, secret),
            path: path.clone(),
        });
        within(field, &path, secret, rows);
    }
    if schema["additionalProperties"].is_object() {
        let any = if path.is_empty() { "*".to_owned() } else { format!("{path}.*") };
        within(&schema["additionalProperties"], &any, secret, rows);
    }
}

/// The rows of what a field holds: an object's fields, or those of an array's items.
fn within(field: &Value, path: &str, secret: bool, rows: &mut Vec<SettingField>) {
    object(field, path, secret, rows);
    if field["items"].is_object() {
        let item = &field["items"];
        within(item, &format!("{path}[]"), secret || is_secret(item), rows);
    }
}

fn is_secret(field: &Value) -> bool {
    field["writeOnly"] == true
}

/// Whether a secret stands anywhere below: then the default of the whole may hold its value.
fn holds_secret(field: &Value) -> bool {
    is_secret(field)
        || match field {
            Value::Object(members) => members.values().any(holds_secret),
            Value::Array(items) => items.iter().any(holds_secret),
            _ => false,
        }
}

fn kind(field: &Value) -> String {
    let of = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            Some(names.join(" or ")).filter(|names| !names.is_empty())
        }
        _ => None,
    };
    let declared = of(&field["type"]);
    let named = match (&declared, field["enum"].as_array()) {
        (Some(named), _) => named.clone(),
        (None, Some(values)) if values.iter().all(Value::is_string) => "string".into(),
        (None, _) => "any".into(),
    };
    match (field["format"].as_str(), of(&field["items"]["type"])) {
        (Some(format), _) => format!("{named} ({format})"),
        (None, Some(items)) => format!("{named} of {items}"),
        (None, None) => named,
    }
}

fn meaning(field: &Value, secret: bool) -> String {
    let text = |key: &str| field[key].as_str().unwrap_or_default().trim();
    let mut meaning = match (text("title"), text("description")) {
        ("", description) => description.to_owned(),
        (title, "") => title.to_owned(),
        (title, description) => format!("{title}: {description}"),
    };
    let mut add = |sentence: String| {
        if !meaning.is_empty() {
            meaning.push_str(if meaning.ends_with(['.', '!', '?']) { " " } else { ". " });
        }
        meaning.push_str(&sentence);
    };
    // The values that a secret may have say much about the one it has.
    if let Some(values) = field["enum"].as_array().filter(|_| !secret) {
        let values: Vec<String> =
            values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        add(format!("One of: {}.", values.join(", ")));
    }
    match (&field["minimum"], &field["maximum"]) {
        (Value::Number(least), Value::Number(most)) => add(format!("From {least} to {most}.")),
        (Value::Number(least), _) => add(format!("At least {least}.")),
        (_, Value::Number(most)) => add(format!("At most {most}.")),
        _ => {}
    }
    meaning
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(schema: &Value) -> Vec<SettingField> {
        let mut rows = Vec::new();
        object(schema, "", false, &mut rows);
        rows
    }

    #[test]
    fn required_fields_come_first_and_each_tells_where_it_goes_and_what_holds_without_it() {
        let rows = rows(&json!({
            "required": ["user", "password"],
            "properties": {
                "depth": {"type": "integer", "description": "How deep.", "default": 3, "minimum": 1, "maximum": 9},
                "password": {"type": "string", "title": "Password", "writeOnly": true, "default": "hunter2"},
                "user": {"type": "string", "title": "User", "description": "The login."},
                "root": {"type": "string", "format": "uri"},
                "mode": {"enum": ["fast", "safe"], "title": "Mode"},
            },
        }));
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.path.as_str(), row.kind.as_str(), row.required, row.secret, row.meaning.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("password", "string", true, true, "Password"),
                ("user", "string", true, false, "User: The login."),
                ("depth", "integer", false, false, "How deep. From 1 to 9."),
                ("mode", "string", false, false, "Mode. One of: fast, safe."),
                ("root", "string (uri)", false, false, ""),
            ]
        );
        assert_eq!(rows[2].default, Some(json!(3)));
        assert_eq!(rows[0].default, None, "a secret's default is not shown");
    }

    #[test]
    fn what_stands_within_objects_and_arrays_is_named_by_its_path() {
        let rows = rows(&json!({
            "properties": {
                "table": {
                    "type": "object",
                    "additionalProperties": {"type": "object", "required": ["order"], "properties": {"order": {"type": "string"}}},
                },
                "senders": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"key": {"type": "string", "writeOnly": true}}},
                    "default": [{"key": "hunter2"}],
                },
                "ids": {"type": "array", "items": {"type": "integer"}},
            },
        }));
        let told: Vec<_> =
            rows.iter().map(|row| (row.path.as_str(), row.kind.as_str(), row.required, row.secret)).collect();
        assert_eq!(
            told,
            [
                ("ids", "array of integer", false, false),
                ("senders", "array of object", false, false),
                ("senders[].key", "string", false, true),
                ("table", "object", false, false),
                ("table.*.order", "string", true, false),
            ]
        );
        assert!(rows.iter().all(|row| row.default.is_none()), "a default that holds a secret is not shown");
    }

    #[test]
    fn a_schema_of_odd_shape_gives_no_rows_and_no_panic() {
        for schema in [json!(null), json!([]), json!({"properties": []}), json!({"required": 3, "properties": null})] {
            assert_eq!(rows(&schema), []);
        }
        assert_eq!(rows(&json!({"properties": {"x": true}}))[0].kind, "any");
    }
}
