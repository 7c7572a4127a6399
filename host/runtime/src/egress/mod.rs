//! HTTP leaves through one door.
//!
//! Nothing else in the host opens a socket for a connector. A request passes these layers in order, each in a file of its
//! own, and a refusal names the layer and the line that would allow it:
//!
//! 1. `target`: the text becomes one parsed URL, which is checked, dialled and sent;
//! 2. `door`: its [`Origin`] is declared by the manifest and granted by the operator;
//! 3. `headers`: the connector's headers pass an allow-list;
//! 4. `transport` and `address`: the host is looked up once, every address is checked against one table of special
//!    ranges, and `resolve` lets the client dial these addresses only;
//! 5. `auth`, `login` and `token`: the credential is placed, last, in a request that nobody outside the host sees;
//! 6. `breaker` and `turnstile`: a server that is down is left alone for a while; a request waits for its turn where the platform
//!    allows a pace;
//! 7. `answer`: the answer is read against the call's `budget`, complete or not at all;
//! 8. `scrub`: the account's secrets are removed from it.

mod address;
mod answer;
mod auth;
mod breaker;
mod budget;
mod door;
mod error;
mod exchange;
mod headers;
mod login;
mod origin;
mod resolve;
mod scrub;
pub(crate) mod seconds;
mod target;
mod token;
mod transport;
mod turnstile;

#[cfg(test)]
mod tests;

pub use address::{AddressClass, classify};
pub use auth::{Credential, Lifetime, LoginBody, LoginField, LoginRecipe, Placement};
pub use budget::{HttpLimits, Usage};
pub use door::{Door, DoorError, Policy};
pub use error::{BudgetExceeded, Denial, Layer, Limit, SendError};
pub use exchange::{Effect, Exchange, Method, Request, Response};
pub use origin::{Grants, Origin, OriginError, Scheme};
pub use resolve::{Resolve, SystemResolver};
pub use scrub::{MIN_SECRET, REDACTED};
pub use token::{Clock, MemoryTokenStore, StoredToken, SystemClock, TokenStore, TokenStoreError};
pub use transport::{Egress, EgressBuilder, EgressError, Source, Timeouts};
