//! `tradepost sign`: one more signature on a package.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Context;
use crate::failure::Result;
use crate::{explain, package_file};

/// Sign a package, in its file; several may sign, and the same key signs once
#[derive(Debug, Args)]
#[command(after_help = "\
A signature says that you stand for what the package states: look at it with `tradepost inspect` first. The file is replaced in one step.

Examples:
  tradepost sign shop-0.1.0.tradepost --key acme.key")]
pub(crate) struct Sign {
    /// The package
    package: PathBuf,
    /// The file of the secret key, as `tradepost keygen` wrote it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Sign {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let key = package_file::secret_key(&self.key)?;
        let mut package = package_file::read(&self.package)?;
        let shown = self.package.display().to_string();
        package.sign(&key).map_err(|error| explain::package_error(&error, &shown))?;
        package_file::replace(&self.package, &package.to_bytes())?;
        let value = json!({
            "package": self.package,
            "digest": package.digest(),
            "signed_by": key.public(),
            "signers": package.signers(),
        });
        context.output.single(&value, |_| {
            format!("{shown}: {} is signed by {}", package.statement().label(), package_file::signers(&package))
        })
    }
}
