//! The ways in which a site says no, and what the host is told.

use tradepost_sdk::prelude::*;
use tradepost_wcfm::answer::{self, Body};

use crate::recorded;

fn kind(answer: &Answer) -> ErrorKind {
    answer::read(answer).unwrap_err().kind
}

#[test]
fn each_shape_of_error_gives_its_kind() {
    let hint = RetryHint { retry_after_ms: None };
    let pointers = |answer: &Answer| match kind(answer) {
        ErrorKind::InvalidInput(issues) => issues.into_iter().map(|issue| issue.pointer).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let cases = [
        // A: WordPress' own, with a status that misleads, with none, with an array and an object of parameters.
        (
            500,
            r#"{"code":"incorrect_password","message":"<strong>Error:<\/strong> no","data":null}"#,
            ErrorKind::AuthRejected,
        ),
        (
            403,
            r#"{"code":"[jwt_auth] incorrect_password","message":"no","data":{"status":403}}"#,
            ErrorKind::AuthRejected,
        ),
        (
            403,
            r#"{"code":"jwt_auth_invalid_token","message":"Expired token","data":{"status":403}}"#,
            ErrorKind::AuthExpired,
        ),
        (401, r#"{"code":"rest_forbidden","message":"no","data":{"status":401}}"#, ErrorKind::AuthRejected),
        (403, r#"{"code":"rest_forbidden","message":"no","data":{"status":403}}"#, ErrorKind::Forbidden),
        (404, r#"{"code":"rest_no_route","message":"no","data":{"status":404}}"#, ErrorKind::Unsupported),
        (500, r#"{"code":"too_many_retries","message":"Locked out","data":null}"#, ErrorKind::Forbidden),
        (500, r#"{"code":"wcfmapi_rest_cannot_delete","message":"no","data":{"status":500}}"#, ErrorKind::Conflict),
        (
            500,
            r#"{"code":"internal_server_error","message":"<p>critical<\/p>","data":{"status":500},"additional_errors":[]}"#,
            ErrorKind::Transient(hint),
        ),
        (403, r#"{"code":"some_plugin","message":"no","data":{"status":403}}"#, ErrorKind::Forbidden),
        // C: WCFM's role check. D: its form handlers. And the text of the attribute route.
        (200, r#"{"success":false,"data":"You don&#8217;t have permission to do this."}"#, ErrorKind::Forbidden),
        (200, r#"{"status":false,"message":"Please insert a text"}"#, ErrorKind::Conflict),
        (200, r#"{"error":"no such attribute"}"#, ErrorKind::Conflict),
        // E: a PHP error object as data, with and without its own status.
        (
            200,
            r#"{"errors":{"wcfmapi_rest_invalid_vendor":["Invalid"]},"error_data":{"wcfmapi_rest_invalid_vendor":{"status":404}}}"#,
            ErrorKind::NotFound,
        ),
        (200, r#"{"errors":{"strange":["Strange"]},"error_data":[]}"#, ErrorKind::Conflict),
        // F: pages in place of data.
        (500, "<!DOCTYPE html><html>critical</html>", ErrorKind::Transient(hint)),
        (502, "<html>Bad Gateway</html>", ErrorKind::Transient(hint)),
        (429, "", ErrorKind::RateLimited(hint)),
        (401, "<html>Authorization Required</html>", ErrorKind::AuthRejected),
    ];
    for (status, body, expected) in cases {
        assert_eq!(kind(&Answer::json(status, body)), expected, "{body}");
    }
    let missing = r#"{"code":"rest_missing_callback_param","message":"Missing parameter(s): status","data":{"status":400,"params":["status"]}}"#;
    assert_eq!(pointers(&Answer::json(400, missing)), ["/status"]);
    let invalid = r#"{"code":"rest_invalid_param","message":"Invalid","data":{"status":400,"params":{"page":"too small","per_page":"too large"}}}"#;
    assert_eq!(pointers(&Answer::json(400, invalid)), ["/page", "/per_page"]);
    // B: nothing at all.
    assert_eq!(answer::read(&Answer::json(200, " \n")).unwrap(), Body::Empty);
}

#[test]
fn a_page_with_status_200_is_a_protocol_error_that_says_so() {
    let fault = answer::read(&Answer::new(200, "<!DOCTYPE html><html><body>Please log in</body></html>")).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::Protocol(ref place) if place.excerpt.contains("Please log in")));
    assert!(fault.message.contains("web page"), "{}", fault.message);
}

#[test]
fn notices_of_php_in_front_of_the_data_are_passed_over() {
    for number in ["416", "417", "418"] {
        let answer = recorded::answer(number);
        let Body::Json(json) = answer::read(&answer).unwrap() else { panic!("{number}") };
        assert!(json.starts_with("[{\"id\"") || json.starts_with("{\"store_name\""), "{}", &json[..40]);
    }
    let refusal = "<br />\n<b>Notice</b>: Undefined index: [x] in {y}<br />\n{\"code\":\"rest_forbidden\",\"message\":\"no\",\"data\":{\"status\":403}}";
    assert_eq!(kind(&Answer::new(403, refusal)), ErrorKind::Forbidden);
}

#[test]
fn merchants_read_plain_sentences_and_operators_the_sites_own_words() {
    let fault = answer::read(&recorded::answer("003")).unwrap_err();
    assert_eq!(fault.message, "The site does not accept the user name or password.");
    assert!(fault.detail.starts_with("HTTP 500: incorrect_password: Error: The password"), "{}", fault.detail);
    let fault = answer::read(&recorded::answer("318")).unwrap_err();
    assert!(fault.message.starts_with("Error getting remote image"), "{}", fault.message);
    let fault = answer::read(&recorded::answer("414")).unwrap_err();
    assert!(fault.detail.contains("permalinks") && fault.detail.contains("/orders/?per_page=1"), "{}", fault.detail);
    let fault = answer::read(&recorded::answer("400")).unwrap_err();
    assert!(fault.detail.contains("application passwords"), "{}", fault.detail);
}

#[test]
fn a_word_like_false_in_a_record_is_no_refusal() {
    for body in [
        r#"{"id":7,"status":false,"message":"x"}"#,
        r#"{"store_name":"Shop","code":"x"}"#,
        r#"{"status":"processing"}"#,
    ] {
        assert_eq!(answer::read(&Answer::json(200, body)).unwrap(), Body::Json(body));
    }
}
