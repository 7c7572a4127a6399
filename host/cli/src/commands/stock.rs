//! `tradepost stock set`: make stock levels what they are.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tradepost_runtime::Decimal;
use tradepost_runtime::commerce::{StockChange, StockOutcome, StockResult};

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::{Exit, Failure, Result};
use crate::output::{column, word};

/// Set stock levels (`tradepost pull ACCOUNT stock` reads them)
#[derive(Debug, Args)]
pub(crate) struct Stock {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Set(Set),
}

/// Set stock levels, absolute; says of each what became of it
#[derive(Debug, Args)]
#[command(after_help = "\
`unconfirmed` means that the platform took the change and offers no way to see whether it holds. Exit code 3 if a change was
refused or names no article.

Examples:
  tradepost stock set sandbox/hardtofind --sku SKU-111 --available 7 --list-price 99.95
  tradepost stock set sandbox/wcfm --product 42 --available 7
  tradepost stock set sandbox/wcfm --product 42 --available 7 --dry-run
  echo '[{\"sku\": \"A-1\", \"available\": \"3\"}]' | tradepost stock set sandbox/wcfm --from -")]
struct Set {
    /// The account, as the table names it
    account: String,
    /// The seller's article number
    #[arg(long)]
    sku: Option<String>,
    /// The platform's product id
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// The platform's variant id
    #[arg(long, value_name = "ID")]
    variant: Option<String>,
    /// How many there are
    #[arg(long, value_name = "N", required_unless_present = "from")]
    available: Option<Decimal>,
    /// A new list price to send with it, where the platform takes both
    #[arg(long, value_name = "AMOUNT")]
    list_price: Option<Decimal>,
    /// Many changes as JSON with the contract's names, from a file or from stdin (-): an array, or an object a line
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["sku", "product", "variant", "available", "list_price"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    write: WriteOptions,
}

impl Stock {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Action::Set(set) = self.action;
        set.run(context).await
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<()> {
        let Self { account, sku, product, variant, available, list_price, from, write } = self;
        let changes = match from {
            Some(from) => many(&from)?,
            None => vec![one(StockArticle { sku, product, variant }, available, list_price)?],
        };
        let arguments = json!({ "changes": changes });
        let set = carry_out(context, &account, "stock-updates.set", arguments, write).await?;
        let Some(results): Option<Vec<StockResult>> = set else { return Ok(()) };
        context.output.list(
            &results,
            &[column("ARTICLE", 24), column("OUTCOME", 12), column("MESSAGE", 60)],
            |result| vec![result.article.clone(), word(&result.outcome), result.message.clone()],
        )?;
        match failure(&results) {
            Some(failure) => Err(failure.fact("account", account).into()),
            None => Ok(()),
        }
    }
}

/// What names an article; one of them is enough.
struct StockArticle {
    sku: Option<String>,
    product: Option<String>,
    variant: Option<String>,
}

fn one(article: StockArticle, available: Option<Decimal>, list_price: Option<Decimal>) -> Result<StockChange> {
    let Some(available) = available else {
        return Err(Failure::usage("--available is missing").into());
    };
    let StockArticle { sku, product, variant } = article;
    if sku.is_none() && product.is_none() && variant.is_none() {
        return Err(Failure::usage("no article is named").advice("name it with --sku, --product or --variant").into());
    }
    Ok(StockChange { sku, product_id: product, variant_id: variant, available, list_price, as_of: None })
}

fn many(from: &Path) -> Result<Vec<StockChange>> {
    let changes: Vec<StockChange> = input::objects(from)?;
    if changes.is_empty() {
        return Err(Failure::usage(format!("{} holds no change", from.display())).into());
    }
    Ok(changes)
}

/// A command whose effect is missing does not end with success.
fn failure(results: &[StockResult]) -> Option<Failure> {
    let failed = |outcome: StockOutcome| matches!(outcome, StockOutcome::Refused | StockOutcome::NotFound);
    let missing: Vec<&StockResult> = results.iter().filter(|result| failed(result.outcome)).collect();
    let first = missing.first()?;
    let kind = if missing.len() == results.len() { word(&first.outcome) } else { "partial".into() };
    Some(Failure::new(
        Exit::Refused,
        kind,
        format!("{} of {} stock changes did not go through", missing.len(), results.len()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_that_did_not_go_through_are_a_failure_and_unconfirmed_ones_are_not() {
        let result = |outcome| StockResult { article: "A".into(), outcome, message: String::new() };
        assert!(failure(&[result(StockOutcome::Confirmed), result(StockOutcome::Unconfirmed)]).is_none());
        let one = failure(&[result(StockOutcome::Confirmed), result(StockOutcome::Refused)]).unwrap();
        assert_eq!((one.kind.as_str(), one.exit), ("partial", Exit::Refused));
        assert_eq!(failure(&[result(StockOutcome::NotFound)]).unwrap().kind, "not-found");
    }
}
