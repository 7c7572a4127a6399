//! The webhook that HFT71 sends when an order's status changes (seed 000, section 5; protocol notes, section 2.6).
//!
//! It carries a shared secret in a header, no signature, no event id and no time: it may come twice or late, so an event is
//! a hint, and polling goes on beside it. Where the account has no secret, anybody could send one: it is refused unless
//! the account says otherwise.

use tradepost_sdk::prelude::*;

use crate::Hft71;
use crate::manifest::setting::{ACCEPT_UNSIGNED_WEBHOOKS, WEBHOOK_SECRET};
use crate::status_words::StatusWords;
use crate::wire::WebhookJson;

/// The header, in lower case as the contract hands headers over.
const SECRET_HEADER: &str = "x-hft71-webhook-secret";

impl Webhooks for Hft71 {
    /// Fails with `auth-rejected` where it is not genuine, before anything else is looked at; with `invalid-input` where it
    /// is no `POST`; with `protocol` where the body is not the documented one, which a second delivery would not change.
    fn receive(request: WebhookRequest) -> Result<WebhookReading, Error> {
        verify(&request)?;
        if !request.method.eq_ignore_ascii_case("POST") {
            let message = format!("HFT71 sends webhooks with POST, not {}.", error::excerpt(request.method.as_bytes()));
            return Err(error::invalid_input(vec![error::issue("/method", "not-a-post", message)]));
        }
        let text = std::str::from_utf8(&request.body).map_err(|_| error::protocol("", "UTF-8 text", &request.body))?;
        let webhook: WebhookJson<'_> = json::decode(text)?;
        let (id, word) = (String::from(webhook.external_id), webhook.status.0);
        for (value, pointer, expected) in
            [(id.as_str(), "/external_id", "an order's id"), (&*word, "/status", "a status word")]
        {
            if value.trim().is_empty() {
                return Err(error::protocol(pointer, expected, text));
            }
        }
        let status = StatusWords::for_account()?.status(&word);
        Ok(WebhookReading { events: vec![WebhookEvent::OrderStatus(StatusEvent { id, status })], answer: updated() })
    }
}

/// Fails with `auth-rejected` unless the request carries the account's secret, or the account has none and takes that.
fn verify(request: &WebhookRequest) -> Result<(), Error> {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(SECRET_HEADER));
    // An empty candidate is never right, whatever the secret is.
    let candidate = header.map_or("", |(_, value)| value.as_str());
    match secrets::matches(WEBHOOK_SECRET, candidate.as_bytes()) {
        Ok(true) if !candidate.is_empty() => Ok(()),
        Ok(_) => Err(error::auth_rejected("The webhook does not carry this account's secret.")
            .with_detail(format!("the header {SECRET_HEADER} is missing or wrong"))),
        // The account has no secret.
        Err(refusal) if refusal.kind == ErrorKind::AuthRejected => {
            if settings::field(ACCEPT_UNSIGNED_WEBHOOKS)?.as_deref() == Some("true") {
                return Ok(());
            }
            let message = format!("Webhooks are refused until the account has a `{WEBHOOK_SECRET}`.");
            let detail = format!("set `{WEBHOOK_SECRET}`, or `{ACCEPT_UNSIGNED_WEBHOOKS}` to take them from anybody");
            Err(error::auth_rejected(message).with_detail(detail))
        }
        Err(failure) => Err(failure),
    }
}

/// The answer that the platform's own plugin gives.
fn updated() -> WebhookAnswer {
    WebhookAnswer {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: json::Object::new().bool("success", true).text("message", "Status zaktualizowany.").finish().into_bytes(),
    }
}
