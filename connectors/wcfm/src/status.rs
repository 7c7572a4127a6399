//! What WooCommerce's status words mean, in both directions.
//!
//! One word speaks of agreement, money and goods at once, and of money not reliably: cash-on-delivery orders reach
//! `processing` unpaid. So the table leaves payment open where the word does, and `date_paid` decides. For a seller the word
//! is the seller's own status, which may differ from the shop's (recordings 457-460). Custom words are mapped by the account's
//! setting `status-table`.

use std::cmp::Ordering;

use tradepost_sdk::prelude::*;
use tradepost_sdk::status::mapping;

/// The manifest's status table: WooCommerce's words, and WCFM's `shipped` for a seller's parcels under way.
#[must_use]
pub fn mappings() -> Vec<StatusMapping> {
    use FulfilmentState as Goods;
    use OrderState as Order;
    use PaymentState as Money;
    vec![
        mapping("pending", Order::Pending, Money::Unpaid, Goods::Unfulfilled),
        mapping("on-hold", Order::OnHold, Money::Pending, Goods::Unfulfilled),
        mapping("processing", Order::Open, None, Goods::Unfulfilled),
        mapping("shipped", Order::InProgress, None, Goods::Shipped),
        // WooCommerce has no word for shipped or delivered. Delivery would start return clocks, so `shipped` it is.
        mapping("completed", Order::Completed, None, Goods::Shipped),
        mapping("cancelled", Order::Cancelled, None, Goods::Cancelled),
        mapping("refunded", Order::Closed, Money::Refunded, None),
        mapping("failed", Order::Failed, Money::Failed, Goods::Unfulfilled),
        mapping("draft", Order::Draft, Money::Unpaid, Goods::Unfulfilled),
        mapping("checkout-draft", Order::Draft, Money::Unpaid, Goods::Unfulfilled),
        mapping("auto-draft", Order::Draft, Money::Unpaid, Goods::Unfulfilled),
        mapping("trash", Order::Closed, None, None),
    ]
}

/// What the order says of its money besides the word.
#[derive(Debug, Clone, Copy, Default)]
pub struct MoneyFacts<'a> {
    /// Whether `date_paid` is set.
    pub is_paid: bool,
    /// What has been given back; known from lists only (recordings README, 21).
    pub refunded: Option<&'a Decimal>,
    /// The order's grand total.
    pub total: Option<&'a Decimal>,
}

/// The status of a word, with the payment that the order's own facts show.
#[must_use]
pub fn status(table: &StatusTable, word: &str, money: MoneyFacts<'_>) -> Status {
    let mut status = table.lookup(word);
    if status.payment == PaymentState::NotReported {
        if money.is_paid {
            status.payment = PaymentState::Paid;
        } else if matches!(status.order, OrderState::Open | OrderState::InProgress | OrderState::Completed) {
            status.payment = PaymentState::Pending;
        }
    }
    if let Some(refunded) = money.refunded
        && status.payment != PaymentState::Refunded
        && decimal::compare(refunded, &decimal::zero()) == Ordering::Greater
    {
        let is_all = money.total.is_some_and(|total| decimal::compare(refunded, total) != Ordering::Less);
        status.payment = if is_all { PaymentState::Refunded } else { PaymentState::PartiallyRefunded };
    }
    status
}

/// The bare word that a wanted status is sent as. The server refuses its own prefix `wc-` (recording 455), so it is taken off.
pub fn word_for(target: &Target) -> Result<String, Error> {
    let word = match target {
        Target::State(state) => match state {
            OrderState::Pending => "pending",
            OrderState::OnHold => "on-hold",
            OrderState::Open | OrderState::InProgress => "processing",
            OrderState::Completed => "completed",
            OrderState::Cancelled => "cancelled",
            OrderState::Failed => "failed",
            OrderState::Draft | OrderState::Closed | OrderState::Unknown => {
                return Err(error::invalid(
                    "/target",
                    "no-such-status",
                    "WCFM has no status for that. Choose pending, on-hold, open, completed, cancelled or failed, or name the site's own word.",
                ));
            }
        },
        Target::Word(word) => {
            let word = word.trim();
            word.strip_prefix("wc-").unwrap_or(word)
        }
    };
    let is_slug =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_slug {
        return Ok(word.to_owned());
    }
    let message =
        format!("`{word}` is not a status word: it is made of letters, digits and hyphens, such as `on-hold`.");
    Err(error::invalid("/target", "not-a-word", message))
}

#[cfg(test)]
mod tests {
    use super::{MoneyFacts, mappings, status, word_for};
    use tradepost_sdk::prelude::*;

    #[test]
    fn a_word_and_the_orders_facts_give_the_three_axes() {
        let table = StatusTable::new(mappings());
        let total = decimal::parse("100.00").unwrap();
        let cases = [
            ("processing", true, None, OrderState::Open, PaymentState::Paid, FulfilmentState::Unfulfilled),
            ("processing", false, None, OrderState::Open, PaymentState::Pending, FulfilmentState::Unfulfilled),
            ("processing", false, Some("0"), OrderState::Open, PaymentState::Pending, FulfilmentState::Unfulfilled),
            (
                "processing",
                true,
                Some("9.5"),
                OrderState::Open,
                PaymentState::PartiallyRefunded,
                FulfilmentState::Unfulfilled,
            ),
            ("completed", true, None, OrderState::Completed, PaymentState::Paid, FulfilmentState::Shipped),
            ("completed", false, None, OrderState::Completed, PaymentState::Pending, FulfilmentState::Shipped),
            ("completed", true, Some("100"), OrderState::Completed, PaymentState::Refunded, FulfilmentState::Shipped),
            ("on-hold", false, None, OrderState::OnHold, PaymentState::Pending, FulfilmentState::Unfulfilled),
            ("pending", false, None, OrderState::Pending, PaymentState::Unpaid, FulfilmentState::Unfulfilled),
            ("cancelled", true, None, OrderState::Cancelled, PaymentState::Paid, FulfilmentState::Cancelled),
            ("cancelled", false, None, OrderState::Cancelled, PaymentState::NotReported, FulfilmentState::Cancelled),
            ("refunded", true, Some("64.85"), OrderState::Closed, PaymentState::Refunded, FulfilmentState::NotReported),
            ("failed", false, None, OrderState::Failed, PaymentState::Failed, FulfilmentState::Unfulfilled),
            ("shipped", true, None, OrderState::InProgress, PaymentState::Paid, FulfilmentState::Shipped),
            ("packed-by-elves", true, None, OrderState::Unknown, PaymentState::Unknown, FulfilmentState::Unknown),
        ];
        for (word, is_paid, refunded, order, payment, fulfilment) in cases {
            let refunded = refunded.map(|text| decimal::parse(text).unwrap());
            let money = MoneyFacts { is_paid, refunded: refunded.as_ref(), total: Some(&total) };
            let found = status(&table, word, money);
            assert_eq!((found.order, found.payment, found.fulfilment), (order, payment, fulfilment), "{word}");
            assert_eq!(found.raw, word);
        }
    }

    #[test]
    fn a_wanted_status_becomes_the_bare_word() {
        let cases = [
            (Target::State(OrderState::Open), "processing"),
            (Target::State(OrderState::InProgress), "processing"),
            (Target::State(OrderState::Completed), "completed"),
            (Target::Word("wc-on-hold".into()), "on-hold"),
            (Target::Word("refunded".into()), "refunded"),
            (Target::Word("my_own-status".into()), "my_own-status"),
        ];
        for (target, word) in cases {
            assert_eq!(word_for(&target).unwrap(), word);
        }
        for target in [Target::State(OrderState::Closed), Target::Word("wc-".into()), Target::Word("a b".into())] {
            let refusal = word_for(&target).unwrap_err();
            assert!(matches!(refusal.kind, ErrorKind::InvalidInput(ref issues) if issues[0].pointer == "/target"));
        }
    }
}
