//! What every check works with: the loaded connector, fresh accounts on fresh scripted sources, and walks through lists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tradepost_runtime::contract::manifest::AuthRecipe;
use tradepost_runtime::{
    Account, AccountConfig, AccountError, Capability, Connector, Digest, Egress, Grants, LogLine, MemoryStorage,
    Origin, Runtime,
};

use crate::Options;
use crate::description::{Description, Operation, RecordKind};
use crate::operation::{self, OperationError, Outcome};
use crate::report::{Finding, failed};
use crate::source::{Credential, KitClock, World, Worlds};

/// Calls of a walk after which it counts as endless.
const MOST_CALLS: usize = 2_000;

/// The kit on one connector.
pub(crate) struct Kit {
    pub(crate) description: Arc<Description>,
    pub(crate) runtime: Runtime,
    pub(crate) connector: Connector,
    pub(crate) clock: Arc<KitClock>,
    pub(crate) options: Options,
    /// SHA-256 of the bytes that were loaded.
    pub(crate) digest: Digest,
    /// How many bytes were loaded.
    pub(crate) bytes: usize,
    worlds: Arc<Worlds>,
    next: AtomicU64,
}

/// A fresh account on a fresh scripted source. The source goes when this does.
pub(crate) struct Bench {
    pub(crate) account: Account,
    pub(crate) world: Arc<World>,
    /// Values that must not be seen: secrets, and what the account's settings hold besides addresses.
    pub(crate) canaries: Vec<String>,
    authority: String,
    worlds: Arc<Worlds>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.worlds.remove(&self.authority);
    }
}

impl std::ops::Deref for Bench {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// What an account is made of, for checks that make it otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Ingredients {
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: BTreeMap<String, String>,
    root: String,
}

/// A walk through a list, from a cursor to its end.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The items, in the order they came.
    pub(crate) items: Vec<Value>,
    /// The last page's `next`.
    pub(crate) cursor: Option<String>,
    /// The calls that were made.
    pub(crate) calls: usize,
    /// What was logged.
    pub(crate) log: Vec<LogLine>,
}

impl Kit {
    pub(crate) async fn load(
        component: Vec<u8>,
        description: Option<Description>,
        options: Options,
    ) -> Result<Self, crate::KitError> {
        let clock = Arc::new(KitClock::new());
        let worlds = Arc::new(Worlds::default());
        let egress = Egress::builder()
            .clock(clock.clone())
            .source(worlds.clone())
            // A wait for the pace would look like a connector that sleeps.
            .unpaced()
            .build()
            .map_err(|error| crate::KitError::Machine(error.to_string()))?;
        let runtime =
            Runtime::builder().egress(egress).build().map_err(|error| crate::KitError::Machine(error.to_string()))?;
        let (digest, bytes) = (Digest::of(&component), component.len());
        let connector = runtime.load(component).await?;
        let found = connector.manifest().id.clone();
        let description = match description {
            Some(description) => description,
            None => crate::built_in(&found).ok_or_else(|| crate::KitError::NoDescription(found.clone()))??,
        };
        let expected = description.connector.clone();
        if found != expected {
            return Err(crate::KitError::OtherConnector { found, expected });
        }
        let description = Arc::new(description);
        Ok(Self { description, runtime, connector, clock, options, digest, bytes, worlds, next: AtomicU64::new(1) })
    }

    /// A fresh account on a fresh source.
    pub(crate) fn bench(&self) -> Result<Bench, Finding> {
        self.bench_with(|_| {})
    }

    /// The same, with ingredients changed by the check.
    pub(crate) fn bench_with(&self, change: impl FnOnce(&mut Ingredients)) -> Result<Bench, Finding> {
        let mut ingredients = self.ingredients();
        change(&mut ingredients);
        self.open(&ingredients).or_else(|error| failed(format!("the account does not open: {error}")))
    }

    /// Settings and secrets as the description has them; every secret is a value that is seen nowhere else.
    pub(crate) fn ingredients(&self) -> Ingredients {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let root = format!("https://source-{number}.test");
        let settings = self.description.settings.iter().map(|(name, value)| {
            let value = serde_json::to_value(value).unwrap_or_default();
            let value = match value {
                Value::String(text) => Value::String(text.replace("$root", &root)),
                other => other,
            };
            (name.clone(), value)
        });
        let schema = self.schema();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let secrets = schema["properties"].as_object().into_iter().flatten().filter_map(|(name, field)| {
            let is_wanted = required.contains(&name.as_str()) || self.description.secrets.contains(name);
            (field["writeOnly"] == true && is_wanted)
                .then(|| (name.clone(), format!("kit-secret-{name}-{number}-0123456789")))
        });
        Ingredients { settings: settings.collect(), secrets: secrets.collect(), root: root.clone() }
    }

    /// Requests to other hosts than the sources of this run, since this was asked last.
    pub(crate) fn take_strays(&self) -> Vec<String> {
        self.worlds.take_strays()
    }

    /// The settings schema of the manifest.
    pub(crate) fn schema(&self) -> Value {
        serde_json::from_str(&self.connector.manifest().settings_schema).unwrap_or_default()
    }

    /// Opens an account of these ingredients on a source of its own.
    pub(crate) fn open(&self, ingredients: &Ingredients) -> Result<Bench, AccountError> {
        let manifest = self.connector.manifest();
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (name, field) in self.schema()["properties"].as_object().into_iter().flatten() {
            values.extend(field["default"].as_str().map(|text| (name.clone(), text.to_owned())));
        }
        let texts =
            ingredients.settings.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        values.extend(texts);
        values.extend(ingredients.secrets.clone());
        let fill = |template: &str| crate::source::fill(template, &values);
        let root_url = fill(&manifest.root_url);
        let root = url::Url::parse(&root_url).ok();
        let root_path = root.as_ref().map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        let hosts = manifest.hosts.iter().filter_map(|host| url::Url::parse(&fill(host)).ok());
        let hosts: Vec<Origin> = hosts.filter_map(|url| Origin::of(&url).ok()).collect();
        let authority = root.as_ref().and_then(url::Url::host_str).unwrap_or_default().to_owned();

        let recipe: Option<AuthRecipe> = manifest.auth.first().cloned();
        let credential = Credential::new(recipe, values, &root_path);
        let world = Arc::new(World::new(Arc::clone(&self.description), root_path, Arc::clone(&self.clock), credential));
        self.worlds.add(&authority, &world);
        let config = AccountConfig {
            id: format!("kit/{}", ingredients.root),
            settings: ingredients.settings.clone(),
            secrets: ingredients
                .secrets
                .iter()
                .map(|(name, value)| (name.clone(), SecretString::from(value.clone())))
                .collect(),
            auth: None,
            grants: Grants { hosts, ..Grants::default() },
        };
        let account = self.runtime.open(&self.connector, config, Arc::new(MemoryStorage::new()));
        let account = account.inspect_err(|_| self.worlds.remove(&authority))?;
        let private = ingredients.settings.values().filter_map(Value::as_str).filter(|text| text.starts_with("kit-"));
        let canaries = ingredients.secrets.values().cloned().chain(private.map(str::to_owned)).collect();
        Ok(Bench { account, world, canaries, authority, worlds: Arc::clone(&self.worlds) })
    }

    /// Whether the connector exports the interface of an operation.
    pub(crate) fn offers(&self, operation: &Operation) -> bool {
        self.connector.capabilities().map(Capability::name).any(|name| name == operation.interface())
    }

    /// The lists of the description, each with the kind of record it reads.
    pub(crate) fn lists(&self) -> Vec<(&Operation, &RecordKind)> {
        let lists = self.description.lists().filter(|operation| self.offers(operation));
        lists.filter_map(|operation| Some((operation, self.description.record(operation.record.as_ref()?)?))).collect()
    }
}

impl Bench {
    /// Calls an operation with the description's arguments for the record `id`.
    pub(crate) async fn call(&self, operation: &Operation, id: &str) -> Result<Outcome, OperationError> {
        Box::pin(operation::call(&self.account, &operation.name, &arguments(operation, id))).await
    }

    /// Calls an operation with other arguments.
    pub(crate) async fn call_with(&self, name: &str, arguments: &Value) -> Result<Outcome, OperationError> {
        Box::pin(operation::call(&self.account, name, arguments)).await
    }

    /// One page of a list.
    pub(crate) async fn page(&self, list: &Operation, cursor: Option<&str>) -> Result<Outcome, OperationError> {
        let query = match list.interface() {
            "notifications" => json!({"kind": null, "include_read": false, "page_size": null}),
            _ => {
                json!({"updated_since": null, "statuses": [], "page_size": null, "include_raw": list.shows.raw.is_some()})
            }
        };
        Box::pin(operation::call(&self.account, &list.name, &json!({"query": query, "cursor": cursor}))).await
    }

    /// A walk from a cursor to the end. An endless one is a finding.
    pub(crate) async fn walk(&self, list: &Operation, cursor: Option<String>) -> Result<Walked, WalkEnd> {
        let mut walked = Walked { cursor, ..Walked::default() };
        loop {
            let mut page = self.page(list, walked.cursor.as_deref()).await.map_err(WalkEnd::Error)?;
            walked.calls += 1;
            walked.log.append(&mut page.log);
            if let Some(items) = page.value["items"].as_array_mut() {
                walked.items.append(items);
            }
            walked.cursor = page.value["next"].as_str().map(str::to_owned);
            if page.value["end"] == true {
                return Ok(walked);
            }
            if walked.calls == MOST_CALLS {
                return Err(WalkEnd::Endless(walked.calls));
            }
        }
    }
}

/// Why a walk did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WalkEnd {
    /// A call failed.
    #[error("{0}")]
    Error(OperationError),
    /// It does not end.
    #[error("the walk had no end after {0} calls")]
    Endless(usize),
}

impl From<WalkEnd> for Finding {
    fn from(end: WalkEnd) -> Self {
        Self::Failed(end.to_string())
    }
}

impl From<OperationError> for Finding {
    fn from(error: OperationError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The description's arguments for the record `id`.
pub(crate) fn arguments(operation: &Operation, id: &str) -> Value {
    let text = operation.arguments.as_deref().unwrap_or("{}");
    let mut arguments = crate::description::json(text).unwrap_or_default();
    crate::source::substitute(&mut arguments, &|name| (name == "id").then(|| id.into()));
    arguments
}

/// What an item shows at a pointer, as text.
pub(crate) fn shown(item: &Value, pointer: Option<&String>) -> Option<String> {
    let value = item.pointer(pointer?)?;
    (!value.is_null()).then(|| crate::source::plain(value))
}
