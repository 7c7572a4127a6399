//! `{field}` in the manifest's texts, filled from an account's settings and secrets.

use std::fmt::Write as _;

/// A part of a template.
enum Part<'t> {
    Text(&'t str),
    Field(&'t str),
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (text, after) = rest.split_at(open);
        let Some(close) = after.find('}') else {
            return Err(format!("template {template:?}: `{{` without `}}`"));
        };
        parts.push(Part::Text(text));
        parts.push(Part::Field(&after[1..close]));
        rest = &after[close + 1..];
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// The fields that a template names.
pub(crate) fn fields(template: &str) -> Result<Vec<&str>, String> {
    Ok(parts(template)?
        .into_iter()
        .filter_map(|part| match part {
            Part::Field(name) => Some(name),
            Part::Text(_) => None,
        })
        .collect())
}

/// Fills a template. `value` gives a field's text, none where the account has no such field.
pub(crate) fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    for part in parts(template)? {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Field(name) => match value(name) {
                Some(value) => {
                    let _ = filled.write_str(&value);
                }
                None => return Err(format!("template {template:?} needs `{name}`, which the account does not set")),
            },
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_replaced_and_missing_ones_named() {
        let value = |name: &str| (name == "root-url").then(|| "https://shop.example".to_owned());
        assert_eq!(fill("{root-url}/wp-json", value).unwrap(), "https://shop.example/wp-json");
        assert_eq!(fill("plain", value).unwrap(), "plain");
        assert!(fill("{other}", value).unwrap_err().contains("`other`"));
        assert!(fill("{open", value).is_err());
        assert_eq!(fields("{a}-{b}").unwrap(), ["a", "b"]);
    }
}
