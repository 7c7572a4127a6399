//! The status table: a source's words on the contract's three axes.
//!
//! The table is data in the manifest, and an operator may change it for an account in the setting `status-table`:
//!
//! ```json
//! { "status-table": { "wc-packed": { "order": "in-progress", "payment": "paid", "fulfilment": "ready-to-ship" } } }
//! ```
//!
//! A word that is in neither becomes `unknown` on every axis and keeps its text: it never blocks the order.

use std::borrow::Cow;

use crate::bindings::contract::commerce::{FulfilmentState, OrderState, PaymentState, Status};
use crate::bindings::contract::errors::Error;
use crate::bindings::contract::manifest::StatusMapping;
use crate::error;
use crate::json::{self, PhpMap, Reader};
use crate::settings;

/// The setting with an account's own mappings.
pub const SETTING: &str = "status-table";

/// One entry of a table; an absent axis says nothing about it.
pub fn mapping(
    word: &str,
    order: impl Into<Option<OrderState>>,
    payment: impl Into<Option<PaymentState>>,
    fulfilment: impl Into<Option<FulfilmentState>>,
) -> StatusMapping {
    StatusMapping { word: word.into(), order: order.into(), payment: payment.into(), fulfilment: fulfilment.into() }
}

/// What each word of a source means.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusTable {
    /// Earlier entries win, so an account's own stand in front.
    mappings: Vec<StatusMapping>,
}

json::record! {
    struct AxesJson<'a> {
        order: Option<Cow<'a, str>>,
        payment: Option<Cow<'a, str>>,
        fulfilment: Option<Cow<'a, str>>,
    }
}

impl StatusTable {
    /// The manifest's table as it is.
    pub fn new(mappings: Vec<StatusMapping>) -> Self {
        Self { mappings }
    }

    /// The manifest's table with the account's changes. Fails with `invalid-input` where the setting holds a word that is
    /// not of the contract.
    pub fn for_account(mappings: Vec<StatusMapping>) -> Result<Self, Error> {
        Self::new(mappings).overridden(&settings::text())
    }

    /// The table with the changes that a settings object carries.
    pub fn overridden(mut self, settings: &str) -> Result<Self, Error> {
        if !settings.contains(SETTING) {
            return Ok(self);
        }
        let mut changes = Vec::new();
        json::read(settings, |reader: &mut Reader<'_>| {
            reader.object(|key, reader| {
                if key != SETTING {
                    return reader.skip();
                }
                let table: PhpMap<'_, AxesJson<'_>> = json::Decode::decode(reader)?;
                for (word, axes) in table.0 {
                    changes.push(StatusMapping {
                        order: axis(&word, "order", axes.order, order_state)?,
                        payment: axis(&word, "payment", axes.payment, payment_state)?,
                        fulfilment: axis(&word, "fulfilment", axes.fulfilment, fulfilment_state)?,
                        word: word.into_owned(),
                    });
                }
                Ok(())
            })
        })?;
        changes.append(&mut self.mappings);
        Ok(Self { mappings: changes })
    }

    /// What a word means. An axis that the word's entry leaves out is `not-reported`.
    pub fn lookup(&self, word: &str) -> Status {
        let raw = word.to_owned();
        match self.find(word) {
            Some(found) => Status {
                order: found.order.unwrap_or(OrderState::Unknown),
                payment: found.payment.unwrap_or(PaymentState::NotReported),
                fulfilment: found.fulfilment.unwrap_or(FulfilmentState::NotReported),
                raw,
            },
            None => Status {
                order: OrderState::Unknown,
                payment: PaymentState::Unknown,
                fulfilment: FulfilmentState::Unknown,
                raw,
            },
        }
    }

    /// Whether the table has a word.
    pub fn knows(&self, word: &str) -> bool {
        self.find(word).is_some()
    }

    /// The first word that means an order state, for sources that take a status.
    pub fn word_for(&self, state: OrderState) -> Option<&str> {
        self.mappings.iter().find(|mapping| mapping.order == Some(state)).map(|mapping| mapping.word.as_str())
    }

    /// Every word, in the order of the table.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.mappings.iter().map(|mapping| mapping.word.as_str())
    }

    fn find(&self, word: &str) -> Option<&StatusMapping> {
        self.mappings.iter().find(|mapping| mapping.word == word)
    }
}

fn axis<T>(
    word: &str,
    axis: &str,
    value: Option<Cow<'_, str>>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(value) = value else { return Ok(None) };
    parse(&value).map(Some).ok_or_else(|| {
        let message = format!("The status table maps `{word}` to the {axis} state `{value}`, which does not exist.");
        error::invalid_input(vec![error::issue(format!("/{SETTING}/{word}/{axis}"), "unknown-state", message)])
    })
}

/// An order state by its name in the contract.
pub fn order_state(name: &str) -> Option<OrderState> {
    Some(match name {
        "draft" => OrderState::Draft,
        "pending" => OrderState::Pending,
        "on-hold" => OrderState::OnHold,
        "open" => OrderState::Open,
        "in-progress" => OrderState::InProgress,
        "completed" => OrderState::Completed,
        "closed" => OrderState::Closed,
        "cancelled" => OrderState::Cancelled,
        "failed" => OrderState::Failed,
        "unknown" => OrderState::Unknown,
        _ => return None,
    })
}

/// A payment state by its name in the contract.
pub fn payment_state(name: &str) -> Option<PaymentState> {
    Some(match name {
        "unpaid" => PaymentState::Unpaid,
        "pending" => PaymentState::Pending,
        "authorised" => PaymentState::Authorised,
        "paid" => PaymentState::Paid,
        "partially-refunded" => PaymentState::PartiallyRefunded,
        "refunded" => PaymentState::Refunded,
        "failed" => PaymentState::Failed,
        "not-reported" => PaymentState::NotReported,
        "unknown" => PaymentState::Unknown,
        _ => return None,
    })
}

/// A fulfilment state by its name in the contract.
pub fn fulfilment_state(name: &str) -> Option<FulfilmentState> {
    Some(match name {
        "unfulfilled" => FulfilmentState::Unfulfilled,
        "in-production" => FulfilmentState::InProduction,
        "ready-to-ship" => FulfilmentState::ReadyToShip,
        "partially-shipped" => FulfilmentState::PartiallyShipped,
        "shipped" => FulfilmentState::Shipped,
        "delivered" => FulfilmentState::Delivered,
        "partially-returned" => FulfilmentState::PartiallyReturned,
        "returned" => FulfilmentState::Returned,
        "cancelled" => FulfilmentState::Cancelled,
        "not-reported" => FulfilmentState::NotReported,
        "unknown" => FulfilmentState::Unknown,
        _ => return None,
    })
}
