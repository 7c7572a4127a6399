//! What a call needs to know of its account: the status table and the site's clock, read from the settings once.

use tradepost_sdk::json::Number;
use tradepost_sdk::prelude::*;
use tradepost_sdk::wordpress::SiteClock;

use crate::status;

/// An account's ways of reading.
#[derive(Debug, Clone)]
pub struct Account {
    /// What status words mean here.
    pub statuses: StatusTable,
    /// How the site tells the time.
    pub clock: SiteClock,
}

json::record! {
    struct SettingsJson<'a> {
        "utc-offset-minutes" => utc_offset_minutes: Option<Number<'a>>,
    }
}

impl Account {
    /// The account of this call. Fails with `invalid-input` where a setting makes no sense.
    pub fn of_call() -> Result<Self, Error> {
        let text = settings::text();
        let fields: SettingsJson<'_> = json::decode(&text)?;
        let statuses = StatusTable::new(status::mappings()).overridden(&text)?;
        let offset_minutes = fields.utc_offset_minutes.map(|number| offset(number.text())).transpose()?;
        Ok(Self { statuses, clock: SiteClock { offset_minutes } })
    }
}

fn offset(text: &str) -> Result<i16, Error> {
    text.parse().ok().filter(|minutes: &i16| minutes.abs() <= 15 * 60).ok_or_else(|| {
        let message =
            format!("The site's offset from UTC is given in minutes, such as 330 for +05:30; {text} is none.");
        error::invalid("/utc-offset-minutes", "not-an-offset", message)
    })
}
