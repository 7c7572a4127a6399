//! `tradepost inspect`: what a component or a package is, without an account and without a network.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tradepost_package::Package;
use tradepost_runtime::contract::manifest::{AuthMethod, Manifest};
use tradepost_runtime::{CONTRACT_PACKAGE, Capability, Connector, Limits, Operation, SettingField, setting_fields};

use super::Context;
use crate::failure::Result;
use crate::output::{column, facts, section, word};
use crate::package_file::claim_of;
use crate::{package_file, session};

/// Load a component and show what it says of itself: interfaces, settings, hosts, ways to authenticate
#[derive(Debug, Args)]
#[command(after_help = "\
Of a package, what it states and who signed it come first; whether that is to be trusted, `tradepost verify` tells. A file that is no
connector for this host, or a package that was altered, ends with exit code 7 and the first mismatch by name.

Examples:
  tradepost inspect connectors/hardtofind.wasm
  tradepost inspect shop-0.1.0.tradepost
  tradepost inspect connectors/hardtofind.wasm --json | jq .settings_schema")]
pub(crate) struct Inspect {
    /// The component, a .wasm file, or a package
    file: PathBuf,
}

impl Inspect {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let bytes = package_file::read_bytes(&self.file)?;
        let runtime = session::runtime(Limits::default())?;
        let shown = self.file.display().to_string();
        if !package_file::is_one(&bytes, &self.file) {
            let connector = session::load_bytes(&runtime, bytes, &shown).await?;
            return context.output.single(&to_json(&connector), |_| describe(&connector));
        }
        let package = package_file::parse(bytes, &self.file)?;
        let connector = session::load_bytes(&runtime, package.component(), &shown).await?;
        let contradictions = package.statement().contradictions(&claim_of(&connector)?);
        let mut value = to_json(&connector);
        value["package"] = json!({
            "digest": package.digest(),
            "statement": package.statement(),
            "signers": package.signers(),
            "contradictions": contradictions,
            "report": package.report(),
        });
        context
            .output
            .single(&value, |_| format!("{}\n{}", describe_package(&package, &contradictions), describe(&connector)))
    }
}

fn to_json(connector: &Connector) -> Value {
    let inspection = connector.inspection();
    json!({
        "digest": inspection.digest.to_string(),
        "bytes": inspection.bytes,
        "contract": inspection.contract,
        "exports": inspection.exports,
        "operations": connector.operations(),
        "imports": inspection.imports,
        "manifest": connector.manifest(),
        "settings_schema": schema(connector.manifest()),
    })
}

fn describe_package(package: &Package, contradictions: &[String]) -> String {
    let statement = package.statement();
    facts([
        ("package", statement.label()),
        ("signed by", package_file::signers(package)),
        ("contract", statement.contract.to_string()),
        ("component", statement.digest.to_string()),
        ("conformance", package.report().map_or_else(|| "no report".to_owned(), conformance)),
        ("rights", statement.rights().lines().join("\n")),
        ("not true", contradictions.join("\n")),
    ])
}

/// The result of a report, and how many checks ended how. It is the publisher's, as all of the package is.
fn conformance(report: &Value) -> String {
    let checks = report["checks"].as_array().map_or(&[][..], Vec::as_slice);
    let count = |result: &str| checks.iter().filter(|check| check["result"] == result).count();
    let passed = if report["passed"] == true { "passed" } else { "not passed" };
    format!("{passed}: {} checks passed, {} failed, {} skipped", count("passed"), count("failed"), count("skipped"))
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
        ("contract", format!("{CONTRACT_PACKAGE}@{}", inspection.contract)),
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
