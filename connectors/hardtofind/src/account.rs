//! Who the connector is, and whose account it is connected to: `GET /info` (protocol notes, section 1.2).

use tradepost_sdk::json::{Id, PhpList};
use tradepost_sdk::prelude::*;

use crate::{HardToFind, manifest};

json::record! {
    /// What the token stands for.
    struct InfoJson {
        user_id: Option<Id>,
        seller_account_id: Option<Id>,
        roles: PhpList<String>,
    }
}

impl Connector for HardToFind {
    fn describe() -> Manifest {
        manifest::describe()
    }

    fn check() -> Result<AccountIdentity, Error> {
        let answer = http::get("/info").send()?.checked()?;
        let info: InfoJson = answer.decode()?;
        let mut facts = Vec::new();
        if let Some(user) = info.user_id {
            facts.push(("user".into(), user.into()));
        }
        if !info.roles.0.is_empty() {
            facts.push(("roles".into(), info.roles.0.join(", ")));
        }
        Ok(AccountIdentity { id: info.seller_account_id.map(String::from), name: None, server: None, facts })
    }
}
