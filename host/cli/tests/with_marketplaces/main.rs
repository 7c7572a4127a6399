//! The whole command against loopback marketplaces.

mod desk;
mod inbox;
mod operations;
mod packages;
mod recorded;
mod sessions;
mod stored_accounts;
mod versions;
