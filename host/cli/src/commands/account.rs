//! `tradepost account`: accounts that are kept in the store, their secrets encrypted, and the key that these are encrypted with.
//!
//! Secrets never come from the command line itself: other users of the machine can read it there while the command runs, and the shell writes
//! it into its history. So they are not even quoted when they were put there by mistake.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal, Read};
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tradepost_engine::account::StoredAccount;
use tradepost_engine::store::StoreError;
use tradepost_engine::vault::{KEY_VARIABLE, KeySource, LazyVault, MasterKey, Place, Sealed};
use tradepost_runtime::{Grants, Origin};
use zeroize::Zeroizing;

use super::Context;
use super::accounts::{granted, secrets, to_json};
use crate::account_versions;
use crate::config::{AccountEntry, Config, ConnectorSource};
use crate::data_directory::{DaemonLock, daemon_is_there};
use crate::explain;
use crate::failure::{Failure, Result};
use crate::known_accounts;
use crate::output::facts;
use crate::progress;
use crate::secret_source::SecretSource;
use crate::session::{CALLS_OF_A_COMMAND, Opener};

/// The environment variable that gives the next key.
pub(crate) const NEW_KEY_VARIABLE: &str = "TRADEPOST_NEW_KEY";
/// Most bytes of a secret from stdin: what is longer is something else.
const LONGEST_SECRET: u64 = 64 << 10;

const ON_SECRETS: &str = "\
A secret comes from an environment variable (env:NAME), a file (file:PATH) or stdin (-), never from the command line itself. It is kept
encrypted. The key is that of TRADEPOST_KEY (32 bytes in base64 or hexadecimal), else that of `tradepost.key` in the data directory, which
is made when it is first needed: back it up, apart from the data.";

/// Keep accounts in the store, with their secrets encrypted
#[derive(Debug, Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    Show(Show),
    Remove(Remove),
    SetSecret(SetSecret),
    Rekey(Rekey),
}

/// Keep a new account, after it was opened on its connector with these settings and secrets
#[derive(Debug, Args)]
#[command(after_help = format!("\
{ON_SECRETS}

A setting is read as the connector's schema asks: a number where it wants a number, else text.

Examples:
  tradepost account add acme/hardtofind --connector hardtofind --setting username=acme \\
      --secret password=env:ACME_PASSWORD --grant https://api.hardtofind.com.au
  pass acme/wcfm | tradepost account add acme/wcfm --connector wcfm.wasm --setting site-url=https://shop.example \\
      --setting username=acme --secret password=- --grant https://shop.example"))]
struct Add {
    /// The account's id; the table must not have it
    id: String,
    /// The connector: the id of an installed one, or a component's file
    #[arg(long, value_name = "ID|FILE")]
    connector: String,
    /// Which of the connector's ways to authenticate; its first unless given
    #[arg(long, value_name = "NAME")]
    auth: Option<String>,
    /// A setting; may be given several times
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// A secret; may be given several times
    #[arg(long = "secret", value_name = "NAME=env:VAR|file:PATH|-")]
    secrets: Vec<String>,
    /// An origin that the connector may reach; may be given several times
    #[arg(long = "grant", value_name = "ORIGIN")]
    grants: Vec<Origin>,
    /// An origin that it may also reach at a private or loopback address; may be given several times
    #[arg(long = "grant-private", value_name = "ORIGIN")]
    private_grants: Vec<Origin>,
}

/// Show an account, its secrets by name only
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tradepost account show acme/hardtofind\n  tradepost account show acme/hardtofind --json"
)]
struct Show {
    /// The account, of table or store
    id: String,
}

/// Remove an account of the store, with its secrets and its login
#[derive(Debug, Args)]
#[command(after_help = "\
What was read from its platform and what was done there stays as history. Backups made before still hold its secrets, encrypted.

Examples:
  tradepost account remove acme/hardtofind")]
struct Remove {
    /// The account, of the store
    id: String,
}

/// Give an account of the store new secrets, after it was opened on its connector with them
#[derive(Debug, Args)]
#[command(after_help = format!("\
{ON_SECRETS}

Examples:
  tradepost account set-secret acme/hardtofind password=env:ACME_PASSWORD
  pass acme/hardtofind | tradepost account set-secret acme/hardtofind password=-"))]
struct SetSecret {
    /// The account, of the store
    id: String,
    /// The secrets; others stay as they are
    #[arg(value_name = "NAME=env:VAR|file:PATH|-", required = true)]
    secrets: Vec<String>,
}

/// Change the key that secrets and logins are encrypted with
#[derive(Debug, Args)]
#[command(after_help = "\
Everything is encrypted anew in one transaction, and the old key opens nothing that is kept from then on. Where the key stands in
`tradepost.key`, a new one takes its place; back it up. Where it comes from TRADEPOST_KEY, or is to come from there, give the new one as
TRADEPOST_NEW_KEY, and set TRADEPOST_KEY to it afterwards. It refuses while `tradepost run` works.

Examples:
  tradepost account rekey
  TRADEPOST_NEW_KEY=$(openssl rand -base64 32) tradepost account rekey
  tradepost account rekey --forget-unreadable")]
struct Rekey {
    /// Forget what no key at hand opens, because the one that it was encrypted with is lost
    #[arg(long)]
    forget_unreadable: bool,
}

impl Account {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self.action {
            Action::Add(action) => action.run(context).await,
            Action::Show(action) => action.run(context).await,
            Action::Remove(action) => action.run(context).await,
            Action::SetSecret(action) => action.run(context).await,
            Action::Rekey(action) => action.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<()> {
        let id = self.id;
        if id.trim() != id || id.is_empty() || id.contains(char::is_control) {
            let message = "an account's id has no blanks around it and no control characters, and is not empty";
            return Err(Failure::usage(message).into());
        }
        let settings = named(&self.settings, "setting", "NAME=VALUE")?;
        let sources = sources(&self.secrets)?;
        let connector = source(&self.connector)?;
        let (config, store) = context.store()?;
        if config.account(&id).is_ok() {
            let message = format!("account {id} stands in {} already", config.file.display());
            let advice = "remove it there, or give this one another id";
            return Err(Failure::configuration(message).advice(advice).fact("account", id).into());
        }
        if store.account(&id).await.map_err(|error| explain::store_error(&error))?.is_some() {
            return Err(exists(&id).into());
        }
        let mut opener = Opener::with_store(&config, Arc::clone(&store), CALLS_OF_A_COMMAND)?;
        let schema = &opener.connector(&id, &connector).await?.manifest().settings_schema.clone();
        let entry = AccountEntry {
            settings: fitting(schema, settings)?,
            connector,
            auth: self.auth,
            secrets: BTreeMap::new(),
            sealed: Some(BTreeMap::new()),
            grants: Grants { hosts: self.grants, private_hosts: self.private_grants },
            id,
        };
        let values = read(&entry.id, sources)?;
        // Before it is kept, so that what is kept works; the key is looked at first, so that nothing is done in vain.
        opener.secrets(&entry, &[]).await?;
        opener.open_with(&entry, values.clone(), "what you gave to `tradepost account add`").await?;
        let stored = StoredAccount {
            id: entry.id.clone(),
            connector: entry.connector.to_string(),
            auth: entry.auth,
            settings: entry.settings,
            grants: entry.grants,
            secrets: seal(opener.vault(), &entry.id, &values).await?,
        };
        store.keep_account(stored).await.map_err(|error| match error {
            StoreError::AccountExists(id) => exists(&id),
            error => explain::store_error(&error),
        })?;
        tell_of_daemon(&config, &entry.id)?;
        let shown = json!({ "account": entry.id, "kept": true, "secrets": values.keys().collect::<Vec<_>>() });
        context.output.single(&shown, |_| {
            format!("{0} is kept; `tradepost check {0}` proves that its credentials work", entry.id)
        })
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let entry = known_accounts::one(&config, store.as_ref(), &self.id).await?;
        let catalogue = account_versions::catalogue(store.as_ref()).await?;
        context.output.single(&to_json(&entry, &catalogue), |_| {
            let settings = entry.settings.iter().map(|(name, value)| match value {
                Value::String(text) => format!("{name}: {text}"),
                other => format!("{name}: {other}"),
            });
            facts([
                ("account", entry.id.clone()),
                ("kept in", entry.source().to_owned()),
                ("connector", account_versions::label(&catalogue, &entry)),
                ("auth", entry.auth.clone().unwrap_or_else(|| "(default)".into())),
                ("settings", settings.collect::<Vec<_>>().join("\n")),
                ("secrets", secrets(&entry).join("\n")),
                ("granted", granted(&entry).join("\n")),
            ])
        })
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        let id = self.id;
        if daemon_is_there(&config.data)? {
            return Err(daemon_works(&config, "it would go on working with the account's secrets").into());
        }
        if !store.remove_account(&id).await.map_err(|error| explain::store_error(&error))? {
            return Err(not_stored(&config, store.as_ref(), &id).await?.into());
        }
        let shown = json!({ "account": id, "removed": true });
        context.output.single(&shown, |_| format!("{id} is removed, with its secrets; its history stays"))
    }
}

impl SetSecret {
    async fn run(self, context: &Context) -> Result<()> {
        let id = self.id;
        let sources = sources(&self.secrets)?;
        let (config, store) = context.store()?;
        let stored = store.account(&id).await.map_err(|error| explain::store_error(&error))?;
        let Some(stored) = stored else { return Err(not_stored(&config, store.as_ref(), &id).await?.into()) };
        let entry = AccountEntry::from_stored(stored);
        let new = read(&id, sources)?;
        let mut opener = Opener::with_store(&config, Arc::clone(&store), CALLS_OF_A_COMMAND)?;
        let names: Vec<&str> = new.keys().map(String::as_str).collect();
        let mut all = opener.secrets(&entry, &names).await?;
        all.extend(new.clone());
        opener.open_with(&entry, all, "what you gave to `tradepost account set-secret`").await?;
        let sealed = seal(opener.vault(), &id, &new).await?;
        store.set_secrets(&id, sealed).await.map_err(|error| explain::store_error(&error))?;
        tell_of_daemon(&config, &id)?;
        let shown = json!({ "account": id, "set": new.keys().collect::<Vec<_>>() });
        context.output.single(&shown, |_| format!("kept; `tradepost check {id}` proves that it works"))
    }
}

impl Rekey {
    async fn run(self, context: &Context) -> Result<()> {
        let (config, store) = context.store()?;
        if daemon_is_there(&config.data)? {
            return Err(daemon_works(&config, "it works with the old key").into());
        }
        let _alone = DaemonLock::take(&config.data).await?;
        let source = KeySource::from_environment(&config.data);
        let given = new_key()?;
        let by_variable = given.is_some();
        let change = source.change(store.as_ref(), given, self.forget_unreadable).await;
        let change = change.map_err(|error| explain::key_error(&error))?;
        let forgotten: Vec<String> = change.forgotten.iter().map(ToString::to_string).collect();
        let place = if by_variable { NEW_KEY_VARIABLE.to_owned() } else { source.file().display().to_string() };
        let shown = json!({ "resealed": change.resealed, "forgotten": forgotten, "key": place });
        context.output.single(&shown, |_| {
            let resealed = change.resealed;
            let mut lines = vec![format!("{resealed} secrets and logins are encrypted with the new key of {place}")];
            lines.extend(forgotten.iter().map(|place| format!("forgotten: {place}")));
            if by_variable {
                lines.push(format!("from now on, give it as {KEY_VARIABLE}; another key opens nothing any more"));
                if source.file().exists() {
                    lines
                        .push(format!("{} holds a key that is of no use any more: remove it", source.file().display()));
                }
            } else {
                lines.push("back it up; the old one opens nothing any more".into());
            }
            lines.join("\n")
        })
    }
}

/// What `--connector` names. A file is kept with its whole path: the account is opened from any directory.
fn source(given: &str) -> Result<ConnectorSource> {
    let source = ConnectorSource::parse(given, Path::new(""));
    let ConnectorSource::File(file) = &source else { return Ok(source) };
    let absolute = path::absolute(file).ok().and_then(|file| file.to_str().map(PathBuf::from));
    let absolute = absolute.ok_or_else(|| Failure::usage(format!("--connector {given}: not a path in UTF-8")))?;
    Ok(ConnectorSource::File(absolute))
}

/// The key that everything is to be encrypted with, where one is given.
fn new_key() -> Result<Option<MasterKey>> {
    let Some(given) = env::var_os(NEW_KEY_VARIABLE) else { return Ok(None) };
    let text = Zeroizing::new(given.to_string_lossy().into_owned());
    let key = MasterKey::parse(&text).map_err(|problem| {
        Failure::configuration(format!("{NEW_KEY_VARIABLE} is set and cannot be used: {problem}"))
    })?;
    Ok(Some(key))
}

fn exists(id: &str) -> Failure {
    Failure::configuration(format!("account {id} is kept already"))
        .advice(format!("`tradepost account set-secret {id}` gives it new secrets"))
        .advice(format!("to change the rest, `tradepost account remove {id}` and add it again; its history stays"))
        .fact("account", id)
}

/// An account that the store has not: it stands in the table, or nowhere.
async fn not_stored(config: &Config, store: &dyn tradepost_engine::store::Store, id: &str) -> Result<Failure> {
    if config.account(id).is_err() {
        return known_accounts::unknown(config, store, id).await;
    }
    let file = config.file.display();
    Ok(Failure::configuration(format!("account {id} is not kept in the store: it stands in {file}"))
        .advice(format!("change [accounts.{id:?}] there"))
        .fact("account", id))
}

fn daemon_works(config: &Config, why: &str) -> Failure {
    Failure::configuration(format!("a daemon works on {}: {why}", config.data.display()))
        .advice("stop `tradepost run` first")
}

/// A daemon opens its accounts when it starts.
fn tell_of_daemon(config: &Config, id: &str) -> Result<()> {
    if daemon_is_there(&config.data)? {
        progress::note(&format!("a daemon is at work: it takes up {id} as it is now when it is started again"));
    }
    Ok(())
}

/// `NAME=VALUE` pairs, no name twice. What is no such pair is not quoted: it may be a secret.
fn named(given: &[String], what: &str, form: &str) -> Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for text in given {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::usage(format!("a {what} is written as {form}")).into());
        };
        if pairs.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::usage(format!("{what} `{name}` is given twice")).into());
        }
    }
    Ok(pairs)
}

/// Where a secret is to be taken from.
#[derive(Debug, PartialEq)]
enum Source {
    Outside(SecretSource),
    Stdin,
}

fn sources(given: &[String]) -> Result<BTreeMap<String, Source>> {
    let mut found = BTreeMap::new();
    for (name, text) in named(given, "secret", "NAME=env:VARIABLE, NAME=file:PATH or NAME=- (stdin)")? {
        let source = match text.split_once(':') {
            Some(("env", variable)) if !variable.is_empty() => Source::Outside(SecretSource::Env(variable.to_owned())),
            Some(("file", file)) if !file.is_empty() => Source::Outside(SecretSource::File(file.into())),
            _ if text == "-" => Source::Stdin,
            _ => return Err(on_the_command_line(&name).into()),
        };
        if source == Source::Stdin && found.values().any(|source| *source == Source::Stdin) {
            return Err(
                Failure::usage("stdin can give one secret only: take the others from variables or files").into()
            );
        }
        found.insert(name, source);
    }
    Ok(found)
}

fn on_the_command_line(name: &str) -> Failure {
    Failure::usage(format!(
        "secret `{name}`: its value does not belong on the command line, where others on this machine can read it and the shell keeps it"
    ))
    .advice(format!("write {name}=env:VARIABLE, {name}=file:PATH, or {name}=- and give it on stdin"))
    .advice("change it at the platform if it was a real one")
}

/// The secrets' values.
fn read(id: &str, sources: BTreeMap<String, Source>) -> Result<BTreeMap<String, SecretString>> {
    let mut values = BTreeMap::new();
    for (name, source) in sources {
        let value = match source {
            Source::Stdin => from_stdin(id, &name)?,
            Source::Outside(source) => {
                if source.is_open_to_others() {
                    progress::note(&format!("warning: secret `{name}`: {source} can be read by others; remove it now"));
                }
                source.read(id, &name).map_err(|missing| {
                    Failure::configuration(missing.to_string()).advice(missing.advice()).fact("account", id)
                })?
            }
        };
        values.insert(name, value);
    }
    Ok(values)
}

/// All of stdin without the last line end, as of a file.
fn from_stdin(id: &str, name: &str) -> Result<SecretString> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        progress::note(&format!("secret `{name}`: type it, it can be seen here, then a new line and ctrl-d"));
    }
    let wrong = |problem: String| Failure::usage(format!("secret `{name}` of account {id}: stdin {problem}"));
    // Room for all of it: a string that grew would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST_SECRET).unwrap_or(0) + 1));
    (&mut stdin)
        .take(LONGEST_SECRET + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    match value.len() as u64 {
        0 => Err(wrong("is empty".into()).into()),
        length if length > LONGEST_SECRET => Err(wrong(format!("gives more than {LONGEST_SECRET} bytes")).into()),
        _ => Ok(value.into()),
    }
}

/// The settings as the connector's schema asks. What does not fit stays text; opening the account tells what is wrong with it.
fn fitting(schema: &str, settings: BTreeMap<String, String>) -> Result<Map<String, Value>> {
    // The runtime loads no connector whose schema is not JSON.
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let mut fitting = Map::new();
    for (name, text) in settings {
        let field = &schema["properties"][&name];
        if field.is_null() && ["additionalProperties", "patternProperties"].iter().all(|key| schema[key].is_null()) {
            return Err(no_such_setting(&name, &schema).into());
        }
        if field["writeOnly"] == true {
            return Err(on_the_command_line(&name).into());
        }
        fitting.insert(name, fit(field, text));
    }
    Ok(fitting)
}

/// Most schemas let pass what they do not name. A misspelt setting would be kept, and never read.
fn no_such_setting(name: &str, schema: &Value) -> Failure {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let known: Vec<&str> =
        fields.filter(|(_, field)| field["writeOnly"] != true).map(|(name, _)| name.as_str()).collect();
    Failure::configuration(format!("the connector has no setting `{name}` (its settings: {})", known.join(", ")))
}

fn fit(field: &Value, text: String) -> Value {
    let allows = |kind: &str| match &field["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    };
    if allows("string") {
        return text.into();
    }
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return text.into() };
    let fits = match &value {
        Value::Null => allows("null"),
        Value::Bool(_) => allows("boolean"),
        Value::Number(_) => allows("number") || allows("integer"),
        Value::Array(_) => allows("array"),
        Value::Object(_) => allows("object"),
        Value::String(_) => false,
    };
    if fits || field["enum"].as_array().is_some_and(|values| values.contains(&value)) { value } else { text.into() }
}

/// The values, each sealed for its place in this account.
async fn seal(
    vault: &LazyVault,
    id: &str,
    values: &BTreeMap<String, SecretString>,
) -> Result<BTreeMap<String, Sealed>> {
    let mut sealed = BTreeMap::new();
    for (name, value) in values {
        let vault = vault.open().await.map_err(|error| explain::key_error(&error))?;
        let one = vault.seal(&Place::secret(id, name), value.expose_secret().as_bytes());
        sealed.insert(name.clone(), one.map_err(|error| explain::key_error(&error.into()))?);
    }
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Stop;

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        match result.unwrap_err() {
            Stop::Failed(failure) => failure.to_text(),
            Stop::PipeClosed => panic!("it failed"),
        }
    }

    fn texts(given: &[&str]) -> Vec<String> {
        given.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_secret_comes_from_outside_and_its_value_is_never_quoted() {
        let found = sources(&texts(&["password=env:PW", "key=file:a:b=c", "pin=-"])).unwrap();
        assert_eq!(found["password"], Source::Outside(SecretSource::Env("PW".into())));
        assert_eq!(found["key"], Source::Outside(SecretSource::File("a:b=c".into())));
        assert_eq!(found["pin"], Source::Stdin);
        for (given, expected) in [
            (&["password=hunter2"][..], "does not belong on the command line"),
            (&["password=pass:hunter2"], "password=env:VARIABLE"),
            (&["password=env:"], "password=env:VARIABLE"),
            (&["password="], "password=-"),
            (&["hunter2"], "NAME=env:VARIABLE"),
            (&["=hunter2"], "NAME=env:VARIABLE"),
            (&["password=-", "password=env:hunter2"], "given twice"),
            (&["password=-", "key=-"], "one secret only"),
        ] {
            let text = message(sources(&texts(given)));
            assert!(text.contains(expected) && !text.contains("hunter2"), "{given:?}: {text}");
        }
    }

    #[test]
    fn settings_follow_the_connector_s_schema() {
        let schema = r#"{"properties": {
            "root-url": {"type": "string"},
            "number": {"type": "string"},
            "depth": {"type": "integer"},
            "share": {"type": ["number", "null"]},
            "test": {"type": "boolean"},
            "tags": {"type": "array"},
            "table": {"type": "object"},
            "level": {"enum": [1, 2]},
            "password": {"type": "string", "writeOnly": true}
        }}"#;
        for (name, text, expected) in [
            ("root-url", "https://a.example?x=1", json!("https://a.example?x=1")),
            ("number", "42", json!("42")),
            ("depth", "3", json!(3)),
            ("depth", "deep", json!("deep")),
            ("depth", "true", json!("true")),
            ("share", "0.5", json!(0.5)),
            ("share", "null", json!(null)),
            ("test", "true", json!(true)),
            ("test", "1", json!("1")),
            ("tags", "[\"a\"]", json!(["a"])),
            ("table", "{\"a\": 1}", json!({"a": 1})),
            ("level", "2", json!(2)),
        ] {
            let settings = named(&texts(&[&format!("{name}={text}")]), "setting", "NAME=VALUE").unwrap();
            assert_eq!(fitting(schema, settings).unwrap()[name], expected, "{name}={text}");
        }
        let misspelt = message(fitting(schema, BTreeMap::from([("deepth".to_owned(), "3".to_owned())])));
        assert!(misspelt.contains("no setting `deepth`") && misspelt.contains("root-url"), "{misspelt}");
        let open = r#"{"properties": {}, "additionalProperties": {"type": "string"}}"#;
        let any = BTreeMap::from([("deepth".to_owned(), "3".to_owned())]);
        assert_eq!(fitting(open, any).unwrap()["deepth"], "3");
        let secret = BTreeMap::from([("password".to_owned(), "hunter2".to_owned())]);
        let text = message(fitting(schema, secret));
        assert!(text.contains("does not belong on the command line") && !text.contains("hunter2"), "{text}");
    }
}
