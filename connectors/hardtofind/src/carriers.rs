//! `GET /shipping-providers`: a bare array, not paged (seed 001).

use tradepost_sdk::json::{Id, Text};
use tradepost_sdk::prelude::*;

use crate::HardToFind;

json::record! {
    struct ProviderJson<'a> {
        id: Id,
        provider_name: Text<'a>,
        tracking_url: Text<'a>,
        accepts_tracking_id_in_url: Option<bool>,
    }
}

impl Carriers for HardToFind {
    fn list() -> Result<Vec<Carrier>, Error> {
        let answer = http::get("/shipping-providers").send()?.checked()?;
        let mut carriers = Vec::new();
        json::decode_array(answer.text()?, |provider: ProviderJson<'_>, _| {
            carriers.push(Carrier {
                id: provider.id.into(),
                name: provider.provider_name.into_string(),
                tracking_url: provider.tracking_url.into_option(),
                takes_tracking_number: provider.accepts_tracking_id_in_url.unwrap_or(false),
            });
            Ok(())
        })?;
        Ok(carriers)
    }
}
