//! Gift cards, for the vendors that may sell them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::UtcOffset;

use crate::clock;

/// How long a card is good for: three years.
const LIFE: i64 = 3 * 365 * 86_400;

struct GiftCard {
    value: u64,
    created: i64,
    voided: bool,
}

/// The cards by code.
#[derive(Default)]
pub(super) struct GiftCards(BTreeMap<String, GiftCard>);

impl GiftCards {
    /// Issues a card and tells its code.
    pub(super) fn issue(&mut self, value: u64, now: i64) -> String {
        let code = format!("GIFT-{:06}", self.0.len() + 1);
        self.0.insert(code.clone(), GiftCard { value, created: now, voided: false });
        code
    }

    /// Voids a card. None without one, no if it was void before.
    pub(super) fn void(&mut self, code: &str) -> Option<bool> {
        let card = self.0.get_mut(code)?;
        Some(!std::mem::replace(&mut card.voided, true))
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
