//! The contract's operations by name, with JSON for arguments and results: for embedders that record what is to be done, and for checks
//! that ask every connector the same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::account::Account;
use crate::call::Reply;
use crate::error::CallError;

/// The operations that change something at the source. A manifest that is silent about one of these has not said that it only reads.
pub const WRITING_OPERATIONS: [&str; 12] = [
    "order-acceptance.acknowledge",
    "order-status.set",
    "shipments.ship",
    "order-notes.add",
    "fulfilment.submit",
    "fulfilment-updates.update",
    "product-writes.create",
    "product-writes.update",
    "product-writes.delete",
    "stock-updates.set",
    "gift-cards.issue",
    "gift-cards.void",
];

/// Why an operation that was called by name has no result.
#[derive(Debug, thiserror::Error)]
pub enum NamedCallError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// There is no such operation in the contract.
    #[error("the contract has no operation {0}")]
    NoSuchOperation(String),
    /// The arguments are not the function's parameters.
    #[error("{operation} does not take these arguments: `{argument}`: {problem}")]
    Arguments {
        /// Interface and function.
        operation: String,
        /// The parameter.
        argument: String,
        /// What does not fit.
        problem: String,
    },
}

/// The table of operations: each with its method and the parameters it takes.
macro_rules! with_operations {
    ($then:ident!($($given:tt)*)) => {
        $then! {
            $($given)*
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
            "refunds.list" => list_refunds((text "order_id"));
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
    };
}

macro_rules! argument {
    ($get:ident value $name:literal) => {
        $get.value($name)?
    };
    ($get:ident by_ref $name:literal) => {
        &$get.value($name)?
    };
    ($get:ident slice $name:literal) => {
        &$get.value::<Vec<_>>($name)?
    };
    ($get:ident text $name:literal) => {
        &$get.value::<String>($name)?
    };
    ($get:ident cursor $name:literal) => {
        $get.value::<Option<String>>($name)?.as_deref()
    };
}

macro_rules! call {
    ($account:ident $get:ident $($name:literal => $method:ident($(($kind:ident $argument:literal))*);)*) => {
        match $get.operation {
            $($name => Box::pin(async { by_json($name, $account.$method($(argument!($get $kind $argument)),*).await?) }).await,)*
            other => Err(NamedCallError::NoSuchOperation(other.to_owned())),
        }
    };
}

/// The call is made and never awaited: it tells the types of the arguments.
macro_rules! check {
    ($account:ident $get:ident $($name:literal => $method:ident($(($kind:ident $argument:literal))*);)*) => {
        match $get.operation {
            $($name => {
                drop($account.$method($(argument!($get $kind $argument)),*));
                Ok(())
            })*
            other => Err(NamedCallError::NoSuchOperation(other.to_owned())),
        }
    };
}

impl Account {
    /// Calls an operation (`shipments.ship`) with an object of the function's parameters, in snake case, as the contract's JSON.
    pub async fn call_by_name(&self, operation: &str, arguments: &Value) -> Result<Reply<Value>, NamedCallError> {
        let get = Arguments { operation, arguments };
        with_operations!(call!(self get))
    }

    /// Whether these are arguments of the operation: what [`Account::call_by_name`] would say of them, without a call.
    pub fn check_arguments(&self, operation: &str, arguments: &Value) -> Result<(), NamedCallError> {
        let get = Arguments { operation, arguments };
        with_operations!(check!(self get))
    }
}

struct Arguments<'a> {
    operation: &'a str,
    arguments: &'a Value,
}

impl Arguments<'_> {
    fn value<T: DeserializeOwned>(&self, name: &str) -> Result<T, NamedCallError> {
        let value = self.arguments.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| NamedCallError::Arguments {
            operation: self.operation.to_owned(),
            argument: name.to_owned(),
            problem: error.to_string(),
        })
    }
}

fn by_json<T: Serialize>(operation: &str, reply: Reply<T>) -> Result<Reply<Value>, NamedCallError> {
    let connector = reply.connector().to_owned();
    reply.try_map(|value| {
        serde_json::to_value(value).map_err(|error| {
            CallError::InvalidResult { connector, operation: operation.to_owned(), problem: error.to_string() }.into()
        })
    })
}
