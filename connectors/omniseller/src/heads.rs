//! Order heads: function 12, the complete list of orders in one answer (seed 004, "GetOrderIDs").

use tradepost_sdk::json::{Decode, DecodeError, Id, PhpList, Reader, Text};
use tradepost_sdk::prelude::*;

use crate::endpoint::{self, NO_DATA, SERVICE, function};

/// Longest id that is taken: the cursor carries one, and has 4 KiB.
const ID_BYTES: usize = 255;

json::record! {
    struct HeadJson<'a> {
        "ID" => id: Id,
        "DisplayID" => display_id: Text<'a>,
        "Paymenttype" => payment_type: Text<'a>,
        "OrderStatus" => order_status: Text<'a>,
    }
}

/// What the list says of an order. Numbers are kept as text: some shops quote them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    pub(crate) id: String,
    /// What people call the order.
    pub(crate) number: String,
    /// The shop's word for how it is paid, such as `oxidinvoice`.
    pub(crate) payment_method: Option<String>,
    /// The status word, or empty.
    pub(crate) status: String,
}

impl Head {
    /// The head of an order that the list does not hold: only its id is known.
    pub(crate) fn unlisted(id: &str) -> Self {
        Self { id: id.to_owned(), number: id.to_owned(), payment_method: None, status: String::new() }
    }
}

impl<'a> Decode<'a> for Head {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let head = HeadJson::decode(reader)?;
        let id = String::from(head.id);
        if id.is_empty() || id.len() > ID_BYTES {
            return Err(DecodeError::refused("an id of 1 to 255 bytes", id).in_key("ID"));
        }
        let number = head.display_id.into_option().unwrap_or_else(|| id.clone());
        let payment_method = head.payment_type.into_option();
        Ok(Self { id, number, payment_method, status: head.order_status.into_string() })
    }
}

/// Every order of the shop, once, sorted by id: the source's own order is not documented.
pub(crate) fn fetch() -> Result<Vec<Head>, Error> {
    let answer = endpoint::reading(SERVICE, function::ORDER_IDS, NO_DATA).send()?;
    let PhpList(mut heads) = endpoint::read(&answer, function::ORDER_IDS)?.data(PhpList::<Head>::decode)?;
    heads.sort_by(|left, right| left.id.cmp(&right.id));
    heads.dedup_by(|later, earlier| later.id == earlier.id);
    Ok(heads)
}
