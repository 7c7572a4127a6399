//! Who the connector is, and whether the account works. HFT71 has no way to ask whose account it is: the smallest page of
//! stock proves that the login and the address are right.

use tradepost_sdk::prelude::*;

use crate::wire::{StockJson, of_service, stock_page};
use crate::{Hft71, manifest};

impl Connector for Hft71 {
    fn describe() -> Manifest {
        manifest::describe()
    }

    fn check() -> Result<AccountIdentity, Error> {
        let answer = of_service(stock_page(1, 1).send()?)?;
        answer.decode::<Vec<StockJson<'_>>>()?;
        let user = settings::field("username")?;
        let facts = user.map(|user| ("user".to_owned(), user)).into_iter().collect();
        Ok(AccountIdentity { id: None, name: None, server: None, facts })
    }
}
