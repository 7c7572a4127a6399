//! `tradepost keygen`: a publisher's key pair, made once and kept.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tradepost_package::{KeyFileError, SecretKey};

use super::Context;
use crate::failure::{Failure, Result};

/// Make a key to sign packages with: FILE for the secret key, FILE.pub for the public one
#[derive(Debug, Args)]
#[command(after_help = "\
FILE is for its owner alone: who has it can publish in his name. Back it up; a key is never overwritten and cannot be made again. The public
key is what operators trust; it is printed, and stands in FILE.pub.

Examples:
  tradepost keygen acme.key
  tradepost keygen acme.key --json | jq -r .public_key")]
pub(crate) struct Keygen {
    /// The file to write
    file: PathBuf,
}

impl Keygen {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let key = SecretKey::generate()
            .map_err(|error| Failure::unexpected(format!("the system gives no random bytes: {error}")))?;
        key.write(&self.file).map_err(|error| match error {
            KeyFileError::Exists(_) => Failure::usage(error.to_string()),
            _ => Failure::configuration(error.to_string()),
        })?;
        let public_file = SecretKey::public_file(&self.file);
        let value = json!({ "public_key": key.public(), "secret_file": self.file, "public_file": public_file });
        context.output.single(&value, |_| {
            format!(
                "{}\n{} holds the secret key, for nobody but you; {} the public one, to be given away",
                key.public(),
                self.file.display(),
                public_file.display()
            )
        })
    }
}
