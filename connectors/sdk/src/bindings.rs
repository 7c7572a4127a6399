//! Code generated from the contract, once: the vocabulary and the host's interfaces, and one module per interface that a
//! connector may export. Each export module stands alone, because a component must export exactly what it has: what it
//! exports *is* its capability list.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]

/// The vocabulary and what the host offers.
pub mod contract {
    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "tradepost:sdk/contract",
        additional_derives: [PartialEq],
        generate_all,
    });
    pub use tradepost::connector::*;
}

macro_rules! export_interface {
    ($module:ident, $world:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: ["../../wit", "wit"],
                world: $world,
                pub_export_macro: true,
                additional_derives: [PartialEq],
                with: {
                    "tradepost:connector/values@0.2.0": crate::bindings::contract::values,
                    "tradepost:connector/errors@0.2.0": crate::bindings::contract::errors,
                    "tradepost:connector/commerce@0.2.0": crate::bindings::contract::commerce,
                    "tradepost:connector/http@0.2.0": crate::bindings::contract::http,
                    "tradepost:connector/manifest@0.2.0": crate::bindings::contract::manifest,
                },
            });
            pub use exports::tradepost::connector::$module::*;
        }
    };
}

export_interface!(connector, "tradepost:sdk/export-connector");
export_interface!(orders, "tradepost:sdk/export-orders");
export_interface!(order_acceptance, "tradepost:sdk/export-order-acceptance");
export_interface!(order_status, "tradepost:sdk/export-order-status");
export_interface!(shipments, "tradepost:sdk/export-shipments");
export_interface!(carriers, "tradepost:sdk/export-carriers");
export_interface!(packing_slips, "tradepost:sdk/export-packing-slips");
export_interface!(fulfilment, "tradepost:sdk/export-fulfilment");
export_interface!(fulfilment_updates, "tradepost:sdk/export-fulfilment-updates");
export_interface!(customer_status, "tradepost:sdk/export-customer-status");
export_interface!(products, "tradepost:sdk/export-products");
export_interface!(product_writes, "tradepost:sdk/export-product-writes");
export_interface!(categories, "tradepost:sdk/export-categories");
export_interface!(stock, "tradepost:sdk/export-stock");
export_interface!(stock_updates, "tradepost:sdk/export-stock-updates");
export_interface!(webhooks, "tradepost:sdk/export-webhooks");
export_interface!(seller_settings, "tradepost:sdk/export-seller-settings");
export_interface!(seller_restrictions, "tradepost:sdk/export-seller-restrictions");
export_interface!(notifications, "tradepost:sdk/export-notifications");
export_interface!(order_notes, "tradepost:sdk/export-order-notes");
export_interface!(refunds, "tradepost:sdk/export-refunds");
export_interface!(sellers, "tradepost:sdk/export-sellers");
export_interface!(sales_figures, "tradepost:sdk/export-sales-figures");
export_interface!(gift_cards, "tradepost:sdk/export-gift-cards");
