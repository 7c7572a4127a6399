//! How the connector behaves, seen from outside: against recordings of a real server, the documentation's own samples, and a
//! scripted host.

mod creation;
mod errors;
mod figures_and_sellers;
mod lists;
mod notifications;
mod order_notes;
mod order_status;
mod orders;
mod profile;
mod recorded;
mod recordings;
mod refunds;
mod samples;
mod shipments;
mod stock;
mod update;
