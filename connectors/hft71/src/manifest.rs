//! The manifest: settings, login, and what the status words mean.

use tradepost_sdk::prelude::*;
use tradepost_sdk::status::mapping;

/// Names of settings that the code reads.
pub(crate) mod setting {
    /// A secret: what a webhook carries in its header.
    pub(crate) const WEBHOOK_SECRET: &str = "webhook-secret";
    pub(crate) const ACCEPT_UNSIGNED_WEBHOOKS: &str = "accept-unsigned-webhooks";
}

/// Articles a page where the account says nothing: what the platform's own plugin asks for (protocol notes, section 2.5).
pub(crate) const DEFAULT_STOCK_PAGE_SIZE: u32 = 200;

/// Path, relative to the root URL.
const LOGIN: &str = "/authentication/login";

const SETTINGS_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["root-url", "username", "password"],
  "properties": {
    "root-url": {
      "type": "string",
      "format": "uri",
      "title": "Server",
      "description": "The API's address as HFT71 gave it to you (the plugin calls it api_base_url); it is not published.",
      "minLength": 1
    },
    "username": { "type": "string", "title": "User name", "description": "Looks like an e-mail address.", "minLength": 1 },
    "password": { "type": "string", "title": "Password", "writeOnly": true, "minLength": 1 },
    "webhook-secret": {
      "type": "string",
      "title": "Webhook secret",
      "description": "What HFT71 sends in the header X-HFT71-Webhook-Secret. Without it webhooks are refused.",
      "writeOnly": true,
      "minLength": 1
    },
    "accept-unsigned-webhooks": {
      "type": "boolean",
      "title": "Accept webhooks without a secret",
      "description": "Anybody who knows the address can then report a status. Has no effect while a secret is set.",
      "default": false
    },
    "stock-page-size": {
      "type": "integer",
      "title": "Articles a page",
      "description": "How many articles one request for stock asks for.",
      "minimum": 1,
      "maximum": 1000,
      "default": 200
    },
    "status-table": {
      "type": "object",
      "title": "Status table",
      "description": "What status words mean for this account, where it differs from the connector's own table (the plugin's hft71_status_mapping).",
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

/// What each documented word means; no full list exists (protocol notes, section 2.4). A producer never speaks of payment.
pub(crate) fn statuses() -> Vec<StatusMapping> {
    use {FulfilmentState as Goods, OrderState as State};
    vec![
        mapping("In Production", State::InProgress, None, Goods::InProduction),
        // Finished is not yet sent.
        mapping("Item Finished", State::InProgress, None, Goods::ReadyToShip),
        // May mean sent or called off: only a parcel tells.
        mapping("Closed", State::Closed, None, None),
    ]
}

pub(crate) fn describe() -> Manifest {
    let effect = |operation: &str, effect| OperationEffect { operation: operation.into(), effect };
    Manifest {
        id: "hft71".into(),
        name: "HFT71".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: "HFT71 production API".into(),
        homepage: Some("https://hft-71-integration.pages.dev/".into()),
        settings_schema: SETTINGS_SCHEMA.into(),
        root_url: "{root-url}".into(),
        hosts: vec!["{root-url}".into()],
        request_headers: Vec::new(),
        auth: vec![login()],
        // There is a limit (HTTP 429), and its number is not known.
        pace: None,
        statuses: statuses(),
        streams: vec![StreamDescription {
            interface: "stock".into(),
            paging: Paging::Numbered,
            incremental: false,
            volatile_fields: Vec::new(),
        }],
        effects: vec![
            // The same reference twice makes two orders (protocol notes, section 2.7).
            effect("fulfilment.submit", Effect::Once),
            effect("fulfilment-updates.update", Effect::Repeatable),
        ],
        extensions: Vec::new(),
    }
}

/// A bearer token for 300 seconds, as its answer says; there is no refresh (protocol notes, section 2.1).
fn login() -> AuthRecipe {
    let field = |name: &str| (name.to_owned(), format!("{{{name}}}"));
    AuthRecipe {
        name: "login".into(),
        method: AuthMethod::Login(LoginExchange {
            url: LOGIN.into(),
            body: LoginBody::Json,
            fields: vec![field("username"), field("password")],
            token: "/access_token".into(),
            lifetime: TokenLifetime::Answer("/expires_in".into()),
            margin_seconds: 60,
        }),
        placement: Placement::Header(HeaderPlacement { name: "Authorization".into(), prefix: "Bearer ".into() }),
    }
}
