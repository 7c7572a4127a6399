//! Webhooks: only genuine ones are read, and what is read is what they say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ending::{Ending, ending, told, word};
use super::writing::holds;
use crate::description::Webhook;
use crate::kit::{Bench, Ingredients, Kit};
use crate::report::{Finding, Found, failed, skipped};
use crate::source::set;

/// In a header of the description: the value of a secret.
const SECRET: &str = "$secret:";
const UNHEARD_OF: &str = "kit unheard-of word";

/// A webhook of the description on an account of its own.
struct Delivery<'k> {
    webhook: &'k Webhook,
    bench: Bench,
    headers: BTreeMap<String, String>,
}

impl<'k> Delivery<'k> {
    fn new(kit: &Kit, webhook: &'k Webhook) -> Result<Self, Finding> {
        let ingredients = kit.ingredients();
        let bench = kit.open(&ingredients).or_else(|error| failed(format!("the account does not open: {error}")))?;
        let headers = webhook
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), filled(value, &ingredients)))
            .collect();
        Ok(Self { webhook, bench, headers })
    }

    /// Hands a request in. It must not make the connector send anything.
    async fn receive(&self, method: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> Result<Ending, Finding> {
        let headers: Vec<(&String, &String)> = headers.iter().collect();
        let request = json!({"method": method, "path": self.webhook.path, "headers": headers, "body": body});
        let result = self.bench.call_with("webhooks.receive", &json!({ "request": request })).await;
        let ended = ending(result).map_err(|finding| match finding {
            Finding::Failed(text) => Finding::Failed(format!("{}: {text}", self.webhook.name)),
            skipped @ Finding::Skipped(_) => skipped,
        })?;
        match self.bench.requests() {
            0 => Ok(ended),
            sent => failed(format!("{}: {sent} requests were sent while it was read", self.webhook.name)),
        }
    }

    async fn receive_body(&self, body: &[u8]) -> Result<Ending, Finding> {
        self.receive("POST", &self.headers, body).await
    }

    /// Reads it as it is meant.
    async fn reading(&self, body: &str) -> Result<Value, Finding> {
        let ended = self.receive_body(body.as_bytes()).await?;
        match ended {
            Ok(outcome) => Ok(outcome.value),
            Err(_) => failed(format!("{}, genuine: {}", self.webhook.name, told(&ended))),
        }
    }
}

fn filled(value: &str, ingredients: &Ingredients) -> String {
    value
        .strip_prefix(SECRET)
        .and_then(|name| ingredients.secrets.get(name))
        .map_or_else(|| value.to_owned(), Clone::clone)
}

fn webhooks(kit: &Kit) -> Result<&[Webhook], Finding> {
    let offers = kit.connector.capabilities().any(|capability| capability.name() == "webhooks");
    match (offers, kit.description.webhooks.is_empty()) {
        (false, _) => skipped("the connector reads no webhooks"),
        (true, true) => failed("the connector reads webhooks, and the description has none"),
        (true, false) => Ok(&kit.description.webhooks),
    }
}

pub(super) async fn webhook_genuine(kit: &Kit) -> Found {
    let mut evidence = Vec::new();
    for webhook in webhooks(kit)? {
        let reading = Delivery::new(kit, webhook)?.reading(&webhook.body).await?;
        holds(&reading, &webhook.says, "")
            .map_err(|seen| Finding::Failed(format!("{}: the reading {seen}", webhook.name)))?;
        let status = reading["answer"]["status"].as_u64().unwrap_or_default();
        if !(200..300).contains(&status) {
            return failed(format!("{}: it was read, and is answered with HTTP {status}", webhook.name));
        }
        let events = reading["events"].as_array().map_or(0, Vec::len);
        evidence.push(format!("{}: {events} events, answered {status}", webhook.name));
    }
    Ok(evidence.join("; "))
}

pub(super) async fn webhook_forged(kit: &Kit) -> Found {
    let mut refused = 0;
    for webhook in webhooks(kit)? {
        let delivery = Delivery::new(kit, webhook)?;
        let others = Delivery::new(kit, webhook)?;
        let proof = webhook.proof.to_ascii_lowercase();
        let Some(genuine) = delivery.headers.get(&proof).cloned() else {
            return failed(format!("{}: the description's headers do not have {}", webhook.name, webhook.proof));
        };
        let short = genuine[..genuine.floor_char_boundary(genuine.len().saturating_sub(1))].to_owned();
        let mut forgeries = vec![
            ("without the header", None),
            ("with an empty header", Some(String::new())),
            ("with a wrong secret", Some("wrong".to_owned())),
            ("with the secret but its last character", Some(short)),
            ("with the secret and one character more", Some(format!("{genuine}x"))),
            ("with the secret in capitals", Some(genuine.to_ascii_uppercase())),
        ];
        forgeries
            .extend(others.headers.get(&proof).cloned().map(|secret| ("with another account's secret", Some(secret))));
        for (how, value) in forgeries {
            let mut headers = delivery.headers.clone();
            match value {
                Some(value) => headers.insert(proof.clone(), value),
                None => headers.remove(&proof),
            };
            // Whatever else is wrong with it, the first answer is that it is not genuine.
            for (method, body) in [("POST", webhook.body.as_str()), ("POST", "{"), ("GET", "")] {
                let ended = delivery.receive(method, &headers, body.as_bytes()).await?;
                if word(&ended) != "auth-rejected" {
                    return failed(format!(
                        "{} {how} ({method}): expected auth-rejected, seen {}",
                        webhook.name,
                        told(&ended)
                    ));
                }
                refused += 1;
            }
        }
        delivery.reading(&webhook.body).await?;
    }
    Ok(format!("{refused} forged requests refused, the genuine one read after them"))
}

pub(super) async fn webhook_malformed(kit: &Kit) -> Found {
    let (mut errors, mut silent) = (0, 0);
    for webhook in webhooks(kit)? {
        let delivery = Delivery::new(kit, webhook)?;
        let half = &webhook.body[..webhook.body.floor_char_boundary(webhook.body.len() / 2)];
        let deep = "[".repeat(10_000);
        let bodies: [&[u8]; 12] = [
            b"",
            half.as_bytes(),
            b"{}",
            b"[]",
            b"null",
            b"17",
            b"\"text\"",
            b"{\"other\": {\"shape\": [1, 2]}}",
            b"\xff\xfe\x00",
            b"webhook_id=7",
            b"<html></html>",
            deep.as_bytes(),
        ];
        let cases = bodies.into_iter().map(|body| ("POST", body)).chain([("GET", &b""[..]), ("PUT", &b""[..])]);
        for (method, body) in cases {
            let ended = delivery.receive(method, &delivery.headers, body).await?;
            match &ended {
                Err(_) => errors += 1,
                Ok(outcome) if outcome.value["events"].as_array().is_none_or(Vec::is_empty) => silent += 1,
                Ok(_) => {
                    let body = String::from_utf8_lossy(&body[..body.len().min(40)]);
                    return failed(format!("{}: {method} with {body:?} is read as {}", webhook.name, told(&ended)));
                }
            }
        }
        delivery.reading(&webhook.body).await?;
    }
    Ok(format!("{errors} answered with an error of the contract, {silent} read without an event"))
}

pub(super) async fn webhook_repeated(kit: &Kit) -> Found {
    let webhooks = webhooks(kit)?;
    for webhook in webhooks {
        let delivery = Delivery::new(kit, webhook)?;
        let first = delivery.reading(&webhook.body).await?;
        let second = delivery.reading(&webhook.body).await?;
        if first != second {
            return failed(format!("{}: delivered twice, read as {first} and as {second}", webhook.name));
        }
    }
    Ok(format!("{} delivered twice, read the same", webhooks.len()))
}

pub(super) async fn webhook_unknown_word(kit: &Kit) -> Found {
    let mut words = 0;
    for webhook in webhooks(kit)? {
        let Some(pointer) = &webhook.status else { continue };
        let mut body = crate::description::json(&webhook.body)
            .or_else(|error| failed(format!("{}: the description's body is not JSON: {error}", webhook.name)))?;
        set(&mut body, pointer, UNHEARD_OF.into());
        let reading = Delivery::new(kit, webhook)?.reading(&body.to_string()).await?;
        let Some(status) = status_of(&reading["events"], UNHEARD_OF) else {
            return failed(format!(
                "{}: no status of the reading keeps the word {UNHEARD_OF:?}: {reading}",
                webhook.name
            ));
        };
        if let Some(axis) = ["order", "payment", "fulfilment"].into_iter().find(|axis| status[*axis] != "unknown") {
            return failed(format!(
                "{}: a word that nobody knows means {} on the axis {axis}",
                webhook.name, status[axis]
            ));
        }
        words += 1;
    }
    if words == 0 {
        skipped("no webhook carries a status word")
    } else {
        Ok(format!("{words} unknown word, unknown on all axes, kept as it came"))
    }
}

/// The status with this raw word, wherever it stands.
fn status_of<'v>(value: &'v Value, word: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) if fields.get("raw").is_some_and(|raw| raw == word) => Some(value),
        Value::Object(fields) => fields.values().find_map(|field| status_of(field, word)),
        Value::Array(items) => items.iter().find_map(|item| status_of(item, word)),
        _ => None,
    }
}
