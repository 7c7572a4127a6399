//! `tradepost product`: create, update, delete.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tradepost_runtime::Decimal;
use tradepost_runtime::commerce::{self, ProductFields, ProductKind};

use super::{Context, input};
use crate::command_desk::{WriteOptions, carry_out};
use crate::failure::{Failure, Result};
use crate::views;

/// Create, change or remove a product
#[derive(Debug, Args)]
pub(crate) struct Product {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a product
    #[command(after_help = "\
Examples:
  tradepost product create sandbox/wcfm --name 'Blue mug' --kind simple --regular-price 12.50 --sku MUG-BLUE
  tradepost product create sandbox/wcfm --name 'Blue mug' --kind simple --key mug-blue
  tradepost product create sandbox/wcfm --from product.json
  echo '{\"name\": \"Blue mug\", \"kind\": \"simple\"}' | tradepost product create sandbox/wcfm --from -")]
    Create {
        /// The account, as the table names it
        account: String,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        write: WriteOptions,
    },
    /// Change what is given of a product and nothing else
    #[command(
        after_help = "Examples:\n  tradepost product update sandbox/wcfm 42 --regular-price 13.00\n  tradepost product update sandbox/wcfm 42 --from fields.json"
    )]
    Update {
        /// The account, as the table names it
        account: String,
        /// The product's id
        id: String,
        #[command(flatten)]
        fields: Box<Fields>,
        #[command(flatten)]
        write: WriteOptions,
    },
    /// Remove a product; one that is already gone is a success
    #[command(after_help = "Examples:\n  tradepost product delete sandbox/wcfm 42")]
    Delete {
        /// The account, as the table names it
        account: String,
        /// The product's id
        id: String,
        #[command(flatten)]
        write: WriteOptions,
    },
}

/// What a product is to be.
#[derive(Debug, Args)]
struct Fields {
    /// All fields as one JSON object with the contract's names, from a file or from stdin (-)
    #[arg(long, value_name = "FILE|-", conflicts_with_all = [
        "name", "kind", "sku", "description", "short_description", "regular_price", "sale_price", "quantity", "categories", "tags", "images",
    ])]
    from: Option<PathBuf>,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// simple, variable, grouped, external or other
    #[arg(long, value_parser = input::word::<ProductKind>)]
    kind: Option<ProductKind>,
    /// The seller's article number
    #[arg(long)]
    sku: Option<String>,
    /// Long description, HTML
    #[arg(long, value_name = "HTML")]
    description: Option<String>,
    /// Short description, HTML
    #[arg(long, value_name = "HTML")]
    short_description: Option<String>,
    /// Price without a sale
    #[arg(long, value_name = "AMOUNT")]
    regular_price: Option<Decimal>,
    /// Price on sale
    #[arg(long, value_name = "AMOUNT")]
    sale_price: Option<Decimal>,
    /// How many there are
    #[arg(long, value_name = "N")]
    quantity: Option<Decimal>,
    /// A category's id; may be given several times
    #[arg(long = "category", value_name = "ID")]
    categories: Vec<String>,
    /// A tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A picture's URL, the main one first; may be given several times
    #[arg(long = "image", value_name = "URL")]
    images: Vec<String>,
}

impl Fields {
    fn read(self) -> Result<ProductFields> {
        if let Some(from) = self.from {
            return input::object(&from);
        }
        let given = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let fields = ProductFields {
            name: self.name,
            kind: self.kind,
            sku: self.sku,
            description: self.description,
            short_description: self.short_description,
            regular_price: self.regular_price,
            sale_price: self.sale_price,
            quantity: self.quantity,
            categories: given(self.categories),
            tags: given(self.tags),
            images: given(self.images),
            dimensions: None,
        };
        if fields == ProductFields::default() {
            return Err(Failure::usage("no field of the product is given")
                .advice("give fields as options (see --help) or as JSON with --from FILE")
                .into());
        }
        Ok(fields)
    }
}

impl Product {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self.action {
            Action::Create { account, fields, write } => {
                let arguments = json!({ "fields": fields.read()? });
                let made = carry_out(context, &account, "product-writes.create", arguments, write).await?;
                let Some(product): Option<commerce::Product> = made else { return Ok(()) };
                context
                    .output
                    .single(&product, |product| format!("product {} is made\n{}", product.id, views::product(product)))
            }
            Action::Update { account, id, fields, write } => {
                let arguments = json!({ "id": id, "fields": fields.read()? });
                let changed = carry_out(context, &account, "product-writes.update", arguments, write).await?;
                let Some(product): Option<commerce::Product> = changed else { return Ok(()) };
                context
                    .output
                    .single(&product, |product| format!("product {id} is changed\n{}", views::product(product)))
            }
            Action::Delete { account, id, write } => {
                let arguments = json!({ "id": id });
                let deleted = carry_out(context, &account, "product-writes.delete", arguments, write).await?;
                let Some(()) = deleted else { return Ok(()) };
                context.output.single(&json!({ "id": id, "deleted": true }), |_| format!("product {id} is gone"))
            }
        }
    }
}
