//! What platforms, operators and marketplaces meet, end to end. One program, because each program holds the whole host, and loads each connector
//! once; only the test that reads every log line has one of its own.

mod connector_pages;
mod connectors_are_small;
mod contract_versions;
mod credentials;
mod engine;
mod faults;
mod journal;
mod pace;
mod production;
mod pull;
mod refunds;
mod settings;
mod shop_hosted;
mod standing;
mod versions;
mod webhooks;
mod writes;
