//! The loopback marketplaces that `sandbox` and `demo` run, as a table: a further one is a further row.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use serde_json::{Map, Value};
use tradepost_components::BuildError;
use tradepost_platforms::{HardToFind, HelpKa, Hft71, Hft71Shop, OmniSeller, Platform, StartError, Wcfm};
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

type Starting = Pin<Box<dyn Future<Output = std::result::Result<Open, StartError>> + Send>>;

/// How a marketplace is opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// The port, 0 for any free one.
    pub(crate) port: u16,
    pub(crate) orders: u64,
    pub(crate) ledger: Option<PathBuf>,
}

/// A marketplace that is open.
pub(crate) struct Open {
    pub(crate) platform: Box<dyn Platform>,
    /// The inside of the one that makes what is ordered, so that the demo can move production on.
    pub(crate) producer: Option<Hft71Shop>,
}

impl Open {
    fn new(platform: impl Platform + 'static) -> Self {
        Self { platform: Box::new(platform), producer: None }
    }
}

/// What the demo does beside reading.
pub(crate) enum Task {
    /// Acknowledge this order.
    Acknowledge(&'static str),
    /// Ship this order with this carrier.
    Ship(&'static str, &'static str),
    /// Set the stock of the first product that is counted.
    SetStock,
    /// Make a product, change it, and remove it.
    ProductLife,
    /// Hand an order to the producer and follow it to its end, by asking and by webhook.
    Produce,
}

/// Starts a marketplace whose builder is made for an [`Opening`].
macro_rules! start {
    ($opening:ident => $builder:expr, $open:expr) => {
        |$opening| {
            Box::pin(async move {
                let mut builder = $builder.port($opening.port);
                if let Some(file) = $opening.ledger {
                    builder = builder.ledger_file(file);
                }
                Ok($open(builder.start().await?))
            })
        }
    };
}

/// All marketplaces.
pub(crate) const MARKETPLACES: [Marketplace; 5] = [
    Marketplace {
        name: "hardtofind",
        start: start!(opening => HardToFind::builder().orders(opening.orders), Open::new),
        // The documentation's sample order, which is ready to be taken up.
        tasks: &[Task::Acknowledge("123456"), Task::Ship("123456", "Australia Post")],
    },
    Marketplace {
        name: "wcfm",
        start: start!(opening => Wcfm::builder().orders(opening.orders).reviews(3).enquiries(2), Open::new),
        tasks: &[Task::SetStock, Task::ProductLife],
    },
    Marketplace {
        name: "hft71",
        start: start!(opening => Hft71::builder().articles(450), |platform: Hft71| {
            let producer = Some(platform.shop());
            Open { producer, ..Open::new(platform) }
        }),
        tasks: &[Task::Produce],
    },
    Marketplace {
        name: "omniseller",
        start: start!(opening => OmniSeller::builder().orders(opening.orders).categories(40), Open::new),
        tasks: &[],
    },
    Marketplace {
        name: "help-ka",
        start: start!(opening => HelpKa::builder().orders(opening.orders).reviews(3).enquiries(2), Open::new),
        tasks: &[],
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
    pub(crate) async fn start(&self, opening: Opening) -> Result<Open> {
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
