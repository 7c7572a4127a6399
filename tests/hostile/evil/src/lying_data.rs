//! Lists that lie: pages without end, the same order again and again, orders too large, orders with values that cannot be.

use tradepost_sdk::prelude::*;

/// A page as the setting `case` asks for it.
pub(crate) fn page(cursor: Option<&str>) -> Result<OrderPage, Error> {
    let last = |items: Vec<Order>, next: &str| OrderPage { items, next: Some(next.into()), end: true, total: None };
    let more = |items: Vec<Order>, next: &str| OrderPage { items, next: Some(next.into()), end: false, total: None };
    Ok(match settings::required("case")?.as_str() {
        // The same order, a thousand times a page, on three pages.
        "same-id" => match cursor {
            None => more(vec![order("7"); 1000], "2"),
            Some("2") => more(vec![order("7"); 1000], "3"),
            _ => last(vec![order("7"); 1000], "mark"),
        },
        "same-cursor" => more(vec![order("7")], "again"),
        "circle" => more(vec![order("7")], if cursor == Some("there") { "back" } else { "there" }),
        "endless" => {
            let page: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0) + 1;
            more(vec![order("7")], &page.to_string())
        }
        // Says where to go on whatever the server says.
        "server-pages" => {
            let answer = http::get(format!("/page?cursor={}", cursor.unwrap_or_default())).send()?.checked()?;
            more(vec![order("7")], answer.text()?)
        }
        // A walk from the beginning lists what the server has; a later one says that nothing is new.
        "jump" if cursor.is_some() => last(Vec::new(), "later"),
        "jump" | "honest" => {
            let answer = http::get("/count").send()?.checked()?;
            let count: u64 = answer.text()?.trim().parse().unwrap_or(0);
            last((1..=count).map(|number| order(&number.to_string())).collect(), "mark")
        }
        "huge-order" => {
            let bytes: usize = settings::required("bytes")?.parse().unwrap_or(0);
            last(vec![Order { raw: Some("r".repeat(bytes)), ..order("7") }], "mark")
        }
        "many-orders" => last(vec![order("7"); settings::required("count")?.parse().unwrap_or(0)], "mark"),
        "odd" => last(vec![odd(&settings::required("odd")?)], "mark"),
        _ => return crate::breakage::lying_page(),
    })
}

/// An order with one value that cannot be, or hardly.
fn odd(which: &str) -> Order {
    let whole = order("7");
    let at = |epoch_seconds: i64, nanoseconds: u32, offset_minutes: i16| {
        let at = Timestamp { epoch_seconds, nanoseconds, offset_minutes };
        Order { placed_at: Some(at), updated_at: Some(at), ..order("7") }
    };
    let total = |coefficient: i64, scale: u8| {
        let total = Some(Decimal { coefficient, scale });
        Order { totals: Totals { total, ..order("7").totals }, ..order("7") }
    };
    let raw = |raw: String| Order { raw: Some(raw), ..order("7") };
    match which {
        "no id" => order(""),
        "another account's id" => order("alice/shop/7"),
        "control characters in the id" => order("7\0\u{1b}[2J\n"),
        "an id of 1 MiB" => order(&"7".repeat(1 << 20)),
        "the largest amount" => total(i64::MAX, 0),
        "the smallest amount" => total(i64::MIN, 18),
        "a scale of 19" => total(1, 19),
        "a scale of 255" => total(1, 255),
        "a negative quantity" => Order { lines: vec![line(Decimal { coefficient: -5, scale: 0 })], ..whole },
        "year 0" => at(-62_167_219_200, 0, 0),
        "year 9999" => at(253_402_300_799, 999_999_999, 0),
        "before 1970" => at(-1, 0, 0),
        "year 10000" => at(253_402_300_800, 0, 0),
        "the end of time" => at(i64::MAX, u32::MAX, i16::MIN),
        "an offset of 23 days" => at(0, 0, i16::MAX),
        "JSON 10,000 deep" => raw("[".repeat(10_000)),
        "JSON with a key twice" => raw(r#"{"id":"7","id":"8"}"#.into()),
        "JSON with 1e400 and NaN" => raw(r#"{"total":1e400,"tax":NaN}"#.into()),
        "a currency of 1 MiB" => Order { currency: Some("E".repeat(1 << 20)), ..whole },
        _ => whole,
    }
}

fn line(quantity: Decimal) -> OrderLine {
    OrderLine {
        id: "1".into(),
        synthetic_id: false,
        sku: None,
        product_id: None,
        variant_id: None,
        title: "a lie".into(),
        quantity,
        unit_price: None,
        total: None,
        tax: None,
        options: Vec::new(),
        personalisations: Vec::new(),
        commission: None,
    }
}

fn order(id: &str) -> Order {
    Order {
        id: id.into(),
        number: id.into(),
        status: crate::status("open"),
        placed_at: None,
        updated_at: None,
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
            total: None,
        },
        buyer: Buyer { id: None, name: String::new(), email: None, phone: None },
        billing_address: None,
        shipping_address: None,
        lines: Vec::new(),
        shipping_lines: Vec::new(),
        fees: Vec::new(),
        discounts: Vec::new(),
        gift: None,
        shipments: Vec::new(),
        payment_method: None,
        delivery_instructions: None,
        notes: Vec::new(),
        documents: Vec::new(),
        raw: None,
        extensions: Vec::new(),
    }
}
