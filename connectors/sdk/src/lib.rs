//! Write a marketplace connector for the Tradepost host.
#[cfg(all(target_family = "wasm", feature = "bump-allocator"))]
pub mod allocator;
pub mod bindings;
pub mod decimal;
pub mod error;
mod export;
mod host;
pub mod http;
pub mod json;
pub mod log;
pub mod prelude;
pub mod secrets;
pub mod settings;
pub mod status;
pub mod storage;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod time;
pub mod walk;
