//! How far an order has come: the words of the two status routes, stage by stage.
//!
//! Only three words are documented: `In Production` on the status route, `Item Finished` on the customer's, `Closed` in the webhook. The
//! stages use them and no others; a test gives any other word through the shop's handle.

/// The word for an order that was taken over.
pub(super) const IN_PRODUCTION: &str = "In Production";
/// The word that the customer's route has for an item that is ready.
pub(super) const ITEM_FINISHED: &str = "Item Finished";
/// The word for an order that was sent.
pub(super) const CLOSED: &str = "Closed";

/// Where production stands with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Taken over and being made, which it is as soon as it was accepted.
    InProduction,
    /// All items are ready, which only the customer's words tell.
    Finished,
    /// Sent.
    Closed,
}

impl Stage {
    /// The stage after it; none after the last.
    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::InProduction => Some(Self::Finished),
            Self::Finished => Some(Self::Closed),
            Self::Closed => None,
        }
    }

    /// The word of `GET /order/{id}/status`.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::InProduction | Self::Finished => IN_PRODUCTION,
            Self::Closed => CLOSED,
        }
    }

    /// The word of `GET /order/{id}/customer-status`.
    pub(super) fn customer_status(self) -> &'static str {
        match self {
            Self::InProduction => IN_PRODUCTION,
            Self::Finished => ITEM_FINISHED,
            Self::Closed => CLOSED,
        }
    }
}
