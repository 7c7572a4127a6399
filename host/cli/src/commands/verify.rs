//! `tradepost verify`: whether a package is whole, who signed it, and whether its component is what was signed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tradepost_package::{Package, PublicKey};
use tradepost_runtime::Limits;

use super::Context;
use crate::failure::{Exit, Failure, Result};
use crate::output::facts;
use crate::package_file::claim_of;
use crate::{package_file, session};

/// Check a package: its parts, its signatures, and that its component is what the statement says
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with exit code 7 if the package was altered or its component contradicts it, and with 8 if nobody signed it or, where keys are given,
none of them did. Without --key, a package that anybody signed passes: look at who it is.

Examples:
  tradepost verify shop-0.1.0.tradepost --key acme.key.pub
  tradepost verify shop-0.1.0.tradepost --key ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
pub(crate) struct Verify {
    /// The package
    package: PathBuf,
    /// A public key that is trusted, as text or as a file; may be given several times: one of them must have signed
    #[arg(long, value_name = "PUBLIC", value_parser = public_key)]
    key: Vec<PublicKey>,
}

/// A public key, as text or as the file that it is in.
pub(super) fn public_key(text: &str) -> std::result::Result<PublicKey, String> {
    if text.starts_with("ed25519:") {
        return text.parse().map_err(|error: tradepost_package::NotAKey| error.to_string());
    }
    PublicKey::read(Path::new(text)).map_err(|error| error.to_string())
}

impl Verify {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let package = package_file::read(&self.package)?;
        let shown = self.package.display().to_string();
        // First whose it is: nothing of a stranger's is run.
        let trusted = check_signers(&package, &self.key, &shown)?;
        let statement = package.statement();
        let runtime = session::runtime(Limits::default())?;
        let connector = session::load_bytes(&runtime, package.component(), &shown).await?;
        let contradictions = statement.contradictions(&claim_of(&connector)?);
        if !contradictions.is_empty() {
            let message =
                format!("{shown}: the component is not what the statement says: {}", contradictions.join("; "));
            return Err(Failure::new(Exit::ConnectorFault, "contradictory-package", message)
                .advice("do not install it; tell its publisher")
                .fact("contradictions", contradictions)
                .into());
        }
        let value = json!({
            "package": self.package,
            "digest": package.digest(),
            "statement": statement,
            "signers": package.signers(),
            "trusted": trusted,
        });
        context.output.single(&value, |_| {
            let fitting: Vec<String> = trusted.iter().map(PublicKey::to_string).collect();
            facts([
                ("package", format!("{shown} is whole, and its component is what it states")),
                ("connector", statement.label()),
                ("component", statement.digest.to_string()),
                ("signed by", package_file::signers(&package)),
                ("of them given", fitting.join(", ")),
                ("rights", statement.rights().lines().join("\n")),
            ])
        })
    }
}

/// The signers among the keys that are trusted; any signer will do where none is given.
fn check_signers(package: &Package, keys: &[PublicKey], shown: &str) -> Result<BTreeSet<PublicKey>> {
    let signers = package.signers();
    let label = package.statement().label();
    if signers.is_empty() {
        let message = format!("{shown}: {label} is unsigned: anybody may have made it");
        return Err(Failure::new(Exit::Denied, "unsigned", message)
            .advice("get a signed package from its publisher")
            .advice(format!("if you made it: `tradepost sign {shown} --key FILE`"))
            .into());
    }
    let trusted: BTreeSet<PublicKey> = keys.iter().filter(|key| signers.contains(*key)).copied().collect();
    if trusted.is_empty() && !keys.is_empty() {
        let message =
            format!("{shown}: {label} is signed by {}, and by none of the keys given", package_file::signers(package));
        let signers: Vec<String> = signers.iter().map(PublicKey::to_string).collect();
        return Err(Failure::new(Exit::Denied, "untrusted", message)
            .advice("compare the key with what the publisher says it is, from another source than the package's")
            .fact("signers", signers)
            .into());
    }
    Ok(trusted)
}
