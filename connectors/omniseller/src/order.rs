//! From a head and the shop's own JSON to the contract's order.

use tradepost_sdk::prelude::*;

use crate::account::{OrderFields, Settings};
use crate::content::Content;
use crate::heads::Head;

/// What is needed besides the order itself, read once a call.
pub(crate) struct Context {
    table: StatusTable,
    fields: OrderFields,
    currency: Option<String>,
    offset_minutes: Option<i16>,
}

impl Context {
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            table: StatusTable::for_account(crate::manifest::statuses())?,
            fields: settings.order_fields.unwrap_or_default(),
            currency: settings.currency,
            offset_minutes: settings.utc_offset_minutes.and_then(|minutes| i16::try_from(minutes).ok()),
        })
    }

    /// The contract's order. Number, status and payment method are the head's; the rest is what the settings name.
    pub(crate) fn order(&self, head: Head, content: &Content<'_>, with_raw: bool) -> Result<Order, Error> {
        let fields = &self.fields;
        let lines = content.list(fields.lines.as_deref())?;
        Ok(Order {
            status: self.table.lookup(&head.status),
            id: head.id,
            number: head.number,
            placed_at: content.time(fields.placed_at.as_deref(), self.offset_minutes)?,
            updated_at: None,
            paid_at: None,
            dispatch_due_at: None,
            currency: content.currency(fields.currency.as_deref())?.or_else(|| self.currency.clone()),
            prices_include_tax: None,
            totals: totals(content.amount(fields.total.as_deref())?),
            buyer: Buyer {
                id: None,
                name: content.text(fields.buyer_name.as_deref())?.unwrap_or_default(),
                email: content.text(fields.buyer_email.as_deref())?,
                phone: None,
            },
            billing_address: None,
            shipping_address: None,
            lines: lines.iter().zip(1..).map(|(line, position)| self.line(position, line)).collect::<Result<_, _>>()?,
            shipping_lines: Vec::new(),
            fees: Vec::new(),
            discounts: Vec::new(),
            gift: None,
            shipments: Vec::new(),
            payment_method: head.payment_method,
            delivery_instructions: None,
            notes: Vec::new(),
            documents: Vec::new(),
            raw: with_raw.then(|| content.text.to_owned()),
            extensions: Vec::new(),
        })
    }

    fn line(&self, position: usize, line: &Content<'_>) -> Result<OrderLine, Error> {
        let fields = &self.fields;
        let sku = line.text(fields.line_sku.as_deref())?;
        let quantity = line.amount(fields.line_quantity.as_deref())?.ok_or_else(|| {
            let pointer = format!("{}{}", line.place, fields.line_quantity.as_deref().unwrap_or_default());
            error::protocol(pointer, "the line's quantity, by the setting `order-fields`", line.text)
        })?;
        Ok(OrderLine {
            // No line id is documented: place and article make one that stays as long as the order does.
            id: format!("{position}-{}", sku.as_deref().unwrap_or_default()),
            synthetic_id: true,
            sku,
            product_id: None,
            variant_id: None,
            title: line.text(fields.line_title.as_deref())?.unwrap_or_default(),
            quantity,
            unit_price: line.amount(fields.line_unit_price.as_deref())?,
            total: None,
            tax: None,
            options: Vec::new(),
            personalisations: Vec::new(),
            commission: None,
        })
    }
}

/// Of the whole order: the shop has one seller.
fn totals(total: Option<Decimal>) -> Totals {
    Totals {
        scope: TotalsScope::WholeOrder,
        items: None,
        shipping: None,
        discount: None,
        fees: None,
        tax: None,
        credit: None,
        paid: None,
        refunded: None,
        total,
    }
}
