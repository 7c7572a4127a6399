//! One delivery of a webhook, as a test looks at it afterwards.

/// Which secret a delivery carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SentSecret {
    /// The agreed one.
    #[default]
    Right,
    /// Another of the same length.
    Wrong,
    /// No header at all.
    Missing,
}

/// What the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; what is not UTF-8 is replaced.
    pub body: String,
}

/// A delivery that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its place among all deliveries, from 1.
    pub number: usize,
    /// Where it went.
    pub url: String,
    /// The order's id as the body carries it, a text.
    pub external_id: String,
    /// The word for the whole order.
    pub status: String,
    /// Which secret it carried.
    pub secret: SentSecret,
    /// What came back, or in words why nothing did.
    pub answer: Result<DeliveryAnswer, String>,
}
