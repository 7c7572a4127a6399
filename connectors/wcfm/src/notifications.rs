//! Messages to the seller: `GET /notifications`.
//!
//! The source lists unread and read ones apart; no route marks any as read. Texts come without tags, with entities and with
//! stray slashes. `created` has no zone (protocol notes, section 3.11; recordings 235-254).

use tradepost_sdk::json::{Id, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{Row, Walk};

use crate::account::Account;
use crate::clock::{SiteClock, SiteDate};
use crate::list_page::{self, Rows};
use crate::{answer, text};

json::record! {
    struct NotificationJson<'a> {
        "ID" => id: Id,
        message: Text<'a>,
        message_type: Text<'a>,
        created: SiteDate,
    }
}

/// A notification: a row of the walk.
#[derive(Debug, Clone, PartialEq)]
pub struct Message(pub Notification);

impl Row for Message {
    fn id(&self) -> &str {
        &self.0.id
    }

    fn updated_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A page of notifications, the newest first: all unread ones, then the read ones where the query wants them.
pub fn list(query: &NotificationQuery, cursor: Option<&str>) -> Result<NotificationPage, Error> {
    let clock = Account::of_call()?.clock;
    let lists: &[&str] = if query.include_read { &["unread", "read"] } else { &["unread"] };
    let walk = Walk::over(lists.iter().copied()).unsorted().rows_per_call(query.page_size);
    let step = walk.step(cursor, &mut |status: Option<&str>, page: u32| {
        let mut messages = http::get("/notifications").query("notification_status", status.unwrap_or("unread"));
        if let Some(kind) = &query.kind {
            messages = messages.query("notification_type", kind);
        }
        list_page::read(&messages, page, |answer| decode_list(clock, answer))
    })?;
    let items = step.items.into_iter().map(|message| message.0).collect();
    Ok(NotificationPage { items, next: step.next, end: step.end })
}

/// The notifications of one answer.
pub fn decode_list(clock: SiteClock, answer: &Answer) -> Result<Rows<Message>, Error> {
    let mut messages = Vec::new();
    json::decode_array(answer::list(answer)?, |source: NotificationJson<'_>, _| {
        messages.push(Message(Notification {
            id: source.id.0,
            kind: source.message_type.into_string(),
            text: text::plain_unslashed(&source.message),
            at: clock.local(source.created),
            subject_url: None,
        }));
        Ok(())
    })?;
    Ok((messages, None))
}
