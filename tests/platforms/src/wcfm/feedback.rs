//! What buyers say: `GET /reviews` and `GET /enquiries`.
//!
//! The recorded shop had neither, and answered an empty array; the rows follow the columns that the server's source names, each a text
//! as it comes out of the database. On a real server the two and the notifications count their ids apart, so that the same number
//! occurs in each; here no two are the same, so that a test can tell which is which.

use serde_json::{Value, json};

use super::login::{CUSTOMER, User, VENDOR};
use super::paging::Page;
use super::reply;
use super::shop::Shop;
use crate::clock::{self, KOLKATA, OPENING};
use crate::exchange::{Answer, Request};

/// The id of the first review, above those of all notifications.
const FIRST_REVIEW: u64 = 30_000_001;
/// The id of the first enquiry, above those of all reviews.
const FIRST_ENQUIRY: u64 = 40_000_001;

/// The product that every enquiry is about, a recorded one.
const PRODUCT: (u64, &str) = (28, "Stocked mug");

/// When a generated record of `of` was written: two a day, the last one before the opening.
fn written(index: u64, of: u64) -> i64 {
    OPENING - i64::try_from(of - index).unwrap_or_default() * 43_200
}

/// The part of some rows that a request asks for, for the vendor whose shop it is; nothing for another vendor.
fn answer<'a>(request: &Request, user: &User, rows: impl Iterator<Item = &'a Value>) -> Answer {
    let page = match Page::of(request) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    if !user.is_vendor {
        return reply::no_permission();
    }
    let own = rows.filter(|_| user.id == VENDOR.id);
    let shown: Value = own.skip(page.skipped()).take(page.size).cloned().collect();
    reply::ok(&reply::only_fields(shown, request.parameter("_fields").as_deref(), &[]))
}

/// The reviews, newest first.
pub(super) struct Reviews(Vec<Value>);

impl Reviews {
    /// `count` reviews, one in four of which waits for approval.
    pub(super) fn open(count: u64) -> Self {
        let review = |index: u64| {
            let approved = !(index + 1).is_multiple_of(4);
            let text = format!("Review {index}: it\\'s <b>good</b> &amp; cheap.");
            review(index, 1 + index % 5, &format!("Title {index}"), &text, approved, written(index, count))
        };
        Self((0..count).rev().map(review).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Puts a new one in and answers its id.
    pub(super) fn insert(&mut self, stars: u64, title: &str, text: &str, now: i64) -> String {
        let id = FIRST_REVIEW + self.len();
        self.0.insert(0, review(self.len(), stars, title, text, true, now));
        id.to_string()
    }
}

fn review(index: u64, stars: u64, title: &str, text: &str, approved: bool, created: i64) -> Value {
    json!({
        "ID": (FIRST_REVIEW + index).to_string(),
        "vendor_id": VENDOR.id.to_string(),
        "author_id": CUSTOMER.id.to_string(),
        "author_name": "Test Customer",
        "author_email": CUSTOMER.email,
        "review_title": title,
        "review_description": text,
        "review_rating": stars.to_string(),
        "approved": if approved { "1" } else { "0" },
        "created": clock::database(created, KOLKATA),
        "author_image": "https://secure.gravatar.com/avatar/?s=96&d=mm&r=g",
    })
}

/// Answers `GET /reviews`: all of them, newest first, unless `status_type` asks for those that are approved or that wait.
pub(super) fn reviews(shop: &Shop, request: &Request, user: &User) -> Answer {
    let wanted = match request.parameter("status_type").as_deref() {
        Some("approved") => Some("1"),
        Some("pending") => Some("0"),
        _ => None,
    };
    let stores = shop.stores();
    let found = stores.reviews.0.iter().filter(|row| wanted.is_none_or(|wanted| row["approved"] == wanted));
    answer(request, user, found)
}

/// The enquiries, newest first.
pub(super) struct Enquiries(Vec<Value>);

impl Enquiries {
    /// `count` enquiries, one in three of which is replied to.
    pub(super) fn open(count: u64) -> Self {
        let enquiry = |index: u64| {
            let reply = if (index + 1).is_multiple_of(3) { "Yes, it is." } else { "" };
            enquiry(index, &format!("Enquiry {index}: is it <i>warm</i>?"), reply, written(index, count))
        };
        Self((0..count).rev().map(enquiry).collect())
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Puts a new one in and answers its id.
    pub(super) fn insert(&mut self, text: &str, now: i64) -> String {
        let id = FIRST_ENQUIRY + self.len();
        self.0.insert(0, enquiry(self.len(), text, "", now));
        id.to_string()
    }
}

fn enquiry(index: u64, text: &str, reply: &str, posted: i64) -> Value {
    let posted = clock::database(posted, KOLKATA);
    let is_replied = !reply.is_empty();
    json!({
        "ID": (FIRST_ENQUIRY + index).to_string(),
        "enquiry": text,
        "reply": reply,
        "product_id": PRODUCT.0.to_string(),
        "author_id": VENDOR.id.to_string(),
        "vendor_id": VENDOR.id.to_string(),
        "customer_id": CUSTOMER.id.to_string(),
        "customer_name": "Test Customer",
        "customer_email": CUSTOMER.email,
        "reply_by": if is_replied { VENDOR.id.to_string() } else { "0".to_owned() },
        "is_private": "0",
        "replied": if is_replied { posted.as_str() } else { "0000-00-00 00:00:00" },
        "posted": posted,
        "product_title": PRODUCT.1,
    })
}

/// Answers `GET /enquiries`, newest first.
pub(super) fn enquiries(shop: &Shop, request: &Request, user: &User) -> Answer {
    answer(request, user, shop.stores().enquiries.0.iter())
}
