//! JSON with places in it: pointers that are set, marks for numbers that must be written digit by digit, and names that stand for values.

use serde_json::Value;

/// In front of a number that is written exactly so: `1e2` and `1234567890123.45` do not survive a float.
const EXACT: &str = "$exact:";

/// A number that is written exactly so.
pub(crate) fn number(text: &str) -> Value {
    Value::String(format!("{EXACT}{text}"))
}

/// A scalar's text without the mark of an exact number.
pub(crate) fn exact(text: &str) -> &str {
    text.strip_prefix(EXACT).unwrap_or(text)
}

/// Sets what stands at a pointer, making objects on the way.
pub(crate) fn set(value: &mut Value, pointer: &str, new: Value) {
    if pointer.is_empty() {
        *value = new;
        return;
    }
    if let Some(place) = value.pointer_mut(pointer) {
        *place = new;
        return;
    }
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if value.pointer(parent).is_none_or(|parent| !parent.is_object() && !parent.is_array()) {
        set(value, parent, Value::Object(serde_json::Map::new()));
    }
    match value.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(name.replace("~1", "/").replace("~0", "~"), new);
        }
        Some(Value::Array(array)) => array.push(new),
        _ => {}
    }
}

/// Removes what stands at a pointer.
pub(crate) fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(array)) => {
            if let Ok(index) = name.parse::<usize>()
                && index < array.len()
            {
                array.remove(index);
            }
        }
        _ => {}
    }
}

/// A value as text, with its exact numbers.
pub(crate) fn render(value: &Value) -> String {
    let text = value.to_string();
    let mark = format!("\"{EXACT}");
    if !text.contains(&mark) {
        return text;
    }
    let mut pieces = text.split(&mark);
    let mut rendered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_once('"').unwrap_or((piece, ""));
        rendered.push_str(digits);
        rendered.push_str(rest);
    }
    rendered
}

/// Puts values in the place of names: a string that is `$name` as a whole becomes the value; names inside of a string, its text.
pub(crate) fn substitute(value: &mut Value, resolve: &impl Fn(&str) -> Option<Value>) {
    match value {
        Value::String(text) => {
            if let Some(new) = text.strip_prefix('$').and_then(resolve) {
                *value = new;
            } else if text.contains("$id")
                && let Some(id) = resolve("id")
            {
                *text = text.replace("$id", &super::records::plain(&id));
            }
        }
        Value::Array(array) => array.iter_mut().for_each(|item| substitute(item, resolve)),
        Value::Object(object) => object.values_mut().for_each(|item| substitute(item, resolve)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exact_numbers_keep_their_digits() {
        let mut value = json!({"a": {"b": 1}, "c": [1, 2]});
        set(&mut value, "/a/b", number("1e2"));
        set(&mut value, "/c/0", number("1234567890123.4500"));
        set(&mut value, "/d/e", "new".into());
        assert_eq!(render(&value), r#"{"a":{"b":1e2},"c":[1234567890123.4500,2],"d":{"e":"new"}}"#);
        remove(&mut value, "/c/0");
        remove(&mut value, "/d");
        assert_eq!(render(&value), r#"{"a":{"b":1e2},"c":[2]}"#);
    }

    #[test]
    fn names_become_values_and_unknown_ones_stay() {
        let mut value = json!({"id": "$id", "path": "/order/$id/x", "other": "$unknown"});
        substitute(&mut value, &|name| (name == "id").then(|| json!(7)));
        assert_eq!(value, json!({"id": 7, "path": "/order/7/x", "other": "$unknown"}));
    }
}
