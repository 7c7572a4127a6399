//! What the site's own error codes mean: one table from code to contract error.
//!
//! Codes decide and messages never do, because messages are translated. HTTP statuses alone mislead: a wrong password is
//! answered with 500, an unknown status word with 404 (protocol notes, sections 3.2, 3.3 and 3.9; recordings 003, 374).

use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::Refusal;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    LoginRejected,
    TokenExpired,
    NoRoute,
    NotFound(&'static str),
    Invalid(&'static str),
    InvalidParameter,
    Refused,
}

/// Codes and their meaning (protocol notes, sections 3.2 and 3.3).
const CODES: [(&str, Meaning); 22] = [
    ("incorrect_password", Meaning::LoginRejected),
    ("invalid_username", Meaning::LoginRejected),
    ("invalid_email", Meaning::LoginRejected),
    ("empty_password", Meaning::LoginRejected),
    ("empty_username", Meaning::LoginRejected),
    ("jwt_auth_no_auth_header", Meaning::LoginRejected),
    ("jwt_auth_bad_auth_header", Meaning::LoginRejected),
    ("jwt_auth_bad_iss", Meaning::TokenExpired),
    ("jwt_auth_bad_request", Meaning::TokenExpired),
    ("jwt_auth_invalid_token", Meaning::TokenExpired),
    ("rest_no_route", Meaning::NoRoute),
    ("wcfmapi_rest_invalid_product_id", Meaning::NotFound("The shop has no such product.")),
    ("wcfmapi_rest_invalid_shop_order_id", Meaning::NotFound("The shop has no such order.")),
    ("wcfmapi_rest_invalid_vendor", Meaning::NotFound("The shop has no such order for this seller.")),
    ("wcfmapi_rest_invalid_shop_order_status", Meaning::Invalid("/target")),
    ("woocommerce_product_image_upload_error", Meaning::Invalid("/images")),
    ("woocommerce_product_invalid_image_id", Meaning::Invalid("/images")),
    ("product_invalid_sku", Meaning::Invalid("/sku")),
    ("rest_invalid_param", Meaning::InvalidParameter),
    ("rest_missing_callback_param", Meaning::InvalidParameter),
    ("rest_invalid_json", Meaning::InvalidParameter),
    ("wcfmapi_rest_cannot_delete", Meaning::Refused),
];

/// The contract's error, or none where neither code nor shape says more than the HTTP status does.
#[must_use]
pub fn contract_error(refusal: &Refusal) -> Option<Error> {
    let error = match meaning(refusal) {
        Some(Meaning::LoginRejected) => error::auth_rejected("The site does not accept the user name or password."),
        Some(Meaning::TokenExpired) => error::auth_expired("The site asks to sign in again."),
        Some(Meaning::NoRoute) => error::unsupported(
            "This site does not offer that: the WCFM REST API is switched off or older than this operation.",
        ),
        Some(Meaning::NotFound(message)) => error::not_found(message),
        Some(Meaning::Invalid(pointer)) => error::invalid(pointer, &refusal.code, sentence(refusal)),
        Some(Meaning::InvalidParameter) => invalid_parameters(refusal),
        Some(Meaning::Refused) => error::conflict(sentence(refusal)),
        None => match (refusal.code.as_str(), refusal.status) {
            ("rest_forbidden", 401) => error::auth_rejected(
                "The site does not take the login: the password is not accepted this way, or it does not reach the site.",
            ),
            // Without a status WordPress answers 500. Trying again would hammer a site that said no.
            (_, 500) if refusal.without_status => error::forbidden(sentence(refusal)),
            (_, 403) => error::forbidden("The site does not allow this seller to do that."),
            (_, 404) => error::not_found("The site has no such record."),
            (_, 400 | 422) => error::invalid("", &refusal.code, sentence(refusal)),
            (_, 200..300) => error::conflict(sentence(refusal)),
            _ => return None,
        },
    };
    Some(error.with_detail(detail(refusal)))
}

/// The JWT plugin puts its name in front of the codes of WordPress' login.
fn meaning(refusal: &Refusal) -> Option<Meaning> {
    let code = refusal.code.trim_start_matches("[jwt_auth] ");
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// The site's words, or ours where it has none.
fn sentence(refusal: &Refusal) -> String {
    let words = refusal.words();
    if words.is_empty() { "The site refused and did not say why.".into() } else { words }
}

fn invalid_parameters(refusal: &Refusal) -> Error {
    if refusal.parameters.is_empty() {
        return error::invalid("", &refusal.code, sentence(refusal));
    }
    let issues = refusal.parameters.iter().map(|name| {
        let message = format!("The site did not accept the value of `{name}`: {}", sentence(refusal));
        error::issue(format!("/{name}"), &refusal.code, message)
    });
    error::invalid_input(issues.collect())
}

/// For operators: status, code and words, and what to look at where the cause is usually the set-up.
fn detail(refusal: &Refusal) -> String {
    let mut detail = format!("HTTP {}", refusal.status);
    for part in [refusal.code.as_str(), &refusal.words()] {
        if !part.is_empty() {
            detail.push_str(": ");
            detail.push_str(part);
        }
    }
    let hint = match (refusal.code.as_str(), refusal.status) {
        ("rest_forbidden", 401) => {
            "; check that the site has Basic Auth or application passwords (these only over https), and that its web server passes the Authorization header on"
        }
        ("rest_no_route", _) => {
            "; check that WCFM, WCFM Marketplace and the WCFM REST API plugin are active, and the settings site-url and api-prefix"
        }
        _ => "",
    };
    detail + hint
}

#[cfg(test)]
mod tests {
    use super::{CODES, Refusal, contract_error};

    #[test]
    fn no_code_is_listed_twice() {
        for (index, (code, _)) in CODES.iter().enumerate() {
            assert!(CODES[..index].iter().all(|(earlier, _)| earlier != code), "{code}");
        }
    }

    #[test]
    fn a_status_that_says_more_than_the_code_is_left_to_http() {
        let refusal = Refusal { code: "some_plugin".into(), status: 503, ..Refusal::default() };
        assert_eq!(contract_error(&refusal), None);
    }
}
