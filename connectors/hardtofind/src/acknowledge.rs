//! `process`: telling the platform that the seller has taken an order up, and what transitions have in common.
//!
//! `POST /order/{id}/transition` answers with nothing that is documented, and repeating it is not known to be safe. So the
//! order is read before, and read again afterwards: what the platform then shows is the outcome.

use tradepost_sdk::prelude::*;

use crate::HardToFind;
use crate::manifest::word;
use crate::order::Context;
use crate::orders::{path, read};

impl OrderAcceptance for HardToFind {
    fn acknowledge(id: String) -> Result<Status, Error> {
        let context = Context::for_account()?;
        let order = read(&context, &id)?;
        if is_acknowledged(&order) {
            return Ok(order.status);
        }
        refuse_ended(&order)?;
        let body = json::Object::new().text("action", "process").finish();
        transition(&context, &id, body, is_acknowledged)
    }
}

/// A shipped order has been taken up, too.
fn is_acknowledged(order: &Order) -> bool {
    matches!(order.status.raw.as_str(), word::PROCESSED | word::SHIPPED)
}

/// Fails with `conflict` where the order has come to an end that allows no transition.
pub(crate) fn refuse_ended(order: &Order) -> Result<(), Error> {
    let status = order.status.raw.as_str();
    if matches!(status, word::RETURNED | word::REFUNDED | word::CANCELLED) {
        return Err(error::conflict(format!(
            "Order {} is {status} at hardtofind: nothing can be done with it.",
            order.id
        )));
    }
    Ok(())
}

/// Sends a transition, reads the order again, and returns its status where `is_done` sees the effect.
///
/// Without the effect it fails: with the platform's own refusal, with `outcome-unknown` where the request may still
/// arrive, or with `conflict` where the platform accepted it and shows nothing of it.
pub(crate) fn transition(
    context: &Context,
    id: &str,
    body: String,
    is_done: impl Fn(&Order) -> bool,
) -> Result<Status, Error> {
    let sent = http::post(format!("{}/transition", path(id))).json(body).send();
    let refusal = match sent {
        Ok(answer) if answer.is_success() => None,
        Ok(answer) => Some(answer.error()),
        // Looking at the order may tell what became of it.
        Err(error) if error.kind == ErrorKind::OutcomeUnknown => Some(error),
        Err(error) => return Err(error),
    };
    if let Some(final_refusal) = refusal.as_ref().filter(|refusal| !may_have_had_effect(&refusal.kind)) {
        return Err(final_refusal.clone());
    }
    let order = match (read(context, id), &refusal) {
        (Ok(order), _) => order,
        // The refusal says more than that the order cannot be read now.
        (Err(_), Some(refusal)) => return Err(refusal.clone()),
        (Err(error), None) => return Err(error),
    };
    if is_done(&order) {
        return Ok(order.status);
    }
    let shown = format!("afterwards order {id} is shown as {}", order.status.raw);
    Err(match refusal {
        Some(refusal) => {
            let detail = if refusal.detail.is_empty() { shown } else { format!("{}; {shown}", refusal.detail) };
            refusal.with_detail(detail)
        }
        None => error::conflict("hardtofind accepted the request and shows no effect of it.").with_detail(shown),
    })
}

/// Whether the order may show the effect in spite of this failure: "already done" may be answered as a refusal.
fn may_have_had_effect(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidInput(_) | ErrorKind::Conflict | ErrorKind::OutcomeUnknown | ErrorKind::Protocol(_)
    )
}
