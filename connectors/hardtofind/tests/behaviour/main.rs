//! The connector against the documented answers, one module per subject.

mod account;
mod carriers_and_slips;
mod gift_cards;
mod order_fields;
mod order_list;
mod shop;
mod stock;
mod transitions;
