//! The vendor's notifications and `GET /notifications`. Nothing marks one as read, so that the unread ones only grow.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::login::{User, VENDOR};
use super::paging::Page;
use super::recorded::Recordings;
use super::shop::Shop;
use super::{generate, reply};
use crate::clock::{self, KOLKATA};
use crate::exchange::{Answer, Request};

/// The notifications, newest first.
pub(super) struct Notifications {
    unread: Vec<Value>,
    read: Vec<Value>,
}

impl Notifications {
    /// `count` unread notifications, the recorded ones first.
    pub(super) fn open(recordings: &Recordings, count: Option<u64>) -> Self {
        let recorded = recordings.unread_notifications();
        let count = count.unwrap_or(recorded.len() as u64);
        let generated = count.saturating_sub(recorded.len() as u64);
        let unread = (0..generated)
            .rev()
            .map(|index| generate::notification(index, generated))
            .chain(recorded)
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .collect();
        Self { unread, read: recordings.read_notifications() }
    }

    /// Puts a new unread one in and answers its id.
    pub(super) fn insert(&mut self, kind: &str, message: &str, now: i64) -> String {
        // Above the recorded ones, the read ones among them.
        let last = self.unread.first().and_then(|item| item["ID"].as_str()?.parse().ok()).unwrap_or(0_u64).max(100);
        let id = (last + 1).to_string();
        let created = clock::database(now, KOLKATA);
        self.unread.insert(0, json!({"ID": id, "message": message, "message_type": kind, "created": created}));
        id
    }

    /// How many are unread.
    pub(super) fn unread(&self) -> u64 {
        self.unread.len() as u64
    }
}

/// Answers `GET /notifications`: unread ones of all types, newest first, unless asked otherwise. Only lower-case `asc` ascends, and
/// a column that does not exist gives nothing.
pub(super) fn list(shop: &Shop, request: &Request, user: &User) -> Answer {
    if !user.is_vendor {
        return reply::no_permission();
    }
    let page = match Page::of(request) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let stores = shop.stores();
    let all = match request.parameter("notification_status").as_deref() {
        Some("read") => &stores.notifications.read,
        _ => &stores.notifications.unread,
    };
    let kind = request.parameter("notification_type").filter(|kind| !kind.is_empty());
    let mut found: Vec<&Value> = all
        .iter()
        .filter(|_| user.id == VENDOR.id)
        .filter(|item| kind.as_deref().is_none_or(|kind| item["message_type"] == kind))
        .collect();
    match request.parameter("orderby").unwrap_or_default().to_lowercase().as_str() {
        "" | "id" | "created" => {}
        "message_type" => found.sort_by_key(|item| Reverse(item["message_type"].as_str().unwrap_or_default())),
        _ => found.clear(),
    }
    if request.parameter("order").as_deref() == Some("asc") {
        found.reverse();
    }
    let shown: Value = found.into_iter().skip(page.skipped()).take(page.size).cloned().collect();
    reply::ok(&reply::only_fields(shown, request.parameter("_fields").as_deref(), &[]))
}
