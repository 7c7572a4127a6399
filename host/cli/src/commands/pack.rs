//! `tradepost pack`: a package from a component, after the component was loaded and asked what it is.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use serde_json::json;
use tradepost_package::{Package, PackageError, Parts};
use tradepost_runtime::{Limits, connector_page};

use super::{Context, output_file};
use crate::failure::{Failure, Result};
use crate::package_file::claim_of;
use crate::{explain, output, package_file, session};

/// Make a package of a component: one file with its manifest, its page, what it claims, and the report of its tests
#[derive(Debug, Args)]
#[command(after_help = "\
The component is loaded in the sandbox, without an account and without a network; what the package states is what it says there. The same
component and report make the same bytes each time. An existing file is kept unless --force is given.

Examples:
  tradepost pack shop.wasm --key acme.key
  tradepost test shop.wasm --description shop.toml --report report.json && tradepost pack shop.wasm --report report.json -o shop.tradepost")]
pub(crate) struct Pack {
    /// The component, a .wasm file
    component: PathBuf,
    /// What `tradepost test --report` wrote about this component
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Sign it with the secret key in this file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The file to write; unless given, ID-VERSION.tradepost in this directory
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

impl Pack {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        if let Some(out) = &self.out {
            output_file::refuse_existing(out, self.force)?;
        }
        let key = self.key.as_deref().map(package_file::secret_key).transpose()?;
        let report = self.report.as_deref().map(read_report).transpose()?;
        // Read once: what is packed is what was loaded.
        let component = Bytes::from(session::read(&self.component)?);
        let shown = self.component.display().to_string();
        if Package::is_one(&component) {
            return Err(Failure::usage(format!("{shown} is a package already"))
                .advice("`tradepost sign` adds a signature to it; pack takes a component, a .wasm file")
                .into());
        }
        let runtime = session::runtime(Limits::default())?;
        let connector = session::load_bytes(&runtime, component.clone(), &shown).await?;
        let claim = claim_of(&connector)?;
        let out = self.out.unwrap_or_else(|| format!("{}-{}.tradepost", claim.id, claim.version).into());
        output_file::refuse_existing(&out, self.force)?;
        let parts = Parts {
            claim,
            component,
            manifest: output::json(connector.manifest())?,
            page: connector_page(&connector),
            report,
        };
        let mut package = Package::build(parts).map_err(|error| not_packed(&error, &shown, self.report.as_deref()))?;
        if let Some(key) = key {
            package.sign(&key).map_err(|error| explain::package_error(&error, &shown))?;
        }
        let bytes = package.to_bytes();
        output_file::write(&out, &bytes, self.force)?;
        let value = json!({
            "package": out,
            "bytes": bytes.len(),
            "digest": package.digest(),
            "statement": package.statement(),
            "signers": package.signers(),
            "reported": package.report().is_some(),
        });
        context.output.single(&value, |_| {
            let how = if package.is_unsigned() {
                format!("unsigned; `tradepost sign {} --key FILE` signs it", out.display())
            } else {
                format!("signed by {}", package_file::signers(&package))
            };
            format!("{}: {}, {} bytes, {how}", out.display(), package.statement().label(), bytes.len())
        })
    }
}

fn read_report(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| {
        Failure::usage(format!("{}: {error}", file.display()))
            .advice("`tradepost test COMPONENT --report FILE` writes one")
            .into()
    })
}

/// A report that does not fit was given by the caller: it is no fault of the component.
fn not_packed(error: &PackageError, component: &str, report: Option<&Path>) -> Failure {
    let failure = explain::package_error(error, component);
    match (error, report) {
        (PackageError::OtherReport { .. } | PackageError::Part { part: "conformance.json", .. }, Some(report)) => {
            Failure::configuration(format!("{}: {error}", report.display()))
        }
        _ => failure,
    }
}
