//! `GET /order/{id}/packing-slip`: the PDF that must lie in each parcel (protocol notes, section 1.4).

use tradepost_sdk::prelude::*;

use crate::HardToFind;
use crate::orders::path;

impl PackingSlips for HardToFind {
    fn get(order_id: String) -> Result<Document, Error> {
        let request = http::get(format!("{}/packing-slip", path(&order_id))).header("accept", "application/pdf");
        let answer = request.send()?;
        if answer.status == 404 {
            return Err(answer.error().with_message(format!("hardtofind has no packing slip for order {order_id}.")));
        }
        let answer = answer.checked()?;
        // A login page or an error in HTML would be printed and sent to the buyer.
        if !answer.body.starts_with(b"%PDF") {
            return Err(error::protocol("", "a PDF document, beginning with %PDF", &answer.body));
        }
        Ok(Document {
            media_type: "application/pdf".into(),
            file_name: format!("packing-slip-{}.pdf", http::segment(&order_id)),
            content: answer.body,
        })
    }
}
