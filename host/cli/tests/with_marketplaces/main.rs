//! The whole command against loopback marketplaces.

mod desk;
mod recorded;
mod sessions;
mod stored_accounts;
