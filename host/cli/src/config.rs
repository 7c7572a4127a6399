//! `tradepost.toml`: the table of accounts.
//!
//! ```toml
//! data = ".tradepost"                      # where the store is kept; relative to this file
//! [limits]                                 # optional: what one call may use
//! cpu = 2
//! [accounts."acme/hardtofind"]
//! connector = "connectors/hardtofind.wasm" # relative to this file; or "hardtofind", the installed connector
//! auth = "login"                           # optional: one of the connector's ways to authenticate
//! settings = { root-url = "https://api.hardtofind.com.au" }
//! secrets.password = { env = "ACME_HARDTOFIND_PASSWORD" }   # or { file = "secrets/hardtofind" }
//! grants.hosts = ["https://api.hardtofind.com.au"]
//! ```
//!
//! Secrets never stand in it. What it does not know is an error, so that a misspelt key is not silently ignored.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use tradepost_engine::vault::Sealed;
use tradepost_runtime::{Grants, Limits};

use crate::failure::Failure;
use crate::secret_source::{NotASource, SecretSource};

/// Where connectors' values are kept unless the table says otherwise.
const DEFAULT_DATA: &str = ".tradepost";
/// Most characters of a connector's id, by the contract.
const LONGEST_ID: usize = 64;

/// The table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file it came from, as messages show it.
    pub(crate) file: PathBuf,
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) limits: Limits,
    accounts: BTreeMap<String, AccountEntry>,
}

/// One account, of the table or of the store.
#[derive(Clone, Debug)]
pub(crate) struct AccountEntry {
    pub(crate) id: String,
    pub(crate) connector: ConnectorSource,
    pub(crate) auth: Option<String>,
    pub(crate) settings: Map<String, Value>,
    /// Where secrets of an account of the table come from.
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    /// The secrets of an account of the store; none for one of the table.
    pub(crate) sealed: Option<BTreeMap<String, Sealed>>,
    pub(crate) grants: Grants,
}

/// Where an account's component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectorSource {
    /// A file, used as it is.
    File(PathBuf),
    /// The installed connector of this id, in the version that the account is to be on.
    Installed(String),
}

impl ConnectorSource {
    /// As it is written: what can be a connector's id is one, anything else is a file, relative to `base`. A file of such a name is written
    /// with its directory, `./name`.
    pub(crate) fn parse(text: &str, base: &Path) -> Self {
        let is_id = (1..=LONGEST_ID).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_id { Self::Installed(text.to_owned()) } else { Self::File(base.join(text)) }
    }

    /// The id of the installed connector, if it is one.
    pub(crate) fn installed(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Installed(id) => Some(id),
        }
    }
}

impl fmt::Display for ConnectorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Installed(id) => f.write_str(id),
        }
    }
}

/// Why there is no table, or no such account in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("there is no table of accounts at {}", .0.display())]
    Missing(PathBuf),
    #[error("{} cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("{}:{line}: {message}", file.display())]
    Invalid { file: PathBuf, line: usize, message: String },
    #[error("{}, account {account}: {problem}", file.display())]
    Secret { file: PathBuf, account: String, problem: NotASource },
    #[error("{}, account {account}: `secrets` is not a table of names: write secrets.password = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}", file.display())]
    SecretsNotATable { file: PathBuf, account: String },
    #[error("neither {} nor its store has an account {account:?}", file.display())]
    UnknownAccount { file: PathBuf, account: String, known: Vec<String> },
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::configuration(error.to_string());
        match error {
            ConfigError::Missing(_) => failure
                .advice("run this where tradepost.toml is, or name it with --config FILE or TRADEPOST_CONFIG")
                .advice("`tradepost sandbox --write tradepost.toml` makes one for loopback marketplaces to try"),
            ConfigError::UnknownAccount { known, .. } if known.is_empty() => failure
                .advice("there is no account at all: add [accounts.\"NAME\"], or one with `tradepost account add`"),
            ConfigError::UnknownAccount { known, .. } => failure.advice(format!("there are: {}", known.join(", "))),
            _ => failure,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    data: Option<PathBuf>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    accounts: BTreeMap<String, RawAccount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    connector: String,
    auth: Option<String>,
    #[serde(default)]
    settings: toml::Table,
    // Any value: the parser's own words about a wrong type would quote a secret.
    secrets: Option<toml::Value>,
    #[serde(default)]
    grants: Grants,
}

impl Config {
    /// Reads the table from a file.
    pub(crate) fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing(file.to_owned()),
            _ => ConfigError::Unreadable { file: file.to_owned(), source },
        })?;
        Self::parse(file, &text)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        // The parser's Display shows the line it stands in, and a secret may stand there by mistake: the message alone.
        let raw: RawTable = toml::from_str(text).map_err(|error| ConfigError::Invalid {
            file: file.to_owned(),
            line: error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            message: error.message().to_owned(),
        })?;
        let base = file.parent().unwrap_or_else(|| Path::new(""));
        let accounts = raw
            .accounts
            .into_iter()
            .map(|(id, raw)| Ok((id.clone(), AccountEntry::from_raw(file, base, id, raw)?)))
            .collect::<Result<_, ConfigError>>()?;
        Ok(Self {
            file: file.to_owned(),
            data: base.join(raw.data.unwrap_or_else(|| DEFAULT_DATA.into())),
            limits: raw.limits,
            accounts,
        })
    }

    /// All accounts of the table, by name. Those of the store: see `known_accounts`.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &AccountEntry> {
        self.accounts.values()
    }

    /// One account of the table. Of the store as well: see `known_accounts`.
    pub(crate) fn account(&self, id: &str) -> Result<&AccountEntry, ConfigError> {
        self.accounts.get(id).ok_or_else(|| ConfigError::UnknownAccount {
            file: self.file.clone(),
            account: id.to_owned(),
            known: self.accounts.keys().cloned().collect(),
        })
    }
}

impl AccountEntry {
    fn from_raw(file: &Path, base: &Path, id: String, raw: RawAccount) -> Result<Self, ConfigError> {
        let secrets = match raw.secrets {
            None => BTreeMap::new(),
            Some(toml::Value::Table(table)) => table
                .into_iter()
                .map(|(name, value)| Ok((name.clone(), SecretSource::from_toml(&name, &value, base)?)))
                .collect::<Result<_, NotASource>>()
                .map_err(|problem| ConfigError::Secret { file: file.to_owned(), account: id.clone(), problem })?,
            Some(_) => return Err(ConfigError::SecretsNotATable { file: file.to_owned(), account: id }),
        };
        Ok(Self {
            connector: ConnectorSource::parse(&raw.connector, base),
            auth: raw.auth,
            settings: raw.settings.into_iter().map(|(name, value)| (name, to_json(value))).collect(),
            secrets,
            sealed: None,
            grants: raw.grants,
            id,
        })
    }
}

/// A setting as the connector's JSON Schema sees it. Dates are text there.
fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, to_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        data = "state"
        [limits]
        cpu = 0.5
        [accounts."acme/hardtofind"]
        connector = "connectors/hardtofind.wasm"
        auth = "login"
        settings = { root-url = "https://api.example.com", depth = 3, since = 2024-01-02T03:04:05Z }
        secrets.password = { env = "ACME_PASSWORD" }
        secrets.key = { file = "secrets/key" }
        grants.hosts = ["https://api.example.com"]
    "#;

    #[test]
    fn a_table_is_read_with_paths_relative_to_its_file() {
        let config = Config::parse(Path::new("/etc/shop/tradepost.toml"), GOOD).unwrap();
        assert_eq!(config.data, Path::new("/etc/shop/state"));
        assert_eq!(config.limits.cpu.as_millis(), 500);
        let account = config.account("acme/hardtofind").unwrap();
        assert_eq!(account.connector, ConnectorSource::File("/etc/shop/connectors/hardtofind.wasm".into()));
        assert_eq!(account.settings["depth"], 3);
        assert_eq!(account.settings["since"], "2024-01-02T03:04:05Z");
        assert_eq!(account.secrets["key"], SecretSource::File("/etc/shop/secrets/key".into()));
        assert_eq!(account.grants.hosts.len(), 1);
    }

    #[test]
    fn an_id_is_an_installed_connector_and_anything_else_a_file() {
        let longest = "a".repeat(64);
        for id in ["hardtofind", "help-ka", "hft71", longest.as_str()] {
            assert_eq!(ConnectorSource::parse(id, Path::new("/etc")).installed(), Some(id));
        }
        for (file, path) in [
            ("./hardtofind", "/etc/./hardtofind"),
            ("hardtofind.wasm", "/etc/hardtofind.wasm"),
            ("Hardtofind", "/etc/Hardtofind"),
            ("/opt/shop", "/opt/shop"),
            ("a\\b", "/etc/a\\b"),
            ("", "/etc/"),
            (&"a".repeat(65), &format!("/etc/{}", "a".repeat(65))),
        ] {
            assert_eq!(ConnectorSource::parse(file, Path::new("/etc")), ConnectorSource::File(path.into()));
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place_and_no_secret_is_quoted() {
        let with = |line: &str| format!("[accounts.shop]\nconnector = \"x.wasm\"\n{line}\n");
        for (text, expected) in [
            ("[accounts.shop]\n".to_owned(), "missing field `connector`"),
            (with("conector = \"y\""), "t.toml:3: unknown field `conector`"),
            (with("grants.host = []"), "unknown field `host`"),
            (with("grants.hosts = [\"api.example.com\"]"), "the scheme is missing"),
            ("[limits]\ncpus = 1\n".to_owned(), "t.toml:2: unknown field `cpus`"),
            ("data = [\n".to_owned(), "t.toml:"),
            (with("secrets.password = \"hunter2hunter2\""), "secret `password` stands in the table as plain text"),
            (with("secrets.password = 20202020"), "secret `password` stands in the table as plain text"),
            (with("secrets = \"hunter2hunter2\""), "`secrets` is not a table"),
            (with("secrets.password = \"hunter2hunter2"), "t.toml:3: "),
            (with("secrets.password = { value = \"hunter2hunter2\" }"), "secret `password`: unknown key `value`"),
            (with("secrets.password = { env = \"A\", file = \"b\" }"), "either `env` or `file`"),
            (with("secrets.password = {}"), "either `env` or `file`"),
        ] {
            let message = Config::parse(Path::new("t.toml"), &text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}\n  gave: {message}");
            assert!(!message.contains("hunter2") && !message.contains("20202020"), "{message}");
        }
    }

    #[test]
    fn an_unknown_account_lists_the_known_ones() {
        let config = Config::parse(Path::new("t.toml"), GOOD).unwrap();
        let failure = Failure::from(config.account("acme/hft").unwrap_err());
        assert!(failure.message.contains("\"acme/hft\""));
        assert_eq!(failure.advice, ["there are: acme/hardtofind"]);
    }

    #[test]
    fn a_missing_table_says_how_to_name_or_make_one() {
        let failure = Failure::from(Config::read(Path::new("/nonexistent/tradepost.toml")).unwrap_err());
        assert!(failure.message.contains("/nonexistent/tradepost.toml"));
        assert!(failure.advice.iter().any(|line| line.contains("--config")));
    }
}
