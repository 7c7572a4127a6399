//! The contract as host code: types, the host's side of the imports, and one handle per interface a component may export.
//!
//! Everything here is generated from `wit/`. Records serialise with the contract's names (snake_case fields, enum values
//! as the contract spells them), so that the same types serve the host, the command line and embedders' own JSON.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, unsafe_code)]
pub(crate) mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "everything",
        imports: {
            "tradepost:connector/http": async | trappable,
            "tradepost:connector/storage": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        additional_derives: [PartialEq, tradepost_json_derive::ContractJson],
        with: { "tradepost:connector/values": crate::contract::values_interface },
    });
}

/// The interface `values`, hand-written: its records have text forms (see [`crate::values`]). It has no functions, so the
/// host's side of it is empty; the generated world expects these three names all the same.
#[doc(hidden)]
pub mod values_interface {
    use wasmtime::component::{HasData, Linker};

    pub use crate::values::{Decimal, Money, Timestamp};

    pub trait Host {}
    impl<T: ?Sized> Host for T {}
    pub trait HostWithStore<T: 'static>: HasData {}
    impl<T: 'static, D: HasData + ?Sized> HostWithStore<T> for D {}

    #[allow(clippy::unnecessary_wraps, reason = "the generated caller expects a result")]
    pub fn add_to_linker<T: 'static, D>(
        _linker: &mut Linker<T>,
        _host: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        D: HostWithStore<T>,
        for<'a> D::Data<'a>: Host,
    {
        Ok(())
    }
}

pub use generated::exports::tradepost::connector as exports;
pub use generated::tradepost::connector::{commerce, errors, http, log, manifest, secrets, storage};

pub use exports::connector::AccountIdentity;
pub use exports::customer_status::BuyerStatus;
pub use exports::fulfilment::{FulfilmentItem, FulfilmentOrder, FulfilmentStatus, ItemStatus, Receipt, ShipmentInfo};
pub use exports::fulfilment_updates::Change;
pub use exports::gift_cards::{GiftCard, GiftCardState};
pub use exports::order_notes::{Audience, OrderNote};
pub use exports::order_status::Target;
pub use exports::refunds::{Refund, RefundedLine};
pub use exports::sales_figures::{Figures, SalesPeriod};
pub use exports::seller_restrictions::Restriction;
pub use exports::seller_settings::{Selector, SellerProfile};
pub use exports::sellers::{Seller, SellerPage};
pub use exports::webhooks::{ChangedEvent, StatusEvent, WebhookAnswer, WebhookEvent, WebhookReading, WebhookRequest};

/// Everything, in the source's own page size, without raw JSON.
impl Default for commerce::ListQuery {
    fn default() -> Self {
        Self { updated_since: None, statuses: Vec::new(), page_size: None, include_raw: false }
    }
}

/// Unread notifications of every kind.
impl Default for commerce::NotificationQuery {
    fn default() -> Self {
        Self { kind: None, include_read: false, page_size: None }
    }
}

/// No field: an update with it changes nothing.
impl Default for commerce::ProductFields {
    fn default() -> Self {
        Self {
            name: None,
            kind: None,
            sku: None,
            description: None,
            short_description: None,
            regular_price: None,
            sale_price: None,
            quantity: None,
            categories: None,
            tags: None,
            images: None,
            dimensions: None,
        }
    }
}

/// A parcel with the whole order in it, of which nothing further is known.
impl Default for commerce::Shipment {
    fn default() -> Self {
        Self { id: None, carrier: None, tracking_number: None, tracking_url: None, shipped_at: None, lines: Vec::new() }
    }
}
