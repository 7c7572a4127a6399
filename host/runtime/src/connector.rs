//! A loaded connector: compiled, pre-linked, described. One per digest; cheap to clone.

use std::fmt;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::contract::exports;
use crate::contract::manifest::Manifest;
use crate::inspect::{Digest, Inspection};
use crate::manifest::CheckedManifest;
use crate::state::CallState;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $module:ident, $name:literal;)*) => {
        /// What a connector can do: the interfaces of the contract it may export beside `connector`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
        }

        impl Capability {
            /// All of them, in the contract's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The interface's name in the contract, such as `stock-updates`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Where each exported interface stands in the component, looked up once at load.
        pub(crate) struct Exports {
            pub(crate) connector: exports::connector::GuestIndices,
            $(pub(crate) $module: Option<exports::$module::GuestIndices>,)*
        }

        impl Exports {
            pub(crate) fn find(pre: &InstancePre<CallState>, exported: &[String]) -> wasmtime::Result<Self> {
                let has = |name: &str| exported.iter().any(|exported| exported == name);
                Ok(Self {
                    connector: exports::connector::GuestIndices::new(pre)?,
                    $($module: if has($name) { Some(exports::$module::GuestIndices::new(pre)?) } else { None },)*
                })
            }

            fn has(&self, capability: Capability) -> bool {
                match capability {
                    $(Capability::$variant => self.$module.is_some(),)*
                }
            }
        }

        $(
            impl Exported for exports::$module::Guest {
                fn load(exports: &Exports, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<Self> {
                    let indices = exports.$module.as_ref().ok_or_else(|| wasmtime::format_err!("no export {}", $name))?;
                    indices.load(store, instance)
                }
            }
        )*
    };
}

/// An exported interface, found in one instance.
pub(crate) trait Exported: Sized {
    fn load(exports: &Exports, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<Self>;
}

impl Exported for exports::connector::Guest {
    fn load(exports: &Exports, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<Self> {
        exports.connector.load(store, instance)
    }
}

capabilities! {
    /// Reading orders.
    Orders = orders, "orders";
    /// Acknowledging orders.
    OrderAcceptance = order_acceptance, "order-acceptance";
    /// Setting an order's status.
    OrderStatus = order_status, "order-status";
    /// Reporting parcels.
    Shipments = shipments, "shipments";
    /// Listing carriers.
    Carriers = carriers, "carriers";
    /// Fetching packing slips.
    PackingSlips = packing_slips, "packing-slips";
    /// Remarks on orders.
    OrderNotes = order_notes, "order-notes";
    /// What has been given back.
    Refunds = refunds, "refunds";
    /// Handing orders to a producer.
    Fulfilment = fulfilment, "fulfilment";
    /// Changing orders at a producer.
    FulfilmentUpdates = fulfilment_updates, "fulfilment-updates";
    /// Words for the buyer.
    CustomerStatus = customer_status, "customer-status";
    /// Reading products.
    Products = products, "products";
    /// Writing products.
    ProductWrites = product_writes, "product-writes";
    /// Reading categories.
    Categories = categories, "categories";
    /// Reading stock levels.
    Stock = stock, "stock";
    /// Writing stock levels.
    StockUpdates = stock_updates, "stock-updates";
    /// Reading webhooks.
    Webhooks = webhooks, "webhooks";
    /// Reading the seller's profile.
    SellerSettings = seller_settings, "seller-settings";
    /// Reading the seller's restrictions.
    SellerRestrictions = seller_restrictions, "seller-restrictions";
    /// Reading notifications.
    Notifications = notifications, "notifications";
    /// The marketplace's public directory of sellers.
    Sellers = sellers, "sellers";
    /// What the seller sold and earned.
    SalesFigures = sales_figures, "sales-figures";
    /// Selling gift cards.
    GiftCards = gift_cards, "gift-cards";
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A loaded connector.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<Inner>,
}

struct Inner {
    inspection: Inspection,
    pre: InstancePre<CallState>,
    exports: Exports,
    manifest: CheckedManifest,
    is_from_cache: bool,
}

impl Connector {
    pub(crate) fn new(
        inspection: Inspection,
        pre: InstancePre<CallState>,
        exports: Exports,
        manifest: CheckedManifest,
        is_from_cache: bool,
    ) -> Self {
        Self { inner: Arc::new(Inner { inspection, pre, exports, manifest, is_from_cache }) }
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest.manifest
    }

    /// Its identity: SHA-256 of its bytes.
    pub fn digest(&self) -> Digest {
        self.inner.inspection.digest
    }

    /// Imports, exports, size and digest.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// Whether its code was taken from the [`CodeCache`](crate::CodeCache) and not compiled.
    pub fn is_from_cache(&self) -> bool {
        self.inner.is_from_cache
    }

    /// What it can do, in the contract's order.
    pub fn capabilities(&self) -> impl Iterator<Item = Capability> + '_ {
        Capability::ALL.iter().copied().filter(|capability| self.has(*capability))
    }

    /// Whether it can do this.
    pub fn has(&self, capability: Capability) -> bool {
        self.inner.exports.has(capability)
    }

    /// Id and version, as messages show it: `hardtofind 0.1.0`.
    pub fn label(&self) -> &str {
        self.inner.manifest.label()
    }

    pub(crate) fn checked_manifest(&self) -> &CheckedManifest {
        &self.inner.manifest
    }

    pub(crate) fn pre(&self) -> &InstancePre<CallState> {
        &self.inner.pre
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.inner.exports
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.label(), self.digest())
    }
}
