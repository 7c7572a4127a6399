//! `tradepost packing-slip`: the document that belongs into an order's parcel.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use serde_json::json;
use tradepost_runtime::commerce::Document;

use super::{Context, output_file};
use crate::failure::{Failure, Result, writing_failed};
use crate::{output, progress};

/// Fetch the slip that belongs into an order's parcel
#[derive(Debug, Args)]
#[command(after_help = "\
An existing file is kept unless --force is given. With --json and without --out the content is printed in base64.

Examples:
  tradepost packing-slip sandbox/hardtofind 123456 --out slip.pdf
  tradepost packing-slip sandbox/hardtofind 123456 > slip.pdf")]
pub(crate) struct PackingSlip {
    /// The account, as the table names it
    account: String,
    /// The order's id
    order: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "out")]
    force: bool,
}

impl PackingSlip {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let json_wanted = context.output.json;
        if self.out.is_none() && !json_wanted && io::stdout().is_terminal() {
            return Err(Failure::usage("a packing slip is binary and would garble the terminal")
                .advice("give it a file with --out FILE, or send stdout to one")
                .into());
        }
        if let Some(file) = &self.out {
            output_file::refuse_existing(file, self.force)?;
        }
        let session = context.open(&self.account).await?;
        let Document { media_type, file_name, content } =
            session.keep(session.account.packing_slip(&self.order).await).await?;
        let bytes = content.len();
        match self.out {
            Some(file) => {
                output_file::write(&file, &content, self.force)?;
                if json_wanted {
                    let written =
                        json!({ "media_type": media_type, "file_name": file_name, "bytes": bytes, "file": file });
                    return output::print(&written.to_string());
                }
                progress::note(&format!("{} ({media_type}, {bytes} bytes)", file.display()));
                Ok(())
            }
            None if json_wanted => {
                let encoded = BASE64_STANDARD.encode(&content);
                let document = json!({ "media_type": media_type, "file_name": file_name, "bytes": bytes, "content_base64": encoded });
                output::print(&document.to_string())
            }
            None => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&content).and_then(|()| stdout.flush()).map_err(|error| writing_failed(&error))
            }
        }
    }
}
