//! Durable state. Its first piece is the store in which connectors' values live; only [`store`] speaks SQL.

pub mod store;
