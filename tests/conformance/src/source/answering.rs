//! What a scripted source answers: the first route of the description that fits a request.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use serde_json::value::RawValue;

use super::records::{Record, plain};
use super::substitution::{exact, render, set, substitute};
use super::{Credential, Part, Seen, State};
use crate::description::{Answer, Description, Route, json};

/// In the place of records in an envelope, until their text stands there.
const ROWS: &str = "$rows";
const RECORD: &str = "$record";

/// A request, taken apart.
pub(crate) fn read(
    description: &Description,
    root_path: &str,
    credential: &Credential,
    request: &http::Request<Bytes>,
) -> Seen {
    let uri = request.uri();
    let whole = uri.path();
    let below = whole.strip_prefix(root_path).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = percent_decode_str(below.unwrap_or(whole)).decode_utf8_lossy().into_owned();
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let body = serde_json::from_slice(request.body()).unwrap_or_default();
    let method = request.method().to_string();
    let line = format!("{method} {}", uri.path_and_query().map_or(whole, |path| path.as_str()));
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers = headers.collect();
    let mut seen = Seen { method, path, query, headers, body, line, part: Part::Unknown };
    seen.part = if credential.is_login(&seen, whole) {
        Part::Login
    } else {
        match route(description, &seen) {
            Some((route, _)) if route.writes() => Part::Writing,
            Some(_) => Part::Reading,
            None => Part::Unknown,
        }
    };
    seen
}

/// The first route that fits, and the id in its path or body.
fn route<'d>(description: &'d Description, seen: &Seen) -> Option<(&'d Route, Option<String>)> {
    description.routes.iter().find_map(|route| {
        let id = route.fits(seen)?;
        let id = match &route.id_at {
            Some(pointer) => seen.body.pointer(pointer).map(plain),
            None => id,
        };
        Some((route, id))
    })
}

/// The answer to a request that is neither a login nor refused.
pub(crate) fn answer(description: &Description, state: &mut State, seen: &Seen) -> Answer {
    let not_found = || description.refusals.not_found.clone().unwrap_or_else(|| Answer::json(404, "{}"));
    let Some((route, id)) = route(description, seen) else { return not_found() };
    if let Some(answer) = &route.answer {
        if route.writes {
            state.effects.push(seen.line.clone());
        }
        return answer.clone();
    }
    if let Some(kind) = &route.list {
        return list(route, state, kind, seen);
    }
    if let Some(kind) = &route.create {
        let id = state.records_mut(kind).insert();
        return written(route, state, kind, &id, seen);
    }
    let Some(id) = id else { return not_found() };
    let kind = [&route.read, &route.change, &route.delete].into_iter().flatten().next();
    let Some(kind) = kind else { return not_found() };
    let Some(record) = state.records_mut(kind).get(&id).cloned() else { return not_found() };
    if route.read.is_some() {
        let envelope = route.envelope.as_deref().unwrap_or("\"$record\"");
        return Answer { headers: route.literal_headers(), ..Answer::json(200, filled(envelope, &record, seen)) };
    }
    if route.delete.is_some() {
        state.records_mut(kind).remove(&id);
        state.effects.push(seen.line.clone());
        let says = route.says.as_deref().unwrap_or("{}");
        return Answer::json(200, filled(says, &record, seen));
    }
    written(route, state, kind, &id, seen)
}

/// What a change that was not made is answered with, where the answer shows the record.
pub(crate) fn unchanged(description: &Description, state: &mut State, seen: &Seen) -> Option<Answer> {
    let (route, id) = route(description, seen)?;
    let says = route.says.as_deref().filter(|says| says.contains(RECORD))?;
    let record = state.records_mut(route.change.as_ref()?).get(&id?)?;
    Some(Answer::json(200, filled(says, record, seen)))
}

/// Carries a write out.
fn written(route: &Route, state: &mut State, kind: &str, id: &str, seen: &Seen) -> Answer {
    state.effects.push(seen.line.clone());
    let records = state.records_mut(kind);
    let sets = |value: &mut Value| {
        for (pointer, new) in &route.sets {
            let mut new = json(new).unwrap_or_default();
            // What a request does not say stays as it is.
            let named = new.as_str().and_then(|name| name.strip_prefix("$body:"));
            if named.is_some_and(|named| seen.body.pointer(named).is_none()) {
                continue;
            }
            substitute(&mut new, &|name| from_request(name, seen));
            set(value, pointer, new);
        }
    };
    records.touch(id, sets);
    let says = route.says.as_deref().unwrap_or("{}");
    match records.get(id) {
        Some(record) => Answer::json(200, filled(says, record, seen)),
        None => Answer::json(200, "{}"),
    }
}

/// What a name stands for in what the description says of a request: `body:/pointer`.
fn from_request(name: &str, seen: &Seen) -> Option<Value> {
    name.strip_prefix("body:").map(|pointer| seen.body.pointer(pointer).cloned().unwrap_or_default())
}

/// JSON around one record.
fn filled(envelope: &str, record: &Record, seen: &Seen) -> String {
    let mut value = json(envelope).unwrap_or_default();
    // As the record is written, which a check may have changed behind its value.
    let written = json(&record.text).unwrap_or_else(|_| record.value.clone());
    substitute(&mut value, &|name| match name.split_once(':') {
        Some(("field", pointer)) => Some(written.pointer(pointer).cloned().unwrap_or_default()),
        _ if name == "id" => Some(record.id.clone().into()),
        _ => from_request(name, seen),
    });
    let mut text = render(&value).replacen(&format!("\"{RECORD}\""), &record.text, 1);
    if text.contains("$number-id") {
        text = text.replace("\"$number-id\"", &record.id);
    }
    text
}

fn list(route: &Route, state: &mut State, kind: &str, seen: &Seen) -> Answer {
    let records = state.records_mut(kind);
    let order = route.page.as_ref().map(|page| page.order).unwrap_or_default();
    let mut rows = records.ordered(order);
    for (name, pointer) in &route.filters {
        let wanted = seen.parameters(name);
        if !wanted.is_empty() {
            let shown = |record: &Record| record.value.pointer(pointer).map(plain).unwrap_or_default();
            rows.retain(|record| wanted.contains(&exact(&shown(record)).to_owned()));
        }
    }
    let total = rows.len();
    let (number, size): (usize, usize) = match &route.page {
        None => (1, total.max(1)),
        Some(page) => {
            let number = seen.parameter(&page.number).and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
            let wish = page.size.as_ref().and_then(|name| seen.parameter(name)).and_then(|text| text.parse().ok());
            (number, wish.unwrap_or(page.rows).clamp(1, page.rows))
        }
    };
    let pages = total.div_ceil(size);
    let rows: Vec<String> = rows
        .into_iter()
        .skip((number - 1).saturating_mul(size))
        .take(size)
        .map(|record| if route.columns.is_empty() { record.text.clone() } else { columns(record, &route.columns) })
        .collect();
    let numbers = |name: &str| match name {
        "total" => Some(total),
        "pages" => Some(pages),
        "page" => Some(number),
        "size" => Some(size),
        _ => None,
    };
    let mut envelope = json(route.envelope.as_deref().unwrap_or("\"$rows\"")).unwrap_or_default();
    substitute(&mut envelope, &|name| numbers(name).map(Value::from));
    let body = render(&envelope).replacen(&format!("\"{ROWS}\""), &format!("[{}]", rows.join(",")), 1);
    let mut headers = route.literal_headers();
    for value in headers.values_mut() {
        if let Some(number) = numbers(value) {
            *value = usize::to_string(&number);
        }
    }
    Answer { headers, ..Answer::json(200, body) }
}

/// The text of some fields, digit by digit as the record has it.
fn columns(record: &Record, columns: &[String]) -> String {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&record.text).unwrap_or_default();
    let shown = columns.iter().filter_map(|column| {
        let name = column.trim_start_matches('/');
        Some(format!("{}:{}", Value::from(name), fields.get(name)?))
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

impl Route {
    fn writes(&self) -> bool {
        self.writes || self.create.is_some() || self.change.is_some() || self.delete.is_some()
    }

    fn literal_headers(&self) -> std::collections::BTreeMap<String, String> {
        self.headers.clone()
    }

    /// Whether a request is this route's, and the `{id}` in its path.
    #[allow(clippy::option_option, reason = "fits or not, and with an id or not")]
    fn fits(&self, seen: &Seen) -> Option<Option<String>> {
        let (method, path) = self.request.split_once(' ')?;
        if method != seen.method {
            return None;
        }
        let id = matched(path, &seen.path)?;
        let holds = self.when.iter().all(|(name, wanted)| seen.parameter(name).as_ref() == Some(wanted));
        holds.then_some(id)
    }
}

/// Whether a path is a pattern's, and the segment that stands for `{id}`.
#[allow(clippy::option_option, reason = "fits or not, and with an id or not")]
fn matched(pattern: &str, path: &str) -> Option<Option<String>> {
    let segments = |text: &str| -> Vec<String> {
        text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    };
    let (pattern, path) = (segments(pattern), segments(path));
    if pattern.len() != path.len() {
        return None;
    }
    let mut id = None;
    for (wanted, found) in pattern.into_iter().zip(path) {
        if wanted == "{id}" {
            id = Some(found);
        } else if wanted != "*" && wanted != found {
            return None;
        }
    }
    Some(id)
}

impl Seen {
    /// Every value of a query parameter that may be given more than once, or what stands at a pointer into the body.
    fn parameters(&self, name: &str) -> Vec<String> {
        if name.starts_with('/') {
            return self.parameter(name).into_iter().collect();
        }
        self.query.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect()
    }

    /// A query parameter, or what stands at a pointer into the body.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        if name.starts_with('/') {
            return self.body.pointer(name).map(plain);
        }
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::matched;

    #[test]
    fn a_path_fits_a_pattern_segment_by_segment() {
        assert_eq!(matched("/order/{id}/status", "/order/7/status"), Some(Some("7".to_owned())));
        assert_eq!(matched("/orders", "/orders/"), Some(None));
        assert_eq!(matched("/order/{id}", "/order/7/status"), None);
        assert_eq!(matched("/store/*/x", "/store/9/x"), Some(None));
    }
}
