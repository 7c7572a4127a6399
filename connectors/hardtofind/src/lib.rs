//! Throw-away: proves that the SDK's surface links.
use tradepost_sdk::prelude::*;
struct HardToFind;
impl Connector for HardToFind {
    fn describe() -> Manifest { unimplemented!() }
    fn check() -> Result<AccountIdentity, Error> { http::get("/info").send()?.checked()?; Err(error::unsupported("x")) }
}
json::record! { struct A<'a> { id: json::Id, name: std::borrow::Cow<'a, str>, total: json::Amount, updated: time::Zoned } }
impl Orders for HardToFind {
    fn list(_q: ListQuery, _c: Option<String>) -> Result<OrderPage, Error> { 
        let a = http::get("/orders").send()?;
        let mut n = 0;
        json::decode_array(a.text()?, |item: A, _raw| { n += item.name.len() as u64; Ok(()) })?;
        Ok(OrderPage { items: vec![], next: None, end: true, total: Some(n) }) }
    fn get(_i: String) -> Result<Order, Error> { unimplemented!() }
}
tradepost_sdk::export!(HardToFind: orders);
