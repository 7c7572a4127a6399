//! What buyers wrote, read as notifications beside the site's own.

use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{Host, Level};
use tradepost_sdk::time::to_rfc3339;
use tradepost_wcfm::Wcfm;

use crate::recorded::{self, host};

// Raw database rows: every value is text or null (protocol notes, section 3.12).
const REVIEWS: &str = r#"[
    {"ID":"7","vendor_id":"2","author_id":"5","author_name":"Ann &amp; Co","author_email":"ann@example.test",
     "review_title":"Good","review_description":"<p>It\\'s \\\"fine\\\".</p>","review_rating":"4.5","approved":"1",
     "created":"2026-11-20 10:00:00","author_image":"https://shop.example/a.png"},
    {"ID":"3","author_name":"","review_title":"","review_description":"Late","review_rating":null,"approved":"0",
     "created":"0000-00-00 00:00:00"}]"#;
const ENQUIRIES: &str = r#"[
    {"ID":"7","enquiry":"Is it <b>blue</b>?","reply":"","product_id":"31","author_id":"5","vendor_id":"2","customer_id":"5",
     "customer_name":"Bob","customer_email":"bob@example.test","reply_by":"0","is_private":"0","posted":"2026-11-21 09:30:00",
     "replied":"0000-00-00 00:00:00","product_title":"Beanie &#8211; red"}]"#;

fn site(reviews: Answer, enquiries: Answer) -> Host {
    host().respond(move |request| match request.path() {
        "/notifications" => recorded::answer("248"),
        "/reviews" => reviews.clone(),
        "/enquiries" => enquiries.clone(),
        other => panic!("{other}"),
    })
}

fn list(host: &Host, kind: Option<&str>) -> Result<Vec<Notification>, Error> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let query = NotificationQuery { kind: kind.map(str::to_owned), include_read: false, page_size: Some(10) };
        let page = host.run(|| <Wcfm as Notifications>::list(query, cursor))?;
        found.extend(page.items);
        if page.end {
            return Ok(found);
        }
        cursor = page.next;
    }
}

#[test]
fn reviews_and_enquiries_come_behind_the_notifications_with_ids_of_their_own() {
    let host = site(Answer::json(200, REVIEWS), Answer::json(200, ENQUIRIES));
    let found = list(&host, None).unwrap();
    assert_eq!(found.len(), 31 + 3);
    let of_buyers: Vec<(&str, &str, &str, Option<String>)> = found[31..]
        .iter()
        .map(|one| (one.id.as_str(), one.kind.as_str(), one.text.as_str(), one.at.as_ref().map(to_rfc3339)))
        .collect();
    assert_eq!(
        of_buyers,
        [
            ("review-7", "review", "Ann & Co, 4.5/5: Good\nIt's \"fine\".", Some("2026-11-20T10:00:00+05:30".into())),
            ("review-3", "review", "Late", None),
            ("enquiry-7", "enquiry", "Bob, Beanie – red: Is it blue?", Some("2026-11-21T09:30:00+05:30".into())),
        ]
    );
    let mut ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), found.len(), "ids are distinct over the three lists");
}

#[test]
fn a_kind_selects_the_lists_that_can_hold_it() {
    let cases: [(&str, &[&str]); 3] = [
        ("review", &["/notifications", "/reviews"]),
        ("enquiry", &["/notifications", "/enquiries"]),
        ("order", &["/notifications"]),
    ];
    for (kind, expected) in cases {
        let host = site(Answer::json(200, REVIEWS), Answer::json(200, ENQUIRIES));
        list(&host, Some(kind)).unwrap();
        let asked: Vec<String> = host.requests().iter().map(|request| request.path().to_owned()).collect();
        assert_eq!(asked, expected, "{kind}");
        assert_eq!(host.requests()[0].query_value("notification_type").as_deref(), Some(kind));
    }
}

#[test]
fn lists_that_the_site_has_not_or_hides_are_empty_with_one_line_each() {
    // 015: no such route; 228: 403; 253: WCFM's own "you may not", with status 200.
    for (reviews, enquiries) in [("015", "228"), ("253", "015")] {
        let host = site(recorded::answer(reviews), recorded::answer(enquiries));
        assert_eq!(list(&host, None).unwrap().len(), 31);
        let log = host.log();
        let lists: Vec<(Level, &str)> = log.iter().map(|line| (line.level, line.fields[0].1.as_str())).collect();
        assert_eq!(lists, [(Level::Info, "review"), (Level::Info, "enquiry")]);
    }
}

#[test]
fn any_other_failure_of_a_list_fails_the_call() {
    for (number, kind) in
        [("003", ErrorKind::AuthRejected), ("410", ErrorKind::Unavailable(RetryHint { retry_after_ms: Some(600_000) }))]
    {
        let host = site(recorded::answer(number), Answer::json(200, "[]"));
        assert_eq!(list(&host, None).unwrap_err().kind, kind, "{number}");
    }
}
