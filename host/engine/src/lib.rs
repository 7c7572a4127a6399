//! The engine: orders, products and stock of many accounts kept up to date in one store, and commands carried out once.
//!
//! * A **pull** walks a list page by page. A page's records, the events that tell of them, the cursor behind them and what the connector
//!   stored are committed together or not at all ([`stream`], [`pull`]).
//! * The **event feed** tells what changed, in an order without gaps, to be read from any position ([`event`]).
//! * A **command** is recorded before anything is sent. Its requests are journaled; cut off anywhere and run again, it sends nothing that was
//!   answered a second time, and what cannot be told is parked for a person ([`command`]).
//! * A **webhook** is kept before it is read, and what it tells is committed once, before it is answered ([`delivery`], [`receive`]).
//! * An account that its platform refuses, or whose connector breaks off again and again, is **held back** ([`standing`]).
//! * An **account** can be kept in the store, its secrets and login tokens sealed under a key that is not in it ([`account`], [`vault`]).
//!
//! * A **version** of a connector is installed beside the others, tried, activated and rolled back while calls are under way ([`versions`]).
//!
//! Only [`store`] speaks SQL.
//!
//! ```no_run
//! use std::sync::Arc;
//! use futures_util::StreamExt;
//! use tradepost_engine::{Engine, EngineOptions, event::EventFilter, store};
//! # async fn example(accounts: Vec<tradepost_runtime::Account>) -> anyhow::Result<()> {
//! let store = Arc::new(store::open("data".as_ref())?);
//! let engine = Engine::new(store, accounts, EngineOptions::default());
//! for stream in engine.streams() {
//!     engine.pull(&stream, |_page| {}).await?;
//! }
//! let mut events = std::pin::pin!(engine.events(0, EventFilter::default()));
//! while let Some(event) = events.next().await {
//!     let event = event?;
//!     println!("{} {:?} {} {}", event.position, event.change, event.kind, event.id);
//! }
//! # Ok(())
//! # }
//! ```

pub mod account;
mod canonical;
pub mod command;
pub mod delivery;
mod engine;
pub mod event;
mod failure;
mod health;
mod journal;
mod lock;
mod open_accounts;
pub mod pull;
pub mod reading;
pub mod receive;
pub mod record;
mod run;
pub mod standing;
pub mod store;
pub mod stream;
mod tally;
pub mod vault;
pub mod versions;
mod walks;
mod worker;

pub use engine::{CommandError, Engine, EngineOptions, Order, ReplaceError};
pub use lock::{LockError, WorkLock};
pub use run::Happening;
pub use tally::CallCounts;
