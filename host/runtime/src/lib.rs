//! Runs marketplace connectors, each a sandboxed WebAssembly component, and gives their orders, products and stock in one
//! vocabulary.
//!
//! A [`Runtime`] loads a component into a [`Connector`]; an account's settings, secrets and grants open it as an
//! [`Account`]; each method of the account is one call in a fresh instance, under [`Limits`], whose HTTP leaves through
//! [`egress`] and whose storage writes are committed with the result or not at all.
//!
//! Compiled code can be kept in a [`CodeCache`], and strangers' components be compiled in a child process ([`compile`]). Where
//! another version of a connector takes over, [`Account::drained`] waits for the calls of the old one and [`Account::retire`] ends
//! those that do not end.
//!
//! ```no_run
//! use std::sync::Arc;
//! use tradepost_runtime::{AccountConfig, Grants, MemoryStorage, Runtime, commerce::ListQuery};
//!
//! # async fn example() -> anyhow::Result<()> {
//! let runtime = Runtime::new()?;
//! let connector = runtime.load(std::fs::read("hardtofind.wasm")?).await?;
//! let account = runtime.open(
//!     &connector,
//!     AccountConfig {
//!         id: "acme/hardtofind".into(),
//!         settings: serde_json::from_str(r#"{"username": "acme"}"#)?,
//!         secrets: [("password".to_owned(), std::env::var("HARDTOFIND_PASSWORD")?.into())].into(),
//!         grants: Grants { hosts: vec!["https://api.hardtofind.com.au".parse()?], ..Grants::default() },
//!         ..AccountConfig::default()
//!     },
//!     Arc::new(MemoryStorage::new()),
//! )?;
//! let page = account.list_orders(&ListQuery::default(), None).await?.commit().await?;
//! for order in &page.items {
//!     println!("{} {} {}", order.number, order.status.raw, order.lines.len());
//! }
//! # Ok(())
//! # }
//! ```

mod account;
mod by_name;
mod call;
mod code_cache;
pub mod compile;
mod connector;
pub mod contract;
mod draining;
pub mod egress;
mod error;
mod inspect;
pub mod journal;
mod limits;
mod log_book;
mod machine_code;
mod manifest;
mod operations;
mod runtime;
mod state;
pub mod storage;
mod template;
pub mod values;
mod wasi;

pub use account::{Account, AccountConfig};
pub use by_name::{NamedCallError, WRITING_OPERATIONS};
pub use call::{Reply, Usage};
pub use code_cache::{CodeCache, CodeCacheError};
pub use connector::{Capability, Connector};
pub use contract::{commerce, errors};
pub use egress::{Egress, Grants, Origin};
pub use error::{AccountError, CallError, LimitReached, LoadError, SettingIssue, TypeMismatch};
pub use inspect::{
    CONTRACT_PACKAGE, CONTRACT_VERSION, Digest, Inspection, MAX_COMPONENT_BYTES, NotADigest, Operation,
    SUPPORTED_CONTRACTS, SettingField, connector_page, contract_reference, inspect, setting_fields,
};
pub use journal::{Journal, JournalStop};
pub use limits::Limits;
pub use log_book::LogLine;
pub use runtime::{Runtime, RuntimeBuilder};
pub use storage::{MemoryStorage, Storage};
pub use values::{Decimal, Money, Timestamp};
