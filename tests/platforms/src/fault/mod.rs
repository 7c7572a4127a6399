//! Faults: the ways in which a marketplace can be made to fail, and which requests they hit.

mod answer;
mod switch;
mod text;

use std::time::Duration;

pub(crate) use answer::{WORDPRESS_NOTICE, instead, with_notice};
pub(crate) use switch::FaultSwitch;
pub use text::FaultTextError;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 429, with a `Retry-After` header of that many seconds if given. Nothing is applied.
    TooManyRequests {
        /// The value of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// 500 with a page of HTML. Nothing is applied.
    ServerError,
    /// 503 with a page of HTML, with a `Retry-After` header of that many seconds if given. Nothing is applied.
    Unavailable {
        /// The value of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// 200 with a page of HTML, as a login wall or a firewall sends it. Nothing is applied.
    Html,
    /// The right answer behind a PHP notice, as HTML. A write is applied.
    Notice,
    /// 200 with a PHP notice in place of the answer, as a script that dies of a bug sends it. Nothing is applied.
    NoticeOnly,
    /// 200 with an empty body. Nothing is applied.
    Empty,
    /// A TCP reset before any answer. Nothing is applied.
    Reset,
    /// The right answer after a delay. A write is applied after the delay.
    Slow(Duration),
    /// The right answer's first half, then the end of the connection. A write is applied.
    Truncated,
    /// A TCP reset after a write was applied and entered in the ledger. Requests that write nothing are not hit.
    ApplyThenReset,
}

/// A fault and the requests it hits: those whose path with its query contains `path` (all of them without it); of these every n-th,
/// or the next n, or all.
///
/// As text it is a kind with options, such as `429`, `429=2`, `500:every=3`, `slow=250ms:path=/orders` or `html:next=2`.
///
/// ```
/// use tradepost_platforms::{Fault, FaultKind};
///
/// let fault: Fault = "500:every=3:path=/orders".parse()?;
/// assert_eq!(fault.kind, FaultKind::ServerError);
/// assert_eq!(fault.to_string(), "500:every=3:path=/orders");
/// # Ok::<(), tradepost_platforms::FaultTextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Hit only the third, sixth, ninth ... matching request, for 3.
    pub every: Option<u32>,
    /// Hit only the next that many matching requests, then stop.
    pub next: Option<u32>,
    /// Hit only requests whose path with its query contains this.
    pub path: Option<String>,
}

impl From<FaultKind> for Fault {
    /// The fault on every request.
    fn from(kind: FaultKind) -> Self {
        Self { kind, every: None, next: None, path: None }
    }
}
