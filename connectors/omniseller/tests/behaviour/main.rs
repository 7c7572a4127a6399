//! The connector against the documented answers and a scripted shop, one module per subject.

mod account;
mod categories;
mod envelope;
mod order_fields;
mod orders;
mod products;
mod shop;
mod stock;
