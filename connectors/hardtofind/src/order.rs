//! From the platform's order to the contract's.

use tradepost_sdk::json::{Amount, DecodeError};
use tradepost_sdk::prelude::*;

use crate::wire::{AddressJson, GiftJson, LabelJson, LineJson, LinksJson, OrderJson, PaymentJson, ShipmentJson};
use crate::{CURRENCY, country};

/// What is needed besides the order itself, read once a call.
pub(crate) struct Context {
    pub(crate) table: StatusTable,
    pub(crate) now: Timestamp,
}

impl Context {
    pub(crate) fn for_account() -> Result<Self, Error> {
        Ok(Self { table: StatusTable::for_account(crate::manifest::statuses())?, now: time::now() })
    }

    /// A date of something that has happened: not in 1970, and not in the future.
    fn past(&self, key: &str, value: Option<time::Zoned>) -> Result<Option<Timestamp>, DecodeError> {
        let checked = value.map(|zoned| time::plausible_at(zoned.0, &self.now)).transpose();
        checked.map_err(|refusal| DecodeError::from(refusal).in_key(key).in_key("dates"))
    }

    /// The contract's order. `raw` is the platform's own text, where it is wanted.
    pub(crate) fn order(&self, source: OrderJson<'_>, raw: Option<&str>) -> Result<Order, DecodeError> {
        let (placed, updated, due) = match source.dates.into_option() {
            Some(dates) => (dates.created_at.0, dates.updated_at.0, dates.dispatch_due_at.0),
            None => (None, None, None),
        };
        let (address, method, instructions) = match source.shipping.into_option() {
            Some(shipping) => (shipping.address.0, shipping.method.0, shipping.instructions.into_option()),
            None => (None, None, None),
        };
        let shipping_address = address.map(place);
        let id = String::from(source.id);
        Ok(Order {
            number: id.clone(),
            id,
            status: self.table.lookup(&source.status),
            placed_at: self.past("created_at", placed)?,
            updated_at: self.past("updated_at", updated)?,
            paid_at: None,
            dispatch_due_at: due_date(due)?,
            currency: Some(CURRENCY.into()),
            prices_include_tax: None,
            totals: totals(&source.payment_summary),
            buyer: buyer(shipping_address.as_ref()),
            billing_address: None,
            shipping_address,
            lines: lines(source.lines.0, source.payment_summary.price),
            shipping_lines: method
                .map(|method| ShippingLine {
                    title: method.description.into_string(),
                    code: None,
                    price: method.price.map(Decimal::from),
                    tax: None,
                })
                .into_iter()
                .collect(),
            fees: Vec::new(),
            discounts: Vec::new(),
            gift: source.gift_wrapping.into_option().map(gift),
            shipments: source.shipments.0.into_iter().map(parcel).collect(),
            payment_method: None,
            delivery_instructions: instructions,
            notes: Vec::new(),
            documents: source.links.into_option().map(documents).unwrap_or_default(),
            raw: raw.map(str::to_owned),
            extensions: Vec::new(),
        })
    }
}

/// When an order must be sent: it may lie ahead, and 1970 is a mistake here too.
fn due_date(due: Option<time::Zoned>) -> Result<Option<Timestamp>, DecodeError> {
    let checked = due.map(|zoned| time::plausible_at(zoned.0, &zoned.0)).transpose();
    checked.map_err(|refusal| DecodeError::from(refusal).in_key("dispatch_due_at").in_key("dates"))
}

fn totals(payment: &PaymentJson) -> Totals {
    let amount = |value: Option<Amount>| value.map(Decimal::from);
    Totals {
        scope: TotalsScope::SellerPart,
        items: amount(payment.price),
        shipping: amount(payment.shipping),
        discount: amount(payment.discount).map(|discount| Decimal {
            // The contract's discounts are not negative; the platform's sign is not documented.
            coefficient: discount.coefficient.saturating_abs(),
            ..discount
        }),
        fees: amount(payment.value_addition),
        tax: None,
        credit: amount(payment.credit),
        paid: amount(payment.payment),
        refunded: None,
        total: Some(payment.total.0),
    }
}

/// The platform names no buyer; the recipient is the nearest to one.
fn buyer(recipient: Option<&Address>) -> Buyer {
    let name = recipient.map(|address| format!("{} {}", address.first_name, address.last_name)).unwrap_or_default();
    Buyer { id: None, name: name.trim().to_owned(), email: None, phone: None }
}

fn place(address: AddressJson<'_>) -> Address {
    let country = address.country.trim();
    // States come as abbreviations (`ACT`); anything longer is a name.
    let state = address.state.trim();
    let (region_code, region_name) = match state.len() {
        0 => (None, None),
        1..=3 => (Some(state.to_owned()), None),
        _ => (None, Some(state.to_owned())),
    };
    Address {
        region_code,
        region_name,
        country_code: country::code(country),
        country_name: (!country.is_empty()).then(|| country.to_owned()),
        first_name: address.first_name.into_string(),
        last_name: address.last_name.into_string(),
        company: address.company.into_string(),
        lines: [address.line_one, address.line_two].into_iter().filter_map(json::Text::into_option).collect(),
        city: address.suburb.into_string(),
        postcode: address.postcode.into_string(),
        phone: None,
        email: None,
    }
}

/// What a line's `price` is: the documentation does not say, and its only sample has quantity 1.
#[derive(Clone, Copy, PartialEq)]
enum PriceOf {
    Piece,
    Line,
    Either,
}

/// Judges by which reading adds up to the order's own sum of goods.
fn price_meaning(lines: &[LineJson<'_>], goods: Option<Amount>) -> PriceOf {
    let sum = |part: &dyn Fn(&LineJson<'_>, Decimal) -> Option<Decimal>| {
        lines.iter().try_fold(decimal::zero(), |sum, line| {
            let price = line.price.map_or_else(decimal::zero, Decimal::from);
            decimal::add(&sum, &part(line, price)?)
        })
    };
    let matches = |sum: Option<Decimal>| match (sum, goods) {
        (Some(sum), Some(goods)) => decimal::compare(&sum, &goods).is_eq(),
        _ => false,
    };
    let by_piece = matches(sum(&|line, price| decimal::mul(&price, &line.quantity)));
    let by_line = matches(sum(&|_, price| Some(price)));
    match (by_piece, by_line) {
        (true, false) => PriceOf::Piece,
        (false, true) => PriceOf::Line,
        _ => PriceOf::Either,
    }
}

fn lines(lines: Vec<LineJson<'_>>, goods: Option<Amount>) -> Vec<OrderLine> {
    let meaning = price_meaning(&lines, goods);
    lines.into_iter().enumerate().map(|(index, source)| line(index, source, meaning)).collect()
}

fn line(index: usize, source: LineJson<'_>, meaning: PriceOf) -> OrderLine {
    let id = synthetic_id(index, &source);
    let price = source.price.map(Decimal::from);
    let single = decimal::compare(&source.quantity, &decimal::from_int(1)).is_eq();
    let (unit_price, total) = match (price, meaning) {
        (Some(price), _) if single => (Some(price), Some(price)),
        (Some(price), PriceOf::Piece) => (Some(price), decimal::mul(&price, &source.quantity)),
        (Some(price), PriceOf::Line) => (None, Some(price)),
        // Not to be told: the usual reading, and no sum made from it.
        (price, _) => (price, None),
    };
    OrderLine {
        id,
        synthetic_id: true,
        sku: source.sku.into_option(),
        product_id: source.product_id.into_option().map(String::from),
        variant_id: None,
        title: source.description.into_string(),
        quantity: source.quantity.0,
        unit_price,
        total,
        tax: None,
        options: source.variant_data.0.into_iter().map(attribute).collect(),
        personalisations: source.personalisations.0.into_iter().map(attribute).collect(),
        commission: None,
    }
}

/// Lines have no id: position and content make one that stays the same as long as the order does (FNV-1a).
fn synthetic_id(index: usize, line: &LineJson<'_>) -> String {
    let labels = line.variant_data.0.iter().chain(&line.personalisations.0);
    let parts = std::iter::once(&*line.sku).chain(labels.flat_map(|label| [&*label.label, &*label.value]));
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{}-{hash:016x}", index + 1)
}

fn attribute(label: LabelJson<'_>) -> Attribute {
    Attribute { name: label.label.into_string(), value: label.value.into_string() }
}

fn gift(gift: GiftJson<'_>) -> Gift {
    Gift {
        description: gift.description.into_string(),
        message: gift.message.into_string(),
        price: gift.price.map(Decimal::from),
        quantity: gift.quantity.map_or_else(|| decimal::from_int(1), Decimal::from),
    }
}

fn parcel(shipment: ShipmentJson<'_>) -> Shipment {
    Shipment {
        id: None,
        carrier: shipment.shipping_provider_name.into_option(),
        tracking_number: shipment.tracking_number.into_option(),
        tracking_url: None,
        shipped_at: shipment.shipment_date.into_option().map(Timestamp::from),
        lines: Vec::new(),
    }
}

fn documents(links: LinksJson<'_>) -> Vec<DocumentLink> {
    [("packing-slip", links.packing_slip), ("manage", links.manage), ("self", links.this)]
        .into_iter()
        .filter_map(|(kind, url)| Some(DocumentLink { kind: kind.into(), url: url.into_option()? }))
        .collect()
}
