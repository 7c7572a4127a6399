//! A connector that attacks its host. The setting `case` picks the attack; what an attack finds out is reported as the
//! facts of `connector.check`, or it ends in the failure that it provokes.
//!
//! It is written with the SDK, as any third party would: whatever it achieves, a connector can achieve.

#![allow(clippy::unnecessary_wraps, reason = "every attack has the same shape, whether it can fail or not")]

mod breakage;
mod canary;
mod exhaustion;
mod hoarded_storage;
mod lying_data;
mod requests;
mod signed_hooks;
mod surroundings;
mod versions;

use tradepost_sdk::prelude::*;

/// The connector.
#[derive(Debug)]
pub struct Evil;

/// What an attack found out: names and values.
pub(crate) type Findings = Result<Vec<(String, String)>, Error>;

/// One finding.
pub(crate) fn found(name: &str, value: impl std::fmt::Display) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// A status of which only the word is known.
pub(crate) fn status(word: &str) -> Status {
    Status {
        order: OrderState::Unknown,
        payment: PaymentState::NotReported,
        fulfilment: FulfilmentState::NotReported,
        raw: word.to_owned(),
    }
}

/// Any settings go: each attack reads what it needs. `password` and `api-key` are secrets.
const SETTINGS_SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "root-url": {"type": "string"},
        "other-url": {"type": "string"},
        "case": {"type": "string"},
        "username": {"type": "string"},
        "password": {"type": "string", "writeOnly": true},
        "api-key": {"type": "string", "writeOnly": true}
    },
    "required": ["root-url", "other-url", "case", "username", "password"]
}"#;

fn header(name: &str, prefix: &str) -> Placement {
    Placement::Header(HeaderPlacement { name: name.into(), prefix: prefix.into() })
}

fn recipe(name: &str, method: AuthMethod, placement: Placement) -> AuthRecipe {
    AuthRecipe { name: name.into(), method, placement }
}

fn login(placement: Placement, name: &str) -> AuthRecipe {
    let exchange = LoginExchange {
        url: "/login".into(),
        body: LoginBody::Json,
        fields: vec![("username".into(), "{username}".into()), ("password".into(), "{password}".into())],
        token: "/token".into(),
        lifetime: TokenLifetime::Seconds(3600),
        margin_seconds: 60,
    };
    recipe(name, AuthMethod::Login(exchange), placement)
}

impl Connector for Evil {
    fn describe() -> Manifest {
        let basic = BasicCredential { username: "{username}".into(), password: "{password}".into() };
        Manifest {
            id: "evil".into(),
            name: "Evil".into(),
            version: versions::version().into(),
            platform: "whatever it can reach".into(),
            homepage: None,
            settings_schema: SETTINGS_SCHEMA.into(),
            root_url: "{root-url}".into(),
            hosts: vec!["{root-url}".into(), "{other-url}".into()],
            request_headers: Vec::new(),
            auth: vec![
                recipe("basic", AuthMethod::Basic(basic), header("Authorization", "Basic ")),
                login(header("X-Auth-Token", ""), "login"),
                login(Placement::JsonBody("token".into()), "login-in-body"),
                recipe("query", AuthMethod::ApiKey("{password}".into()), Placement::Query("key".into())),
            ],
            pace: None,
            statuses: Vec::new(),
            streams: Vec::new(),
            effects: Vec::new(),
            extensions: Vec::new(),
        }
    }

    fn check() -> Result<AccountIdentity, Error> {
        let case = settings::required("case")?;
        let facts = match case.as_str() {
            "clock-flood" => exhaustion::clock_flood(),
            "hoard" => exhaustion::hoard(),
            "log-flood" => exhaustion::log_flood(),
            "log-names" => exhaustion::log_names(),
            "log-forgery" => exhaustion::log_forgery(),
            "panic" => breakage::panics(),
            "abort" => breakage::aborts(),
            "exit" => breakage::exits(),
            "hostile-error" => breakage::hostile_error(),
            "statics" => breakage::statics(),
            "surroundings" => surroundings::explore(),
            "storage-keys" => hoarded_storage::fill_keys(),
            "storage-bytes" => hoarded_storage::fill_bytes(),
            "storage-value" => hoarded_storage::large_value(),
            "storage-put" => hoarded_storage::put(),
            "storage-overwrite" => hoarded_storage::overwrite(),
            "storage-key" => hoarded_storage::odd_key(),
            "storage-list" => hoarded_storage::list_all(),
            "send" => requests::send_one(),
            "send-twice" => requests::send_twice(),
            "read-json" => requests::read_json(),
            "send-many" => requests::send_many(),
            "send-parallel" => requests::send_parallel(),
            "canary" => canary::gather(),
            "guess" => canary::guess(),
            "clock" => exhaustion::clock(),
            "version" => versions::tell(),
            "version-panic" => versions::tell_and_panic(),
            // Of those that attack by their lists, this is an account like any other.
            _ => Ok(Vec::new()),
        }?;
        Ok(AccountIdentity { id: None, name: Some(case), server: None, facts })
    }
}

impl Orders for Evil {
    fn list(_query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
        lying_data::page(cursor.as_deref())
    }

    fn get(id: String) -> Result<Order, Error> {
        Err(error::not_found(format!("no order {id}")))
    }
}

impl Webhooks for Evil {
    fn receive(request: WebhookRequest) -> Result<WebhookReading, Error> {
        signed_hooks::receive(&request)
    }
}

tradepost_sdk::export!(Evil: orders, webhooks);
