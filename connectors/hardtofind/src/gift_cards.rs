//! Gift cards, for accounts that may sell them (protocol notes, section 1.7).
//!
//! Issuing makes money and nothing finds a card by its sale, so an issue in doubt is never repeated: it is reported as such.
//! Voiding can be looked at, so a card that is void already is a success, however it came to be.

use tradepost_sdk::json::Text;
use tradepost_sdk::prelude::*;

use crate::{CURRENCY, HardToFind};

/// Lowest and highest value of a card, in dollars.
const VALUES: std::ops::RangeInclusive<i64> = 10..=1000;

json::record! {
    struct AnswerJson<'a> {
        giftcard: CardJson<'a>,
    }

    /// All but the code is read forgivingly: a card must not be lost over its date.
    struct CardJson<'a> {
        code: String,
        status: Text<'a>,
        created_date: Text<'a>,
        expiry_date: Text<'a>,
        balance: Text<'a>,
        description: Text<'a>,
    }
}

impl GiftCards for HardToFind {
    fn issue(value: Decimal, reference: String) -> Result<GiftCard, Error> {
        let dollars = decimal::to_int(&value).filter(|dollars| VALUES.contains(dollars));
        let mut issues = reference_issues(&reference);
        if dollars.is_none() {
            let message =
                format!("hardtofind issues gift cards of 10 to 1000 whole dollars, not {}.", decimal::to_text(&value));
            issues.insert(0, error::issue("/value", "out-of-range", message));
        }
        let Some(dollars) = dollars.filter(|_| issues.is_empty()) else { return Err(error::invalid_input(issues)) };
        let body = json::Object::new().integer("value", dollars).text("transaction_id", reference.trim()).finish();
        let answer = http::post("/gift_card").json(body).effect(Effect::Once).send()?;
        // A 5xx may have been written behind the server's back, and an answer that cannot be read does not tell the card's code.
        card(&answer).map_err(|fault| match fault.kind {
            ErrorKind::Transient(_) | ErrorKind::Unavailable(_) | ErrorKind::Protocol(_) => error::outcome_unknown(
                "The gift card may have been issued all the same: look at hardtofind before issuing another.",
            )
            .with_detail(format!("HTTP {}: {}", answer.status, fault.detail)),
            _ => fault,
        })
    }

    fn get(code: String) -> Result<GiftCard, Error> {
        read(&code)
    }

    fn void(code: String, reference: String) -> Result<GiftCard, Error> {
        let issues = reference_issues(&reference);
        if !issues.is_empty() {
            return Err(error::invalid_input(issues));
        }
        let before = read(&code)?;
        if before.state == GiftCardState::Voided {
            return Ok(before);
        }
        let body = json::Object::new().text("code", code.trim()).text("transaction_id", reference.trim()).finish();
        let sent = http::post("/gift_card/void").json(body).effect(Effect::Once).send();
        let refusal = match sent.and_then(|answer| card(&answer)) {
            Ok(card) if card.state == GiftCardState::Voided => return Ok(card),
            Ok(card) => error::conflict("hardtofind accepted the request and did not void the gift card.")
                .with_detail(format!("it is shown as {}", card.state_raw)),
            Err(refusal) => refusal,
        };
        // Void already is a refusal too; and what was sent may have arrived whatever was answered.
        match read(&code) {
            Ok(card) if card.state == GiftCardState::Voided => Ok(card),
            _ => Err(refusal),
        }
    }
}

/// The seller's own number of the sale is needed by every call that changes a card.
fn reference_issues(reference: &str) -> Vec<FieldIssue> {
    let message = "hardtofind needs the seller's own number of the sale.";
    let missing = reference.trim().is_empty().then(|| error::issue("/reference", "missing", message));
    missing.into_iter().collect()
}

fn read(code: &str) -> Result<GiftCard, Error> {
    let code = code.trim();
    if code.is_empty() {
        return Err(error::not_found("There is no gift card without a code."));
    }
    card(&http::get(format!("/gift_card/{}", http::segment(code))).send()?)
}

fn card(answer: &Answer) -> Result<GiftCard, Error> {
    if !answer.is_success() {
        let refusal = answer.error();
        return Err(match refusal.kind {
            ErrorKind::Forbidden => refusal.with_message("hardtofind does not let this account sell gift cards."),
            _ => refusal,
        });
    }
    let AnswerJson { giftcard } = answer.decode()?;
    let date = |text: &Text<'_>| time::parse_zoned(text).ok();
    Ok(GiftCard {
        state: match &*giftcard.status {
            "NOT REDEEMED YET" => GiftCardState::Active,
            "VOIDED" => GiftCardState::Voided,
            // No word for a spent card is documented.
            _ => GiftCardState::Unknown,
        },
        currency: CURRENCY.into(),
        balance: decimal::parse(&giftcard.balance).ok(),
        created_at: date(&giftcard.created_date),
        expires_at: date(&giftcard.expiry_date),
        code: giftcard.code,
        state_raw: giftcard.status.into_string(),
        description: giftcard.description.into_string(),
    })
}
