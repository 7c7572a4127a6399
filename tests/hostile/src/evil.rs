//! The Rust connector that attacks its host (crate `tradepost-evil`): building it, and accounts on it.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context as _;
use serde_json::{Map, Value};
use tradepost_components::alter;
use tradepost_runtime::{Account, AccountConfig, AccountError, CallError, Connector, Grants, Storage};

use crate::canary::PASSWORD;
use crate::case::MustFail as _;
use crate::raw_server::RawServer;
use crate::server::Server;
use crate::stage::{ATTACKER, Stage};

/// The component's bytes; built when first asked for.
///
/// # Panics
/// If it cannot be built.
pub fn component() -> Vec<u8> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        tradepost_components::build_package("tradepost-evil", |line| eprintln!("{line}"))
            .expect("the evil connector builds")
    });
    std::fs::read(path).expect("the evil connector was built")
}

/// The same as another version: a text of five characters. Everything else about it is the same.
///
/// # Panics
/// As [`component`].
pub fn as_version(version: &str) -> Vec<u8> {
    alter::with_version(&component(), "0.1.0", version)
}

/// An account on the evil connector in the making. Both hosts are granted unless the test says otherwise.
#[derive(Clone, Debug)]
pub struct EvilAccount {
    /// The account's id.
    pub id: String,
    /// The settings, `case` among them.
    pub settings: Map<String, Value>,
    /// The secret `password`.
    pub password: String,
    /// The secret `api-key`, where there is one: the key before `password`.
    pub previous_key: Option<String>,
    /// Which of the connector's ways to authenticate it uses; none = the first, `basic`.
    pub auth: Option<String>,
    /// What the operator granted.
    pub grants: Grants,
}

impl EvilAccount {
    /// An account for one case, at hosts that are never asked.
    ///
    /// # Panics
    /// Never: the hosts are origins.
    pub fn new(case: &str) -> Self {
        let hosts = ["https://shop.example", "https://other.example"];
        let account = Self {
            id: ATTACKER.into(),
            settings: Map::new(),
            password: PASSWORD.into(),
            previous_key: None,
            auth: None,
            grants: Grants {
                hosts: hosts.iter().map(|host| host.parse().expect("an origin")).collect(),
                ..Grants::default()
            },
        };
        account.with("case", case).with("username", "mallory").with("root-url", hosts[0]).with("other-url", hosts[1])
    }

    /// The same with a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), Value::String(value.into()));
        self
    }

    /// The same with its root at a loopback server, which is granted.
    #[must_use]
    pub fn at(mut self, server: &Server) -> Self {
        self.grants.private_hosts.push(server.origin());
        self.with("root-url", server.url())
    }

    /// The same with its root at a server that speaks bytes, which is granted.
    #[must_use]
    pub fn at_raw(mut self, server: &RawServer) -> Self {
        self.grants.private_hosts.push(server.origin());
        self.with("root-url", server.url())
    }

    /// The same under another id.
    #[must_use]
    pub fn of(mut self, id: &str) -> Self {
        self.id = id.into();
        self
    }

    /// The same with its second host at a loopback server, which is granted.
    #[must_use]
    pub fn and(mut self, server: &Server) -> Self {
        self.grants.private_hosts.push(server.origin());
        self.with("other-url", server.url())
    }

    /// Opens it.
    ///
    /// # Errors
    /// As [`tradepost_runtime::Runtime::open`].
    pub fn try_open(&self, stage: &Stage, connector: &Connector) -> Result<Account, AccountError> {
        let config = AccountConfig {
            id: self.id.clone(),
            settings: self.settings.clone(),
            secrets: [("password", Some(&self.password)), ("api-key", self.previous_key.as_ref())]
                .into_iter()
                .filter_map(|(name, secret)| Some((name.to_owned(), secret?.clone().into())))
                .collect(),
            auth: self.auth.clone(),
            grants: self.grants.clone(),
        };
        let storage: std::sync::Arc<dyn Storage> = stage.storage.clone();
        stage.runtime.open(connector, config, storage)
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it does not open: an attack begins after that.
    pub fn open(&self, stage: &Stage, connector: &Connector) -> anyhow::Result<Account> {
        Ok(self.try_open(stage, connector)?)
    }

    /// Opens the account, runs the case beside the bystander, and gives what it found out.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn findings(&self, stage: &Stage, connector: &Connector) -> anyhow::Result<Findings> {
        let account = self.open(stage, connector)?;
        let reply = stage.during(account.check()).await.result;
        Ok(Findings(reply.context("this attack reports what it found")?.value.facts))
    }

    /// Opens the account, runs the case beside the bystander, and gives the error in which it ends. Nothing of it is stored.
    ///
    /// # Errors
    /// If it succeeds, or something of it is stored.
    pub async fn failure(&self, stage: &Stage, connector: &Connector) -> anyhow::Result<CallError> {
        let account = self.open(stage, connector)?;
        let error = stage.during(account.check()).await.result.must_fail("this attack ends in an error")?;
        stage.nothing_stored().await?;
        Ok(error)
    }
}

/// What the evil connector found out.
#[derive(Clone, Debug)]
pub struct Findings(pub Vec<(String, String)>);

impl Findings {
    /// A finding; empty where there is none of this name.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(present, _)| present == name).map_or("", |(_, value)| value)
    }

    /// All findings of a name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(present, _)| present == name).map(|(_, value)| value.as_str()).collect()
    }
}
