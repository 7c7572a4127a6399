//! The contract's functions as methods of [`Account`], one each.

use futures_util::future::BoxFuture;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::account::Account;
use crate::call::{Checked, Invocation, Reply};
use crate::connector::{Capability, Exported, Exports};
use crate::contract::commerce::{
    Carrier, CategoryPage, Document, ListQuery, NotificationPage, NotificationQuery, Order, OrderPage, Product,
    ProductFields, ProductPage, Shipment, Status, StockChange, StockPage, StockResult,
};
use crate::contract::errors::Error;
use crate::contract::exports;
use crate::contract::{
    AccountIdentity, Audience, BuyerStatus, Change, Figures, FulfilmentOrder, FulfilmentStatus, GiftCard, OrderNote,
    Receipt, Refund, Restriction, Selector, Seller, SellerPage, SellerProfile, Target, WebhookReading, WebhookRequest,
};
use crate::error::CallError;
use crate::limits::Limits;
use crate::state::CallState;
use crate::values::Decimal;

macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $method:ident($($argument:ident: $ty:ty),*) -> $output:ty
            = $capability:expr, $module:ident . $function:ident $name:literal;
    )*) => {
        impl Account {
            $(
                $(#[$doc])*
                #[allow(clippy::extra_unused_lifetimes, reason = "functions without arguments have no use for it")]
                pub async fn $method<'q>(&self, $($argument: $ty),*) -> Result<Reply<$output>, CallError> {
                    struct Call<'q> {
                        $($argument: $ty,)*
                        arguments: std::marker::PhantomData<&'q ()>,
                    }

                    impl Invocation for Call<'_> {
                        type Output = $output;

                        fn invoke<'a>(
                            &'a self,
                            exports: &'a Exports,
                            store: &'a mut Store<CallState>,
                            instance: &'a Instance,
                        ) -> BoxFuture<'a, wasmtime::Result<Result<$output, Error>>> {
                            Box::pin(async move {
                                let guest = exports::$module::Guest::load(exports, store, instance)?;
                                guest.$function(store, $(self.$argument),*).await
                            })
                        }
                    }

                    self.call($capability, $name, &Call { $($argument,)* arguments: std::marker::PhantomData }).await
                }
            )*
        }
    };
}

operations! {
    /// Proves that settings and credential work, and says whose account it is.
    check() -> AccountIdentity = None, connector.call_check "check";

    /// A page of orders. `cursor` is none for a first walk and the last page's `next` after that.
    list_orders(query: &'q ListQuery, cursor: Option<&'q str>) -> OrderPage = Some(Capability::Orders), orders.call_list "list";

    /// One order, with its raw JSON.
    get_order(id: &'q str) -> Order = Some(Capability::Orders), orders.call_get "get";

    /// Tells the platform that the seller has taken an order up.
    acknowledge_order(id: &'q str) -> Status
        = Some(Capability::OrderAcceptance), order_acceptance.call_acknowledge "acknowledge";

    /// Sets an order's status.
    set_order_status(id: &'q str, target: &'q Target) -> Status = Some(Capability::OrderStatus), order_status.call_set "set";

    /// Reports a parcel.
    ship(order_id: &'q str, shipment: &'q Shipment) -> Status = Some(Capability::Shipments), shipments.call_ship "ship";

    /// The carriers the platform knows.
    list_carriers() -> Vec<Carrier> = Some(Capability::Carriers), carriers.call_list "list";

    /// The slip that belongs into an order's parcel.
    packing_slip(order_id: &'q str) -> Document = Some(Capability::PackingSlips), packing_slips.call_get "get";

    /// All remarks on an order.
    list_order_notes(order_id: &'q str) -> Vec<OrderNote> = Some(Capability::OrderNotes), order_notes.call_list "list";

    /// Adds a remark to an order.
    add_order_note(order_id: &'q str, text: &'q str, audience: Audience) -> Vec<OrderNote>
        = Some(Capability::OrderNotes), order_notes.call_add "add";

    /// What has been given back to the buyer of an order.
    list_refunds(order_id: &'q str) -> Vec<Refund> = Some(Capability::Refunds), refunds.call_list "list";

    /// Hands an order to a producer.
    submit_fulfilment(order: &'q FulfilmentOrder) -> Receipt = Some(Capability::Fulfilment), fulfilment.call_submit "submit";

    /// How an order stands at a producer.
    fulfilment_status(id: &'q str) -> FulfilmentStatus = Some(Capability::Fulfilment), fulfilment.call_status "status";

    /// Changes an order at a producer.
    update_fulfilment(id: &'q str, change: &'q Change) -> ()
        = Some(Capability::FulfilmentUpdates), fulfilment_updates.call_update "update";

    /// The words for the buyer.
    customer_status(id: &'q str) -> Vec<BuyerStatus> = Some(Capability::CustomerStatus), customer_status.call_get "get";

    /// A page of products.
    list_products(query: &'q ListQuery, cursor: Option<&'q str>) -> ProductPage
        = Some(Capability::Products), products.call_list "list";

    /// One product, with its raw JSON.
    get_product(id: &'q str) -> Product = Some(Capability::Products), products.call_get "get";

    /// Makes a product.
    create_product(fields: &'q ProductFields) -> Product
        = Some(Capability::ProductWrites), product_writes.call_create "create";

    /// Changes what is given of a product and nothing else.
    update_product(id: &'q str, fields: &'q ProductFields) -> Product
        = Some(Capability::ProductWrites), product_writes.call_update "update";

    /// Removes a product.
    delete_product(id: &'q str) -> () = Some(Capability::ProductWrites), product_writes.call_delete "delete";

    /// A page of categories.
    list_categories(cursor: Option<&'q str>) -> CategoryPage = Some(Capability::Categories), categories.call_list "list";

    /// A page of stock levels.
    list_stock(cursor: Option<&'q str>) -> StockPage = Some(Capability::Stock), stock.call_list "list";

    /// Sets stock levels; the results stand in the order of the changes.
    set_stock(changes: &'q [StockChange]) -> Vec<StockResult> = Some(Capability::StockUpdates), stock_updates.call_set "set";

    /// Verifies and reads a webhook request.
    receive_webhook(request: &'q WebhookRequest) -> WebhookReading = Some(Capability::Webhooks), webhooks.call_receive "receive";

    /// A seller's profile.
    seller_profile(selector: &'q Selector) -> SellerProfile
        = Some(Capability::SellerSettings), seller_settings.call_get "get";

    /// What the platform does not let the seller do.
    list_restrictions() -> Vec<Restriction> = Some(Capability::SellerRestrictions), seller_restrictions.call_list "list";

    /// A page of notifications.
    list_notifications(query: &'q NotificationQuery, cursor: Option<&'q str>) -> NotificationPage
        = Some(Capability::Notifications), notifications.call_list "list";

    /// A page of the marketplace's sellers.
    list_sellers(cursor: Option<&'q str>) -> SellerPage = Some(Capability::Sellers), sellers.call_list "list";

    /// One of the marketplace's sellers.
    get_seller(id: &'q str) -> Seller = Some(Capability::Sellers), sellers.call_get "get";

    /// What the seller sold and earned.
    sales_figures() -> Figures = Some(Capability::SalesFigures), sales_figures.call_get "get";

    /// Issues a gift card.
    issue_gift_card(value: Decimal, reference: &'q str) -> GiftCard
        = Some(Capability::GiftCards), gift_cards.call_issue "issue";

    /// How a gift card stands.
    get_gift_card(code: &'q str) -> GiftCard = Some(Capability::GiftCards), gift_cards.call_get "get";

    /// Takes a gift card out of use.
    void_gift_card(code: &'q str, reference: &'q str) -> GiftCard
        = Some(Capability::GiftCards), gift_cards.call_void "void";
}

/// A page must say where to go on unless it is the last, and its cursor must stay small: the host keeps it.
macro_rules! checked_pages {
    ($($page:ty),*) => {
        $(
            impl Checked for $page {
                fn check(&self, limits: &Limits) -> Result<(), String> {
                    match &self.next {
                        Some(cursor) if cursor.len() > limits.cursor_bytes => {
                            Err(format!("a cursor of {} bytes, the limit is {} (limits.cursor_bytes)", cursor.len(), limits.cursor_bytes))
                        }
                        None if !self.end => Err("a page that is not the last one has no cursor to go on with".into()),
                        _ => Ok(()),
                    }
                }
            }
        )*
    };
}

checked_pages!(OrderPage, ProductPage, CategoryPage, StockPage, NotificationPage, SellerPage);

macro_rules! unchecked {
    ($($output:ty),*) => { $(impl Checked for $output {})* };
}

unchecked!(
    (),
    AccountIdentity,
    Order,
    Status,
    Document,
    Receipt,
    FulfilmentStatus,
    Product,
    WebhookReading,
    SellerProfile,
    Seller,
    Figures,
    GiftCard
);

impl<T> Checked for Vec<T> {}
