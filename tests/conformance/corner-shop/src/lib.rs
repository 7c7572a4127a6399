//! A connector for an invented shop: orders, newest changed first, ten a page, and parcels that are reported once.
//!
//! The conformance kit is tried on it. `examples/honest.rs` exports it as it is; each other example replaces one part of it by a mistake
//! that people make, so that the kit can show that it sees it.

use tradepost_sdk::http::Request;
use tradepost_sdk::json::{Id, Number, Text};
use tradepost_sdk::prelude::*;
use tradepost_sdk::status::mapping;
use tradepost_sdk::time::Zoned;
use tradepost_sdk::walk::{PageOf, Walk};

/// How the text of a JSON number becomes an amount.
pub type ReadAmount = fn(&str) -> Result<Decimal, Error>;

/// How a request is sent.
pub type Send = fn(Request) -> Result<Answer, Error>;

const SETTINGS_SCHEMA: &str = r#"{
  "type": "object",
  "required": ["root-url", "shop", "key"],
  "properties": {
    "root-url": { "type": "string", "format": "uri", "title": "Server", "description": "Where the shop is." },
    "shop": { "type": "string", "title": "Shop", "description": "The shop's name at the platform.", "minLength": 1 },
    "key": { "type": "string", "title": "Key", "description": "The shop's key.", "writeOnly": true, "minLength": 1 }
  }
}"#;

json::record! {
    struct OrderJson<'a> {
        id: Id,
        state: Text<'a>,
        changed: Zoned,
        total: Number<'a>,
        remark: Text<'a>,
        tracking: Text<'a>,
    }

    struct ShopJson<'a> {
        name: Text<'a>,
    }
}

/// The connector's manifest.
pub fn describe() -> Manifest {
    use {FulfilmentState as Goods, OrderState as State, PaymentState as Money};
    Manifest {
        id: "corner-shop".into(),
        name: "Corner Shop".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: "an invented shop".into(),
        homepage: None,
        settings_schema: SETTINGS_SCHEMA.into(),
        root_url: "{root-url}".into(),
        hosts: vec!["{root-url}".into()],
        request_headers: Vec::new(),
        auth: vec![AuthRecipe {
            name: "key".into(),
            method: AuthMethod::ApiKey("{key}".into()),
            placement: Placement::Header(HeaderPlacement { name: "X-Shop-Key".into(), prefix: String::new() }),
        }],
        pace: None,
        statuses: vec![
            mapping("new", State::Open, Money::Paid, Goods::Unfulfilled),
            mapping("sent", State::Completed, Money::Paid, Goods::Shipped),
        ],
        streams: vec![StreamDescription {
            interface: "orders".into(),
            paging: Paging::NewestFirst,
            incremental: true,
            volatile_fields: Vec::new(),
        }],
        effects: vec![OperationEffect { operation: "shipments.ship".into(), effect: Effect::Once }],
        extensions: Vec::new(),
    }
}

/// Who the key belongs to.
pub fn check() -> Result<AccountIdentity, Error> {
    let answer = http::get("/shop").send()?.checked()?;
    let shop: ShopJson<'_> = answer.decode()?;
    Ok(AccountIdentity { id: None, name: shop.name.into_option(), server: None, facts: Vec::new() })
}

/// A page of orders, by the walk that loses nothing.
pub fn list(query: &ListQuery, cursor: Option<&str>, amount: ReadAmount) -> Result<OrderPage, Error> {
    let mut source = |_: Option<&str>, page: u32| {
        let rows = page_of_orders(page, query.include_raw, amount)?;
        let is_short = rows.len() < 10;
        Ok(PageOf { rows, total: None, last: is_short })
    };
    let step =
        Walk::unfiltered().since(query.updated_since).rows_per_call(query.page_size).step(cursor, &mut source)?;
    Ok(OrderPage { items: step.items, next: step.next, end: step.end, total: step.total })
}

/// One numbered page of the platform's list.
pub fn page_of_orders(page: u32, include_raw: bool, amount: ReadAmount) -> Result<Vec<Order>, Error> {
    let answer = http::get("/orders").query("page", page).send()?.checked()?;
    let mut orders = Vec::new();
    let mut bad_amount = None;
    json::decode_array(answer.text()?, |row: OrderJson<'_>, raw| {
        match order(row, include_raw.then_some(raw), amount) {
            Ok(order) => orders.push(order),
            Err(error) => bad_amount = Some(error),
        }
        Ok(())
    })?;
    bad_amount.map_or(Ok(orders), Err)
}

/// One order.
pub fn get(id: &str, amount: ReadAmount) -> Result<Order, Error> {
    let answer = http::get(format!("/orders/{}", http::segment(id))).send()?.checked()?;
    let mut found = None;
    let text = answer.text()?;
    json::read(text, |reader| {
        let (row, raw) = reader.with_raw(json::Decode::decode)?;
        found = Some(order(row, Some(raw), amount));
        Ok(())
    })?;
    found.unwrap_or_else(|| Err(error::not_found("The shop has no such order.")))
}

/// Reports a parcel. One that the shop already shows is a success.
pub fn ship(order_id: &str, shipment: &Shipment, send: Send) -> Result<Status, Error> {
    let Some(tracking) = shipment.tracking_number.as_deref().filter(|number| !number.is_empty()) else {
        let issue = error::issue("/tracking-number", "missing", "The shop needs a tracking number.");
        return Err(error::invalid_input(vec![issue]));
    };
    let shows =
        |order: &Order| order.shipments.iter().any(|parcel| parcel.tracking_number.as_deref() == Some(tracking));
    let before = get(order_id, exactly)?;
    if shows(&before) {
        return Ok(before.status);
    }
    let body = json::Object::new().text("tracking", tracking).finish();
    send(http::post(format!("/orders/{}/ship", http::segment(order_id))).json(body))?.checked()?;
    let after = get(order_id, exactly)?;
    if shows(&after) {
        return Ok(after.status);
    }
    Err(error::conflict("The shop took the request and does not show the parcel."))
}

/// An amount as it is written.
pub fn exactly(text: &str) -> Result<Decimal, Error> {
    decimal::parse(text).map_err(|refusal| error::protocol("/total", refusal.expected(), text))
}

/// Sends a request.
pub fn once(request: Request) -> Result<Answer, Error> {
    request.send()
}

fn order(row: OrderJson<'_>, raw: Option<&str>, amount: ReadAmount) -> Result<Order, Error> {
    let total = amount(row.total.text())?;
    let id = String::from(row.id);
    let parcel = |tracking: String| Shipment {
        id: None,
        carrier: None,
        tracking_number: Some(tracking),
        tracking_url: None,
        shipped_at: None,
        lines: Vec::new(),
    };
    Ok(Order {
        number: id.clone(),
        id,
        status: StatusTable::new(describe().statuses).lookup(&row.state),
        placed_at: None,
        updated_at: Some(time::plausible(row.changed.into()).map_err(|refusal| refusal.at("/changed"))?),
        paid_at: None,
        dispatch_due_at: None,
        currency: Some("EUR".into()),
        prices_include_tax: None,
        totals: Totals {
            scope: TotalsScope::SellerPart,
            items: None,
            shipping: None,
            discount: None,
            fees: None,
            tax: None,
            credit: None,
            paid: None,
            refunded: None,
            total: Some(total),
        },
        buyer: Buyer { id: None, name: String::new(), email: None, phone: None },
        billing_address: None,
        shipping_address: None,
        lines: Vec::new(),
        shipping_lines: Vec::new(),
        fees: Vec::new(),
        discounts: Vec::new(),
        gift: None,
        shipments: row.tracking.into_option().map(parcel).into_iter().collect(),
        payment_method: None,
        delivery_instructions: row.remark.into_option(),
        notes: Vec::new(),
        documents: Vec::new(),
        raw: raw.map(str::to_owned),
        extensions: Vec::new(),
    })
}

/// Exports a connector for the corner shop: how it lists, how it reads an amount, how it sends a parcel.
#[macro_export]
macro_rules! corner_shop {
    (list: $list:expr, amount: $amount:expr, send: $send:expr) => {
        /// The corner shop with this mistake, or none.
        #[derive(Debug)]
        pub struct CornerShop;

        impl Connector for CornerShop {
            fn describe() -> Manifest {
                $crate::describe()
            }

            fn check() -> Result<AccountIdentity, Error> {
                $crate::check()
            }
        }

        impl Orders for CornerShop {
            fn list(query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
                $list(&query, cursor.as_deref(), $amount)
            }

            fn get(id: String) -> Result<Order, Error> {
                $crate::get(&id, $amount)
            }
        }

        impl Shipments for CornerShop {
            fn ship(order_id: String, shipment: Shipment) -> Result<Status, Error> {
                $crate::ship(&order_id, &shipment, $send)
            }
        }

        tradepost_sdk::export!(CornerShop: orders, shipments);
    };
}
