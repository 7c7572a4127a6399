//! Sends a parcel a second time where the first answer was a server error.

use tradepost_corner_shop::{corner_shop, exactly, list};
use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;

fn twice(request: Request) -> Result<Answer, Error> {
    let answer = request.clone().send()?;
    if answer.status < 500 { Ok(answer) } else { request.send() }
}

corner_shop!(list: list, amount: exactly, send: twice);
