//! What the seller sold and earned: `GET /sales-stats` (protocol notes, section 3.12; recording 261).

use tradepost_sdk::json::{Amount, Loose};
use tradepost_sdk::prelude::*;

use crate::{WcfmConnector, answer, site};

json::record! {
    struct FiguresJson {
        gross_sales: Loose<PeriodsJson>,
        earnings: Loose<PeriodsJson>,
        currency: String,
    }

    /// Sums by the site's calendar: this week, this month, the month before.
    struct PeriodsJson {
        week: Loose<Amount>,
        month: Loose<Amount>,
        last_month: Loose<Amount>,
    }
}

impl<M> SalesFigures for WcfmConnector<M> {
    fn get() -> Result<Figures, Error> {
        let answer = http::get("/sales-stats").send()?;
        site::since("1.1.4", &answer)?;
        decode(&answer)
    }
}

/// The figures of one answer.
pub fn decode(answer: &Answer) -> Result<Figures, Error> {
    let FiguresJson { gross_sales, earnings, currency } = json::decode(answer::json(answer)?)?;
    let sums = |periods: &Loose<PeriodsJson>| match &periods.0 {
        Some(sums) => [sums.week.decimal(), sums.month.decimal(), sums.last_month.decimal()],
        None => [None; 3],
    };
    let sums = sums(&gross_sales).into_iter().zip(sums(&earnings));
    let periods = ["week", "month", "last-month"].into_iter().zip(sums);
    let period = |(name, (gross, earnings)): (&str, _)| SalesPeriod { name: name.into(), gross, earnings };
    Ok(Figures { currency, periods: periods.map(period).collect() })
}
