//! The envelope: what the shop says, and every way in which it fails to say it.

use tradepost_omniseller::OmniSeller;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{Host, Level};

use super::shop::{no, seed};

fn categories(answer: Answer) -> Result<CategoryPage, Error> {
    Host::new().then(answer).run(|| <OmniSeller as Categories>::list(None))
}

fn page(body: impl Into<Vec<u8>>) -> Answer {
    Answer::new(200, body).with_header("content-type", "text/html")
}

#[test]
fn words_that_name_the_token_ask_for_a_new_login() {
    for words in ["Token abgelaufen", "invalid TOKEN", "Oxid6_CheckToken: unbekannt"] {
        let error = categories(no(words)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::AuthExpired, "{words}");
        assert!(error.detail.contains(words) && error.detail.contains("function 5"), "{}", error.detail);
    }
    let by_status = r#"{"status":"TOKEN_EXPIRED","debugMessage":""}"#;
    assert_eq!(categories(Answer::json(200, by_status)).unwrap_err().kind, ErrorKind::AuthExpired);
    assert_eq!(categories(no("unexpected token '<' in template")).unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn any_other_no_is_a_refusal_whose_words_are_for_operators() {
    for body in [
        r#"{"status":"ERROR","debugMessage":"Datenbank nicht erreichbar","data":[{"ID":"a"}]}"#,
        r#"{"status":"","debugMessage":"Datenbank nicht erreichbar"}"#,
        r#"{"data":"","debugMessage":"Datenbank nicht erreichbar","status":"ok?"}"#,
    ] {
        let error = categories(Answer::json(200, body)).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Conflict, "The shop refused the request."));
        assert!(error.detail.ends_with("Datenbank nicht erreichbar"), "{}", error.detail);
    }
    let odd = categories(Answer::json(200, r#"{"status":"ERROR","debugMessage":{"code":7}}"#)).unwrap_err();
    assert_eq!((odd.kind, odd.detail.ends_with(r#"{"code":7}"#)), (ErrorKind::Conflict, true));
    let long = categories(no(&"ä".repeat(5000))).unwrap_err();
    assert!((500..700).contains(&long.detail.len()), "{}", long.detail.len());
}

#[test]
fn what_is_no_envelope_is_a_protocol_error_with_what_stood_there() {
    for (body, pointer, excerpt) in [
        ("<html><title>Wartung</title></html>", "", "<html><title>Wartung"),
        ("<br />\n<b>Fatal error</b>: Uncaught TypeError [0] {main}", "", "<br />\\n<b>Fatal"),
        ("", "", ""),
        ("[]", "", "[]"),
        ("null", "", "null"),
        ("{}", "/status", "{}"),
        (r#"{"status":1,"data":[]}"#, "/status", "1"),
        (r#"{"status":"OK","data":[{"ID":"a"},"#, "/data", ""),
        (r#"{"status":"OK","data":[]} Notice: x"#, "", "Notice"),
    ] {
        let error = categories(page(body)).unwrap_err();
        let ErrorKind::Protocol(unexpected) = error.kind else { panic!("{body}: {error:?}") };
        assert_eq!(unexpected.pointer, pointer, "{body}");
        assert!(unexpected.excerpt.contains(excerpt), "{body}: {}", unexpected.excerpt);
    }
    let latin1 = categories(page(b"{\"status\":\"OK\",\"data\":[{\"ID\":\"a\",\"Name\":\"M\xf6bel\"}]}".to_vec()));
    assert!(matches!(latin1.unwrap_err().kind, ErrorKind::Protocol(_)));
}

#[test]
fn notices_in_front_of_a_whole_envelope_are_passed_over_and_logged() {
    let notice = "<br />\n<b>Notice</b>:  Undefined index: ox[0] in <b>/var/www/x.php</b> on line <b>7</b><br />\n";
    let host = Host::new().then(page(format!("{notice}{}", seed!("categories"))));
    assert_eq!(host.run(|| <OmniSeller as Categories>::list(None)).unwrap().items[0].name, "Möbel");
    let [line] = &host.log()[..] else { panic!("one line") };
    assert_eq!(line.level, Level::Warn);
    assert!(line.fields.iter().any(|(_, printed)| printed.contains("Undefined index")), "{line:?}");
    // The envelope behind the notice decides.
    let refused = categories(page(format!("{notice}{}", r#"{"status":"ERROR","debugMessage":"nein"}"#)));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn statuses_of_http_that_are_not_documented_are_read_plainly() {
    for (answer, expected) in [
        (Answer::new(401, ""), "AuthExpired"),
        (Answer::new(403, ""), "Forbidden"),
        (Answer::new(429, "").with_header("retry-after", "3"), "RateLimited(RetryHint { retry-after-ms: Some(3000) })"),
        (Answer::new(500, "<html>"), "Transient("),
        (Answer::new(503, "").with_header("retry-after", "60"), "Unavailable("),
        (Answer::new(301, ""), "Protocol("),
        // No record is missing: the interface is.
        (Answer::new(404, "<html>"), "Unsupported"),
    ] {
        let status = answer.status;
        let error = categories(answer).unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(&format!("ErrorKind::{expected}")), "{status}: {error:?}");
    }
    let absent = categories(Answer::new(404, "nicht gefunden")).unwrap_err();
    assert!(absent.message.contains("root-url") && absent.detail.contains("nicht gefunden"), "{absent:?}");
}
