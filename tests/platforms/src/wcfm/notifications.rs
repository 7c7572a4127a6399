//! The vendor's notifications and `GET /notifications`. Nothing marks one as read, so that the unread ones only grow.

use std::cmp::Reverse;

use serde_json::Value;

use super::login::{User, VENDOR};
use super::paging::Page;
use super::shop::Shop;
use super::{generate, recorded, reply};
use crate::exchange::{Answer, Request};

/// The notifications, newest first.
pub(super) struct Notifications {
    unread: Vec<Value>,
    read: Vec<Value>,
}

impl Notifications {
    /// `count` unread notifications, the recorded ones first.
    pub(super) fn open(count: Option<u64>) -> Self {
        let recorded = recorded::unread_notifications();
        let count = count.unwrap_or(recorded.len() as u64);
        let generated = count.saturating_sub(recorded.len() as u64);
        let unread = (0..generated)
            .rev()
            .map(|index| generate::notification(index, generated))
            .chain(recorded)
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .collect();
        Self { unread, read: recorded::read_notifications() }
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
