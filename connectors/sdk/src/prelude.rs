//! One import for a connector: the vocabulary, the traits to implement, and the SDK's modules.
//!
//! The traits are the contract's exports under plain names; a connector implements those it can serve and lists them in
//! [`export!`](crate::export).

pub use crate::bindings::contract::commerce::*;
pub use crate::bindings::contract::errors::*;
pub use crate::bindings::contract::manifest::*;
// Interfaces name the types they use, so several of them hold these; each comes from where it is defined.
pub use crate::bindings::contract::commerce::{FulfilmentState, OrderState, PaymentState};
pub use crate::bindings::contract::http::{Effect, Method};
pub use crate::bindings::contract::values::{Decimal, Money, Timestamp};

pub use crate::bindings::carriers::Guest as Carriers;
pub use crate::bindings::categories::Guest as Categories;
pub use crate::bindings::connector::{AccountIdentity, Guest as Connector};
pub use crate::bindings::customer_status::{BuyerStatus, Guest as CustomerStatus};
pub use crate::bindings::fulfilment::{
    FulfilmentItem, FulfilmentOrder, FulfilmentStatus, Guest as Fulfilment, ItemStatus, Receipt, ShipmentInfo,
};
pub use crate::bindings::fulfilment_updates::{Change, Guest as FulfilmentUpdates};
pub use crate::bindings::gift_cards::{GiftCard, GiftCardState, Guest as GiftCards};
pub use crate::bindings::notifications::Guest as Notifications;
pub use crate::bindings::order_acceptance::Guest as OrderAcceptance;
pub use crate::bindings::order_notes::{Audience, Guest as OrderNotes, OrderNote};
pub use crate::bindings::order_status::{Guest as OrderStatus, Target};
pub use crate::bindings::orders::Guest as Orders;
pub use crate::bindings::packing_slips::Guest as PackingSlips;
pub use crate::bindings::product_writes::Guest as ProductWrites;
pub use crate::bindings::products::Guest as Products;
pub use crate::bindings::refunds::{Guest as Refunds, Refund, RefundedLine};
pub use crate::bindings::sales_figures::{Figures, Guest as SalesFigures, SalesPeriod};
pub use crate::bindings::seller_restrictions::{Guest as SellerRestrictions, Restriction};
pub use crate::bindings::seller_settings::{Guest as SellerSettings, Selector, SellerProfile};
pub use crate::bindings::sellers::{Guest as Sellers, Seller, SellerPage};
pub use crate::bindings::shipments::Guest as Shipments;
pub use crate::bindings::stock::Guest as Stock;
pub use crate::bindings::stock_updates::Guest as StockUpdates;
pub use crate::bindings::webhooks::{
    ChangedEvent, Guest as Webhooks, StatusEvent, WebhookAnswer, WebhookEvent, WebhookReading, WebhookRequest,
};

pub use crate::error::{self, ErrorExt};
pub use crate::http::{self, Answer};
pub use crate::status::StatusTable;
pub use crate::{decimal, html, json, log, secrets, settings, storage, time, walk};
