//! The connector as it should be.

use tradepost_corner_shop::{corner_shop, exactly, list, once};
use tradepost_sdk::prelude::*;

corner_shop!(list: list, amount: exactly, send: once);
