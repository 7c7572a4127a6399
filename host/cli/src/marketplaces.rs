//! The loopback marketplaces that `sandbox` and `demo` run, as a table: a further one is a further row.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use serde_json::{Map, Value};
use tradepost_components::BuildError;
use tradepost_platforms::{HardToFind, Platform, StartError, Wcfm};
use tradepost_runtime::Origin;
use tradepost_runtime::contract::manifest::Manifest;

use crate::failure::{Failure, Result};
use crate::progress;

/// One marketplace.
pub(crate) struct Marketplace {
    /// Its short name; its connector is the crate `tradepost-` and this.
    pub(crate) name: &'static str,
    start: fn(Opening) -> Starting,
    /// What the demo does there after it has read everything.
    pub(crate) tasks: &'static [Task],
}

type Starting = Pin<Box<dyn Future<Output = std::result::Result<Box<dyn Platform>, StartError>> + Send>>;

/// How a marketplace is opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The port, 0 for any free one.
    pub(crate) port: u16,
    pub(crate) orders: u64,
    pub(crate) ledger: Option<PathBuf>,
}

/// A write that the demo makes, and how the marketplace's ledger names it.
pub(crate) struct Task {
    pub(crate) action: Action,
    pub(crate) ledger_effect: &'static str,
}

/// What is written.
pub(crate) enum Action {
    /// Acknowledge this order.
    Acknowledge(&'static str),
    /// Ship this order with this carrier.
    Ship(&'static str, &'static str),
    /// Set the stock of the first product that is counted.
    SetStock,
}

/// All marketplaces.
pub(crate) const MARKETPLACES: [Marketplace; 2] = [
    Marketplace {
        name: "hardtofind",
        start: |opening| {
            Box::pin(async move {
                let mut builder = HardToFind::builder().port(opening.port).orders(opening.orders);
                if let Some(file) = opening.ledger {
                    builder = builder.ledger_file(file);
                }
                Ok(Box::new(builder.start().await?) as Box<dyn Platform>)
            })
        },
        // The documentation's sample order, which is ready to be taken up.
        tasks: &[
            Task { action: Action::Acknowledge("123456"), ledger_effect: "order.process" },
            Task { action: Action::Ship("123456", "Australia Post"), ledger_effect: "order.ship" },
        ],
    },
    Marketplace {
        name: "wcfm",
        start: |opening| {
            Box::pin(async move {
                let mut builder = Wcfm::builder().port(opening.port).orders(opening.orders);
                if let Some(file) = opening.ledger {
                    builder = builder.ledger_file(file);
                }
                Ok(Box::new(builder.start().await?) as Box<dyn Platform>)
            })
        },
        tasks: &[Task { action: Action::SetStock, ledger_effect: "product.quick-edit" }],
    },
];

/// The names of all marketplaces, for clap.
pub(crate) fn names() -> Vec<&'static str> {
    MARKETPLACES.iter().map(|marketplace| marketplace.name).collect()
}

impl Marketplace {
    /// Builds the marketplace's connector and gives the component's path.
    pub(crate) async fn build_connector(&self) -> Result<PathBuf> {
        let name = self.name;
        let step = progress::step(&format!("building connector {name}"));
        let shown = step.clone();
        let built = tokio::task::spawn_blocking(move || {
            tradepost_components::build(name, |line| {
                if shown.is_hidden() {
                    progress::note(line);
                } else {
                    shown.set_message(line.to_owned());
                }
            })
        })
        .await;
        step.finish_and_clear();
        match built {
            Ok(path) => path.map_err(|error| build_failure(&error).into()),
            Err(panic) => Err(Failure::unexpected(format!("building connector {name} broke off: {panic}")).into()),
        }
    }

    /// Opens it on the loopback address.
    pub(crate) async fn start(&self, opening: Opening) -> Result<Box<dyn Platform>> {
        (self.start)(opening).await.map_err(|error| Failure::usage(format!("{}: {error}", self.name)).into())
    }
}

fn build_failure(error: &BuildError) -> Failure {
    Failure::unexpected(error.to_string())
}

/// Where a marketplace listens, without its path.
pub(crate) fn origin(platform: &dyn Platform) -> Result<Origin> {
    let root = platform.root_url();
    let end = root.match_indices('/').nth(2).map_or(root.len(), |(at, _)| at);
    root[..end].parse().map_err(|error| Failure::unexpected(format!("{}: {error}", platform.name())).into())
}

/// What an account at a marketplace is made of, sorted by the connector's own schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: BTreeMap<String, String>,
}

impl Fields {
    /// The fields that a connector's schema asks for, with this marketplace's values.
    pub(crate) fn of(manifest: &Manifest, platform: &dyn Platform) -> Self {
        let mut known: BTreeMap<String, String> = platform.example_settings().into_iter().collect();
        known.extend(platform.example_secrets());
        Self::fit(&manifest.settings_schema, &known, platform.root_url())
    }

    fn fit(schema: &str, known: &BTreeMap<String, String>, root_url: &str) -> Self {
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let mut fields = Self::default();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            // A connector names its address as it likes: `root-url`, `site-url`. On loopback each is the server's root.
            let address = name.ends_with("-url").then(|| root_url.to_owned());
            let Some(value) = known.get(name).cloned().or(address) else { continue };
            if field["writeOnly"] == true {
                fields.secrets.insert(name.clone(), value);
            } else {
                fields.settings.insert(name.clone(), value.into());
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connector_s_schema_decides_what_is_a_setting_and_what_a_secret() {
        let schema = r#"{"properties": {
            "site-url": {"type": "string"},
            "username": {"type": "string"},
            "password": {"type": "string", "writeOnly": true},
            "depth": {"type": "integer"}
        }}"#;
        let known = [("username", "vendor"), ("password", "pw"), ("root-url", "x")];
        let known = known.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let fields = Fields::fit(schema, &known, "http://127.0.0.1:9000/market");
        let settings: Vec<_> =
            fields.settings.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        assert_eq!(settings, [("site-url", "http://127.0.0.1:9000/market"), ("username", "vendor")]);
        assert_eq!(fields.secrets, [("password".to_owned(), "pw".to_owned())].into());
    }
}
