//! How a site says no, apart from the HTTP status: one reading of every shape (protocol notes, section 3.3).
//!
//! Besides WordPress' own error object there are refusals inside a success (`success: false`, `status: false`, a
//! serialised `WP_Error`), and pages where PHP crashed. What a code means is the connector's to say.

use std::borrow::Cow;

use crate::html;
use crate::http::Answer;
use crate::json::{self, PhpMap, Raw, Text};

/// Stands for the code that `wp_send_json_error` does not send (`{"success": false, "data": ..}`).
pub const WITHOUT_CODE: &str = "wp_send_json_error";

/// A refusal as the site words it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// The site's code, such as `rest_forbidden`; empty where the shape has none.
    pub code: String,
    /// The site's words, in its own language and as they came, tags and all.
    pub message: String,
    /// The HTTP status, or the one that the body names where the answer itself says 200.
    pub status: u16,
    /// Names of the parameters that WordPress complains about.
    pub parameters: Vec<String>,
    /// Whether the body names no status. WordPress then answers 500, whatever the matter is.
    pub without_status: bool,
}

json::record! {
    /// Every member that any of the shapes has.
    struct RefusalJson<'a> {
        id: Option<Raw<'a>>,
        code: Option<Raw<'a>>,
        message: Option<Raw<'a>>,
        data: Option<Raw<'a>>,
        success: Option<Raw<'a>>,
        status: Option<Raw<'a>>,
        errors: Option<Raw<'a>>,
        error_data: Option<Raw<'a>>,
        error: Option<Raw<'a>>,
    }

    /// `data` of WordPress' error object, and of a code in a serialised `WP_Error`.
    struct DataJson<'a> {
        status: Option<Raw<'a>>,
        params: Option<Raw<'a>>,
    }
}

impl Refusal {
    /// Reads an object as a refusal, if it is one: `{code, message, data}`, `{success: false, data}`,
    /// `{status: false, message}`, `{errors, error_data}` or `{error}`. An object with an `id` is a record.
    #[must_use]
    pub fn read(json: &str, status: u16) -> Option<Self> {
        let shape: RefusalJson<'_> = json::decode(json).ok()?;
        if shape.id.is_some() {
            return None;
        }
        let string = |raw: &Option<Raw<'_>>| -> Option<String> {
            let text: Text<'_> = json::decode(raw.as_ref()?.0).ok()?;
            Some(text.into_string())
        };
        let is_false = |raw: &Option<Raw<'_>>| raw.as_ref().is_some_and(|raw| raw.0 == "false");
        if is_false(&shape.success) {
            let message = string(&shape.data).unwrap_or_default();
            return Some(Self { code: WITHOUT_CODE.into(), message, status, ..Self::default() });
        }
        if is_false(&shape.status) && shape.message.is_some() {
            return Some(Self { message: string(&shape.message).unwrap_or_default(), status, ..Self::default() });
        }
        if let (Some(errors), Some(data)) = (&shape.errors, &shape.error_data) {
            return Self::serialised(errors.0, data.0, status);
        }
        if let (Some(code), Some(message)) = (string(&shape.code), string(&shape.message)) {
            let data: Option<DataJson<'_>> = shape.data.as_ref().and_then(|data| json::decode(data.0).ok());
            let without_status = data.as_ref().is_none_or(|data| data.status.is_none());
            let parameters =
                data.and_then(|data| data.params).map(|params| parameter_names(params.0)).unwrap_or_default();
            return Some(Self { code, message, status, parameters, without_status });
        }
        let message = string(&shape.error)?;
        Some(Self { message, status, ..Self::default() })
    }

    /// PHP's `WP_Error` object, which names a status for each code.
    fn serialised(errors: &str, data: &str, status: u16) -> Option<Self> {
        let errors: PhpMap<'_, Vec<Text<'_>>> = json::decode(errors).ok()?;
        let (code, messages) = errors.0.into_iter().next()?;
        let data: PhpMap<'_, DataJson<'_>> = json::decode(data).unwrap_or_default();
        let named = data.get(&code).and_then(|data| data.status.as_ref()).and_then(|status| status.0.parse().ok());
        let message = messages.into_iter().next().map(Text::into_string).unwrap_or_default();
        Some(Self { code: code.into_owned(), message, status: named.unwrap_or(status), ..Self::default() })
    }

    /// The site's words as plain text.
    #[must_use]
    pub fn words(&self) -> String {
        html::plain_text(&self.message).into_owned()
    }
}

/// The names in `params`: an object from name to text, or an array of names.
fn parameter_names(params: &str) -> Vec<String> {
    if let Ok(names) = json::decode::<Vec<Cow<'_, str>>>(params) {
        return names.into_iter().map(Cow::into_owned).collect();
    }
    let params: PhpMap<'_, Raw<'_>> = json::decode(params).unwrap_or_default();
    params.0.into_iter().map(|(name, _)| html::plain_text(&name).into_owned()).collect()
}

/// Whether the site crashed while it made this answer: WordPress' "critical error", as a page or as JSON.
#[must_use]
pub fn is_crash(answer: &Answer) -> bool {
    answer.status == 500
        && match answer.text().ok().map(str::trim_ascii) {
            Some(text) if text.starts_with('{') => {
                Refusal::read(text, 500).is_some_and(|refusal| refusal.code == "internal_server_error")
            }
            Some(text) => text.starts_with('<'),
            None => false,
        }
}

/// The JSON in a text that may begin with notices of PHP, which sites show by mistake; none where there is no JSON.
#[must_use]
pub fn past_notices(text: &str) -> Option<&str> {
    if text.starts_with('<') { json::find_json(text).map(|start| &text[start..]) } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, WITHOUT_CODE, is_crash};
    use crate::http::Answer;

    #[test]
    fn every_shape_of_a_refusal_is_read() {
        let cases = [
            (r#"{"code":"rest_forbidden","message":"No.","data":{"status":401}}"#, 401, "rest_forbidden", "No.", 401),
            (r#"{"success":false,"data":"You don&#8217;t"}"#, 200, WITHOUT_CODE, "You don’t", 200),
            (r#"{"status":false,"message":"Empty"}"#, 200, "", "Empty", 200),
            (r#"{"errors":{"gone":["Nobody"]},"error_data":{"gone":{"status":404}}}"#, 200, "gone", "Nobody", 404),
            (r#"{"error":"No term"}"#, 200, "", "No term", 200),
        ];
        for (json, http, code, words, status) in cases {
            let refusal = Refusal::read(json, http).unwrap();
            assert_eq!(
                (refusal.code.as_str(), refusal.words().as_str(), refusal.status),
                (code, words, status),
                "{json}"
            );
        }
        for json in [r#"{"id":1,"code":"a","message":"b"}"#, r#"{"status":"ok"}"#, "{}", "[]", "not JSON"] {
            assert_eq!(Refusal::read(json, 200), None, "{json}");
        }
    }

    #[test]
    fn a_crash_is_a_page_or_an_object_and_only_with_500() {
        let object = r#"{"code":"internal_server_error","message":"critical","data":{"status":500}}"#;
        assert!(is_crash(&Answer::new(500, object)) && is_crash(&Answer::new(500, "<!DOCTYPE html>")));
        let wrong_password = r#"{"code":"incorrect_password","message":"no","data":null}"#;
        assert!(!is_crash(&Answer::new(500, wrong_password)) && !is_crash(&Answer::new(503, "<html>")));
    }
}
