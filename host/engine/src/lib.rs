//! Durable state. Its first piece is the store in which connectors' values live; only [`store`] speaks SQL.

pub mod command;
pub mod event;
pub mod record;
pub mod store;
pub mod stream;
