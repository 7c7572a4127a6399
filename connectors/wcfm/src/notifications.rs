//! Messages to the seller: `GET /notifications`, and what buyers wrote, `GET /reviews` and `GET /enquiries`.
//!
//! Notifications unread and read are lists apart; no route marks any as read. Texts come without tags, with entities and with
//! stray slashes. No date has a zone. Reviews and enquiries are lists of their own with their own ids, so theirs get a prefix;
//! a site that has none of them, or keeps them from the seller, is no error (protocol notes, sections 3.11 and 3.12;
//! recordings 235-254, 262, 263).

use tradepost_sdk::json::{Id, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{PageOf, Walk};
use tradepost_sdk::wordpress::{SiteClock, SiteDate, unslashed};

use crate::account::Account;
use crate::list_page::{self, Rows};
use crate::{WcfmConnector, answer};

/// Kind of a review, and the list that it stands in.
const REVIEW: &str = "review";
/// Kind of an enquiry, and the list that it stands in.
const ENQUIRY: &str = "enquiry";

json::record! {
    struct NotificationJson<'a> {
        "ID" => id: Id,
        message: Text<'a>,
        message_type: Text<'a>,
        created: SiteDate,
    }

    struct ReviewJson<'a> {
        "ID" => id: Id,
        author_name: Text<'a>,
        review_title: Text<'a>,
        review_description: Text<'a>,
        review_rating: Text<'a>,
        created: SiteDate,
    }

    struct EnquiryJson<'a> {
        "ID" => id: Id,
        enquiry: Text<'a>,
        customer_name: Text<'a>,
        product_title: Text<'a>,
        posted: SiteDate,
    }
}

impl<M> Notifications for WcfmConnector<M> {
    /// All unread ones, the read ones where the query wants them, then reviews, then enquiries; each list newest first.
    fn list(query: NotificationQuery, cursor: Option<String>) -> Result<NotificationPage, Error> {
        let clock = Account::of_call()?.clock;
        let is_wanted = |kind: &str| query.kind.as_deref().is_none_or(|wanted| wanted == kind);
        let lists = [
            ("unread", true),
            ("read", query.include_read),
            (REVIEW, is_wanted(REVIEW)),
            (ENQUIRY, is_wanted(ENQUIRY)),
        ];
        let lists = lists.into_iter().filter_map(|(list, is_read)| is_read.then_some(list));
        let walk = Walk::over(lists).unsorted().rows_per_call(query.page_size);
        let step =
            walk.step(cursor.as_deref(), &mut |list: Option<&str>, page: u32| match list.unwrap_or("unread") {
                REVIEW => optional(
                    REVIEW,
                    list_page::read(&http::get("/reviews"), page, |answer| decode_reviews(clock, answer)),
                ),
                ENQUIRY => optional(
                    ENQUIRY,
                    list_page::read(&http::get("/enquiries"), page, |answer| decode_enquiries(clock, answer)),
                ),
                status => {
                    let mut messages = http::get("/notifications").query("notification_status", status);
                    if let Some(kind) = &query.kind {
                        messages = messages.query("notification_type", kind);
                    }
                    list_page::read(&messages, page, |answer| decode_list(clock, answer))
                }
            })?;
        Ok(NotificationPage { items: step.items, next: step.next, end: step.end })
    }
}

/// An empty page in place of a list that the site has not or keeps from this seller.
fn optional(list: &str, page: Result<PageOf<Notification>, Error>) -> Result<PageOf<Notification>, Error> {
    page.or_else(|fault| match fault.kind {
        ErrorKind::Forbidden | ErrorKind::Unsupported => {
            log::info(
                "the site shows this seller no such list; it is left out",
                &[("list", list), ("reason", &fault.detail)],
            );
            Ok(PageOf { rows: Vec::new(), total: None, last: true })
        }
        _ => Err(fault),
    })
}

/// The notifications of one answer.
pub fn decode_list(clock: SiteClock, answer: &Answer) -> Result<Rows<Notification>, Error> {
    let messages = json::map_array(answer::list(answer)?, |source: NotificationJson<'_>, _| Notification {
        id: source.id.0,
        kind: source.message_type.into_string(),
        text: plain(&source.message),
        at: clock.local(source.created),
        subject_url: None,
    })?;
    Ok((messages, None))
}

/// The reviews of one answer: who wrote it, how many stars of 5, its title and text.
pub fn decode_reviews(clock: SiteClock, answer: &Answer) -> Result<Rows<Notification>, Error> {
    let reviews = json::map_array(answer::list(answer)?, |source: ReviewJson<'_>, _| {
        let rating = source.review_rating.to_option().map(|stars| format!("{stars}/5")).unwrap_or_default();
        let head = [plain(&source.author_name), rating];
        let body = [plain(&source.review_title), plain(&source.review_description)];
        from_buyer(REVIEW, &source.id, head, body, clock.local(source.created))
    })?;
    Ok((reviews, None))
}

/// The enquiries of one answer: who asks, about which product, and what.
pub fn decode_enquiries(clock: SiteClock, answer: &Answer) -> Result<Rows<Notification>, Error> {
    let enquiries = json::map_array(answer::list(answer)?, |source: EnquiryJson<'_>, _| {
        let head = [plain(&source.customer_name), plain(&source.product_title)];
        let body = [plain(&source.enquiry), String::new()];
        from_buyer(ENQUIRY, &source.id, head, body, clock.local(source.posted))
    })?;
    Ok((enquiries, None))
}

/// What a buyer wrote, behind who and about what.
fn from_buyer(kind: &str, id: &Id, head: [String; 2], body: [String; 2], at: Option<Timestamp>) -> Notification {
    let joined = |parts: [String; 2], by: &str| {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(by)
    };
    let text = joined([joined(head, ", "), joined(body, "\n")], ": ");
    Notification { id: format!("{kind}-{}", id.as_str()), kind: kind.into(), text, at, subject_url: None }
}

fn plain(text: &Text<'_>) -> String {
    html::plain_text(&unslashed(text)).into_owned()
}
