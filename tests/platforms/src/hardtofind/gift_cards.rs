//! Gift cards, for the vendors that may sell them. Documented are the fields and two states; that a void card has no balance left is not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::UtcOffset;

use crate::clock;

/// How long a card is good for: three years.
const LIFE: i64 = 3 * 365 * 86_400;

struct GiftCard {
    transaction: String,
    value: u64,
    created: i64,
    voided: bool,
}

/// The cards by code.
#[derive(Default)]
pub(super) struct GiftCards(BTreeMap<String, GiftCard>);

impl GiftCards {
    /// Issues a card and tells its code.
    pub(super) fn issue(&mut self, transaction: &str, value: u64, now: i64) -> String {
        let code = format!("GIFT-{:06}", self.0.len() + 1);
        self.0
            .insert(code.clone(), GiftCard { transaction: transaction.to_owned(), value, created: now, voided: false });
        code
    }

    /// Voids a card. None without one, no if it was void before.
    pub(super) fn void(&mut self, code: &str) -> Option<bool> {
        let card = self.0.get_mut(code)?;
        Some(!std::mem::replace(&mut card.voided, true))
    }

    /// The transaction that issued a card.
    pub(super) fn transaction(&self, code: &str) -> Option<&str> {
        self.0.get(code).map(|card| card.transaction.as_str())
    }

    /// The codes of the cards that a transaction issued: more than one when it was sent more than once, for nothing de-duplicates.
    pub(super) fn codes_by_transaction(&self, transaction: &str) -> Vec<String> {
        self.0.iter().filter(|(_, card)| card.transaction == transaction).map(|(code, _)| code.clone()).collect()
    }

    /// A card as the API shows it, with its balance where the documentation has one.
    pub(super) fn json(&self, code: &str, with_balance: bool) -> Option<Value> {
        let card = self.0.get(code)?;
        let date = |seconds| clock::offset_without_colon(seconds, UtcOffset::UTC);
        let mut shown = json!({
            "status": if card.voided { "VOIDED" } else { "NOT REDEEMED YET" },
            "code": code,
            "expiry_date": date(card.created + LIFE),
            "created_date": date(card.created),
            "description": format!("${} gift card", card.value),
        });
        if with_balance {
            shown["balance"] = if card.voided { 0 } else { card.value }.into();
        }
        Some(shown)
    }
}
