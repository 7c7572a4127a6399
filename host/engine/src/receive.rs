//! Receiving what platforms send by themselves: kept before it is read, its events committed before it is answered, once.
//!
//! A delivery is a hint. What it tells of an order's status is an event of kind `order-statuses`; the record itself is then read from
//! the platform, so that what is late, replayed or made up does not become the truth.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tradepost_runtime::contract::{WebhookAnswer, WebhookEvent, WebhookRequest};
use tradepost_runtime::errors::{Error, ErrorKind};
use tradepost_runtime::{Account, CallError, Capability};

use crate::delivery::{Delivery, DeliveryCommit, NewDelivery};
use crate::engine::Engine;
use crate::reading;
use crate::store::StoreError;
use crate::stream::{Committed, Item, StreamKey};

/// The kind of the records that say which status a source told by itself last.
pub const ORDER_STATUSES: &str = "order-statuses";

/// The largest body that is taken, in bytes.
pub const MOST_BODY: usize = 1 << 20;
/// The most bytes of headers, names and values.
const MOST_HEADERS: usize = 64 << 10;
/// Deliveries that are read at the same time.
const READ_AT_ONCE: usize = 16;
/// Deliveries of one account that may wait or be read at the same time.
const MOST_WAITING: u32 = 256;
/// How many deliveries an account may be sent at once, and how many a second after that.
const BURST: f64 = 500.0;
const PER_SECOND: f64 = 50.0;
/// Attempts to read a delivery after which it is done with: one that breaks the connector each time must not do so for ever.
const MOST_ATTEMPTS: u32 = 5;

/// Why a delivery was not taken. Whoever sent it is told by [`ReceiveError::status`], and no more.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// There is no such account, or its connector reads no webhooks.
    #[error("{0} takes no webhooks")]
    NoReceiver(String),
    /// It is too large.
    #[error("the request is too large: {0}")]
    TooLarge(String),
    /// Too many came for this account.
    #[error("too many requests came for {0}")]
    TooMany(String),
    /// It is not genuine. Nothing of it is kept.
    #[error("the request is not genuine: {}", .0.message)]
    NotGenuine(Error),
    /// The connector cannot read it, and a second delivery of the same would change nothing.
    #[error("the request cannot be read: {}", .0.message)]
    NotUnderstood(Error),
    /// The connector did not get as far as reading it. It is kept, and read later.
    #[error("the request was kept and could not be read yet: {0}")]
    NotYet(CallError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReceiveError {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoReceiver(_) => 404,
            Self::TooLarge(_) => 413,
            Self::TooMany(_) => 429,
            Self::NotGenuine(_) => 401,
            Self::NotUnderstood(_) => 422,
            Self::NotYet(_) | Self::Store(_) => 503,
        }
    }
}

/// How often deliveries are looked for that were kept and not read.
pub(crate) const LOOK_FOR_LEFT: Duration = Duration::from_mins(1);
/// How many of them are read at a look.
pub(crate) const LEFT_AT_ONCE: usize = 100;

/// What keeps senders from taking more than their share.
pub(crate) struct Inbox {
    reading: Semaphore,
    senders: Mutex<BTreeMap<String, Sender>>,
}

/// What was sent to one account.
struct Sender {
    waiting: u32,
    /// What may come at once, and when that was.
    allowance: f64,
    at: Instant,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { reading: Semaphore::new(READ_AT_ONCE), senders: Mutex::new(BTreeMap::new()) }
    }
}

impl Inbox {
    /// A place for one more delivery to this account, if there is one.
    fn admit(&self, account: &str, now: Instant) -> Option<Place<'_>> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = senders.entry(account.to_owned()).or_insert(Sender { waiting: 0, allowance: BURST, at: now });
        let since = now.saturating_duration_since(sender.at);
        sender.allowance = since.as_secs_f64().mul_add(PER_SECOND, sender.allowance).min(BURST);
        sender.at = now;
        if sender.waiting >= MOST_WAITING || sender.allowance < 1.0 {
            return None;
        }
        sender.waiting += 1;
        sender.allowance -= 1.0;
        Some(Place { inbox: self, account: account.to_owned() })
    }
}

/// A delivery's place; given back when dropped.
struct Place<'a> {
    inbox: &'a Inbox,
    account: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut senders = self.inbox.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = senders.get_mut(&self.account) {
            sender.waiting = sender.waiting.saturating_sub(1);
        }
    }
}

/// What is known of a request that is read.
struct Known {
    /// The delivery that it is.
    id: u64,
    /// Attempts to read it that failed.
    attempts: u32,
    /// Whether it was kept with the headers that it has. The same bytes with other headers are the same delivery, and one of the two may be
    /// forged: what comes of one that was not kept so says nothing about the other.
    as_kept: bool,
}

impl Engine {
    /// Takes a request that a platform sent to this account. It is kept before it is read, and what it tells is committed when this gives
    /// the answer; the same delivery again gets the same answer and tells nothing again.
    ///
    /// Give up on slow senders before this: it wants the whole request.
    pub async fn receive(&self, account: &str, request: WebhookRequest) -> Result<WebhookAnswer, ReceiveError> {
        let target = self.account(account).filter(|account| account.connector().has(Capability::Webhooks));
        let target = target.ok_or_else(|| ReceiveError::NoReceiver(account.to_owned()))?;
        fits(&request)?;
        let place = self.inbox().admit(account, Instant::now());
        let _place = place.ok_or_else(|| ReceiveError::TooMany(account.to_owned()))?;
        fail::fail_point!("webhook.arrived");
        let headers = request.headers.clone();
        let delivery = self.store().keep_delivery(NewDelivery::new(account, request)).await?;
        fail::fail_point!("webhook.kept");
        let Delivery { id, attempts, request, answer, .. } = delivery;
        if let Some(answer) = answer {
            return Ok(answer);
        }
        let kept = request.ok_or_else(|| StoreError::Unavailable(format!("delivery {id} has no request")))?;
        let known = Known { id, attempts, as_kept: kept.headers == headers };
        self.read_delivery(&target, known, WebhookRequest { headers, ..kept }).await
    }

    /// Reads the deliveries that were kept and not read: what a process that is gone left behind, and what could not be read before.
    pub(crate) async fn read_left_deliveries(&self, limit: usize) -> Result<(), StoreError> {
        for delivery in self.store().unread_deliveries(limit).await? {
            let Delivery { id, attempts, request, .. } = delivery;
            if let (Some(account), Some(request)) = (self.account(&delivery.account), request) {
                // Each is told of by its sender's next try, or by the next look.
                let _later = self.read_delivery(&account, Known { id, attempts, as_kept: true }, request).await;
            }
        }
        Ok(())
    }

    async fn read_delivery(
        &self,
        account: &Account,
        known: Known,
        request: WebhookRequest,
    ) -> Result<WebhookAnswer, ReceiveError> {
        let Known { id, attempts, as_kept } = known;
        let turn = self.inbox().reading.acquire().await;
        let read = account.receive_webhook(&request).await;
        drop(turn);
        let reply = match read {
            Ok(reply) => reply,
            Err(CallError::Connector(error)) if error.kind == ErrorKind::AuthRejected => {
                if as_kept {
                    self.store().refuse_delivery(id).await?;
                }
                return Err(ReceiveError::NotGenuine(error));
            }
            Err(CallError::Connector(error)) if is_for_good(&error.kind) => {
                if as_kept {
                    self.store().fail_delivery(id, error.to_string(), Some(bare_answer(422))).await?;
                }
                return Err(ReceiveError::NotUnderstood(error));
            }
            Err(error) => {
                if as_kept {
                    let answer = (attempts + 1 >= MOST_ATTEMPTS).then(|| bare_answer(500));
                    self.store().fail_delivery(id, error.to_string(), answer).await?;
                }
                return Err(ReceiveError::NotYet(error));
            }
        };
        let mut commit = DeliveryCommit {
            items: Vec::new(),
            readings: Vec::new(),
            due: Vec::new(),
            writes: reply.writes,
            answer: reply.value.answer,
        };
        for event in reply.value.events {
            tell(account, event, &mut commit);
        }
        let (answer, _) = match self.store().commit_delivery(id, commit.clone()).await? {
            Some(committed) => committed,
            None => self.commit_by_itself(account, request, commit).await?,
        };
        self.wake();
        fail::fail_point!("webhook.committed");
        Ok(answer)
    }

    /// Commits what a genuine delivery told that was kept together with a forged one, which has been refused meanwhile.
    async fn commit_by_itself(
        &self,
        account: &Account,
        request: WebhookRequest,
        commit: DeliveryCommit,
    ) -> Result<(WebhookAnswer, Committed), ReceiveError> {
        // Between keeping and committing it, another forged one may take and leave its place, each at the price of a request.
        for _ in 0..MOST_ATTEMPTS {
            let kept = self.store().keep_delivery(NewDelivery::new(account.id(), request.clone())).await?;
            if let Some(committed) = self.store().commit_delivery(kept.id, commit.clone()).await? {
                return Ok(committed);
            }
        }
        Err(StoreError::Unavailable("the delivery is taken for a forged one again and again".to_owned()).into())
    }
}

/// Adds what an event tells to what is committed.
fn tell(account: &Account, event: WebhookEvent, commit: &mut DeliveryCommit) {
    let (kind, id) = match event {
        WebhookEvent::OrderStatus(told) => {
            let record = serde_json::json!({ "id": told.id, "status": told.status });
            commit.items.push((ORDER_STATUSES.to_owned(), Item { id: told.id.clone(), record: record.to_string() }));
            let at_a_producer = account.connector().has(Capability::Fulfilment);
            (if at_a_producer { reading::FULFILMENT } else { "orders" }.to_owned(), told.id)
        }
        WebhookEvent::Changed(changed) => (changed.kind, changed.id),
    };
    if kind == reading::FULFILMENT {
        commit.readings.push((kind, id));
    } else {
        commit.due.push(StreamKey::new(account.id(), kind));
    }
}

/// Refuses what is too large to be kept.
fn fits(request: &WebhookRequest) -> Result<(), ReceiveError> {
    if request.body.len() > MOST_BODY {
        return Err(ReceiveError::TooLarge(format!("{} bytes, the limit is {MOST_BODY}", request.body.len())));
    }
    let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers + request.path.len() + request.method.len() > MOST_HEADERS {
        return Err(ReceiveError::TooLarge(format!("{headers} bytes of headers, the limit is {MOST_HEADERS}")));
    }
    Ok(())
}

/// Whether reading the same bytes again would end the same way.
fn is_for_good(kind: &ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::RateLimited(_) | ErrorKind::Transient(_) | ErrorKind::Unavailable(_) | ErrorKind::AuthExpired
    )
}

fn bare_answer(status: u16) -> WebhookAnswer {
    WebhookAnswer { status, headers: Vec::new(), body: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_a_burst_and_a_rate_and_takes_nothing_from_others() {
        let inbox = Inbox::default();
        let start = Instant::now();
        let admitted = (0..2_000).filter(|_| inbox.admit("loud", start).is_some()).count();
        assert_eq!(admitted, 500);
        assert!(inbox.admit("quiet", start).is_some());
        let later = start + Duration::from_secs(2);
        let admitted = (0..2_000).filter(|_| inbox.admit("loud", later).is_some()).count();
        assert_eq!(admitted, 100);
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let inbox = Inbox::default();
        let start = Instant::now();
        let mut places: Vec<_> = (0..300).filter_map(|_| inbox.admit("slow", start)).collect();
        assert_eq!(places.len(), 256);
        places.pop();
        assert!(inbox.admit("slow", start).is_some());
    }
}
