//! Five platforms as loopback HTTP servers: the marketplaces [hardtofind](HardToFind), [WCFM](Wcfm) and [help-ka](HelpKa), the producer
//! [HFT71](Hft71), and a web shop with the [OmniSeller] interface.
//!
//! They are stateful and authenticated; they answer with the shapes, the error shapes and the quirks of the real servers, and
//! they can be made to fail on demand. What they *accepted* stands in a [`Ledger`], so that a test judges a connector by what reached
//! the marketplace and not by what the connector believes. Tests, benchmarks and the `sandbox` and `demo` commands share them.
//!
//! ```
//! use tradepost_platforms::{HardToFind, Platform};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let platform = HardToFind::builder().orders(250).start().await?;
//! assert!(platform.root_url().starts_with("http://127.0.0.1:"));
//! assert_eq!(platform.held()["orders"], 250);
//!
//! // Every third request is refused, from now on and until told otherwise.
//! platform.set_fault(Some("429=2:every=3".parse()?));
//! platform.set_fault(None);
//!
//! assert!(platform.ledger().entries().is_empty());
//! platform.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Each has a handle to its inside, `shop()`, with which a test changes what it holds, also between two requests
//! ([`Platform::between_requests`]). HFT71 also sends: it tells every change of an order's status to the address that it was given and
//! keeps what was answered ([`Hft71Shop::deliveries`]).
//!
//! How much each is like the real one differs with what is known. WCFM answers what real servers were recorded to answer; hardtofind
//! follows its documentation; of HFT71 and OmniSeller only examples are public, and what they leave open is decided here and said in
//! each module, so that a connector does not come to depend on it.
//!
//! For people there are three addresses that need no login: `GET /_sandbox/ledger`, `GET /_sandbox/held` and `POST /_sandbox/fault`
//! with a fault such as `500:next=2` (or `off`) as the body.
//!
//! Data are deterministic: the same builder gives the same orders, and dates come from a clock of the marketplace's own that moves
//! one second per change instead of from the machine's. Only the life of a token and a limit of requests per second follow the
//! machine's clock.

mod body;
mod clock;
mod exchange;
mod fault;
mod hardtofind;
mod hft71;
mod ledger;
mod live_tokens;
mod omniseller;
mod pace;
mod platform;
mod server;
mod site;
mod wcfm;

pub use fault::{Fault, FaultKind, FaultTextError};
pub use hardtofind::{HardToFind, HardToFindBuilder, HardToFindShop};
pub use hft71::{Delivery, DeliveryAnswer, Hft71, Hft71Builder, Hft71Shop, SentSecret};
pub use ledger::{Entry, Ledger};
pub use omniseller::{OmniSeller, OmniSellerBuilder, OmniSellerShop};
pub use platform::{Credentials, Platform};
pub use site::{Served, Site, StartError};
pub use wcfm::{Generation, HelpKa, Wcfm, WcfmBuilder, WcfmShop};
