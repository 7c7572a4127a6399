//! `page` and `per_page`, the only arguments that the server checks.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::reply;
use crate::exchange::{Answer, Request};

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// From 1 to 100.
    pub(super) size: usize,
}

impl Page {
    /// What the request asks for, or the error of WordPress.
    pub(super) fn of(request: &Request) -> Result<Self, Answer> {
        let mut problems = Vec::new();
        let number = integer(request, "page", 1, &mut problems, |value| {
            (value < 1).then_some("page must be greater than or equal to 1")
        });
        let size = integer(request, "per_page", 10, &mut problems, |value| {
            (!(1..=100).contains(&value)).then_some("per_page must be between 1 (inclusive) and 100 (inclusive)")
        });
        if !problems.is_empty() {
            return Err(invalid(&problems));
        }
        // A page beyond what an integer holds overflows on the server and comes out as the first.
        let number = usize::try_from(number).unwrap_or(1).max(1);
        Ok(Self { number, size: usize::try_from(size).unwrap_or(10) })
    }

    /// How many entries come before it.
    pub(super) fn skipped(self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }
}

struct Problem {
    name: &'static str,
    message: String,
    details: Value,
}

fn integer(
    request: &Request,
    name: &'static str,
    default: i64,
    problems: &mut Vec<Problem>,
    out_of_bounds: impl Fn(i64) -> Option<&'static str>,
) -> i64 {
    let Some(text) = request.parameter(name) else {
        return default;
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        let message = format!("{name} is not of type integer.");
        let details = json!({"code": "rest_invalid_type", "message": message, "data": {"param": name}});
        problems.push(Problem { name, message, details });
        return default;
    }
    let Ok(value) = text.parse() else {
        return default;
    };
    if let Some(message) = out_of_bounds(value) {
        let details = json!({"code": "rest_out_of_bounds", "message": message, "data": null});
        problems.push(Problem { name, message: message.to_owned(), details });
    }
    value
}

fn invalid(problems: &[Problem]) -> Answer {
    let names: Vec<&str> = problems.iter().map(|problem| problem.name).collect();
    let params: Map<String, Value> =
        problems.iter().map(|problem| (problem.name.to_owned(), problem.message.clone().into())).collect();
    let details: Map<String, Value> =
        problems.iter().map(|problem| (problem.name.to_owned(), problem.details.clone())).collect();
    reply::error_with(
        StatusCode::BAD_REQUEST,
        "rest_invalid_param",
        &format!("Invalid parameter(s): {}", names.join(", ")),
        json!({"params": params, "details": details}),
    )
}
