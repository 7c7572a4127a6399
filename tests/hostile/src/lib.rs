//! Components, servers and senders that attack the host: a table of cases, each run beside a healthy connector of another
//! tenant and judged by five invariants.
//!
//! `cargo run --release -p tradepost-hostile` prints the table; `cargo test -p tradepost-hostile` runs the same cases, cut short.
//!
//! Two kinds of components attack: a [`CoreModule`] is written by hand, byte for byte, and abuses the ABI; [`evil`] is a Rust
//! connector that abuses what it is given. A [`Server`] repeats what it is sent, a [`RawServer`] speaks bytes.

pub mod arena;
pub mod canary;
pub mod case;
pub mod cases;
pub mod compile_bomb;
pub mod core_module;
pub mod evil;
pub mod forms;
pub mod hardtofind;
pub mod installation;
mod listening;
pub mod manifest_image;
pub mod many_swaps;
pub mod meddled_store;
pub mod own_process;
pub mod process;
pub mod publisher;
pub mod raw_server;
pub mod server;
pub mod stage;
pub mod wasi;

pub use arena::{Arena, Effort, Report, Verdict};
pub use case::Case;
pub use core_module::CoreModule;
pub use evil::EvilAccount;
pub use installation::Installation;
pub use manifest_image::ManifestImage;
pub use publisher::Publisher;
pub use raw_server::RawServer;
pub use server::Server;
pub use stage::Stage;
