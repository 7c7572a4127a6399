//! The manifest: settings, login, pace, and what the status words mean.

use tradepost_sdk::prelude::*;
use tradepost_sdk::status::mapping;

/// Status words as they stand on the wire (seed 001, "Order States").
pub(crate) mod word {
    pub(crate) const READY: &str = "READY";
    pub(crate) const PROCESSED: &str = "PROCESSED";
    pub(crate) const SHIPPED: &str = "SHIPPED";
    pub(crate) const RETURNED: &str = "RETURNED";
    pub(crate) const REFUNDED: &str = "REFUNDED";
    pub(crate) const CANCELLED: &str = "CANCELLED";

    /// All that are documented: each is a list of its own, and orders move between them.
    pub(crate) const ALL: [&str; 6] = [READY, PROCESSED, SHIPPED, RETURNED, REFUNDED, CANCELLED];
}

/// Paths, relative to the root URL.
pub(crate) const LOGIN: &str = "/authenticate";

const SETTINGS_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["username", "password"],
  "properties": {
    "root-url": {
      "type": "string",
      "format": "uri",
      "title": "Server",
      "description": "Production, or https://staging-api.hardtofind.com.au for trying things out: its data are old and may be wiped at any time.",
      "default": "https://api.hardtofind.com.au",
      "examples": ["https://api.hardtofind.com.au", "https://staging-api.hardtofind.com.au"]
    },
    "username": { "type": "string", "title": "User name", "description": "The store owner's login.", "minLength": 1 },
    "password": { "type": "string", "title": "Password", "writeOnly": true, "minLength": 1 },
    "look-back-seconds": {
      "type": "integer",
      "title": "Look-back",
      "description": "Seconds before the last walk's mark that are read again.",
      "minimum": 10,
      "maximum": 86400,
      "default": 120
    },
    "status-table": {
      "type": "object",
      "title": "Status table",
      "description": "What status words mean for this account, where it differs from the connector's own table.",
      "additionalProperties": {
        "type": "object",
        "properties": {
          "order": { "type": "string" },
          "payment": { "type": "string" },
          "fulfilment": { "type": "string" }
        },
        "additionalProperties": false
      }
    }
  }
}"#;

/// What each word means. `PENDING` is the list's documented default and in no table of states, so it says little.
pub(crate) fn statuses() -> Vec<StatusMapping> {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    vec![
        mapping(word::READY, State::Open, Money::Paid, Goods::Unfulfilled),
        mapping(word::PROCESSED, State::InProgress, Money::Paid, Goods::Unfulfilled),
        mapping(word::SHIPPED, State::Completed, Money::Paid, Goods::Shipped),
        mapping(word::RETURNED, State::Closed, Money::Paid, Goods::Returned),
        // Says nothing about the goods.
        mapping(word::REFUNDED, State::Closed, Money::Refunded, None),
        // "The finances manually corrected": not necessarily a refund.
        mapping(word::CANCELLED, State::Cancelled, Money::Unknown, Goods::Cancelled),
        mapping("PENDING", State::Unknown, Money::Unknown, Goods::Unfulfilled),
    ]
}

pub(crate) fn describe() -> Manifest {
    let effect = |operation: &str, effect| OperationEffect { operation: operation.into(), effect };
    Manifest {
        id: "hardtofind".into(),
        name: "hardtofind".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: "hardtofind.com.au seller API".into(),
        homepage: Some("https://hardtofind.github.io/docs/".into()),
        settings_schema: SETTINGS_SCHEMA.into(),
        root_url: "{root-url}".into(),
        hosts: vec!["{root-url}".into()],
        request_headers: Vec::new(),
        auth: vec![login()],
        // 5 requests a second for all calls (protocol notes, section 1.1).
        pace: Some(Pace { requests: 5, per_ms: 1000 }),
        statuses: statuses(),
        streams: vec![StreamDescription {
            interface: "orders".into(),
            paging: Paging::NewestFirst,
            incremental: true,
            volatile_fields: Vec::new(),
        }],
        effects: vec![
            effect("order-acceptance.acknowledge", Effect::Once),
            effect("shipments.ship", Effect::Once),
            effect("stock-updates.set", Effect::Repeatable),
            effect("gift-cards.issue", Effect::Once),
            effect("gift-cards.void", Effect::Once),
        ],
        extensions: Vec::new(),
    }
}

/// A token for 15 minutes in a header of its own; there is no refresh (protocol notes, section 1.2).
fn login() -> AuthRecipe {
    let field = |name: &str| (name.to_owned(), format!("{{{name}}}"));
    AuthRecipe {
        name: "login".into(),
        method: AuthMethod::Login(LoginExchange {
            url: LOGIN.into(),
            body: LoginBody::Json,
            fields: vec![field("username"), field("password")],
            token: "/token".into(),
            lifetime: TokenLifetime::Seconds(900),
            margin_seconds: 120,
        }),
        placement: Placement::Header(HeaderPlacement { name: "X-Auth-Token".into(), prefix: String::new() }),
    }
}
