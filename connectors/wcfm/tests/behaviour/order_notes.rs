//! Remarks on an order: how they read, what is sent, and what a site without the paid add-on is said to lack.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;
use tradepost_sdk::time::to_rfc3339;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

const NOTES: &str = r#"[
    {"id":9,"date_created":{"date":"2026-11-22 10:00:00.000000","timezone_type":3,"timezone":"Asia/Kolkata"},
     "content":"<p>Left &amp; gone &lt;today&gt;.</p>","customer_note":true,"added_by":"Test Vendor Store"},
    {"id":2,"date_created":{"date":"2026-11-22 00:18:08.000000","timezone_type":1,"timezone":"+00:00"},
     "content":"Status changed.","customer_note":false,"added_by":"system","order_id":48},
    {"id":"1","date_created":null,"content":"","customer_note":0,"added_by":"system"}]"#;

fn add(host: &Host, text: &str, audience: Audience) -> Result<Vec<OrderNote>, Error> {
    host.run(|| <Wcfm as OrderNotes>::add("48".into(), text.into(), audience))
}

#[test]
fn remarks_read_as_plain_text_with_their_instant() {
    let host = host().respond(|request| {
        assert_eq!((request.method(), request.url()), (Method::Get, "/orders/note/48"));
        Answer::json(200, NOTES)
    });
    let notes = host.run(|| <Wcfm as OrderNotes>::list("48".into())).unwrap();
    let found: Vec<(&str, &str, &str, Audience, Option<String>)> = notes
        .iter()
        .map(|note| {
            (
                note.id.as_str(),
                note.author.as_str(),
                note.text.as_str(),
                note.audience,
                note.at.as_ref().map(to_rfc3339),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "9",
                "Test Vendor Store",
                "Left & gone <today>.",
                Audience::Buyer,
                Some("2026-11-22T10:00:00+05:30".into())
            ),
            ("2", "system", "Status changed.", Audience::Internal, Some("2026-11-22T00:18:08Z".into())),
            ("1", "system", "", Audience::Internal, None),
        ]
    );
}

#[test]
fn a_remark_is_added_once_and_as_html_that_shows_its_text() {
    for (audience, kind) in [(Audience::Buyer, "customer"), (Audience::Internal, "private")] {
        let host = host().respond(|_| Answer::json(200, NOTES));
        assert_eq!(add(&host, "a < b & \"c\"", audience).unwrap().len(), 3);
        let [request] = &host.requests()[..] else { panic!("one request") };
        assert_eq!((request.method(), request.url()), (Method::Put, "/orders/note/48"));
        assert_eq!(request.effective_effect(), Effect::Once, "each call adds one");
        let sent: serde_json::Value = serde_json::from_str(request.body_text()).unwrap();
        assert_eq!(sent, serde_json::json!({"note": "a &lt; b &amp; \"c\"", "note_type": kind}));
    }
}

#[test]
fn what_cannot_be_a_remark_is_refused_before_anything_is_sent() {
    let host = host();
    let fault = add(&host, " \n", Audience::Internal).unwrap_err();
    assert!(matches!(fault.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == "/text"), "{fault:?}");
    for id in ["", "0", "48/..", "x"] {
        let fault = host.run(|| <Wcfm as OrderNotes>::list(id.into())).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::NotFound, "{id}");
    }
    assert!(host.requests().is_empty());
}

#[test]
fn a_crash_is_a_missing_add_on_only_where_the_site_says_so() {
    let site = |details: &'static str| {
        host().respond(move |request| match request.path() {
            "/site-details" if details.is_empty() => recorded::answer("015"),
            "/site-details" => Answer::json(200, details),
            _ => recorded::answer("379"),
        })
    };
    let cases = [
        (r#"{"is_wcfm_ultimate":false}"#, ErrorKind::Unsupported),
        // The remark may stand there in spite of the crash.
        (r#"{"is_wcfm_ultimate":true}"#, ErrorKind::OutcomeUnknown),
        ("", ErrorKind::OutcomeUnknown),
    ];
    for (details, kind) in cases {
        let host = site(details);
        assert_eq!(add(&host, "hello", Audience::Buyer).unwrap_err().kind, kind, "{details}");
        assert_eq!(host.requests().iter().filter(|request| request.method() == Method::Put).count(), 1);
    }
}

#[test]
fn a_gateways_error_is_not_tried_again() {
    for status in [500, 502, 504] {
        let host = host().respond(move |_| Answer::new(status, "upstream failed"));
        assert_eq!(add(&host, "hello", Audience::Internal).unwrap_err().kind, ErrorKind::OutcomeUnknown, "{status}");
    }
}

#[test]
fn a_site_that_is_too_old_is_told_so_with_both_versions() {
    for (details, runs) in [("260", "version 1.5.3"), ("015", "an unknown version")] {
        let host = host().respond(move |request| match request.path() {
            "/site-details" => recorded::answer(details),
            _ => recorded::answer("015"),
        });
        let fault = host.run(|| <Wcfm as OrderNotes>::list("48".into())).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Unsupported);
        assert!(fault.message.contains("takes version 1.4.0") && fault.message.contains(runs), "{}", fault.message);
    }
}

#[test]
fn another_sellers_order_has_no_remarks() {
    let host = host().respond(|_| recorded::answer("184"));
    assert_eq!(host.run(|| <Wcfm as OrderNotes>::list("54".into())).unwrap_err().kind, ErrorKind::NotFound);
}
