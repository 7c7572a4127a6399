//! Answers as WordPress words them: the error shapes, the crash page, the headers.

use http::StatusCode;
use http::header::{ALLOW, CACHE_CONTROL, EXPIRES, HeaderName, LINK};
use serde_json::{Value, json};

use super::php_json;
use crate::exchange::{Answer, Request};

const JSON: &str = "application/json; charset=UTF-8";
const CRITICAL: &str = "<p>There has been a critical error on this website.</p><p><a href=\"https://wordpress.org/support/article/faq-troubleshooting/\">Learn more about troubleshooting WordPress.</a></p>";

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    text(status, php_json::to_vec(value))
}

/// 200 with a value.
pub(super) fn ok(value: &Value) -> Answer {
    json(StatusCode::OK, value)
}

/// A JSON answer whose text is there already.
pub(super) fn text(status: StatusCode, text: impl Into<hyper::body::Bytes>) -> Answer {
    Answer::new(status, JSON, text)
}

/// 200 without a body: how the plugin says that it did nothing, or that it did and has nothing to say.
pub(super) fn nothing() -> Answer {
    text(StatusCode::OK, "")
}

/// An error in WordPress' ordinary shape.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Answer {
    error_with(status, code, message, json!({}))
}

/// The same with more in `data` than the status.
pub(super) fn error_with(status: StatusCode, code: &str, message: &str, mut data: Value) -> Answer {
    data["status"] = status.as_u16().into();
    json(status, &json!({"code": code, "message": message, "data": data}))
}

/// 404: no such path, or not with this method.
pub(super) fn no_route() -> Answer {
    error(StatusCode::NOT_FOUND, "rest_no_route", "No route was found matching the URL and request method.")
}

/// 401 for nobody, 403 for somebody: not allowed.
pub(super) fn forbidden(somebody: bool) -> Answer {
    let status = if somebody { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
    error(status, "rest_forbidden", "Sorry, you are not allowed to do that.")
}

/// 200 with `success: false`: the marketplace's own check of the role.
pub(super) fn no_permission() -> Answer {
    ok(&json!({"success": false, "data": "You don&#8217;t have permission to do this."}))
}

/// 400: the body says it is JSON and is not.
pub(super) fn invalid_json() -> Answer {
    error_with(
        StatusCode::BAD_REQUEST,
        "rest_invalid_json",
        "Invalid JSON body passed.",
        json!({"json_error_code": 4, "json_error_message": "Syntax error"}),
    )
}

/// 500: PHP died. As JSON for a request that speaks JSON, else as a page.
pub(super) fn crash(request: &Request) -> Answer {
    let speaks_json = ["accept", "content-type"]
        .into_iter()
        .any(|name| request.header(name).is_some_and(|value| value.contains("application/json")));
    if speaks_json {
        json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({"code": "internal_server_error", "message": CRITICAL, "data": {"status": 500}, "additional_errors": []}),
        )
    } else {
        Answer::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/html; charset=UTF-8",
            format!(
                "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n\t<title>WordPress &rsaquo; Error</title>\n</head>\n<body id=\"error-page\">\n\t<div class=\"wp-die-message\">{CRITICAL}</div></body>\n</html>\n"
            ),
        )
    }
}

/// The headers that every answer of a route carries.
pub(super) fn with_headers(answer: Answer, site: &str, allow: &str) -> Answer {
    let has_link = answer.headers.iter().any(|(name, _)| *name == LINK);
    let answer = answer
        .with(HeaderName::from_static("x-robots-tag"), "noindex")
        .with(HeaderName::from_static("x-content-type-options"), "nosniff")
        .with(EXPIRES, "Wed, 11 Jan 1984 05:00:00 GMT")
        .with(CACHE_CONTROL, "no-cache, must-revalidate, max-age=0");
    let answer = if allow.is_empty() { answer } else { answer.with(ALLOW, allow) };
    if has_link { answer } else { answer.with(LINK, &format!("<{site}/wp-json/>; rel=\"https://api.w.org/\"")) }
}

/// Keeps only the fields that `_fields` names, as WordPress does on every route. A single product keeps its links all the same.
pub(super) fn only_fields(value: Value, fields: Option<&str>, always: &[&str]) -> Value {
    let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
        return value;
    };
    let wanted: Vec<&str> = fields.split(',').map(str::trim).chain(always.iter().copied()).collect();
    match value {
        Value::Object(object) => {
            Value::Object(object.into_iter().filter(|(key, _)| wanted.contains(&key.as_str())).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| only_fields(item, Some(fields), always)).collect(),
        other => other,
    }
}
