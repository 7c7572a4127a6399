//! Components and servers that attack the host.
//!
//! Two kinds of attackers: a [`CoreModule`] is written by hand, byte for byte, and abuses the ABI; [`evil`] is a Rust
//! connector that abuses what it is given, helped by a [`Server`] that is as hostile. Both are run on a [`Stage`], beside a
//! healthy connector of another tenant.

pub mod core_module;
pub mod evil;
pub mod forms;
pub mod manifest_image;
pub mod server;
pub mod stage;
pub mod wasi;

pub use core_module::CoreModule;
pub use evil::EvilAccount;
pub use manifest_image::ManifestImage;
pub use server::Server;
pub use stage::Stage;
