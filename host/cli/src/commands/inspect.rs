//! `tradepost inspect`: what a component is, without an account and without a network.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tradepost_runtime::contract::manifest::{AuthMethod, Manifest};
use tradepost_runtime::{Capability, Connector, Limits, Operation, SettingField, setting_fields};

use super::Context;
use crate::failure::Result;
use crate::output::{column, facts, section, word};
use crate::session;

/// Load a component and show what it says of itself: interfaces, settings, hosts, ways to authenticate
#[derive(Debug, Args)]
#[command(after_help = "\
A file that is no connector for this host ends with exit code 7 and the first mismatch by name.

Examples:
  tradepost inspect connectors/hardtofind.wasm
  tradepost inspect connectors/hardtofind.wasm --json | jq .settings_schema")]
pub(crate) struct Inspect {
    /// The component, a .wasm file
    file: PathBuf,
}

impl Inspect {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let runtime = session::runtime(Limits::default())?;
        let connector = session::load(&runtime, &self.file).await?;
        let schema = schema(connector.manifest());
        let inspection = connector.inspection();
        let value = json!({
            "digest": inspection.digest.to_string(),
            "bytes": inspection.bytes,
            "exports": inspection.exports,
            "operations": connector.operations(),
            "imports": inspection.imports,
            "manifest": connector.manifest(),
            "settings_schema": schema,
        });
        context.output.single(&value, |_| describe(&connector))
    }
}

/// The settings schema. The runtime loads no connector whose schema is not JSON.
fn schema(manifest: &Manifest) -> Value {
    serde_json::from_str(&manifest.settings_schema).unwrap_or_default()
}

fn describe(connector: &Connector) -> String {
    let (manifest, inspection) = (connector.manifest(), connector.inspection());
    let capabilities: Vec<_> = connector.capabilities().map(Capability::name).collect();
    let (host, startup): (Vec<_>, Vec<_>) = inspection.imports.iter().partition(|import| !import.starts_with("wasi:"));
    let host: Vec<&str> = host.iter().map(|import| import.as_str()).collect();
    let mut text = facts([
        ("connector", format!("{} ({})", connector.label(), manifest.name)),
        ("platform", manifest.platform.clone()),
        ("homepage", manifest.homepage.clone().unwrap_or_default()),
        ("digest", inspection.digest.to_string()),
        ("size", format!("{} bytes", inspection.bytes)),
        ("can do", capabilities.join(", ")),
        ("imports", host.join(", ")),
        ("to start", format!("{} WASI interfaces, with nothing behind them", startup.len())),
        ("connects to", manifest.hosts.join(", ")),
        ("root URL", manifest.root_url.clone()),
        (
            "auth",
            manifest
                .auth
                .iter()
                .map(|recipe| format!("{} ({})", recipe.name, method(&recipe.method)))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "pace",
            manifest.pace.map(|pace| format!("{} requests in {} ms", pace.requests, pace.per_ms)).unwrap_or_default(),
        ),
        ("statuses", manifest.statuses.iter().map(|status| status.word.as_str()).collect::<Vec<_>>().join(", ")),
    ]);
    text.push('\n');
    text.push_str(&section(
        "Operations",
        &[column("OPERATION", 32), column("EFFECT", 10), column("MEANING", 60)],
        connector.operations().iter().map(operation),
    ));
    text.push_str(&section(
        "Settings",
        &[column("FIELD", 20), column("TYPE", 10), column("NEEDED", 8), column("WHERE", 8), column("MEANING", 60)],
        setting_fields(manifest).iter().map(field),
    ));
    text.push_str(&section(
        "Streams",
        &[column("STREAM", 14), column("PAGING", 14), column("INCREMENTAL", 11)],
        manifest.streams.iter().map(|stream| {
            vec![
                stream.interface.clone(),
                word(&stream.paging),
                if stream.incremental { "yes" } else { "no" }.to_owned(),
            ]
        }),
    ));
    text
}

fn method(method: &AuthMethod) -> &'static str {
    match method {
        AuthMethod::Basic(_) => "user name and password",
        AuthMethod::ApiKey(_) => "API key",
        AuthMethod::Login(_) => "login for a token",
        AuthMethod::Oauth2ClientCredentials(_) => "OAuth 2 client credentials",
        AuthMethod::Oauth2Refresh(_) => "OAuth 2 refresh token",
        AuthMethod::HmacSigned(_) => "signed requests",
    }
}

fn operation(operation: &Operation) -> Vec<String> {
    vec![
        format!("{}.{}", operation.interface, operation.function),
        operation.effect.map_or_else(|| "not stated".to_owned(), |effect| word(&effect)),
        operation.meaning.clone(),
    ]
}

fn field(field: &SettingField) -> Vec<String> {
    let needed = match (field.required, &field.default) {
        (true, _) => "yes".to_owned(),
        (false, None) => "no".to_owned(),
        (false, Some(default)) => format!("default {default}"),
    };
    let place = if field.secret { "secrets" } else { "settings" };
    vec![field.path.clone(), field.kind.clone(), needed, place.to_owned(), field.meaning.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_tell_where_they_go_and_whether_they_are_needed() {
        let row = |required, default, secret| {
            field(&SettingField {
                path: "depth".into(),
                kind: "integer".into(),
                required,
                default,
                secret,
                meaning: "How deep.".into(),
            })
        };
        assert_eq!(row(false, Some(json!(3)), false), ["depth", "integer", "default 3", "settings", "How deep."]);
        assert_eq!(row(true, None, true), ["depth", "integer", "yes", "secrets", "How deep."]);
        assert_eq!(row(false, None, false)[2], "no");
    }
}
