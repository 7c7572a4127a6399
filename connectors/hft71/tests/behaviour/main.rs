//! The connector against the documented samples, one module per subject.

mod account;
mod order_status;
mod samples;
mod stock;
mod submission;
mod updates;
mod webhooks;
