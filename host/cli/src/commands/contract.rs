//! `tradepost contract`: the contract that connectors are written against, as a page to read.

use clap::Args;
use tradepost_runtime::{CONTRACT_PACKAGE, CONTRACT_VERSION, contract_reference};

use super::Context;
use crate::failure::Result;
use crate::output;

/// Print the contract that connectors are written against, as Markdown
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tradepost contract > contract.md\n  tradepost contract --json")]
pub(crate) struct Contract {}

impl Contract {
    pub(crate) fn run(context: &Context) -> Result<()> {
        let page = contract_reference();
        if context.output.json {
            let contract =
                serde_json::json!({ "package": CONTRACT_PACKAGE, "version": CONTRACT_VERSION, "reference": page });
            return output::print(&contract.to_string());
        }
        output::print(&page)
    }
}
