//! The contract's operations by name, with JSON for arguments and results, so that one scenario serves every connector.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tradepost_runtime::{Account, CallError, LogLine, Reply, Usage};

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The description names an operation that the contract does not have, or arguments that do not fit it.
    #[error("the description's call of {operation} does not fit the contract: {problem}")]
    Description {
        /// The operation.
        operation: String,
        /// What does not fit.
        problem: String,
    },
}

/// What a call brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The result, as the contract's JSON.
    pub value: Value,
    /// What the connector logged.
    pub log: Vec<LogLine>,
    /// What the call used.
    pub usage: Usage,
}

// Each call is boxed: thirty of them side by side would make every check's future as large as the largest.
/// Calls `operation` (`orders.list`) with `arguments`, an object of the function's parameters in snake case, and commits what it stored.
pub(crate) async fn call(account: &Account, operation: &str, arguments: &Value) -> Result<Outcome, OperationError> {
    let get = Arguments { operation, arguments };
    macro_rules! operations {
        ($($name:literal => $method:ident($($argument:tt)*);)*) => {
            match operation {
                $($name => Box::pin(async { outcome(account.$method($(operations!(@ get $argument)),*).await?).await }).await,)*
                _ => Err(get.problem("there is no such operation")),
            }
        };
        (@ $get:ident ($kind:ident $name:literal)) => { operations!(@@ $get $kind $name) };
        (@@ $get:ident value $name:literal) => { $get.value($name)? };
        (@@ $get:ident by_ref $name:literal) => { &$get.value($name)? };
        (@@ $get:ident slice $name:literal) => { &$get.value::<Vec<_>>($name)? };
        (@@ $get:ident text $name:literal) => { &$get.value::<String>($name)? };
        (@@ $get:ident cursor $name:literal) => { $get.value::<Option<String>>($name)?.as_deref() };
    }
    operations! {
        "connector.check" => check();
        "orders.list" => list_orders((by_ref "query") (cursor "cursor"));
        "orders.get" => get_order((text "id"));
        "order-acceptance.acknowledge" => acknowledge_order((text "id"));
        "order-status.set" => set_order_status((text "id") (by_ref "target"));
        "shipments.ship" => ship((text "order_id") (by_ref "shipment"));
        "carriers.list" => list_carriers();
        "packing-slips.get" => packing_slip((text "order_id"));
        "order-notes.list" => list_order_notes((text "order_id"));
        "order-notes.add" => add_order_note((text "order_id") (text "text") (value "audience"));
        "fulfilment.submit" => submit_fulfilment((by_ref "order"));
        "fulfilment.status" => fulfilment_status((text "id"));
        "fulfilment-updates.update" => update_fulfilment((text "id") (by_ref "change"));
        "customer-status.get" => customer_status((text "id"));
        "products.list" => list_products((by_ref "query") (cursor "cursor"));
        "products.get" => get_product((text "id"));
        "product-writes.create" => create_product((by_ref "fields"));
        "product-writes.update" => update_product((text "id") (by_ref "fields"));
        "product-writes.delete" => delete_product((text "id"));
        "categories.list" => list_categories((cursor "cursor"));
        "stock.list" => list_stock((cursor "cursor"));
        "stock-updates.set" => set_stock((slice "changes"));
        "webhooks.receive" => receive_webhook((by_ref "request"));
        "seller-settings.get" => seller_profile((by_ref "selector"));
        "seller-restrictions.list" => list_restrictions();
        "notifications.list" => list_notifications((by_ref "query") (cursor "cursor"));
        "sellers.list" => list_sellers((cursor "cursor"));
        "sellers.get" => get_seller((text "id"));
        "sales-figures.get" => sales_figures();
        "gift-cards.issue" => issue_gift_card((value "value") (text "reference"));
        "gift-cards.get" => get_gift_card((text "code"));
        "gift-cards.void" => void_gift_card((text "code") (text "reference"));
    }
}

struct Arguments<'a> {
    operation: &'a str,
    arguments: &'a Value,
}

impl Arguments<'_> {
    fn value<T: DeserializeOwned>(&self, name: &str) -> Result<T, OperationError> {
        let value = self.arguments.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| self.problem(format!("argument `{name}`: {error}")))
    }

    fn problem(&self, problem: impl Into<String>) -> OperationError {
        OperationError::Description { operation: self.operation.to_owned(), problem: problem.into() }
    }
}

async fn outcome<T: Serialize>(reply: Reply<T>) -> Result<Outcome, OperationError> {
    let (usage, log) = (reply.usage, reply.log.clone());
    let value = reply.commit().await?;
    let value = serde_json::to_value(value).map_err(|error| CallError::Host(error.to_string()))?;
    Ok(Outcome { value, log, usage })
}
