//! Reading orders: `GET /orders?status=&page_number=` and `GET /order/{id}` (plural and singular, seed 001).

use tradepost_sdk::json::{Decode, Loose};
use tradepost_sdk::prelude::*;
use tradepost_sdk::walk::{DEFAULT_LOOK_BACK_SECONDS, PageOf, Walk};

use crate::HardToFind;
use crate::manifest::word;
use crate::order::Context;
use crate::wire::OrderJson;

json::record! {
    struct WalkSettings {
        "look-back-seconds" => look_back_seconds: Option<u32>,
    }
}

impl Orders for HardToFind {
    fn list(query: ListQuery, cursor: Option<String>) -> Result<OrderPage, Error> {
        let context = Context::for_account()?;
        let settings: WalkSettings = settings::get()?;
        // Without a status the platform lists `PENDING`, which is no status of an order: each is asked for by name.
        let walk = if query.statuses.is_empty() { Walk::over(word::ALL) } else { Walk::over(query.statuses) };
        let walk = walk
            .look_back(settings.look_back_seconds.unwrap_or(DEFAULT_LOOK_BACK_SECONDS))
            .since(query.updated_since)
            .rows_per_call(query.page_size);
        let mut source = |status: Option<&str>, page: u32| fetch(&context, status, page, query.include_raw);
        let step = walk.step(cursor.as_deref(), &mut source)?;
        Ok(OrderPage { items: step.items, next: step.next, end: step.end, total: step.total })
    }

    fn get(id: String) -> Result<Order, Error> {
        read(&Context::for_account()?, &id)
    }
}

/// One page of one status (protocol notes, section 1.3).
fn fetch(context: &Context, status: Option<&str>, page: u32, include_raw: bool) -> Result<PageOf<Order>, Error> {
    let mut request = http::get("/orders");
    if let Some(status) = status {
        request = request.query("status", status);
    }
    let answer = request.query("page_number", page).send()?.checked()?;
    let (mut rows, mut total, mut pages) = (Vec::new(), None, None);
    json::read(answer.text()?, |reader| {
        let mut found = false;
        reader.object(|key, reader| {
            match key {
                "data" => {
                    found = true;
                    reader.array(|reader| {
                        let (order, raw) = reader.with_raw(OrderJson::decode)?;
                        rows.push(context.order(order, include_raw.then_some(raw))?);
                        Ok(())
                    })?;
                }
                "total_results" => total = Loose::<u64>::decode(reader)?.into_option(),
                "pages" => pages = Loose::<u32>::decode(reader)?.into_option(),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        if found { Ok(()) } else { Err(json::DecodeError::missing("data", reader.position())) }
    })?;
    Ok(PageOf { rows, total, last: pages.is_some_and(|pages| page >= pages) })
}

/// One order as it stands now, with its raw text.
pub(crate) fn read(context: &Context, id: &str) -> Result<Order, Error> {
    let answer = http::get(path(id)).send()?;
    if answer.status == 404 {
        return Err(answer.error().with_message(format!("hardtofind has no order {id} for this store.")));
    }
    let answer = answer.checked()?;
    let text = answer.text()?;
    json::read(text, |reader| {
        let (order, raw) = reader.with_raw(OrderJson::decode)?;
        context.order(order, Some(raw))
    })
}

/// The path of one order.
pub(crate) fn path(id: &str) -> String {
    format!("/order/{}", http::segment(id))
}
