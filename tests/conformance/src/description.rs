//! What a connector's author writes so that the kit can play the platform: settings, sample records, routes, and what the
//! connector should make of them. A TOML file; no code. README.md beside this crate explains it field by field.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tradepost_runtime::WRITING_OPERATIONS;

/// A description that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// It is not TOML of the right shape.
    #[error("the description does not read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A part of it contradicts another.
    #[error("the description does not fit together: {0}")]
    Part(String),
}

/// How the kit plays a platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Description {
    /// The connector's id, as its manifest has it.
    pub connector: String,
    /// Settings of the account; `$root` is the scripted source's address.
    #[serde(default)]
    pub settings: BTreeMap<String, toml::Value>,
    /// Optional secret fields that the account has all the same, such as a webhook secret. The kit invents every value.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What a login answers beside token and lifetime.
    #[serde(default)]
    pub login: Login,
    /// How the platform words refusals, where it is not by HTTP status alone.
    #[serde(default)]
    pub refusals: Refusals,
    /// The kinds of records that the source holds.
    #[serde(default, rename = "record")]
    pub records: Vec<RecordKind>,
    /// What the source answers, the first that fits.
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    /// What the kit calls.
    #[serde(default, rename = "operation")]
    pub operations: Vec<Operation>,
    /// What the platform sends by itself.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<Webhook>,
    /// Failures that every operation answers otherwise than the kit expects: the failure's name in the error matrix.
    #[serde(default)]
    pub failures: BTreeMap<String, Exception>,
    /// Checks that do not apply, each with the reason that the report prints.
    #[serde(default)]
    pub skip: BTreeMap<String, String>,
}

/// What a login answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// JSON around token and lifetime; `{}` where nothing else is in it.
    pub answer: Option<String>,
}

/// How the platform words refusals. What is left out is said by HTTP status with an empty JSON object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Refusals {
    /// The login is wrong. 401.
    pub bad_login: Option<Answer>,
    /// The token ran out. 401.
    pub expired_token: Option<Answer>,
    /// No such record. 404.
    pub not_found: Option<Answer>,
}

/// A literal answer.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body. `application/json` unless a header says otherwise.
    #[serde(default)]
    pub body: String,
}

fn ok() -> u16 {
    200
}

/// A kind of record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordKind {
    /// Its name here.
    pub name: String,
    /// A whole record as the platform writes it, JSON. Types of the fields below are taken from it.
    pub sample: String,
    /// Pointer to the id. A number in the sample makes ids numbers.
    pub id: String,
    /// Ids are whole numbers also where the sample has one as text: the platform could not have others.
    #[serde(default)]
    pub numeric_ids: bool,
    /// Pointer to the status word.
    pub status: Option<String>,
    /// Every status word that the platform documents.
    #[serde(default)]
    pub words: Vec<String>,
    /// Pointer to a text or whole number that the kit may change to make a new version of a record.
    pub version: Option<String>,
    /// Pointers to fields that say when the record last changed.
    #[serde(default)]
    pub updated: Vec<String>,
    /// Fields that are dates: pointer and how the platform writes them.
    #[serde(default)]
    pub dates: BTreeMap<String, DateFormat>,
    /// Amounts may be written with a decimal comma: `12,50` is one then.
    #[serde(default)]
    pub decimal_comma: bool,
    /// Pointers to fields that may be missing or null without harm to the record.
    #[serde(default)]
    pub optional: Vec<String>,
}

/// How a platform writes a date.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DateFormat {
    /// As the crate `time` describes formats: `[year]-[month]-[day]T[hour]:[minute]:[second]+1000`.
    pub format: String,
    /// The offset from UTC of what is written.
    #[serde(default)]
    pub offset_minutes: i16,
}

/// What the source answers to some requests. One of `list`, `read`, `create`, `change`, `delete` and `answer` says what it does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// Method and path below the root: `GET /order/{id}`. `{id}` names the record.
    pub request: String,
    /// What else must hold: pointers into the JSON body (`/function`) or names of query parameters, and the text there.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// Where the record's id stands in the body, where it is not in the path.
    pub id_at: Option<String>,
    /// Answers pages of records of this kind.
    pub list: Option<String>,
    /// Answers one record of this kind.
    pub read: Option<String>,
    /// Makes a record of this kind.
    pub create: Option<String>,
    /// Changes a record of this kind.
    pub change: Option<String>,
    /// Removes a record of this kind.
    pub delete: Option<String>,
    /// Always answers this.
    pub answer: Option<Answer>,
    /// Of `answer`: the request writes all the same, and counts as an effect.
    #[serde(default)]
    pub writes: bool,

    /// Lists: how pages are numbered. None = everything in one answer.
    pub page: Option<Paging>,
    /// Lists: query parameters or body pointers that select by a field: name and pointer into the record.
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    /// Lists and single records: the JSON around them, `$rows`, `$record`, `$total`, `$pages`, `$page` and `$size` in it. `$rows` or `$record` alone unless given.
    pub envelope: Option<String>,
    /// Lists: which fields of a record the list shows, as pointers to top-level fields. All unless given.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Headers: name and one of `total`, `pages`, or text.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,

    /// Writes: what changes in the record: pointer and a JSON value, in which `"$body:/pointer"` stands for what the request says there.
    #[serde(default)]
    pub sets: BTreeMap<String, String>,
    /// Writes: what is answered, JSON; `$id` is the record's id, `$record` the record. `{}` unless given.
    pub says: Option<String>,
}

/// How pages are numbered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// The query parameter with the page's number, from 1.
    pub number: String,
    /// The query parameter with the wished size.
    pub size: Option<String>,
    /// Rows of a page, and the most that a wish can bring.
    pub rows: usize,
    /// In which order rows stand.
    #[serde(default)]
    pub order: RowOrder,
}

/// In which order a list stands.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum RowOrder {
    /// Last changed first.
    NewestFirst,
    /// Last made first.
    #[default]
    LastMadeFirst,
    /// First made first.
    FirstMadeFirst,
}

/// An operation of the contract as the kit calls it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    /// Interface and function: `orders.list`.
    pub name: String,
    /// The kind of record it reads or writes.
    pub record: Option<String>,
    /// The function's parameters as JSON, snake case; `"$id"` stands for a record's id. Lists need none.
    pub arguments: Option<String>,
    /// Where a record's fields stand in the contract's item.
    #[serde(default)]
    pub shows: Shows,
    /// Writes and `refunds.list`: what the record must look like before: pointer and JSON value. Of refunds: what it looks like once
    /// something was given back.
    #[serde(default)]
    pub before: BTreeMap<String, String>,
    /// Writes: a second, equal call sends nothing that writes, because the platform shows that it is done.
    #[serde(default)]
    pub repeat_is_seen: bool,
    /// Writes: what the writing request must say: pointer into its JSON body and JSON value, in which `"$id"` is the record's id.
    #[serde(default)]
    pub sends: BTreeMap<String, String>,
    /// What the result must hold: pointer and JSON value, in which `"$id"` is the id of the record that was written or made.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    /// Stock: pointer to the level in the record. None where the source shows no levels.
    pub level: Option<String>,
    /// Writes: arguments that must be refused before anything is sent.
    #[serde(default)]
    pub invalid: Vec<Invalid>,
    /// Failures that this operation answers otherwise than the kit expects: the failure's name in the error matrix.
    #[serde(default)]
    pub failures: BTreeMap<String, Exception>,
    /// Checks of the kit that do not apply to this operation, each with its reason.
    #[serde(default)]
    pub skip: BTreeMap<String, String>,
}

/// What the platform makes of a failure, where it is not what HTTP says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Kinds of errors that are right: names of the contract, and `ok` for a result.
    pub kinds: Vec<String>,
    /// Why, for the report.
    pub reason: String,
}

/// Where a record's fields stand in the contract's item.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shows {
    /// The id.
    pub id: Option<String>,
    /// The version field.
    pub version: Option<String>,
    /// The status's raw word, such as `/status/raw`; the axes stand beside it.
    pub status: Option<String>,
    /// The source's own JSON, such as `/raw`.
    pub raw: Option<String>,
    /// Amounts: pointer in the record, pointer in the contract.
    #[serde(default)]
    pub money: BTreeMap<String, String>,
    /// Dates.
    #[serde(default)]
    pub dates: BTreeMap<String, String>,
    /// Texts that arrive as they are.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// Texts that the platform writes as HTML and the contract shows as plain text: tags gone, entities decoded.
    #[serde(default)]
    pub html: BTreeMap<String, String>,
}

/// Arguments that must be refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// The function's parameters as JSON.
    pub arguments: String,
    /// The JSON pointers that the refusal must name.
    pub pointers: Vec<String>,
}

/// What the platform sends by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhook {
    /// Its name here.
    pub name: String,
    /// Path and query it is sent to.
    pub path: String,
    /// Headers; `$secret:NAME` is the value of a secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// What must be read: pointer into the reading and its JSON value.
    #[serde(default)]
    pub says: BTreeMap<String, String>,
    /// The header that proves that it is genuine.
    pub proof: String,
    /// Pointer to the status word in the body.
    pub status: Option<String>,
}

impl Description {
    /// Reads a description. One that says `extends = "wcfm"` is that one of this crate with the differences it names, without
    /// the operations under `without`.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        let table = crate::inheritance::inherited(text.parse()?)?;
        let description: Self = table.try_into()?;
        description.check()?;
        Ok(description)
    }

    /// The kind of record of this name.
    pub fn record(&self, name: &str) -> Option<&RecordKind> {
        self.records.iter().find(|record| record.name == name)
    }

    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// Lists: operations of the contract that answer pages.
    pub fn lists(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.is_list())
    }

    /// Operations that write.
    pub fn writes(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.is_write())
    }

    fn check(&self) -> Result<(), DescriptionError> {
        let wrong = |problem: String| Err(DescriptionError::Part(problem));
        for record in &self.records {
            let sample = match json(&record.sample) {
                Ok(sample) => sample,
                Err(error) => return wrong(format!("record {}: the sample is not JSON: {error}", record.name)),
            };
            let pointers = [Some(&record.id), record.status.as_ref(), record.version.as_ref()];
            let pointers = pointers.into_iter().flatten().chain(&record.updated).chain(record.dates.keys());
            for pointer in pointers {
                if sample.pointer(pointer).is_none() {
                    return wrong(format!("record {}: the sample has nothing at {pointer}", record.name));
                }
            }
            if let Some(pointer) = record.updated.iter().find(|pointer| !record.dates.contains_key(*pointer)) {
                return wrong(format!("record {}: updated names {pointer}, and dates does not", record.name));
            }
        }
        for route in &self.routes {
            let named = [&route.list, &route.read, &route.create, &route.change, &route.delete];
            let kinds: Vec<&String> = named.into_iter().flatten().collect();
            if kinds.len() + usize::from(route.answer.is_some()) != 1 {
                return wrong(format!(
                    "route {}: exactly one of list, read, create, change, delete and answer",
                    route.request
                ));
            }
            if let Some(kind) = kinds.iter().find(|kind| self.record(kind).is_none()) {
                return wrong(format!("route {}: there is no record {kind}", route.request));
            }
            if route.request.split_once(' ').is_none() {
                return wrong(format!("route {}: a method, a blank and a path", route.request));
            }
        }
        for operation in &self.operations {
            if let Some(kind) = operation.record.as_ref().filter(|kind| self.record(kind).is_none()) {
                return wrong(format!("operation {}: there is no record {kind}", operation.name));
            }
            let texts = operation.arguments.iter().chain(operation.invalid.iter().map(|invalid| &invalid.arguments));
            let expected = operation.before.values().chain(operation.sends.values()).chain(operation.answers.values());
            for text in texts.chain(expected) {
                if let Err(error) = json(text) {
                    return wrong(format!("operation {}: {text:?} is not JSON: {error}", operation.name));
                }
            }
        }
        Ok(())
    }
}

impl Operation {
    /// Whether it answers pages.
    pub fn is_list(&self) -> bool {
        const PAGED: [&str; 6] =
            ["orders.list", "products.list", "categories.list", "stock.list", "notifications.list", "sellers.list"];
        PAGED.contains(&self.name.as_str())
    }

    /// Whether it changes something at the source.
    pub fn is_write(&self) -> bool {
        WRITING_OPERATIONS.contains(&self.name.as_str())
    }

    /// The interface: `orders` of `orders.list`.
    pub fn interface(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

impl Shows {
    /// Whether any field of the record but its id is shown.
    pub fn has_fields(&self) -> bool {
        let texts = !self.texts.is_empty() || !self.html.is_empty();
        self.status.is_some() || self.version.is_some() || !self.money.is_empty() || !self.dates.is_empty() || texts
    }
}

impl RecordKind {
    /// The sample, parsed.
    pub fn sample(&self) -> Value {
        json(&self.sample).unwrap_or_default()
    }
}

pub(crate) fn json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}
