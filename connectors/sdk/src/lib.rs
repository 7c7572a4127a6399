//! Write a marketplace connector for the Tradepost host.
//!
//! A connector knows one platform, and the host does everything else: a connector never connects, logs in, sleeps, retries or
//! keeps state of its own. It is a type that implements the contract's interfaces it can serve, and one line that exports them:
//!
//! ```
//! use tradepost_sdk::prelude::*;
//!
//! struct ExampleShop;
//!
//! impl Connector for ExampleShop {
//!     fn describe() -> Manifest {
//!         Manifest {
//!             id: "example-shop".into(),
//!             name: "Example Shop".into(),
//!             version: env!("CARGO_PKG_VERSION").into(),
//!             platform: "example.com seller API".into(),
//!             homepage: None,
//!             settings_schema: r#"{"type":"object","properties":{"key":{"type":"string","writeOnly":true}}}"#.into(),
//!             root_url: "https://api.example.com".into(),
//!             hosts: vec!["https://api.example.com".into()],
//!             request_headers: vec![],
//!             // Data: the host logs in, and no secret ever enters the sandbox.
//!             auth: vec![AuthRecipe {
//!                 name: "key".into(),
//!                 method: AuthMethod::ApiKey("{key}".into()),
//!                 placement: Placement::Header(HeaderPlacement { name: "X-Api-Key".into(), prefix: String::new() }),
//!             }],
//!             pace: Some(Pace { requests: 10, per_ms: 1000 }),
//!             statuses: vec![],
//!             streams: vec![],
//!             effects: vec![],
//!             extensions: vec![],
//!         }
//!     }
//!
//!     fn check() -> Result<AccountIdentity, Error> {
//!         let answer = http::get("/me").send()?.checked()?;
//!         let me: MeJson = answer.decode()?;
//!         Ok(AccountIdentity { id: Some(me.id.into()), name: me.store, server: None, facts: vec![] })
//!     }
//! }
//!
//! json::record! {
//!     /// `GET /me`.
//!     struct MeJson {
//!         id: json::Id,
//!         store: Option<String>,
//!     }
//!
//!     /// An element of `GET /carriers`.
//!     struct CarrierJson<'a> {
//!         id: json::Id,
//!         name: json::Text<'a>,
//!         "trackingUrl" => tracking_url: Option<String>,
//!     }
//! }
//!
//! impl Carriers for ExampleShop {
//!     fn list() -> Result<Vec<Carrier>, Error> {
//!         let answer = http::get("/carriers").send()?.checked()?;
//!         let mut carriers = Vec::new();
//!         json::decode_array(answer.text()?, |carrier: CarrierJson<'_>, _raw| {
//!             carriers.push(Carrier {
//!                 id: carrier.id.into(),
//!                 name: carrier.name.into_string(),
//!                 tracking_url: carrier.tracking_url,
//!                 takes_tracking_number: false,
//!             });
//!             Ok(())
//!         })?;
//!         Ok(carriers)
//!     }
//! }
//!
//! tradepost_sdk::export!(ExampleShop: carriers);
//!
//! // The same code runs natively against a scripted host.
//! let host = tradepost_sdk::testing::Host::new()
//!     .respond(|_| Answer::json(200, r#"[{"id":8,"name":"Royal Mail","noise":[1,2]}]"#));
//! let carriers = host.run(<ExampleShop as Carriers>::list).unwrap();
//! assert_eq!((carriers[0].id.as_str(), carriers[0].name.as_str()), ("8", "Royal Mail"));
//! ```
//!
//! It is built with `cargo build --release --target wasm32-wasip2` and `crate-type = ["cdylib", "rlib"]`.
//!
//! | module | for |
//! |---|---|
//! | [`prelude`] | everything a connector names |
//! | [`http`], [`error`] | requests, answers, and what they mean |
//! | [`json`] | decoding large pages cheaply and exactly; writing bodies |
//! | [`decimal`], [`time`], [`status`] | amounts, dates and status words as sources write them |
//! | [`html`], [`wordpress`] | plain text, and the habits of sites on WordPress |
//! | [`walk`] | reading numbered pages of a moving list without losing a row |
//! | [`settings`], [`secrets`], [`storage`], [`log`] | what else the host offers |
//! | `testing` | the scripted host (not in WebAssembly) |
#[cfg(all(target_family = "wasm", feature = "bump-allocator"))]
pub mod allocator;
pub mod bindings;
pub mod decimal;
pub mod error;
mod export;
mod host;
pub mod html;
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
pub mod wordpress;
