//! Waits for the platform by itself, in a loop, where it should say so and leave the waiting to the host.

use std::time::Duration;

use tradepost_corner_shop::{corner_shop, exactly, list};
use tradepost_sdk::http::Request;
use tradepost_sdk::prelude::*;

fn patient(request: Request) -> Result<Answer, Error> {
    for _ in 0..3 {
        std::thread::sleep(Duration::from_secs(1));
    }
    request.send()
}

corner_shop!(list: list, amount: exactly, send: patient);
