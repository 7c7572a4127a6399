//! Walking a stream to its end, page by page, whatever it holds.

use std::borrow::Cow;
use std::collections::HashSet;

use clap::ValueEnum;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tradepost_runtime::Capability;
use tradepost_runtime::commerce::{Category, ListQuery, Notification, NotificationQuery, Order, Product, StockLevel};
use tradepost_runtime::contract::Seller;

use crate::failure::{Exit, Failure, Result};
use crate::output::{Column, column, json, money, number, optional, word};
use crate::session::Session;

/// What can be pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Stream {
    Orders,
    Products,
    Categories,
    Stock,
    Notifications,
    Sellers,
}

impl Stream {
    pub(crate) const ALL: [Self; 6] =
        [Self::Orders, Self::Products, Self::Categories, Self::Stock, Self::Notifications, Self::Sellers];

    /// Its name: the interface's.
    pub(crate) fn name(self) -> &'static str {
        self.capability().name()
    }

    /// The interface that lists it.
    pub(crate) fn capability(self) -> Capability {
        match self {
            Self::Orders => Capability::Orders,
            Self::Products => Capability::Products,
            Self::Categories => Capability::Categories,
            Self::Stock => Capability::Stock,
            Self::Notifications => Capability::Notifications,
            Self::Sellers => Capability::Sellers,
        }
    }

    /// Whether its list takes a query: changed since, statuses, raw JSON.
    pub(crate) fn takes_query(self) -> bool {
        matches!(self, Self::Orders | Self::Products)
    }

    /// The row of a record that the store has, where it is one of this program's contract.
    pub(crate) fn row(self, record: &Value) -> Option<Vec<String>> {
        fn row<T: Listed + DeserializeOwned>(record: &Value) -> Option<Vec<String>> {
            T::deserialize(record).ok().map(|record: T| record.row())
        }
        match self {
            Self::Orders => row::<Order>(record),
            Self::Products => row::<Product>(record),
            Self::Categories => row::<Category>(record),
            Self::Stock => row::<StockLevel>(record),
            Self::Notifications => row::<Notification>(record),
            Self::Sellers => row::<Seller>(record),
        }
    }

    /// What a table of it shows.
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Orders => Order::COLUMNS,
            Self::Products => Product::COLUMNS,
            Self::Categories => Category::COLUMNS,
            Self::Stock => StockLevel::COLUMNS,
            Self::Notifications => Notification::COLUMNS,
            Self::Sellers => Seller::COLUMNS,
        }
    }
}

/// What a walk asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) list: ListQuery,
    pub(crate) notifications: NotificationQuery,
}

/// One record of a page, in both of its forms.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What makes it the same record in another page.
    pub(crate) id: String,
    pub(crate) json: String,
    pub(crate) row: Vec<String>,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// How many there are in all, where the source says.
    pub(crate) total: Option<u64>,
}

/// A walk from the first page to the last. What a connector stores is committed with each page.
pub(crate) struct Walk<'a> {
    session: &'a Session,
    stream: Stream,
    wanted: Wanted,
    cursor: Option<String>,
    seen_cursors: HashSet<String>,
    ended: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(session: &'a Session, stream: Stream, wanted: Wanted) -> Self {
        Self { session, stream, wanted, cursor: None, seen_cursors: HashSet::new(), ended: false }
    }

    /// The next page, none after the last.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Page>> {
        if self.ended {
            return Ok(None);
        }
        let account = &self.session.account;
        let cursor = self.cursor.as_deref();
        // The page types differ in their items and in nothing else that matters here.
        macro_rules! page {
            ($call:expr, $total:expr) => {{
                let page = self.session.keep($call.await).await?;
                let items = page.items.iter().map(item).collect::<Result<_>>()?;
                (items, $total(&page), page.next, page.end)
            }};
        }
        let (items, total, next, end) = match self.stream {
            Stream::Orders => page!(
                account.list_orders(&self.wanted.list, cursor),
                |page: &tradepost_runtime::commerce::OrderPage| page.total
            ),
            Stream::Products => {
                page!(
                    account.list_products(&self.wanted.list, cursor),
                    |page: &tradepost_runtime::commerce::ProductPage| page.total
                )
            }
            Stream::Categories => page!(account.list_categories(cursor), |_: &_| None),
            Stream::Stock => page!(account.list_stock(cursor), |_: &_| None),
            Stream::Notifications => {
                page!(account.list_notifications(&self.wanted.notifications, cursor), |_: &_| None)
            }
            Stream::Sellers => page!(account.list_sellers(cursor), |_: &_| None),
        };
        self.ended = end;
        if let Some(next) = next.clone().filter(|_| !end)
            && !self.seen_cursors.insert(next)
        {
            return Err(Failure::new(
                Exit::ConnectorFault,
                "broken-contract",
                format!(
                    "connector {} gave the same cursor twice in {}.list: the walk would never end",
                    account.connector().label(),
                    self.stream.name()
                ),
            )
            .advice("report it to the connector's author")
            .into());
        }
        self.cursor = next;
        Ok(Some(Page { items, total }))
    }

    /// Whether the last page was read.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended
    }
}

fn item<T: Listed>(record: &T) -> Result<Item> {
    Ok(Item { id: record.identity().into_owned(), json: json(record)?, row: record.row() })
}

/// A record of a list.
trait Listed: serde::Serialize {
    const COLUMNS: &'static [Column];

    fn identity(&self) -> Cow<'_, str>;

    fn row(&self) -> Vec<String>;
}

impl Listed for Order {
    const COLUMNS: &'static [Column] = &[
        column("NUMBER", 10),
        column("STATUS", 12),
        column("ORDER", 11),
        column("PAYMENT", 12),
        column("FULFILMENT", 13),
        column("PLACED", 25),
        column("BUYER", 20),
        number("LINES", 5),
        number("TOTAL", 14),
    ];

    fn identity(&self) -> Cow<'_, str> {
        self.id.as_str().into()
    }

    fn row(&self) -> Vec<String> {
        let buyer = if self.buyer.name.is_empty() {
            let address = self.billing_address.as_ref().or(self.shipping_address.as_ref());
            address
                .map(|address| format!("{} {}", address.first_name, address.last_name).trim().to_owned())
                .unwrap_or_default()
        } else {
            self.buyer.name.clone()
        };
        vec![
            self.number.clone(),
            self.status.raw.clone(),
            word(&self.status.order),
            word(&self.status.payment),
            word(&self.status.fulfilment),
            optional(self.placed_at.as_ref()),
            buyer,
            self.lines.len().to_string(),
            money(self.totals.total.as_ref(), self.currency.as_deref()),
        ]
    }
}

impl Listed for Product {
    const COLUMNS: &'static [Column] = &[
        column("ID", 10),
        column("SKU", 20),
        column("NAME", 36),
        column("KIND", 9),
        column("STATE", 9),
        number("PRICE", 12),
        number("STOCK", 8),
    ];

    fn identity(&self) -> Cow<'_, str> {
        self.id.as_str().into()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            optional(self.sku.as_ref()),
            self.name.clone(),
            word(&self.kind),
            word(&self.state),
            money(self.price.as_ref(), self.currency.as_deref()),
            optional(self.quantity.as_ref()),
        ]
    }
}

impl Listed for Category {
    const COLUMNS: &'static [Column] =
        &[column("ID", 10), column("PARENT", 10), column("NAME", 40), column("SHOWN", 5)];

    fn identity(&self) -> Cow<'_, str> {
        self.id.as_str().into()
    }

    fn row(&self) -> Vec<String> {
        vec![self.id.clone(), optional(self.parent_id.as_ref()), self.name.clone(), yes_no(self.active)]
    }
}

impl Listed for StockLevel {
    const COLUMNS: &'static [Column] = &[
        column("PRODUCT", 10),
        column("VARIANT", 10),
        column("SKU", 24),
        number("AVAILABLE", 9),
        column("IN STOCK", 8),
    ];

    /// A level has no id of its own: the article and the place make it.
    fn identity(&self) -> Cow<'_, str> {
        let part = |value: &Option<String>| value.clone().unwrap_or_default();
        let article = match (&self.variant_id, &self.product_id) {
            (Some(variant), _) => format!("variant {variant}"),
            (None, Some(product)) => format!("product {product}"),
            (None, None) => format!("sku {}", part(&self.sku)),
        };
        format!("{article} at {}", part(&self.location)).into()
    }

    fn row(&self) -> Vec<String> {
        vec![
            optional(self.product_id.as_ref()),
            optional(self.variant_id.as_ref()),
            optional(self.sku.as_ref()),
            optional(self.available.as_ref()),
            yes_no(self.in_stock),
        ]
    }
}

impl Listed for Notification {
    const COLUMNS: &'static [Column] = &[column("ID", 8), column("KIND", 16), column("AT", 25), column("TEXT", 60)];

    fn identity(&self) -> Cow<'_, str> {
        self.id.as_str().into()
    }

    fn row(&self) -> Vec<String> {
        vec![self.id.clone(), self.kind.clone(), optional(self.at.as_ref()), self.text.clone()]
    }
}

impl Listed for Seller {
    const COLUMNS: &'static [Column] =
        &[column("ID", 10), column("NAME", 36), column("E-MAIL", 30), column("RATING", 6), column("OPEN", 5)];

    fn identity(&self) -> Cow<'_, str> {
        self.id.as_str().into()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            optional(self.email.as_ref()),
            optional(self.rating.as_ref()),
            yes_no(self.open),
        ]
    }
}

fn yes_no(value: Option<bool>) -> String {
    value.map(|yes| if yes { "yes" } else { "no" }).unwrap_or_default().to_owned()
}
