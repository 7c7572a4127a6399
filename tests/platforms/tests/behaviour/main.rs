//! The marketplaces' behaviour, asked over real connections.

mod client;
mod faults;
mod hardtofind_orders;
mod hardtofind_writes;
mod help_ka;
mod hft71;
mod hft71_webhooks;
mod omniseller;
mod people;
mod receiver;
mod shapes;
mod wcfm_login;
mod wcfm_orders;
mod wcfm_product_writes;
mod wcfm_products;
mod wcfm_seller;
mod wcfm_status;
