//! What can go wrong on the way out, cut by what the host must know: was it denied, and by whom; was anything sent; is the
//! outcome known. Texts never hold a credential, a query string or a body.

use std::fmt;

/// Which check said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The connector's manifest does not declare it.
    Manifest,
    /// The operator did not grant it.
    Grant,
    /// The host resolves to an address that may not be dialled.
    Address,
    /// The URL itself is not acceptable.
    Url,
    /// A header of the request is not the connector's to set.
    Header,
    /// The method does not fit the request.
    Method,
    /// The body does not fit the request.
    Body,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "manifest",
            Self::Grant => "grant",
            Self::Address => "address",
            Self::Url => "url",
            Self::Header => "header",
            Self::Method => "method",
            Self::Body => "body",
        })
    }
}

/// A refusal: nothing was sent. `Display` says what was refused and, where something would allow it, the exact line.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct Denial {
    layer: Layer,
    message: String,
    allow_with: Option<String>,
}

impl Denial {
    pub(super) fn new(layer: Layer, message: impl Into<String>) -> Self {
        Self { layer, message: message.into(), allow_with: None }
    }

    pub(super) fn allowed_by(layer: Layer, message: impl Into<String>, line: impl Into<String>) -> Self {
        Self { layer, message: message.into(), allow_with: Some(line.into()) }
    }

    /// Which check said no.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The settings line that would allow it, such as `grants.hosts = ["https://api.example.com"]`, if one would.
    pub fn allow_with(&self) -> Option<&str> {
        self.allow_with.as_deref()
    }
}

/// A budget of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests a call may send.
    Requests,
    /// Bytes a call may send: URLs, headers and bodies.
    BytesOut,
    /// Bytes a call may receive, after decompression.
    BytesIn,
}

/// A budget of the call is used up.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", self.text())]
pub struct BudgetExceeded {
    /// Which budget.
    pub limit: Limit,
    /// How much of it there was.
    pub allowed: u64,
    /// Whether the request had been sent when the budget ran out, so that its outcome is not known.
    pub sent: bool,
}

impl BudgetExceeded {
    fn text(&self) -> String {
        let Self { allowed, .. } = self;
        match self.limit {
            Limit::Requests => {
                format!("more than {allowed} HTTP requests in one call; spread the work over several pages")
            }
            Limit::BytesOut => format!("more than {allowed} bytes sent in one call; send smaller batches"),
            Limit::BytesIn => format!("more than {allowed} bytes received in one call; ask for smaller pages"),
        }
    }
}

/// Why there is no answer to give to the connector.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SendError {
    /// Refused by the host; nothing was sent.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The source refused the account's login; nothing of the request was sent. The credential must be looked at.
    #[error("{0}")]
    AuthRejected(String),
    /// Name lookup, connection, TLS or an unavailable login: nothing of the request was sent, it may be sent again.
    #[error("{0}")]
    NotSent(String),
    /// Bytes may have gone out, and no complete answer came.
    #[error("{0}")]
    InDoubt(String),
    /// An answer came that the host does not accept: encoding, compression ratio, header size. The source did see the
    /// request.
    #[error("{0}")]
    Protocol(String),
    /// A budget of the call is used up.
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
}

impl SendError {
    /// Whether the source may have acted on the request. For a `once` request that makes the outcome unknown.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Denied(_) | Self::AuthRejected(_) | Self::NotSent(_) => false,
            Self::InDoubt(_) | Self::Protocol(_) => true,
            Self::Budget(budget) => budget.sent,
        }
    }
}
