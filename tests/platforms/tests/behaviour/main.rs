//! The marketplaces' behaviour, asked over real connections.

mod client;
mod faults;
mod hardtofind_orders;
mod hardtofind_writes;
mod people;
mod shapes;
mod wcfm_login;
mod wcfm_orders;
mod wcfm_product_writes;
mod wcfm_products;
mod wcfm_seller;
mod wcfm_status;
