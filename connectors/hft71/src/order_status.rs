//! How an order stands: `GET /order/{id}/status` and `/customer-status` (seed 000, sections 3 and 4), and its parcel.
//!
//! The parcel's fields are documented and their address is not; `GET /order/{id}` is the natural guess (protocol notes,
//! section 2.2). A server that has no such route (404, 405) tells of no parcels; any other failure there fails the call,
//! because a parcel that exists must not be left out.

use tradepost_sdk::prelude::*;

use crate::Hft71;
use crate::status_words::{StatusWords, least_advanced};
use crate::wire::{ItemJson, OrderJson, of_order, order_path};

/// The order, each of its items, and its parcels.
pub(crate) fn read(id: &str) -> Result<FulfilmentStatus, Error> {
    let path = order_path(id)?;
    let mut words = StatusWords::for_account()?;
    let answers = http::send_all(vec![http::get(format!("{path}/status")), http::get(path)]);
    let [standing, parcel]: [Result<Answer, Error>; 2] =
        answers.try_into().map_err(|_| error::protocol("", "an answer from the host to each of two requests", ""))?;

    let standing = of_order(id, standing?)?;
    let mut items = Vec::new();
    for item in standing.decode::<Vec<ItemJson<'_>>>()? {
        items.push(ItemStatus { status: words.status(&item.status.0), sku: item.sku.0.into_string() });
    }
    let shipments = shipments(parcel?)?;
    if shipments.iter().any(|parcel| parcel.tracking_number.is_some()) {
        for item in &mut items {
            count_as_shipped(&mut item.status);
        }
    }
    let status = least_advanced(items.iter().map(|item| &item.status)).cloned().unwrap_or(Status {
        // The order exists, and HFT71 says nothing about it.
        order: OrderState::Unknown,
        payment: PaymentState::NotReported,
        fulfilment: FulfilmentState::NotReported,
        raw: String::new(),
    });
    Ok(FulfilmentStatus { status, items, shipments })
}

fn shipments(answer: Answer) -> Result<Vec<ShipmentInfo>, Error> {
    if matches!(answer.status, 404 | 405) {
        return Ok(Vec::new());
    }
    let answer = answer.checked()?;
    let order: OrderJson<'_> = answer.decode()?;
    let parcel = order.shipping.into_option().map(|shipping| ShipmentInfo {
        carrier: shipping.carrier.into_option(),
        tracking_number: shipping.tracking.into_option(),
        return_tracking_number: shipping.return_tracking.into_option(),
    });
    let says_something = |parcel: &ShipmentInfo| {
        parcel.carrier.is_some() || parcel.tracking_number.is_some() || parcel.return_tracking_number.is_some()
    };
    Ok(parcel.filter(says_something).into_iter().collect())
}

/// `Closed` says nothing about the goods; with a parcel on its way it means that they were sent.
fn count_as_shipped(status: &mut Status) {
    if status.order == OrderState::Closed && status.fulfilment == FulfilmentState::NotReported {
        status.fulfilment = FulfilmentState::Shipped;
    }
}

impl CustomerStatus for Hft71 {
    fn get(id: String) -> Result<Vec<BuyerStatus>, Error> {
        let answer = of_order(&id, http::get(format!("{}/customer-status", order_path(&id)?)).send()?)?;
        let items = answer.decode::<Vec<ItemJson<'_>>>()?;
        let texts = items.into_iter();
        Ok(texts.map(|item| BuyerStatus { sku: item.sku.0.into_string(), text: item.status.0.into_string() }).collect())
    }
}
